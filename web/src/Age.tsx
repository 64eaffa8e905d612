import { clock } from "./format.ts";
import { age } from "./live/clock.ts";
import { useSecond } from "./live/store.ts";

/** An age that counts on the screen's own clock; it stands still at `until` when what it counts is not known to go on. */
export function Age({ since, until, over, format = clock }: AgeProps) {
  const now = useSecond() * 1000;
  const seconds = age(since, until === undefined ? now : Math.min(now, until));
  const limit = over === undefined || until !== undefined ? undefined : over;
  const worst = limit !== undefined && seconds > limit;
  return (
    <span className={worst ? "age over" : "age"}>
      {worst && (
        <span className="mark" aria-hidden="true">
          ▲
        </span>
      )}
      {format(seconds)}
      {worst && <span className="sr"> over {clock(limit)}</span>}
    </span>
  );
}

interface AgeProps {
  /** Service's clock, milliseconds. */
  since: number;
  until?: number;
  /** Seconds from which it is too long. */
  over?: number;
  format?(seconds: number): string;
}

/** No data: a dash that says why. Never a zero, never a blank. */
export function Dash({ reason }: { reason: string }) {
  return (
    <span className="dash" data-tip={`No data: ${reason}.`}>
      <span aria-hidden="true">–</span>
      <span className="sr">no data: {reason}</span>
    </span>
  );
}
