import * as React from "react";
import type { QueueItem } from "../../api/types.ts";
import { useText } from "../../locales/index.ts";
import { Age } from "../../ui/Age.tsx";
import { NoData } from "../../ui/NoData.tsx";
import ui from "../../ui/ui.module.css";
import type { Column } from "../columns.ts";
import type { Figures } from "../figures.ts";
import css from "./QueueTable.module.css";

const CHANGED = "\u0000changed";

interface CellProps {
  column: Column;
  figures: Figures;
  item: QueueItem;
  /** Ages stop here. */
  until: number | undefined;
  over: number;
}

export function Cell({ column, figures, item, until, over }: CellProps) {
  return column.kind === "age" ? (
    <OldestAge since={figures.oldestSince} until={until} over={over} />
  ) : (
    <Value column={column} figures={figures} item={item} />
  );
}

function OldestAge({
  since,
  until,
  over,
}: { since?: number | null | undefined } & Pick<CellProps, "until" | "over">) {
  const text = useText().queues;
  if (since === undefined) return <NoData reason={text.notReported} />;
  if (since !== null) return <Age since={since} until={until} over={over} />;
  return (
    <span className={ui.weak}>
      00:00<span className={ui.srOnly}> {text.nothingWaits}</span>
    </span>
  );
}

function Value({ column, figures, item }: Pick<CellProps, "column" | "figures" | "item">) {
  const texts = useText().queues;
  const text = column.text(figures);
  const first = React.useRef(text);
  // A change glows for half a second; what was there from the start, or scrolled into sight, does not.
  if (text !== first.current) first.current = CHANGED;
  if (text !== undefined) {
    return (
      <span key={text} className={first.current === CHANGED ? css.glow : undefined}>
        {text}
      </span>
    );
  }
  const cut = item.cut?.length ? texts.cut(item.cut.join(", ")) : undefined;
  return <NoData reason={column.reason?.(figures) ?? cut ?? item.cumulativeStatsMessage ?? texts.notRead} />;
}
