// What the Flex statistics plugin does: rows from the Map (1.1 and later) or from the websocket (1.0), each of whose
// cells goes through the item's fields without asking whether they are there.
export default class QueueTable {
  #settings;
  #changed;
  #client;
  #socket;
  #items = [];

  failures = [];

  constructor(settings, changed) {
    this.#settings = settings;
    this.#changed = changed;
  }

  async start() {
    if (this.#settings.socket) return this.#listen();
    this.#client = new this.#settings.Client(this.#settings.token, this.#settings.options);
    const map = await this.#client.map("queueStats");
    const take = (item) => {
      const value = structuredClone(item.data ?? item.value);
      const at = this.#items.findIndex(({ sid }) => sid === value.sid);
      this.#items.splice(at < 0 ? this.#items.length : at, 1, value);
      this.#changed();
    };
    map.on("itemAdded", ({ item }) => take(item));
    map.on("itemUpdated", ({ item }) => take(item));
    for (let page = await map.getItems(); ; page = await page.nextPage()) {
      page.items.forEach(take);
      if (!page.hasNextPage) return;
    }
  }

  #listen() {
    const { WebSocket, socket, flexToken } = this.#settings;
    this.#socket = new WebSocket(`${socket}/websocket/realtimeStats`, flexToken);
    this.#socket.onmessage = ({ data }) => {
      this.#items = JSON.parse(data);
      this.#changed();
    };
    return new Promise((resolve, reject) => {
      this.#socket.onopen = () => resolve();
      this.#socket.onerror = () => reject(new Error("the websocket did not open"));
    });
  }

  /** One row that throws leaves the whole table empty, as in React. */
  view() {
    try {
      return { rows: this.#items.map((item) => this.#rows(item)), failures: this.failures };
    } catch (error) {
      this.failures.push(String(error));
      return { rows: [], failures: this.failures };
    }
  }

  #rows(item) {
    const channels = this.#settings.channels ?? ["all"];
    const row = (channel) => {
      const [now, today] = [item[`realTimeStats_${channel}`], item[`cumulativeStats_${channel}`]];
      const { pending, assigned, reserved, wrapping } = now.tasksByStatus;
      return {
        waiting: [pending, reserved, assigned, wrapping],
        total: pending + reserved + assigned + wrapping,
        oldest: clock(now.oldestTask),
        agents: now.activityStatistics.map(({ friendly_name, workers }) => `${friendly_name} ${workers}`),
        eligible: now.eligibleWorkers.toFixed(),
        entered: today.tEnter.toFixed(),
        completed: today.tCompl.toFixed(),
        abandoned: today.tCanc.toFixed(),
        moved: today.tMoved.toFixed(),
        accepting: clock(today.avgTaskAcceptanceTime),
        abandoning: clock(today.waitUntilCancel.avg),
        levels: Object.keys(today.splitByWaitTime).map((seconds) => {
          const { above, below } = today.splitByWaitTime[seconds];
          const all = above.reservations_accepted + below.reservations_accepted + above.tasks_canceled;
          return `${seconds} ${all > 0 ? Math.round((100 * below.reservations_accepted) / all) : "-"}`;
        }),
      };
    };
    return { sid: item.sid, name: item.friendlyName, ...Object.fromEntries(channels.map((one) => [one, row(one)])) };
  }

  async stop() {
    this.#socket?.close();
    await this.#client?.shutdown();
  }
}

/** Throws for what is no number, as the plugin's cell does. */
const clock = (seconds) => new Date(seconds * 1000).toISOString().slice(11, 19);
