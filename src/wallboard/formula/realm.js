// What stands in the realm beside ECMAScript's own and `browser.js`: how data comes in, and the helpers `sla` and `queue`. Run
// once, after that file; then everything that can be reached is frozen, so that no formula can leave anything behind.
(() => {
  "use strict";

  // They compile text at run time, which a formula has no need of.
  delete globalThis.eval;
  delete globalThis.Function;
  // Nothing waits for them here; async functions lead to them all the same, so they are frozen below.
  const { Promise } = globalThis;
  delete globalThis.Promise;
  // They would let a formula see when memory is given back.
  delete globalThis.WeakRef;
  delete globalThis.FinalizationRegistry;
  // The engine keeps what is assigned to them, frozen or not, and shares it between all formulas.
  delete Error.prepareStackTrace;
  delete Error.stackTraceLimit;
  delete Error.captureStackTrace;

  const { freeze, defineProperty, getPrototypeOf, getOwnPropertyDescriptors, hasOwn, keys } = Object;
  const { isArray } = Array;
  const ownKeys = Reflect.ownKeys;

  const freezeAll = (value) => {
    if (typeof value === "object" && value !== null) {
      for (const key of ownKeys(value)) freezeAll(value[key]);
      freeze(value);
    }
    return value;
  };

  // The later wallboard had its data from a client that spells the outermost names so.
  const spellings = { account_sid: "accountSid", workspace_sid: "workspaceSid", task_queue_sid: "taskQueueSid" };
  freezeAll(spellings);
  const withSpellings = (value) => {
    if (typeof value !== "object" || value === null) return value;
    for (const name of ownKeys(spellings)) {
      if (hasOwn(value, name)) defineProperty(value, spellings[name], { value: value[name], writable: true, configurable: true });
    }
    return value;
  };

  const workspace = (value) => freezeAll(withSpellings(value));

  // Statistics of a TaskQueue are large and most formulas look at few, so they are parsed when a formula has looked at
  // them: that run is given up, they are parsed outside of any formula's time, and the formula runs again.
  const missing = [];
  const shell = (queue, load) => {
    const { sid } = queue;
    const parsed = () => freezeAll({ ...freezeAll(fields), data: withSpellings(load()) });
    const fields = { ...queue };
    freezeAll({ ...queue });
    defineProperty(queue, "data", {
      enumerable: true,
      get() {
        if (missing.length < 2) missing[missing.length] = sid;
        throw new Error("statistics that are not parsed yet");
      },
    });
    return [freeze(queue), parsed];
  };
  const takeMissing = () => missing.splice(0);

  const thawed = (value) => {
    if (typeof value !== "object" || value === null) return value;
    if (isArray(value)) return value.map(thawed);
    const copy = {};
    for (const key of keys(value)) copy[key] = thawed(value[key]);
    return withSpellings(copy);
  };

  const ownQueue = (queue) => {
    const own = {};
    for (const key of keys(queue)) if (key !== "data") own[key] = thawed(queue[key]);
    defineProperty(own, "data", {
      enumerable: true,
      configurable: true,
      get() {
        const data = thawed(queue.data);
        defineProperty(own, "data", { value: data, enumerable: true, writable: true, configurable: true });
        return data;
      },
      set(data) {
        defineProperty(own, "data", { value: data, enumerable: true, writable: true, configurable: true });
      },
    });
    return own;
  };

  // What one run of a formula sees as `data`: the list of TaskQueues is its own, so that it may sort it in place. All
  // below that is shared and frozen; a formula that writes there gets copies of what it looks at.
  const view = (workspace, queues, own) => {
    const seen = own ? thawed(workspace) : workspace;
    return { workspace_statistics: seen, workspace: seen, queues: own ? queues.map(ownQueue) : queues.slice() };
  };

  // A TaskQueue by its SID, which stays right when others come or go.
  const queueOf = (data) => freeze((sid) => {
    const found = data.queues.find((queue) => queue.sid === sid);
    if (found === undefined) throw new TypeError(`there is no TaskQueue ${String(sid)}; was it deleted?`);
    return found;
  });

  const rates = {
    accepted: (c, s) => [s.below.reservations_accepted, s.below.reservations_accepted + s.above.reservations_accepted],
    "accepted-or-late-abandoned": (c, s) => [
      s.below.reservations_accepted,
      s.below.reservations_accepted + s.above.reservations_accepted + s.above.tasks_canceled,
    ],
    "all-waited": (c, s) => [
      s.below.reservations_accepted,
      (c.tasks_entered ?? c.tasks_created) - s.below.tasks_canceled,
    ],
  };

  // Percent within the service level; null while there was no Task to serve.
  const slaOf = (usual, own) => (scope, threshold, name = own ?? scope?.sla ?? usual) => {
    const rate = rates[name];
    if (rate === undefined) throw new TypeError(`${name} is no service level; there are ${Object.keys(rates).join(", ")}`);
    const isScope = ["data", "realtime", "cumulative"].some((part) => scope?.[part] !== undefined);
    if (!isScope) throw new TypeError("sla takes data.workspace or a TaskQueue first: sla(data.workspace, 30)");
    const cumulative = (scope.data ?? scope)?.cumulative;
    if (!cumulative) return null;
    const split = cumulative.split_by_wait_time?.[threshold];
    if (!split) throw new TypeError(`there is no split at ${threshold} s; SLA_THRESHOLDS says which there are`);
    const [within, of] = rate(cumulative, split);
    return of > 0 ? (100 * within) / of : null;
  };
  const slas = new Map();
  const sla = (usual, own) => {
    const key = `${usual} ${own}`;
    if (!slas.has(key)) slas.set(key, freeze(slaOf(usual, own)));
    return slas.get(key);
  };
  freezeAll(rates);

  const harden = (...roots) => {
    const seen = new Set();
    const open = [...roots];
    while (open.length > 0) {
      const value = open.pop();
      if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value)) continue;
      seen.add(value);
      freeze(value);
      open.push(getPrototypeOf(value));
      const described = getOwnPropertyDescriptors(value);
      for (const key of ownKeys(described)) {
        const { value: held, get, set } = described[key];
        open.push(held, get, set);
      }
    }
  };
  // Prototypes that only syntax leads to.
  const hidden = [
    Promise, new Intl.NumberFormat(), new Intl.DateTimeFormat(), new Intl.Collator(),
    function* () {}, async function () {}, async function* () {}, () => {},
    [][Symbol.iterator](), ""[Symbol.iterator](), new Map()[Symbol.iterator](), new Set()[Symbol.iterator](),
    "".matchAll(/x/g), (function* () {})(), /x/, 0n,
  ];
  // Their constructors compile text, as `Function` does.
  for (const make of [() => {}, function* () {}, async function () {}, async function* () {}]) {
    delete getPrototypeOf(make).constructor;
  }
  harden(globalThis, ...hidden, Object(0n));

  return { shell, workspace, view, queueOf, sla, takeMissing, globalThis };
})
