import { lazy, Suspense, useEffect, useState } from "react";
import { session as readSession } from "../api.ts";
import { chooseSource } from "../live/choose.ts";
import { startLive } from "../live/store.ts";
import type { Session } from "../types.ts";
import { keepSession } from "./keepSession.ts";
import { Shell } from "./Shell.tsx";
import { SessionContext } from "./session.ts";

const Tv = lazy(() => import("../tv/Tv.tsx"));

export function App() {
  const [session, setSession] = useState<Session>();
  const [trouble, setTrouble] = useState<string>();

  useEffect(
    () =>
      keepSession(readSession, {
        session(answer) {
          setTrouble(undefined);
          setSession(answer);
        },
        trouble: setTrouble,
      }),
    [],
  );

  useEffect(() => {
    if (!session) return undefined;
    return startLive(chooseSource(session, new URLSearchParams(location.search)), session);
  }, [session]);

  if (!session) {
    return (
      <main className="blank" aria-busy={!trouble}>
        <h1 className="sr">Contact centre</h1>
        {trouble ? <p role="alert">{trouble} Trying again every 3 s.</p> : <p>Connecting…</p>}
      </main>
    );
  }
  const tv = new URLSearchParams(location.search).get("tv") === "1";
  return (
    <SessionContext.Provider value={session}>
      {tv ? (
        <Suspense fallback={null}>
          <Tv />
        </Suspense>
      ) : (
        <Shell />
      )}
    </SessionContext.Provider>
  );
}
