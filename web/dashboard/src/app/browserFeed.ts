/** The service's feed, shared by this browser's tabs where the browser has shared workers (Chrome for Android has none). */
import type { Client } from "@taskrouter-sync/shared/api/client.ts";
import {
  type FeedPort,
  type HubMessage,
  sharedFeedSource,
  type TabMessage,
} from "@taskrouter-sync/shared/live/feed/sharedFeed.ts";
import { feedSource } from "@taskrouter-sync/shared/live/feed/source.ts";
import type { LiveSource } from "@taskrouter-sync/shared/live/source.ts";
import workerUrl from "./feedWorker.ts?sharedworker&url";

/** Tabs of different users never share a stream: editors see more. */
export function browserFeed(client: Client, user: () => string): LiveSource {
  const own = feedSource(client);
  return sharedFeedSource((failed) => {
    if (typeof SharedWorker === "undefined") return undefined;
    const name = JSON.stringify({ baseUrl: new URL("./", location.href).href, user: user() });
    try {
      const worker = new SharedWorker(workerUrl, { name, type: "module" });
      worker.onerror = failed;
      return worker.port as unknown as FeedPort<TabMessage, HubMessage>;
    } catch {
      return undefined;
    }
  }, own);
}
