import type { Gap } from "@taskrouter-sync/shared/api/history.ts";
import type { LocalDay } from "@taskrouter-sync/shared/format/localDays.ts";
import { clockTime, clockTimeSeconds } from "@taskrouter-sync/shared/format/time.ts";
import { useHistoryText } from "../locales/history/index.ts";
import css from "./history.module.css";

const LISTED = 6;
const SHORT_S = 120;

interface GapListProps {
  gaps: readonly Gap[];
  day: LocalDay;
  zone: string;
}

/** The first gaps of a day with their reasons. */
export function GapList({ gaps, day, zone }: GapListProps) {
  const words = useHistoryText().curve;
  if (gaps.length === 0) return null;
  return (
    <ul className={css.gaps} aria-label={words.gaps}>
      {gaps.slice(0, LISTED).map(({ from, to, reason }) => {
        // A gap within a minute has its seconds.
        const clock = to - from < SHORT_S ? clockTimeSeconds : clockTime;
        const [begin, end] = [Math.max(from * 1000, day.start), Math.min(to * 1000, day.end)];
        return (
          <li key={from}>
            {words.gap(clock(begin, zone), clock(end, zone), words.gapReasons[reason] ?? reason)}
          </li>
        );
      })}
      {gaps.length > LISTED && <li>{words.moreGaps(gaps.length - LISTED)}</li>}
    </ul>
  );
}
