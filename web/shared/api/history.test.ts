import { expect, it } from "vitest";
import type { FilePart } from "./client.ts";
import { historyApi } from "./history.ts";

function recording(parts: FilePart[] = []) {
  const asked: string[] = [];
  const client = {
    get: async <T>(path: string) => {
      asked.push(path);
      return {} as T;
    },
    download: async (path: string, accept: string) => {
      asked.push(`${accept} ${path}`);
      return parts.shift() ?? { content: new Blob([]), next: null };
    },
  };
  return { asked, api: historyApi(client) };
}

const query = { from: 1_000_000, to: 2_000_000, step: 900 };

it("asks in seconds, and leaves out what is not given", async () => {
  const { asked, api } = recording();
  await api.queue("WQ1", "voice", { from: 1000, to: 61_000, step: 10 });
  await api.metric("a b", { from: 1000, to: 2000 });
  await api.intervals({ ...query, queues: ["WQ1", "WQ2"], channels: [] });
  await api.at(5000);
  expect(asked).toEqual([
    "api/history/queues/WQ1?from=1&to=61&step=10&channel=voice",
    "api/history/metrics/a%20b?from=1&to=2",
    "api/history/intervals?from=1000&to=2000&step=900&queues=WQ1%2CWQ2",
    "api/history/at?time=5",
  ]);
});

it("joins the parts of a long CSV file, with one header", async () => {
  const { asked, api } = recording([
    { content: new Blob(["start,entered\r\n1,2\r\n"]), next: "c1" },
    { content: new Blob(["start,entered\r\n3,4\r\n"]), next: null },
  ]);
  expect(await (await api.csv(query)).text()).toBe("start,entered\r\n1,2\r\n3,4\r\n");
  expect(asked).toEqual([
    "text/csv api/history/intervals?from=1000&to=2000&step=900",
    "text/csv api/history/intervals?from=1000&to=2000&step=900&cursor=c1",
  ]);
});
