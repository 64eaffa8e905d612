import { messageOf } from "@taskrouter-sync/shared/api/errors.ts";
import { useStaleSince } from "@taskrouter-sync/shared/live/react.tsx";
import { type Language, useText } from "@taskrouter-sync/shared/locales/index.ts";
import { FreshnessIndicator } from "@taskrouter-sync/shared/ui/FreshnessIndicator.tsx";
import { ProvenanceTooltip } from "@taskrouter-sync/shared/ui/ProvenanceTooltip.tsx";
import { Suspense, useEffect, useRef, useState } from "react";
import { PartBoundary } from "../base/Boundaries.tsx";
import { changeLanguage } from "../base/language.ts";
import { lazyView } from "../base/lazyView.tsx";
import { useClient, useSession, useTitle } from "../base/session.ts";
import { ToasterProvider, useToaster } from "../base/Toaster.tsx";
import { toggleTheme, useTheme } from "../base/theme.ts";
import { HistoryStateProvider, useServed } from "../history/HistoryState.tsx";
import { HistoryTrouble } from "../history/HistoryTrouble.tsx";
import { useServiceTime } from "../history/useServiceTime.ts";
import { usePageText } from "../locales/index.ts";
import { Queues } from "../views/queues/Queues.tsx";
import { Wallboard } from "../views/wallboard/Wallboard.tsx";
import { removeDrafts } from "../wallboard-editor/storedDrafts.ts";
import { filterOf, isOfHistory, VIEWS, viewOf } from "./view.ts";

const Tasks = lazyView(() => import("../views/tasks/Tasks.tsx"));
const Agents = lazyView(() => import("../views/agents/Agents.tsx"));
const CallQuality = lazyView(() => import("../views/call-quality/CallQuality.tsx"));
const Report = lazyView(() => import("../views/report/Report.tsx"));
const Replay = lazyView(() => import("../views/replay/Replay.tsx"));

function useView() {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const follow = () => setHash(location.hash);
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return { view: viewOf(hash), filter: filterOf(hash) };
}

export function Shell() {
  return (
    <ToasterProvider>
      <HistoryStateProvider>
        <Desk />
      </HistoryStateProvider>
    </ToasterProvider>
  );
}

function Desk() {
  const text = usePageText();
  const shared = useText();
  const { view: asked, filter } = useView();
  const served = useServed();
  const timeKnown = useServiceTime();
  const pastReady = served && timeKnown;
  const view = served === "missing" && isOfHistory(asked) ? "wallboard" : asked;
  const { timeZone } = useSession();
  const title = useTitle();
  const staleSince = useStaleSince();
  const main = useRef<HTMLElement>(null);
  const [bandPlace, setBandPlace] = useState<HTMLElement | null>(null);
  const tabs = served && served !== "missing" ? VIEWS : VIEWS.filter((name) => !isOfHistory(name));
  // The past is no staler for a feed that is lost.
  const stale = staleSince !== undefined && view !== "replay";

  useEffect(() => {
    document.title = `${text.views[view]} · ${title}`;
    main.current?.scrollTo(0, 0);
    // On a phone not all tabs are in sight.
    document.querySelector(".tab[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [view, text, title]);

  return (
    <div className={stale ? "shell stale" : "shell"}>
      <Head live={view !== "replay"} />
      <div>
        <nav className="tabs" aria-label={text.shell.viewsLabel}>
          {tabs.map((name) => (
            <a
              key={name}
              href={`#/${name}`}
              className="tab"
              aria-current={view === name ? "page" : undefined}
            >
              {text.views[name]}
            </a>
          ))}
        </nav>
        <div ref={setBandPlace} />
      </div>
      <main className="main" ref={main} tabIndex={-1}>
        <PartBoundary resetKey={view}>
          <Suspense fallback={<p className="empty">{shared.errors.loading}</p>}>
            {view === "wallboard" && <Wallboard scroller={main} />}
            {view === "queues" && <Queues scroller={main} filter={filter} />}
            {view === "tasks" && <Tasks />}
            {view === "agents" && <Agents />}
            {view === "voice" && <CallQuality />}
            {pastReady && view === "report" && <Report scroller={main} />}
            {pastReady && view === "replay" && <Replay scroller={main} bandPlace={bandPlace} />}
            {!pastReady && isOfHistory(view) && <p className="empty">{shared.errors.loading}</p>}
          </Suspense>
        </PartBoundary>
        {view !== "replay" && <ProvenanceTooltip timeZone={timeZone} />}
      </main>
    </div>
  );
}

/** Each in its own language. */
const NAMES: Readonly<Record<Language, string>> = { en: "English", de: "Deutsch" };

/** `live`: what is shown is the present, and how fresh that is. */
function Head({ live }: { live: boolean }) {
  const text = usePageText();
  const shared = useText();
  const client = useClient();
  const toaster = useToaster();
  const { user, role } = useSession();
  const theme = useTheme();
  const [leaving, setLeaving] = useState(false);

  const signOut = async () => {
    setLeaving(true);
    try {
      await client.logout();
      removeDrafts();
      location.assign("login");
    } catch (error) {
      toaster.show("sign-out", { kind: "error", text: text.shell.signOutFailed(messageOf(error)) });
      setLeaving(false);
    }
  };

  return (
    <header className="head">
      <h1 className="head-title">{useTitle()}</h1>
      {live && <FreshnessIndicator className="head-freshness" />}
      <HistoryTrouble />
      <div className="head-end">
        <button type="button" className="quiet" onClick={toggleTheme}>
          {theme === "twilio" ? text.shell.dark : text.shell.light}
        </button>
        <select
          className="quiet"
          aria-label={text.shell.language}
          value={shared.language}
          onChange={(event) => changeLanguage(event.target.value as Language)}
        >
          {Object.entries(NAMES).map(([language, name]) => (
            <option key={language} value={language} lang={language}>
              {name}
            </option>
          ))}
        </select>
        <a className="quiet head-tv" href="?tv=1">
          {text.shell.tv}
        </a>
        <span className="head-user">
          {user}
          {role === "viewer" && <span className="tag">{text.shell.viewer}</span>}
        </span>
        <button type="button" className="quiet" disabled={leaving} onClick={() => void signOut()}>
          {text.shell.signOut}
        </button>
      </div>
    </header>
  );
}
