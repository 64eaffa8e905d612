import * as React from "react";
import { clock } from "../format/duration.ts";
import { age } from "../live/clock.ts";
import { useSecond } from "../live/react.tsx";
import { useText } from "../locales/index.ts";
import css from "./ui.module.css";

interface AgeProps {
  /** Service's clock, milliseconds. */
  since: number;
  /** The age stands still here: it is not known whether what it counts goes on. */
  until?: number | undefined;
  /** Seconds from which it is too long. */
  over?: number | undefined;
  format?(seconds: number): string;
}

/** An age that counts on the screen's own clock. */
export function Age({ since, until, over, format = clock }: AgeProps) {
  const now = useSecond() * 1000;
  const text = useText();
  const seconds = age(since, until === undefined ? now : Math.min(now, until));
  const limit = over === undefined || until !== undefined ? undefined : over;
  const worst = limit !== undefined && seconds > limit;
  return (
    <span className={worst ? css.over : undefined} data-over={worst ? "" : undefined}>
      {worst && (
        <span className={css.mark} aria-hidden="true">
          ▲
        </span>
      )}
      {format(seconds)}
      {worst && <span className={css.srOnly}> {text.over(clock(limit))}</span>}
    </span>
  );
}

/** How old data is that could not be read again. */
export function DataAge({ since, tip }: { since: number; tip?: string }) {
  const now = useSecond() * 1000;
  const text = useText();
  return (
    <span className={css.dataAge} data-part="data-age" data-tip={tip}>
      {text.ageOld(text.span(age(since, now)))}
    </span>
  );
}
