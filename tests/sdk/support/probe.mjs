// A user of the Sync SDK that tells everything it sees. It runs in Node.js and, bundled, in a browser.
import { Client } from "twilio-sync";

const OF_CLIENT = ["connectionStateChanged", "connectionError", "tokenAboutToExpire", "tokenExpired"];

export class Probe {
  #client;
  #objects = new Map();
  #tell;

  constructor(token, options, tell) {
    this.#tell = tell;
    this.#client = new Client(token, options);
    for (const event of OF_CLIENT) this.#client.on(event, (what) => tell({ event, what }));
  }

  /** Opens a Document and tells its changes; answers what it holds. */
  async document(id) {
    const document = await this.#client.document({ id, mode: "open_existing" });
    const { data, revision } = document;
    document.on("updated", ({ data, previousData, isLocal }) => {
      this.#tell({ object: id, event: "updated", data, previousData, isLocal });
    });
    document.on("removed", () => this.#tell({ object: id, event: "removed" }));
    this.#objects.set(id, document);
    return { data, revision };
  }

  /** Opens a Map and tells its changes; answers all items that it holds, page by page. */
  async map(id, pageSize = 50) {
    const map = await this.#client.map({ id, mode: "open_existing" });
    for (const event of ["itemAdded", "itemUpdated"]) {
      map.on(event, ({ item, isLocal }) => {
        this.#tell({ object: id, event, key: item.key, data: structuredClone(item.data), isLocal });
      });
    }
    map.on("itemRemoved", ({ key, previousItemData }) => {
      this.#tell({ object: id, event: "itemRemoved", key, data: previousItemData });
    });
    map.on("removed", () => this.#tell({ object: id, event: "removed" }));
    this.#objects.set(id, map);
    return this.items(id, { pageSize });
  }

  /** All items of an open Map, each page as a list of keys and data. */
  async items(id, query) {
    const pages = [];
    let page = await this.#objects.get(id).getItems(query);
    for (;;) {
      pages.push(page.items.map(({ key, data }) => [key, structuredClone(data)]));
      if (!page.hasNextPage) return pages;
      page = await page.nextPage();
    }
  }

  /** Calls a method of an open Document or Map. */
  async with(id, method, ...args) {
    const answer = await this.#objects.get(id)[method](...args);
    return answer?.key === undefined ? null : { key: answer.key, data: answer.data };
  }

  state() {
    return this.#client.connectionState;
  }

  async updateToken(token) {
    await this.#client.updateToken(token);
  }

  async shutdown() {
    await this.#client.shutdown();
  }
}
