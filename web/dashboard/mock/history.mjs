// A history for the mock: every value follows from its time alone, so that any step and any moment agree.
const ZONE = "Europe/Berlin";
const DAY_S = 86_400;
const SLA = [30, 60, 120];
const ACTIVITIES = { Available: 0.45, Busy: 0.4, Break: 0.15 };
const MOST_ROWS = 20_000;

const wall = new Intl.DateTimeFormat("en-GB", {
  timeZone: ZONE,
  hourCycle: "h23",
  year: "numeric",
  month: "numeric",
  day: "numeric",
  hour: "numeric",
  minute: "numeric",
  second: "numeric",
});
/** Offsets change at full hours: one look-up an hour is enough. */
const offsets = new Map();
function offsetAt(t) {
  const hour = Math.floor(t / 3600) * 3600;
  if (!offsets.has(hour)) {
    const parts = wall.formatToParts(hour * 1000);
    const of = (type) => Number(parts.find((part) => part.type === type).value);
    const shown = Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second"));
    offsets.set(hour, shown / 1000 - hour);
  }
  return offsets.get(hour);
}
const localSeconds = (t) => (((t + offsetAt(t)) % DAY_S) + DAY_S) % DAY_S;
const dayOf = (t) => Math.floor((t + offsetAt(t)) / DAY_S);
function startOfDay(day) {
  const guess = day * DAY_S - offsetAt(day * DAY_S);
  return day * DAY_S - offsetAt(guess);
}
/** The interval that holds `t`: its start, and where the next one begins. */
function intervalOf(t, step) {
  if (step === DAY_S) return [startOfDay(dayOf(t)), startOfDay(dayOf(t) + 1)];
  const start = t - (localSeconds(t) % step);
  return [start, start + step];
}
const two = (n) => String(n).padStart(2, "0");
export function local(t) {
  const offset = offsetAt(t);
  const sign = offset < 0 ? "-" : "+";
  const [h, m] = [Math.floor(Math.abs(offset) / 3600), Math.floor(Math.abs(offset) / 60) % 60];
  return `${new Date((t + offset) * 1000).toISOString().slice(0, 19)}${sign}${two(h)}:${two(m)}`;
}

function hash(a, b) {
  let t = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x7f4a7c15, 0xc2b2ae35);
  t = Math.imul(t ^ (t >>> 15), 1 | t);
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
/** Calls come from six in the morning to ten at night, most at eleven and at four. */
function load(t) {
  const h = localSeconds(t) / 3600;
  if (h < 6 || h > 22) return 0;
  return 0.25 + 0.75 * (Math.exp(-(((h - 11) / 2.2) ** 2)) + 0.8 * Math.exp(-(((h - 16) / 2) ** 2)));
}
const SHARE = { all: 1, voice: 0.65, chat: 0.35 };
const sizeOf = (n) => 3 + (n % 5) * 1.7;
const noise = (n, t, every) => hash(n, Math.floor(t / every));

function waiting(n, channel, t) {
  const swell = 0.6 + 0.8 * noise(n, t, 900) + 0.5 * noise(n + 77, t, 120);
  return Math.round(sizeOf(n) * load(t) * swell * SHARE[channel]);
}
/** Tasks that entered in a quarter of an hour. */
function entered(n, channel, quarter) {
  return Math.round(
    sizeOf(n) * 6 * load(quarter) * (0.7 + 0.6 * hash(n + 5, quarter / 900)) * SHARE[channel],
  );
}

function counts(n, channel, quarter) {
  const all = entered(n, channel, quarter);
  const abandoned = Math.floor(all * 0.09 * hash(n + 11, quarter / 900) * 2);
  const accepted = all - abandoned;
  const within = Object.fromEntries(
    SLA.map((s, k) => [
      s,
      Math.round(accepted * Math.min(1, [0.62, 0.82, 0.95][k] + 0.04 * hash(n, quarter))),
    ]),
  );
  const wait = accepted === 0 ? 0 : 14 + 40 * hash(n + 3, quarter / 900);
  return {
    entered: all,
    accepted,
    abandoned,
    shortAbandons: Math.floor(abandoned / 3),
    completed: accepted,
    within,
    waitTotal: wait * accepted,
    waitMax: accepted === 0 ? null : Math.round(wait * 4.2),
    waiting: waiting(n, channel, quarter + 450),
    waitingMax: waiting(n, channel, quarter + 450) + 2,
    agents: Object.fromEntries(
      Object.entries(ACTIVITIES).map(([name, share]) => [name, (4 + (n % 7)) * share]),
    ),
    seconds: 900,
    covered: 900,
  };
}

function add(sum, one) {
  if (!sum) return structuredClone(one);
  for (const key of ["entered", "accepted", "abandoned", "shortAbandons", "completed", "waitTotal"])
    sum[key] += one[key];
  for (const s of SLA) sum.within[s] += one.within[s];
  sum.waitMax = Math.max(sum.waitMax ?? 0, one.waitMax ?? 0) || null;
  const seconds = sum.seconds + one.seconds;
  sum.waiting = (sum.waiting * sum.seconds + one.waiting * one.seconds) / seconds;
  sum.waitingMax = Math.max(sum.waitingMax, one.waitingMax);
  for (const name of Object.keys(sum.agents))
    sum.agents[name] = (sum.agents[name] * sum.seconds + one.agents[name] * one.seconds) / seconds;
  sum.seconds = seconds;
  sum.covered += one.covered;
  return sum;
}

const round = (value, places = 2) => Math.round(value * 10 ** places) / 10 ** places;
const levelAt = (sum, seconds) =>
  sum.accepted === 0 ? null : round((100 * sum.within[seconds]) / sum.accepted);
function shown(sum) {
  const { waitTotal, waiting: mean, seconds, covered, agents, ...rest } = sum;
  return {
    ...rest,
    serviceLevel: levelAt(sum, SLA[0]),
    serviceLevels: Object.fromEntries(SLA.map((seconds) => [seconds, levelAt(sum, seconds)])),
    waitMean: sum.accepted === 0 ? null : round(waitTotal / sum.accepted),
    waitingMean: round(mean),
    agents: Object.fromEntries(Object.entries(agents).map(([name, value]) => [name, round(value)])),
    covered: round(covered / seconds, 4),
    seconds,
  };
}

export class History {
  constructor(world, clock) {
    this.world = world;
    this.clock = clock;
    this.state = "ok";
    this.reason = null;
    /** Seconds; two of today, one of them shorter than a step, and one of a week ago. */
    const today = startOfDay(dayOf(clock() / 1000));
    this.gaps = [
      { from: today + 8 * 3600, to: today + 8 * 3600 + 1500, reason: "not running" },
      { from: today + 3605, to: today + 3640, reason: "not stored" },
      { from: today - 7 * DAY_S + 10 * 3600, to: today - 7 * DAY_S + 10.5 * 3600, reason: "not read" },
    ].filter(({ to }) => to < clock() / 1000);
    /** What requests for figures are refused with.
     * @type {string | undefined} */
    this.unreadable = undefined;
    /** Requests by kind, for tests. */
    this.asked = [];
    this.sums = new Map();
  }

  get since() {
    return Math.floor(this.clock() / 1000) - 40 * DAY_S;
  }

  gapAt(t) {
    return this.gaps.find(({ from, to }) => t >= from && t < to) ?? null;
  }

  known(t) {
    return t >= this.since && t <= this.clock() / 1000 && !this.gapAt(t);
  }

  queueNumber(sid) {
    return this.world.queues.findIndex((queue) => queue.sid === sid);
  }

  /** Whole hours of the day so far; coarse, and the same at every step. */
  today(n, channel, t) {
    const start = startOfDay(dayOf(t));
    const hours = Math.floor((t - start) / 3600);
    const key = `${n} ${channel} ${start} ${hours}`;
    const known = this.sums.get(key);
    if (known) return known;
    const day = { entered: 0, accepted: 0, abandoned: 0, completed: 0, within: 0 };
    for (let hour = 0; hour < hours; hour += 1) {
      const one = counts(n, channel, start + hour * 3600);
      for (const key of ["entered", "accepted", "abandoned", "completed"]) day[key] += 4 * one[key];
      day.within += 4 * one.within[60];
    }
    this.sums.set(key, day);
    return day;
  }

  values(n, channel, t) {
    const w = waiting(n, channel, t);
    const day = this.today(n, channel, t);
    return {
      waiting: w,
      oldest: w === 0 ? 0 : Math.round(10 + 200 * noise(n + 9, t, 300) * load(t)),
      offered: Math.round(2 * noise(n + 1, t, 60) * load(t)),
      inProgress: Math.round(sizeOf(n) * 1.4 * load(t) * SHARE[channel]),
      wrapping: Math.round(2 * noise(n + 2, t, 240) * load(t)),
      available: Math.round((4 + (n % 7)) * (load(t) > 0 ? 0.3 + 0.3 * noise(n + 4, t, 600) : 0)),
      eligible: load(t) > 0 ? 4 + (n % 7) : 0,
      entered: day.entered,
      accepted: day.accepted,
      abandoned: day.abandoned,
      completed: day.completed,
      serviceLevel: day.accepted === 0 ? null : round((100 * day.within) / day.accepted),
    };
  }

  metricValue(name, t) {
    const sum = (key) =>
      this.world.queues.slice(0, 10).reduce((total, _, n) => total + this.values(n, "all", t)[key], 0);
    if (name === "waiting") return sum("waiting");
    if (name === "oldest")
      return Math.max(...this.world.queues.slice(0, 10).map((_, n) => this.values(n, "all", t).oldest));
    if (name === "sla_60") return Math.round(78 + 20 * noise(3, t, 600));
    if (name === "available") return Math.round(2 + 7 * noise(4, t, 900) * (load(t) > 0 ? 1 : 0.2));
    if (name === "in_progress") return sum("inProgress");
    if (name === "completed") return sum("completed");
    return round(10 * noise(name.length, t, 300), 0);
  }

  times(url) {
    const [from, to] = ["from", "to"].map((name) => Number(url.searchParams.get(name)));
    const step = Number(url.searchParams.get("step") ?? 60);
    const end = Math.min(to, Math.floor(this.clock() / 1000) + 1);
    const times = [];
    for (let t = from; t < end; t += step) times.push(t);
    return { from, to, step, times, gaps: this.gaps.filter((gap) => gap.to > from && gap.from < to) };
  }

  curve(url, valueAt) {
    const { from, to, step, times, gaps } = this.times(url);
    const iso = (t) => new Date(t * 1000).toISOString();
    return {
      head: { from: iso(from), to: iso(to), step, timezone: ZONE, times, gaps },
      values: times.map((t) => (this.known(t) ? valueAt(t) : null)),
    };
  }

  queue(url, sid) {
    const n = this.queueNumber(sid);
    if (n < 0) return undefined;
    const channel = url.searchParams.get("channel") ?? "all";
    const { head, values } = this.curve(url, (t) => this.values(n, channel, t));
    const keys = Object.keys(this.values(n, channel, this.clock() / 1000));
    const series = Object.fromEntries(keys.map((key) => [key, values.map((value) => value?.[key] ?? null)]));
    return { queue: sid, friendlyName: this.world.queues[n].name, channel, ...head, series };
  }

  metric(url, name) {
    const definition = this.world.definitions[name]?.metric;
    if (!definition) return undefined;
    const { head, values } = this.curve(url, (t) => this.metricValue(name, t));
    const thresholds = ["first", "second"].flatMap((which) => {
      const limit = definition[`${which}ThresholdValue`];
      return limit ? [{ value: Number(limit), style: definition[`${which}ThresholdStyle`].styleName }] : [];
    });
    return { metric: name, ...head, values, thresholds };
  }

  /** All rows of a query, the totals by channel over all of them. */
  rows(url) {
    const query = url.searchParams;
    const [from, to, step] = ["from", "to", "step"].map((name) => Number(query.get(name)));
    const list = (name) => (query.get(name) ?? "").split(",").filter(Boolean);
    const sids = list("queues");
    const channels = list("channels").length ? list("channels") : ["all"];
    const now = this.clock() / 1000;
    const rows = [];
    const totals = new Map();
    for (let n = 0; n < this.world.queues.length; n += 1) {
      const { sid, name } = this.world.queues[n];
      if (sids.length && !sids.includes(sid)) continue;
      for (const channel of channels) {
        for (
          let [start, end] = intervalOf(from, step);
          start < Math.min(to, now);
          [start, end] = intervalOf(end, step)
        ) {
          let sum;
          for (let quarter = start; quarter < end && quarter + 900 <= now; quarter += 900) {
            const one = counts(n, channel, quarter);
            const gap = this.gapAt(quarter + 450);
            sum = add(sum, gap ? { ...one, covered: 0 } : one);
          }
          if (!sum) continue;
          totals.set(channel, add(totals.get(channel), sum));
          const old = start < now - 6 * DAY_S;
          const odd = n === 1 && localSeconds(start) === 36_000;
          rows.push({
            queue: sid,
            friendlyName: name,
            channel,
            start: local(start),
            ...shown(sum),
            seconds: end - start,
            source: old ? "twilio" : "measured",
            difference: odd ? { entered: 2 } : null,
          });
        }
      }
    }
    const all = [...totals].map(([channel, sum]) => {
      const { seconds, ...total } = shown(sum);
      return { channel, ...total };
    });
    return { from: local(from), to: local(to), step, rows, totals: all };
  }

  intervals(url) {
    const { rows, totals, ...head } = this.rows(url);
    const limit = Math.min(MOST_ROWS, Number(url.searchParams.get("limit") ?? 5000));
    const first = Number(url.searchParams.get("cursor") ?? 0);
    const next = first + limit < rows.length ? String(first + limit) : null;
    return {
      ...head,
      timezone: ZONE,
      slaSeconds: SLA,
      shortAbandonSeconds: 5,
      rows: rows.slice(first, first + limit),
      totals,
      next,
    };
  }

  csv(url) {
    const { rows } = this.rows(url);
    const head = [
      "start",
      "queue",
      "friendly_name",
      "channel",
      "entered",
      "accepted",
      "abandoned",
      "wait_mean_s",
      "service_level_30s_pct",
    ];
    const cell = (value) =>
      /[",\r\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : (value ?? "");
    const lines = rows.map((row) => [
      row.start,
      row.queue,
      row.friendlyName,
      row.channel,
      row.entered,
      row.accepted,
      row.abandoned,
      row.waitMean,
      row.serviceLevel,
    ]);
    return [head, ...lines].map((line) => `${line.map(cell).join(",")}\r\n`).join("");
  }

  /** Queues and tiles as the feed would have had them. */
  at(url) {
    const t = Number(url.searchParams.get("time"));
    const iso = new Date(t * 1000).toISOString();
    const gap = this.gapAt(t);
    const known = this.known(t);
    const { world } = this;
    const queues = world.queues.map((queue, n) => {
      const scopes = Object.fromEntries(
        Object.entries(queue.scopes).map(([channel, scope]) => {
          const value = this.values(n, channel, t);
          const since = value.waiting ? (t - value.oldest) * 1000 : undefined;
          return [
            channel,
            {
              ...scope,
              pending: value.waiting,
              reserved: value.offered,
              assigned: value.inProgress,
              wrapping: value.wrapping,
              accepted: value.accepted,
              canceled: value.abandoned,
              since,
            },
          ];
        }),
      );
      return { ...world.item({ ...queue, scopes, asOf: t * 1000 }) };
    });
    const tiles = world.metrics().map((metric) => {
      const value = this.metricValue(metric.name, t);
      return {
        ...metric,
        error: null,
        value,
        text: world.text(metric.format, value),
        asOf: new Date(t * 1000).toISOString(),
        ...world.judge(metric.name, value),
      };
    });
    return { time: iso, known, gap, queues: known ? queues : [], workspace: null, tiles: known ? tiles : [] };
  }

  status() {
    return {
      state: this.state,
      store: this.state === "off" ? null : "sqlite",
      reason: this.reason,
      since: this.state === "off" ? null : new Date(this.since * 1000).toISOString(),
      timezone: ZONE,
      detailDays: 35,
      intervalDays: 400,
      lost: this.state === "degraded" ? 120 : 0,
    };
  }
}

/** Answers a request below `/api/history/`, or false where it is for others. */
export async function answerHistory(history, request, response, url, { json, refuse }) {
  const path = url.pathname.replace("/api/history/", "");
  if (path === url.pathname) return false;
  const missing = () => refuse(response, 404, "not_found", "No such address.");
  if (history.state === "missing") return missing();
  history.asked.push(path + url.search);
  if (path === "state") return json(response, 200, history.status());
  if (history.state === "off")
    return refuse(response, 503, "history_off", history.reason ?? "The history is off.");
  if (history.unreadable) return refuse(response, 503, "history_unreadable", history.unreadable);
  const [, sid] = /^queues\/(WQ[0-9a-f]{32})$/.exec(path) ?? [];
  const [, name] = /^metrics\/(.+)$/.exec(path) ?? [];
  if (path === "intervals" && request.headers.accept === "text/csv") {
    response.writeHead(200, { "Content-Type": "text/csv; charset=utf-8" });
    return response.end(history.csv(url));
  }
  const body =
    path === "intervals"
      ? history.intervals(url)
      : path === "at"
        ? history.at(url)
        : sid
          ? history.queue(url, sid)
          : name
            ? history.metric(url, decodeURIComponent(name))
            : undefined;
  return body ? json(response, 200, body) : missing();
}
