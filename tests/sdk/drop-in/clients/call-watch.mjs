// What the device-monitoring plugin does with a call that ends: it applies the rules, which the service offers as a
// module, and posts what they raise as a form.
import { attach } from "../../../../web/call-quality/src/index.ts";

export default class CallWatch {
  #settings;
  #changed;
  answers = [];

  constructor(settings, changed) {
    this.#settings = settings;
    this.#changed = changed;
  }

  start() {}

  /** A call of a minute with these warnings from its answer to its end. */
  call(caller, warnings, configuration) {
    const listeners = {};
    const emit = (event, ...args) => (listeners[event] ?? []).forEach((listener) => listener(...args));
    let now = 0;
    attach(
      {
        parameters: { From: caller, To: "client:ada" },
        status: () => "pending",
        on: (event, listener) => (listeners[event] ??= []).push(listener),
        removeListener: () => {},
      },
      { configuration, now: () => now, respond: (alert) => this.report(alert) },
    );
    emit("accept");
    for (const [name, data] of warnings) emit("warning", name, data);
    now = 60_000;
    emit("disconnect");
  }

  async report({ issues, callerId, dnis, action }) {
    const { fetch, base, flexToken } = this.#settings;
    const body = new URLSearchParams({ issues, callerId, dnis, action, Token: flexToken });
    const answer = await fetch(`${base}/respond-to-issue`, { method: "POST", body });
    this.answers.push({ issues, action, status: answer.status, body: await answer.json() });
    this.#changed();
  }

  view() {
    return { answers: this.answers };
  }

  stop() {}
}
