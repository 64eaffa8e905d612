// What stands in the realm beside ECMAScript's own: how data comes in, and the helper `sla`. Run once, before anything
// else; then everything that can be reached is frozen, so that no formula can leave anything behind for another.
// Between `pause` and `resume` no time counts against the formula that runs.
((pause, resume) => {
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

  const { freeze, defineProperty, getPrototypeOf, getOwnPropertyDescriptors } = Object;
  const ownKeys = Reflect.ownKeys;

  const freezeAll = (value) => {
    if (typeof value === "object" && value !== null) {
      for (const key of ownKeys(value)) freezeAll(value[key]);
      freeze(value);
    }
    return value;
  };

  // Statistics of a TaskQueue are large and most formulas look at few, so they are parsed when they are looked at.
  const shell = (queue, load) => {
    let data;
    freezeAll({ ...queue });
    defineProperty(queue, "data", {
      enumerable: true,
      get() {
        if (data === undefined) {
          pause();
          try {
            data = freezeAll(load());
          } finally {
            resume();
          }
        }
        return data;
      },
    });
    return freeze(queue);
  };

  const data = (workspace, queues) =>
    freeze({ workspace_statistics: workspace, workspace, queues: freeze(queues) });

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

  // Percent within the service level; null while there was nobody to serve.
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
    Promise,
    function* () {}, async function () {}, async function* () {}, () => {},
    [][Symbol.iterator](), ""[Symbol.iterator](), new Map()[Symbol.iterator](), new Set()[Symbol.iterator](),
    "".matchAll(/x/g), (function* () {})(), /x/, 0n,
  ];
  // Their constructors compile text, as `Function` does.
  for (const make of [() => {}, function* () {}, async function () {}, async function* () {}]) {
    delete getPrototypeOf(make).constructor;
  }
  harden(globalThis, ...hidden, Object(0n));

  return { shell, data, sla, freezeAll };
})
