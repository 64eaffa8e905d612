/** Which source this page takes: Twilio Sync where the service writes all of it there, otherwise the service's feed. */
import { feedSource, health, token } from "../api.ts";
import type { Session } from "../types.ts";
import type { LiveSource } from "./source.ts";
import { connect } from "./sync/client.ts";
import { syncSource } from "./sync/source.ts";

/** `?source=feed` and `?source=sync` override what the session suggests. Pure but for what it makes. */
export function chooseSource(session: Pick<Session, "sync">, query: URLSearchParams): LiveSource {
  const { sync } = session;
  const wish = query.get("source");
  if (!sync) {
    return onlyFeed(
      wish === "sync"
        ? "no API key is configured, so there is no Twilio Sync to read"
        : "no API key is configured for Twilio Sync",
    );
  }
  if (wish === "feed") return onlyFeed("this address asks for it");
  if (!sync.queues && wish !== "sync") {
    return onlyFeed("the queues' numbers are not written to Sync (SYNC_LAYOUTS)");
  }
  return syncSource(sync, feedSource(), { connect: (jwt) => connect(jwt, sync.endpoint), token, health });
}

function onlyFeed(why: string): LiveSource {
  const feed = feedSource();
  return {
    start(listener) {
      listener.route?.({ via: "feed", why: `Numbers come by the service's own feed: ${why}.` });
      return feed.start(listener);
    },
  };
}
