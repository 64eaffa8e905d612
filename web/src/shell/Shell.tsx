import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { logout } from "../api.ts";
import { useFrozen } from "../live/store.ts";
import { Queues } from "../queues/Queues.tsx";
import { Wallboard } from "../wallboard/Wallboard.tsx";
import { FeedLight } from "./FeedLight.tsx";
import { useSession } from "./session.ts";
import { Tip } from "./Tip.tsx";
import { toggleTheme, useTheme } from "./theme.ts";

const Tasks = lazy(() => import("../people/Tasks.tsx"));
const Agents = lazy(() => import("../people/Agents.tsx"));
const Voice = lazy(() => import("../voice/Voice.tsx"));

const VIEWS = {
  wallboard: "Wallboard",
  queues: "Queues",
  tasks: "Tasks",
  agents: "Agents",
  voice: "Voice",
} as const;
type View = keyof typeof VIEWS;

function viewOf(hash: string): View {
  const name = hash.replace(/^#\/?/, "");
  return name in VIEWS ? (name as View) : "wallboard";
}

function useView(): View {
  const [view, setView] = useState(() => viewOf(location.hash));
  useEffect(() => {
    const follow = () => setView(viewOf(location.hash));
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return view;
}

export function Shell() {
  const view = useView();
  const { user, role } = useSession();
  const theme = useTheme();
  const frozen = useFrozen();
  const main = useRef<HTMLElement>(null);

  useEffect(() => {
    document.title = `${VIEWS[view]} · Contact centre`;
    main.current?.scrollTo(0, 0);
  }, [view]);

  return (
    <div className={frozen === undefined ? "shell" : "shell frozen"}>
      <header className="head">
        <h1 className="head-title">Contact centre</h1>
        <FeedLight />
        <div className="head-end">
          <button type="button" className="quiet" onClick={toggleTheme}>
            {theme === "twilio" ? "Dark" : "Light"}
          </button>
          <a className="quiet head-tv" href="?tv=1">
            TV
          </a>
          <span className="head-user">
            {user}
            {role === "viewer" && <span className="tag">viewer</span>}
          </span>
          <button type="button" className="quiet" onClick={() => void logout()}>
            Sign out
          </button>
        </div>
      </header>
      <nav className="tabs" aria-label="Views">
        {Object.entries(VIEWS).map(([name, label]) => (
          <a key={name} href={`#/${name}`} className="tab" aria-current={view === name ? "page" : undefined}>
            {label}
          </a>
        ))}
      </nav>
      <main className="main" ref={main} tabIndex={-1}>
        <Suspense fallback={<p className="empty">Loading…</p>}>
          {view === "wallboard" && <Wallboard scroller={main} />}
          {view === "queues" && <Queues scroller={main} />}
          {view === "tasks" && <Tasks />}
          {view === "agents" && <Agents />}
          {view === "voice" && <Voice />}
        </Suspense>
        <Tip />
      </main>
    </div>
  );
}
