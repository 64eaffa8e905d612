// npm run mock [-- PORT QUEUES]: the mock by itself, with the built page if there is one.
import { startMock } from "./server.mjs";

const [port = "4010", queues = "10"] = process.argv.slice(2);
const mock = await startMock({
  port: Number(port),
  queues: Number(queues),
  dist: new URL("../../dist/", import.meta.url),
});
console.log(`mock service at ${mock.url}`);
