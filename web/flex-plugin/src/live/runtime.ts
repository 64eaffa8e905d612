/** What all parts of the plugin share: the client, the session, and live data that runs while some part is on the screen. */
import { flexToken } from "@taskrouter-sync/shared/api/auth.ts";
import { type Client, createClient } from "@taskrouter-sync/shared/api/client.ts";
import { feedSource } from "@taskrouter-sync/shared/live/feed/source.ts";
import { createLive, type Live } from "@taskrouter-sync/shared/live/store.ts";
import type { SyncClient } from "@taskrouter-sync/shared/live/sync/sdk.ts";
import type { Settings } from "../flex/settings.ts";
import type { FlexUser } from "../flex/user.ts";
import type { Language } from "../locales/index.ts";
import { withMapFallback } from "./mapFallback.ts";
import { SessionPoll } from "./session.ts";

/** A view that is closed and opened again finds its data still running. */
const LINGER_MS = 5000;

export interface Runtime {
  user: FlexUser;
  settings: Settings;
  language: Language;
  session: SessionPoll;
  live: Live;
  /** Runs the live data until the returned function was called as often as this one. */
  hold(): () => void;
}

export interface RuntimeOptions {
  user: FlexUser;
  settings: Settings;
  language: Language;
  syncClient(): SyncClient | undefined;
}

export function createRuntime({ user, settings, language, syncClient }: RuntimeOptions): Runtime {
  const text = language.shared;
  const client: Client | undefined =
    settings.service === undefined
      ? undefined
      : createClient({ baseUrl: settings.service, auth: flexToken(() => user.token()), text });
  const session = new SessionPoll(client);
  const nowhere = { start: () => () => undefined };
  const feed = client ? feedSource(client) : nowhere;
  const source = withMapFallback(feed, {
    client: syncClient,
    map: settings.syncMap,
    text: language.plugin.source,
    feedReason: text.source.feed(settings.service ?? ""),
  });
  const live = createLive({
    source,
    client: { history: async (metric) => client?.history(metric) ?? [] },
    text,
  });
  // The session says why the feed was lost: a token that expired, a role, or no service there.
  live.select(
    (state) => state.link.state,
    (state) => state === "lost" && void session.ask(),
  );
  live.select(
    (state) => state.link.state === "open" && state.activeSource?.kind === "feed",
    (open) => open && void session.ask(),
  );

  let holders = 0;
  let stop: (() => void) | undefined;
  let linger: ReturnType<typeof setTimeout> | undefined;
  const hold = () => {
    holders += 1;
    clearTimeout(linger);
    if (!stop) {
      const stopLive = live.start();
      void session.ask();
      stop = () => {
        stopLive();
        stop = undefined;
      };
    }
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      holders -= 1;
      if (holders === 0) linger = setTimeout(() => stop?.(), LINGER_MS);
    };
  };
  return { user, settings, language, session, live, hold };
}
