/** Selects the source: Twilio Sync where the service writes all of it there, otherwise the service's feed. */
import type { Client } from "../api/client.ts";
import type { Session, SyncObjectNames } from "../api/types.ts";
import { en } from "../locales/en.ts";
import type { Texts } from "../locales/index.ts";
import { feedSource } from "./feed/source.ts";
import type { LiveSource } from "./source.ts";
import type { SyncClient } from "./sync/sdk.ts";
import { syncSource } from "./sync/source.ts";

export interface SourceDeps {
  client: Pick<Client, "stream" | "syncToken" | "health">;
  /** Makes a client of Twilio's Sync SDK. */
  connect(token: string, endpoint: SyncObjectNames["endpoint"]): Promise<SyncClient>;
  /** The service's feed; where none is given, each page reads a stream of its own. */
  feed?: LiveSource;
  text?: Texts;
}

/** `?source=feed` and `?source=sync` override what the session suggests. */
export function selectSource(
  sync: Session["sync"],
  wish: string | null | undefined,
  { client, connect, feed = feedSource(client), text = en }: SourceDeps,
): LiveSource {
  const words = text.source;
  const onlyFeed = (why: string): LiveSource => {
    return {
      start(listener, cursor) {
        listener.activeSource?.({ kind: "feed", reason: words.feed(why) });
        return feed.start(listener, cursor);
      },
    };
  };
  if (!sync) return onlyFeed(wish === "sync" ? words.noKeyButAsked : words.noKey);
  if (wish === "feed") return onlyFeed(words.asked);
  if (!sync.queues && wish !== "sync") return onlyFeed(words.queuesNotInSync);
  return syncSource(
    sync,
    feed,
    {
      connect: (jwt) => connect(jwt, sync.endpoint),
      token: () => client.syncToken(),
      health: (signal) => client.health(signal),
    },
    text,
  );
}
