// What the TaskRouter dashboard's page does: it reads the list of Tasks once per change of the Document of events, and
// calls methods of the texts that it finds there.
const STEPS = { canceled: 0, pending: 1, reserved: 2, assigned: 3, completed: 4 };

export default class TaskTable {
  #settings;
  #changed;
  #client;

  event = null;
  rows = [];
  totals = {};
  /** Each event that was shown, with how its Task stood in the list that was read because of it. */
  shown = [];
  failures = [];

  constructor(settings, changed) {
    this.#settings = settings;
    this.#changed = changed;
  }

  async start() {
    await this.#settings.fetch("/sync_taskrouter_statistics?userid=ada");
    await this.#read();
    const answer = await this.#settings.fetch("/token?identity=ada1");
    const { token } = await answer.json();
    this.token = token;
    this.#client = new this.#settings.Client(token, this.#settings.options);
    const events = await this.#client.document("SyncTaskRouterEvents");
    events.on("updated", ({ data, value }) => this.#event(data ?? value));
    const totals = await this.#client.document("SyncTaskRouterStats");
    this.totals = totals.data ?? totals.value;
    totals.on("updated", ({ data, value }) => {
      this.totals = data ?? value;
      this.#changed();
    });
  }

  async #event(event) {
    this.event = event.EventType;
    await this.#read();
    const row = this.rows.find(({ sid }) => sid === event.TaskSid);
    this.shown.push({ event: event.EventType, task: event.TaskSid, status: row?.status ?? null });
    this.#changed();
  }

  async #read() {
    try {
      const answer = await this.#settings.fetch("/taskrouter_tasks?userid=ada");
      this.rows = (await answer.json()).map((task) => this.#row(task));
    } catch (error) {
      this.failures.push(String(error));
    }
    this.#changed();
  }

  #row(task) {
    const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
    const channel = capital(task.channel);
    return {
      sid: task.TaskSid,
      from: capital(task.name),
      channel,
      team: task.team ? capital(task.team) : "Support",
      agent: task.WorkerName.trim(),
      priority: task.Priority,
      status: task.TaskStatus,
      step: STEPS[task.TaskStatus] ?? null,
      play: task.TaskStatus === "completed" && channel === "Phone" && task.RecordingUrl.length > 1,
      recording: task.RecordingUrl,
    };
  }

  view() {
    const { event, rows, totals, shown, failures, token } = this;
    return { event, rows, totals, shown, failures, token };
  }

  async stop() {
    await this.#client?.shutdown();
  }
}
