// What the wallboard's page does, in its versions of 2022 (Documents, /getDefinitions, /saveDefinition) and of 2024 (Map,
// /api/definitions, /api/save): it evaluates formulas itself, compares with thresholds, and saves a tile's settings.
export default class Wallboard {
  #settings;
  #changed;
  #client;
  #data = {};
  #definitions = {};

  problems = [];

  constructor(settings, changed) {
    this.#settings = settings;
    this.#changed = changed;
  }

  /** Asks for JSON as the page does: without credentials unless the settings say that it was changed to send them. */
  async #ask(path, body) {
    const { fetch, base = "", credentials } = this.#settings;
    const headers = body && { Accept: "application/json", "Content-Type": "application/json" };
    const init = {
      ...(body && { method: "POST", headers, body: JSON.stringify(body) }),
      ...(credentials && { credentials }),
    };
    const answer = await fetch(base + path, init);
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return answer.json();
  }

  async start() {
    const { year, names, Client, options } = this.#settings;
    try {
      const { token } = await this.#ask(year === 2022 ? "/syncToken" : "/api/token");
      this.#client = new Client(token, options);
      this.#definitions = await this.#ask(year === 2022 ? "/getDefinitions" : "/api/definitions");
      const definitions = await this.#client.document(names.definitions);
      definitions.on("updated", ({ data, value }) => {
        this.#definitions = data ?? value;
        this.#changed();
      });
      await (year === 2022 ? this.#followDocument(names.data) : this.#followMap(names.map));
    } catch (error) {
      this.problems.push(String(error));
    }
    this.#changed();
  }

  async #followDocument(name) {
    const document = await this.#client.document(name);
    this.#data = document.data ?? document.value;
    document.on("updated", ({ data, value }) => {
      this.#data = data ?? value;
      this.#changed();
    });
  }

  async #followMap(sid) {
    this.#data = { workspace: {}, queues: [] };
    const take = (item) => {
      const value = structuredClone(item.data ?? item.value);
      const { queues } = this.#data;
      if (item.key === "WORKSPACE") {
        this.#data.workspace = value;
      } else {
        const at = queues.findIndex((queue) => queue.sid === value.sid);
        queues.splice(at < 0 ? queues.length : at, 1, value);
      }
      this.#changed();
    };
    const map = await this.#client.map(sid);
    map.on("itemUpdated", ({ item }) => take(item));
    const { items } = await map.getItems();
    items.forEach(take);
  }

  /** Saves a tile's settings: the metric as it stands, with what was changed in the form. */
  async save(name, changes) {
    const { year } = this.#settings;
    const metric = { ...this.#definitions[name]?.metric, ...changes };
    try {
      return await this.#ask(year === 2022 ? "/saveDefinition" : "/api/save", { [name]: { metric } });
    } catch (error) {
      this.problems.push(String(error));
      return null;
    }
  }

  view() {
    const tiles = Object.entries(this.#definitions).map(([name, { metric }]) => ({
      name,
      label: metric.label,
      ...shown(metric, this.#data),
    }));
    return { tiles, problems: this.problems };
  }

  async stop() {
    await this.#client?.shutdown();
  }
}

function shown(metric, data) {
  let value;
  try {
    value = new Function("data", `return (${metric.formula});`)(data);
  } catch {
    value = undefined;
  }
  if (value === undefined) value = "ERR";
  return { value, text: rendered(value || "0"), style: style(metric, Number(value)) };
}

/** As React renders a value: an array's members side by side, nothing for a boolean. */
const rendered = (value) => (Array.isArray(value) ? value.map(rendered).join("") : value === true ? "" : String(value));

/** The threshold that is looked at later wins; inverted, that is the first. */
function style(metric, value) {
  const { invertThresholds, firstThresholdValue: first, secondThresholdValue: second } = metric;
  let style = metric.defaultStyle;
  const passes = (threshold) =>
    ![undefined, ""].includes(threshold) && (invertThresholds ? value < Number(threshold) : value > Number(threshold));
  const both = [
    [first, metric.firstThresholdStyle],
    [second, metric.secondThresholdStyle],
  ];
  for (const [threshold, styled] of invertThresholds ? both.reverse() : both) if (passes(threshold)) style = styled;
  return style?.styleName ?? "Default";
}
