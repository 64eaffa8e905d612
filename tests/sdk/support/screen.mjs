// What a test has before it: a probe somewhere, and the list of all that the probe has told so far.

/** Far beyond what anything takes: a test that gets here has failed. */
const DEADLINE = 30_000;

export class Screen {
  log = [];
  #watchers = new Set();
  #call;
  #close;

  /** `open` starts a probe that tells us, and answers how to call and close it. */
  static async open(open) {
    const screen = new Screen();
    const { call, close } = await open((entry) => screen.#told(entry));
    screen.#call = call;
    screen.#close = close;
    return screen;
  }

  #told(entry) {
    this.log.push(entry);
    for (const watcher of this.#watchers) watcher();
  }

  /** Calls a method of the probe. */
  call(method, ...args) {
    return this.#call(method, ...args);
  }

  close() {
    return this.#close();
  }

  /** What was told about one object. */
  of(object) {
    return this.log.filter((entry) => entry.object === object);
  }

  /** The states of the connection, in order. */
  get states() {
    return this.log.filter(({ event }) => event === "connectionStateChanged").map(({ what }) => what);
  }

  has(event) {
    return this.log.some((entry) => entry.event === event);
  }

  /** Waits until a condition on the events received holds; checked with each event. */
  until(what, condition) {
    return new Promise((resolve, reject) => {
      const end = (settle, value) => {
        clearTimeout(deadline);
        this.#watchers.delete(look);
        settle(value);
      };
      const look = () => {
        try {
          if (condition(this)) end(resolve);
        } catch (error) {
          end(reject, error);
        }
      };
      const deadline = setTimeout(() => {
        const last = this.log.slice(-5).map((entry) => JSON.stringify(entry)).join("\n");
        end(reject, new Error(`never came true: ${what}; told last, of ${this.log.length}:\n${last}`));
      }, DEADLINE);
      this.#watchers.add(look);
      look();
    });
  }
}
