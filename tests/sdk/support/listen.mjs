// Listens to a Map through the Sync SDK and prints a line for every item that comes: key, asOf, and when it came, in
// milliseconds since 1970. The benchmark runs it: node listen.mjs <emulator's URL> <account as JSON> <Map>
import { Client } from "twilio-sync";

import { Emulator } from "./emulator.mjs";

const [url, account, name] = process.argv.slice(2);
const emulator = new Emulator(undefined, { url, account: JSON.parse(account) });
const client = new Client(emulator.token({ identity: "benchmark" }), emulator.options);
const map = await client.map({ id: name, mode: "open_existing" });
const tell = ({ item }) => {
  const at = performance.timeOrigin + performance.now();
  console.log(JSON.stringify({ key: item.key, asOf: item.data.asOf, at }));
};
map.on("itemAdded", tell);
map.on("itemUpdated", tell);
// The subscription is established once the items can be read.
await map.getItems({ pageSize: 1 });
console.log(JSON.stringify({ ready: true }));
