import type { Client } from "@taskrouter-sync/shared/api/client.ts";
import type { Session } from "@taskrouter-sync/shared/api/types.ts";
import { LiveProvider } from "@taskrouter-sync/shared/live/react.tsx";
import { selectSource } from "@taskrouter-sync/shared/live/selectSource.ts";
import { createLive, type Live } from "@taskrouter-sync/shared/live/store.ts";
import { useText } from "@taskrouter-sync/shared/locales/index.ts";
import { TokenScope } from "@taskrouter-sync/shared/ui/TokenScope.tsx";
import ui from "@taskrouter-sync/shared/ui/ui.module.css";
import { Suspense, useEffect, useRef, useState } from "react";
import { isTv } from "../base/Boundaries.tsx";
import { reloadIfReplaced } from "../base/build.ts";
import { lazyView, prefetchViews } from "../base/lazyView.tsx";
import { ClientContext, SessionContext } from "../base/session.ts";
import { useTheme } from "../base/theme.ts";
import { usePageText } from "../locales/index.ts";
import { browserFeed } from "./browserFeed.ts";
import { pollSession } from "./pollSession.ts";
import { Shell } from "./Shell.tsx";
import { connect } from "./sdk.ts";

const Tv = lazyView(() => import("../views/tv/Tv.tsx"));

export function App({ client }: { client: Client }) {
  const text = usePageText();
  const [session, setSession] = useState<Session>();
  const [trouble, setTrouble] = useState<string>();
  const theme = useTheme();
  const live = useLiveOf(client, session);

  useEffect(
    () =>
      pollSession((signal) => client.session(signal), {
        session(answer) {
          setTrouble(undefined);
          setSession(answer);
        },
        trouble: setTrouble,
        // A wall has no one to reload it after an upgrade.
        polled: () => isTv() && void reloadIfReplaced().catch(() => undefined),
      }),
    [client],
  );
  useEffect(prefetchViews, []);

  if (!session || !live) {
    return (
      <main className="blank" aria-busy={!trouble}>
        <h1 className={ui.srOnly}>{text.title}</h1>
        {trouble ? <p role="alert">{text.shell.retrying(trouble)}</p> : <p>{text.shell.connecting}</p>}
      </main>
    );
  }
  return (
    <ClientContext.Provider value={client}>
      <SessionContext.Provider value={session}>
        <LiveProvider value={live}>
          <TokenScope theme={theme}>
            {isTv() ? (
              <Suspense fallback={null}>
                <Tv />
              </Suspense>
            ) : (
              <Shell />
            )}
          </TokenScope>
        </LiveProvider>
      </SessionContext.Provider>
    </ClientContext.Provider>
  );
}

/**
 * The live data. Another source is started only when the session names other Sync objects or another time zone; other
 * changes of the session leave it alone, and the numbers stay until the new source has its own.
 */
function useLiveOf(client: Client, session: Session | undefined): Live | undefined {
  const text = useText();
  const [live, setLive] = useState<Live>();
  const previous = useRef<Live>();
  const sync = session && JSON.stringify(session.sync ?? null);
  const timeZone = session?.timeZone;
  const user = useRef(session);
  user.current = session;

  useEffect(() => {
    if (sync === undefined || timeZone === undefined) return undefined;
    const wish = new URLSearchParams(location.search).get("source");
    const source = selectSource(JSON.parse(sync) as Session["sync"], wish, {
      client,
      connect,
      text,
      feed: browserFeed(client, () => `${user.current?.role} ${user.current?.user}`),
    });
    const made = createLive({ source, client, timeZone, text, previous: previous.current });
    previous.current = made;
    setLive(made);
    return made.start();
  }, [client, sync, timeZone, text]);
  return live;
}
