/**
 * Wallboard and queues as they were at a moment. The views are those of the page, over a store of the past and without
 * any right to change something. A TV never comes here: it ignores the address's part after `#`.
 */
import type { Client } from "@taskrouter-sync/shared/api/client.ts";
import { dateOf } from "@taskrouter-sync/shared/format/localDays.ts";
import { clockTime } from "@taskrouter-sync/shared/format/time.ts";
import { LiveProvider, useLiveStore } from "@taskrouter-sync/shared/live/react.tsx";
import { type QueueFilter, queueFilterOf } from "@taskrouter-sync/shared/queues/filters.ts";
import { ProvenanceTooltip } from "@taskrouter-sync/shared/ui/ProvenanceTooltip.tsx";
import { type RefObject, useEffect, useMemo, useRef, useState } from "react";
import { createPortal } from "react-dom";
import { ClientContext, SessionContext, useClient, useSession } from "../../base/session.ts";
import { replayAddress } from "../../history/addresses.ts";
import { HistoryNotice, Unreadable } from "../../history/HistoryNotice.tsx";
import { useHistoryState } from "../../history/HistoryState.tsx";
import { WhyUnknown } from "../../history/WhyUnknown.tsx";
import { useHistoryText } from "../../locales/history/index.ts";
import { Queues } from "../queues/Queues.tsx";
import { Wallboard } from "../wallboard/Wallboard.tsx";
import { Band } from "./Band.tsx";
import css from "./Replay.module.css";
import { gapTime } from "./replayLive.ts";
import { type Replay as Replaying, useReplay } from "./useReplay.ts";

const HOUR_MS = 3_600_000;

interface ReplayProps {
  scroller: RefObject<HTMLElement | null>;
  /** Where the band stands: above what scrolls. */
  bandPlace: HTMLElement | null;
}

/** The address's moment. */
function addressedMoment(): number | undefined {
  const asked = Date.parse(new URLSearchParams(location.hash.split("?")[1]).get("at") ?? "");
  return Number.isNaN(asked) ? undefined : asked;
}

/** An hour ago, where the address has no moment. */
const firstMoment = (present: number): number =>
  Math.min(present, addressedMoment() ?? Math.floor((present - HOUR_MS) / 60_000) * 60_000);

export default function Replay({ scroller, bandPlace }: ReplayProps) {
  const text = useHistoryText();
  const words = text.replay;
  const outer = useLiveStore();
  const session = useSession();
  const client = useClient();
  const state = useHistoryState();
  const zone = state?.timezone ?? session.timeZone;
  const off = state?.state === "off";
  const replay = useReplay(useState(() => firstMoment(outer.now()))[0], outer.now, zone, !off);
  const [view, setView] = useState<"wallboard" | "queues">("wallboard");
  const [filter, setFilter] = useState<QueueFilter>();
  const viewer = useMemo(() => ({ ...session, role: "viewer" as const }), [session]);
  // Definitions of today would give the past thresholds that it did not have.
  const past = useMemo((): Client => ({ ...client, definitions: async () => ({}) }), [client]);

  const seek = useRef(replay.seek);
  seek.current = replay.seek;
  useEffect(() => {
    const follow = () => {
      const asked = location.hash.startsWith("#/replay") ? addressedMoment() : undefined;
      if (asked !== undefined) seek.current(asked);
    };
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);

  const { playing, moment } = replay.clock;
  useEffect(() => {
    // Another view may have been asked for meanwhile.
    if (playing || !location.hash.startsWith("#/replay")) return;
    history.replaceState(history.state, "", replayAddress(moment));
  }, [playing, moment]);

  /** Links to queues stay within the replay. */
  const stay = (event: React.MouseEvent) => {
    const href = (event.target as HTMLElement).closest("a")?.getAttribute("href");
    if (!href?.startsWith("#/queues")) return;
    event.preventDefault();
    setFilter(queueFilterOf(new URLSearchParams(href.split("?")[1]).get("show")));
    setView("queues");
  };
  const views = [
    { id: "wallboard", label: words.wallboard },
    { id: "queues", label: words.queues },
  ];

  const { answer } = replay;
  const nothing = answer && !answer.known && answer.queues.length + answer.tiles.length === 0;

  return (
    <div onClickCapture={stay} data-testid="replay">
      {bandPlace &&
        createPortal(
          <Band
            replay={replay}
            timeZone={zone}
            present={outer.now()}
            view={view}
            views={views}
            onView={(id) => {
              setFilter(undefined);
              setView(id === "queues" ? "queues" : "wallboard");
            }}
          />,
          bandPlace,
        )}
      <div className={css.notice}>
        <HistoryNotice />
        {replay.error !== undefined && <Unreadable reason={replay.error} onRetry={replay.retry} />}
        <Known replay={replay} zone={zone} present={outer.now()} />
      </div>
      {replay.live && !nothing && (
        <ClientContext.Provider value={past}>
          <SessionContext.Provider value={viewer}>
            <LiveProvider value={replay.live}>
              {view === "wallboard" ? (
                <Wallboard scroller={scroller} />
              ) : (
                <Queues scroller={scroller} filter={filter} />
              )}
              <ProvenanceTooltip timeZone={zone} />
            </LiveProvider>
          </SessionContext.Provider>
        </ClientContext.Provider>
      )}
      {!replay.live && !off && replay.error === undefined && <p className="empty">{text.loading}</p>}
    </div>
  );
}

/** Why numbers are grey: the moment lies in a gap, or before the first row. */
function Known({ replay, zone, present }: { replay: Replaying; zone: string; present: number }) {
  const text = useHistoryText();
  const { answer } = replay;
  if (replay.ended) return <p role="status">{text.replay.end}</p>;
  if (!answer || (answer.known && !answer.gap)) return null;
  const [from, to] = [gapTime(answer.gap?.from), gapTime(answer.gap?.to)];
  return (
    <p role="status" data-part="unknown">
      {answer.gap && from !== undefined
        ? text.replay.gap(
            clockTime(from, zone),
            to === undefined ? "…" : clockTime(to, zone),
            text.curve.gapReasons[answer.gap.reason] ?? answer.gap.reason,
          )
        : text.replay.unknown}{" "}
      {!answer.gap && <WhyUnknown date={dateOf(replay.moment, zone)} today={dateOf(present, zone)} />}
    </p>
  );
}
