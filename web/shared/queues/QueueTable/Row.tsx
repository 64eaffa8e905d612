import * as React from "react";
import type { QueueItem } from "../../api/types.ts";
import { instant } from "../../live/clock.ts";
import { type Texts, useText } from "../../locales/index.ts";
import { DataAge } from "../../ui/Age.tsx";
import { updateCause } from "../../ui/provenance.ts";
import ui from "../../ui/ui.module.css";
import type { Column } from "../columns.ts";
import type { Figures } from "../figures.ts";
import { Cell } from "./Cell.tsx";
import css from "./QueueTable.module.css";

export interface RowProps {
  rowKey: string;
  item: QueueItem;
  figures: Figures;
  scope: string;
  columns: Column[];
  template: string;
  index: number;
  top: number;
  open: boolean;
  onToggle(sid: string): void;
  onCurve?: ((sid: string, channel: string) => void) | undefined;
  staleSince: number | undefined;
  over: number;
}

export const Row = React.memo(function Row(p: RowProps) {
  const text = useText();
  const { item, scope } = p;
  const asOf = instant(item.asOf);
  const failing = item.realTimeStatsMessage;
  const until = failing ? (asOf ?? 0) : p.staleSince;
  const whole = scope === "all";
  return (
    <div
      role="row"
      className={[css.line, css.row, !whole && css.sub, failing && css.stale].filter(Boolean).join(" ")}
      aria-rowindex={p.index}
      data-key={p.rowKey}
      data-sid={item.sid}
      data-scope={scope}
      style={{ gridTemplateColumns: p.template, transform: `translateY(${p.top}px)` }}
    >
      <div role="rowheader" className={`${css.cell} ${css.name}`}>
        {whole ? (
          <button
            type="button"
            aria-expanded={p.open}
            onClick={() => p.onToggle(item.sid)}
            data-tip={provenance(item, text)}
            data-as-of={asOf}
          >
            <span aria-hidden="true" className={css.twist}>
              {p.open ? "▾" : "▸"}
            </span>
            <span className={css.queueName} data-part="queue-name">
              {item.friendlyName}
            </span>
          </button>
        ) : (
          <span className={css.channel} data-part="channel">
            <span className={ui.srOnly}>{item.friendlyName}, </span>
            {scope}
          </span>
        )}
        {p.onCurve && (
          <button
            type="button"
            className={css.curve}
            data-part="curve"
            aria-label={text.queues.dayCurve(whole ? item.friendlyName : `${item.friendlyName}, ${scope}`)}
            onClick={() => p.onCurve?.(item.sid, scope)}
          >
            <svg viewBox="0 0 16 16" aria-hidden="true">
              <path d="M1 12l4-5 3 3 6-7" />
            </svg>
          </button>
        )}
        {whole && failing && asOf !== undefined && (
          <DataAge since={asOf} tip={text.provenance.queueFailing(failing)} />
        )}
      </div>
      {p.columns.map((column) => (
        <div
          role="cell"
          tabIndex={-1}
          className={column.id === "pending" ? `${css.cell} ${css.strong}` : css.cell}
          key={column.id}
          data-column={column.id}
          data-label={column.label}
          data-tip={tipOf(column, p.figures, item, scope, text)}
          data-as-of={asOf}
        >
          <Cell column={column} figures={p.figures} item={item} until={until} over={p.over} />
        </div>
      ))}
    </div>
  );
});

function provenance(item: QueueItem, { provenance: text }: Texts): string {
  return [
    text.queue(item.sid, updateCause(item.readBy, text)),
    item.realTimeStatsMessage && text.queueFailing(item.realTimeStatsMessage),
    item.cumulativeStatsMessage && text.todayFailing(item.cumulativeStatsMessage),
    item.cut?.length && text.cut(item.cut.join(", ")),
  ]
    .filter(Boolean)
    .join("\n");
}

/** Formula, interval and owner of one number. The tooltip itself adds when it was read. */
function tipOf(column: Column, figures: Figures, item: QueueItem, scope: string, text: Texts): string {
  const owner = scope === "all" ? item.friendlyName : text.provenance.channelOnly(item.friendlyName, scope);
  return `${column.tipOf?.(figures) ?? column.tip}.\n${owner}`;
}
