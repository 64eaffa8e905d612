// A small contact centre that moves: queues, tasks, workers, and the metrics computed from them.
import vm from "node:vm";

const NAMES = [
  "Support",
  "Sales",
  "Billing",
  "Returns",
  "Claims",
  "Retention",
  "Technical",
  "Bookings",
  "Partners",
  "VIP",
];
const PEOPLE = [
  "Ada Byron",
  "Grace Hopper",
  "Alan Turing",
  "Edsger Dijkstra",
  "Barbara Liskov",
  "Donald Knuth",
  "Radia Perlman",
  "Tony Hoare",
  "Frances Allen",
  "Ken Thompson",
  "Margaret Hamilton",
  "Dennis Ritchie",
  "Katherine Johnson",
  "Niklaus Wirth",
  "Mary Jackson",
  "John Backus",
  "Jean Bartik",
  "Peter Naur",
  "Hedy Lamarr",
  "Robin Milner",
  "Annie Easley",
  "Vint Cerf",
];
const ACTIVITIES = ["Available", "Busy", "Break", "Offline"];
export const CHANNELS = ["voice", "chat"];
export const THRESHOLDS = [30, 60, 120];
export const SLA_NAMES = [
  { name: "accepted-or-late-abandoned", label: "accepted / (accepted + abandoned late)" },
  { name: "all-waited", label: "accepted / all who waited" },
  { name: "accepted", label: "accepted / accepted" },
];

export const STYLES = {
  Default: style("Default", "colorTextWeak", "colorText", "transparent"),
  Success: style("Success", "colorTextSuccess", "colorTextSuccess", "colorBackgroundSuccessWeakest"),
  Warn: style("Warn", "colorTextWarningStrong", "colorTextWarningStrong", "colorBackgroundWarningWeakest"),
  Error: style("Error", "colorTextErrorStrong", "colorTextErrorStrong", "colorBackgroundErrorWeakest"),
};
function style(styleName, headlineColour, statColour, backgroundColour) {
  return { styleName, headlineColour, statColour, backgroundColour };
}

function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const slaLabel = (name) => SLA_NAMES.find((one) => one.name === name)?.label ?? name;

/** The service's rules, as far as the mock needs them. */
function formatted(format, value) {
  if (format === "") return String(value);
  if (!Number.isFinite(value)) return "ERR FMT";
  const s = Math.floor(value);
  const two = (n) => String(n).padStart(2, "0");
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  if (format === "seconds") return `${two(h)}:${two(m)}:${two(s % 60)}`;
  if (format === "minutes") return `${Math.floor(s / 60)} min`;
  if (format === "duration") return h > 0 ? `${h}h ${two(m)}m` : `${m}m ${two(s % 60)}s`;
  if (format === "percent") return `${Math.round(value)} %`;
  if (format.startsWith("number:")) return value.toFixed(Number(format.slice(7)));
  return "ERR FMT";
}

/** Upwards the second threshold wins, downwards the first: tests/fixtures/threshold.json. */
function passed({ firstThresholdValue, secondThresholdValue, invertThresholds }, value) {
  const first = [1, firstThresholdValue];
  const second = [2, secondThresholdValue];
  for (const [level, text] of invertThresholds ? [first, second] : [second, first]) {
    const limit = Number(text);
    if (text === "" || text === undefined || Number.isNaN(limit)) continue;
    if (invertThresholds ? value < limit : value > limit)
      return { level, limit, direction: invertThresholds ? "below" : "above" };
  }
  return null;
}

function styled(metric, value) {
  const threshold = passed(metric, value);
  const style =
    threshold === null
      ? (metric.defaultStyle ?? STYLES.Default)
      : threshold.level === 1
        ? (metric.firstThresholdStyle ?? STYLES.Warn)
        : (metric.secondThresholdStyle ?? STYLES.Error);
  return { style, threshold };
}

export const iso = (ms) => new Date(ms).toISOString();
const sid = (prefix, n) => prefix + (n + 1).toString(16).padStart(32, "0");

export class World {
  constructor({ queues = 10, seed = 7, clock = Date.now } = {}) {
    this.random = random(seed);
    this.clock = clock;
    this.day = new Date(clock()).setUTCHours(4, 0, 0, 0);
    this.queues = Array.from({ length: queues }, (_, n) => this.queue(n));
    this.workers = PEOPLE.map((name, n) => ({
      worker_sid: sid("WK", n),
      friendly_name: name,
      activity_name: n < 6 ? "Available" : ACTIVITIES[n % 4],
      date_status_changed: iso(clock() - this.int(60, 5400) * 1000),
      account_sid: sid("AC", 0),
      workspace_sid: sid("WS", 0),
      team: n % 2 ? "North" : "South",
      routing: { skills: n % 3 ? ["sales", "german"] : ["support"] },
      contact_uri: `client:${name.toLowerCase().replace(" ", "_")}`,
    }));
    this.alerts = [];
    this.definitions = this.metricDefinitions();
    this.history = new Map(Object.keys(this.definitions).map((name) => [name, this.past(name)]));
  }

  int(from, to) {
    return from + Math.floor(this.random() * (to - from + 1));
  }

  queue(n) {
    const name =
      n < NAMES.length ? NAMES[n] : `${NAMES[n % NAMES.length]} ${Math.floor(n / NAMES.length) + 1}`;
    const handled = this.int(40, 400);
    const scope = (share) => {
      const pending = n % 4 === 3 ? 0 : Math.round(this.int(0, 7) * share);
      return {
        pending,
        reserved: this.int(0, 2),
        assigned: this.int(1, 6),
        wrapping: this.int(0, 2),
        since: pending ? this.clock() - this.int(3, n === 0 ? 260 : 90) * 1000 : undefined,
        available: n === 1 ? 0 : this.int(0, 4),
        busy: this.int(1, 5),
        away: this.int(0, 2),
        accepted: Math.round(handled * share),
        canceled: this.int(0, 14),
        quick: [0.62, 0.8, 0.93].map((q) => q + this.random() * 0.06),
      };
    };
    return { sid: sid("WQ", n), name, scopes: { voice: scope(0.65), chat: scope(0.35) }, asOf: this.clock() };
  }

  /** One beat: a few queues move; answers their SIDs. */
  beat(howMany) {
    const moved = new Set();
    for (let i = 0; i < howMany && this.queues.length; i += 1) {
      const queue = this.queues[this.int(0, this.queues.length - 1)];
      const scope = queue.scopes[this.random() < 0.6 ? "voice" : "chat"];
      const dice = this.random();
      if (dice < 0.36) {
        scope.pending += 1;
        scope.since ??= this.clock();
      } else if (dice < 0.86 && scope.pending > 0) {
        scope.pending -= 1;
        scope.assigned += 1;
        scope.accepted += 1;
        scope.since = scope.pending
          ? Math.min(this.clock(), scope.since + this.int(5, 40) * 1000)
          : undefined;
      } else if (scope.assigned > 1) {
        scope.assigned -= 1;
      }
      if (scope.pending > 9) scope.pending = 6;
      queue.asOf = this.clock();
      moved.add(queue.sid);
    }
    return this.queues.filter((queue) => moved.has(queue.sid)).map((queue) => this.item(queue));
  }

  item(queue) {
    const { voice, chat } = queue.scopes;
    const sum = (key) => voice[key] + chat[key];
    const all = {
      pending: sum("pending"),
      reserved: sum("reserved"),
      assigned: sum("assigned"),
      wrapping: sum("wrapping"),
      since: Math.min(voice.since ?? Infinity, chat.since ?? Infinity),
      available: Math.max(voice.available, chat.available),
      busy: Math.max(voice.busy, chat.busy),
      away: Math.max(voice.away, chat.away),
      accepted: sum("accepted"),
      canceled: sum("canceled"),
      quick: voice.quick,
    };
    if (all.since === Infinity) all.since = undefined;
    const item = { sid: queue.sid, friendlyName: queue.name, asOf: iso(queue.asOf) };
    for (const [name, scope] of Object.entries({ all, voice, chat })) {
      item[`realTimeStats_${name}`] = this.realtime(scope);
      item[`cumulativeStats_${name}`] = this.cumulative(scope);
    }
    if (all.since) item.oldestTaskSince = iso(all.since);
    if (queue.sla) item.sla = queue.sla;
    if (queue.message) item.realTimeStatsMessage = queue.message;
    return item;
  }

  realtime(s) {
    return {
      activityStatistics: [
        ["Available", s.available],
        ["Busy", s.busy],
        ["Break", s.away],
        ["Offline", 1],
      ].map(([friendly_name, workers]) => ({ friendly_name, workers })),
      oldestTask: s.since ? Math.floor((this.clock() - s.since) / 1000) : 0,
      ...(s.since ? { oldestTaskSince: iso(s.since) } : {}),
      tasksByPriority: { 0: s.pending + s.assigned },
      tasksByStatus: { pending: s.pending, reserved: s.reserved, assigned: s.assigned, wrapping: s.wrapping },
      availableWorkers: s.available,
      eligibleWorkers: s.available + s.busy + s.away + 1,
      totalTasks: s.pending + s.reserved + s.assigned + s.wrapping + 1,
    };
  }

  cumulative(s) {
    const split = THRESHOLDS.map((threshold, n) => {
      const below = Math.round(s.accepted * Math.min(1, s.quick[n]));
      const gone = Math.round(s.canceled * (0.3 + n / 10));
      return [
        threshold,
        {
          above: { tasks_canceled: s.canceled - gone, reservations_accepted: s.accepted - below },
          below: { tasks_canceled: gone, reservations_accepted: below },
        },
      ];
    });
    return {
      rCreated: s.accepted + 9,
      rRej: 3,
      rAccepted: s.accepted,
      rTimedOut: 4,
      rCancel: 1,
      rRescind: 1,
      tCompl: Math.max(0, s.accepted - s.assigned),
      tMoved: 2,
      tEnter: s.accepted + s.canceled + s.pending,
      tCanc: s.canceled,
      tDel: 0,
      waitUntilCancel: { avg: 48, min: 3, max: 260, total: 48 * s.canceled },
      waitUntilAccept: { avg: 18 + s.canceled, min: 1, max: 244, total: 27 * s.accepted },
      splitByWaitTime: Object.fromEntries(split),
      startTime: iso(this.day),
      endTime: iso(this.clock()),
      avgTaskAcceptanceTime: 27,
    };
  }

  workspace() {
    const scopes = this.queues.flatMap((queue) => Object.values(queue.scopes));
    const sum = (key) => scopes.reduce((total, scope) => total + scope[key], 0);
    const since = Math.min(...scopes.map((scope) => scope.since ?? Infinity));
    const accepted = sum("accepted");
    const below = Math.round(accepted * 0.86);
    const count = (name) => this.workers.filter((worker) => worker.activity_name === name).length;
    return {
      realtime: {
        activity_statistics: ACTIVITIES.map((friendly_name, n) => ({
          friendly_name,
          sid: sid("WA", n),
          workers: count(friendly_name),
        })),
        longest_task_waiting_age: since === Infinity ? 0 : Math.floor((this.clock() - since) / 1000),
        longest_task_waiting_sid: since === Infinity ? null : sid("WT", 0),
        tasks_by_priority: { 0: sum("pending") },
        tasks_by_status: {
          pending: sum("pending"),
          reserved: sum("reserved"),
          assigned: sum("assigned"),
          wrapping: sum("wrapping"),
        },
        total_tasks: sum("pending") + sum("reserved") + sum("assigned") + sum("wrapping"),
        total_workers: this.workers.length,
      },
      cumulative: {
        reservations_accepted: accepted,
        tasks_canceled: sum("canceled"),
        tasks_completed: accepted - sum("assigned"),
        split_by_wait_time: {
          60: {
            above: { tasks_canceled: 9, reservations_accepted: accepted - below },
            below: { tasks_canceled: 2, reservations_accepted: below },
          },
        },
        avg_task_acceptance_time: 27,
        start_time: iso(this.day),
        end_time: iso(this.clock()),
      },
    };
  }

  metricDefinitions() {
    const ws = "data.workspace_statistics";
    const base = {
      format: "",
      value: "",
      increment: false,
      defaultStyle: STYLES.Default,
      firstThresholdValue: "",
      firstThresholdStyle: STYLES.Warn,
      secondThresholdValue: "",
      secondThresholdStyle: STYLES.Error,
      invertThresholds: false,
    };
    const metric = (fields) => ({ metric: { ...base, ...fields } });
    return {
      waiting: metric({
        label: "Waiting",
        formula: `${ws}.realtime.tasks_by_status.pending`,
        firstThresholdValue: "20",
        secondThresholdValue: "40",
      }),
      oldest: metric({
        label: "Oldest",
        formula: `${ws}.realtime.longest_task_waiting_age`,
        format: "seconds",
        increment: true,
        firstThresholdValue: "60",
        secondThresholdValue: "180",
      }),
      sla_60: metric({
        label: "SLA 60 s",
        formula: `(() => { const s = ${ws}.cumulative.split_by_wait_time["60"]; const below = s.below.reservations_accepted; return Math.round(100 * below / (below + s.above.reservations_accepted)); })()`,
        firstThresholdValue: "80",
        firstThresholdStyle: STYLES.Error,
        secondThresholdValue: "90",
        secondThresholdStyle: STYLES.Warn,
        invertThresholds: true,
      }),
      available: metric({
        label: "Available",
        formula: `${ws}.realtime.activity_statistics.find((e) => e.friendly_name === 'Available').workers`,
        firstThresholdValue: "2",
        firstThresholdStyle: STYLES.Error,
        secondThresholdValue: "4",
        secondThresholdStyle: STYLES.Warn,
        invertThresholds: true,
      }),
      in_progress: metric({ label: "In progress", formula: `${ws}.realtime.tasks_by_status.assigned` }),
      completed: metric({ label: "Completed", formula: `${ws}.cumulative.tasks_completed` }),
    };
  }

  data() {
    return {
      workspace_statistics: this.workspace(),
      workspace: this.workspace(),
      queues: this.queues.map((queue) => this.item(queue)),
    };
  }

  evaluate(metric, data = this.data()) {
    let value;
    try {
      value = vm.runInNewContext(`(${metric.formula})`, { data }, { timeout: 50 });
    } catch (error) {
      const word = /(\w+) is not|reading '(\w+)'/.exec(error.message);
      return {
        value: null,
        text: "ERR",
        style: metric.defaultStyle ?? STYLES.Default,
        error: `line 1, column 1: ${error.message}${word ? "" : "."}`,
      };
    }
    if (value === undefined)
      return {
        value: null,
        text: "ERR",
        style: metric.defaultStyle ?? STYLES.Default,
        error: "The formula's result is undefined: no such field.",
      };
    return { value, text: formatted(metric.format ?? "", value), ...styled(metric, value) };
  }

  text(format, value) {
    return formatted(format, value);
  }

  /** What a metric's thresholds make of a value. */
  judge(name, value) {
    return styled(this.definitions[name].metric, value);
  }

  metrics() {
    const data = this.data();
    return Object.entries(this.definitions).map(([name, { metric }]) => {
      const answer = this.evaluate(metric, data);
      const now = this.clock();
      return {
        name,
        label: metric.label,
        format: metric.format ?? "",
        increment: metric.increment === true,
        asOf: iso(now),
        ...(metric.formula.includes("split_by_wait_time")
          ? { sla: slaLabel(metric.slaName || "accepted-or-late-abandoned") }
          : {}),
        ...answer,
      };
    });
  }

  /** Alerts about calls, newest first; undefined when there was none. */
  voice() {
    if (this.alerts.length === 0) return undefined;
    const counts = new Map();
    for (const { agent } of this.alerts) counts.set(agent ?? "", (counts.get(agent ?? "") ?? 0) + 1);
    return {
      today: this.alerts.length,
      agents: [...counts].map(([agent, today]) => ({ agent, today })),
      recent: this.alerts.slice(0, 50),
    };
  }

  /** A call was bad. */
  alert(fields = {}) {
    this.alerts.unshift({
      at: iso(this.clock()),
      agent: "Ada Byron",
      callerId: "+493055501000",
      dnis: "+4930555099",
      issues: "call ended under warning, call warning condition pct",
      action: "log-call",
      ...fields,
    });
  }

  record() {
    for (const metric of this.metrics()) {
      const points = this.history.get(metric.name) ?? [];
      points.push([Math.floor(this.clock() / 1000), typeof metric.value === "number" ? metric.value : null]);
      this.history.set(metric.name, points.slice(-2000));
    }
  }

  past(name) {
    const now = Math.floor(this.clock() / 1000);
    const metric = this.metrics().find((m) => m.name === name);
    let value = typeof metric?.value === "number" ? metric.value : 0;
    const points = [];
    for (let t = now; t > now - 1800; t -= 10) {
      const gap = t > now - 1200 && t < now - 1020;
      points.unshift([t, gap ? null : Math.max(0, Math.round(value))]);
      value += (this.random() - 0.5) * Math.max(1.5, value * 0.06);
    }
    return points;
  }

  /** The queues that a worker's skills suit: those of sales for some, the others for the rest. */
  queuesOf(worker) {
    const known = this.workers.find(({ worker_sid }) => worker_sid === worker);
    const sales = known?.routing?.skills.includes("sales");
    const suited = this.queues.filter(({ name }) => known && name.startsWith("Sales") === sales);
    return suited.map(({ sid, name }) => ({ sid, friendlyName: name }));
  }

  tasks() {
    const statuses = ["pending", "reserved", "assigned", "assigned", "wrapping"];
    return Array.from({ length: 18 }, (_, n) => {
      const status = statuses[n % 5];
      const queue = this.queues[n % Math.max(1, this.queues.length)];
      return {
        TaskSid: sid("WT", n),
        Priority: n === 3 ? 50 : n % 3 === 0 ? 10 : 0,
        TaskStatus: status,
        WorkerName: status === "pending" ? "" : PEOPLE[n],
        RecordingUrl: n % 5 === 2 ? "/mock-recording.wav" : "",
        TaskQueueName: queue?.name ?? null,
        TaskChannel: n % 3 ? "voice" : "chat",
        DateCreated: iso(
          this.day + 36e5 + n * 1000 - 0 > this.clock() ? this.clock() - n * 17000 : this.clock() - n * 17000,
        ),
        from: `+49 30 5550 ${1000 + n}`,
        team: n % 2 ? "North" : "South",
        routing: { skills: n % 3 ? ["sales", "german"] : ["support"] },
      };
    }).sort((a, b) => b.Priority - a.Priority || a.DateCreated.localeCompare(b.DateCreated));
  }
}
