/**
 * The queue table: rows by urgency unless the user sorts, open by channel, cards on a phone. Only the rows in sight are
 * in the page, and a row is drawn again only when its own item changed.
 */
import { defaultRangeExtractor, useVirtualizer } from "@tanstack/react-virtual";
import * as React from "react";
import { useLive, useStaleSince } from "../../live/react.tsx";
import { useText } from "../../locales/index.ts";
import { useNarrow } from "../../ui/useNarrow.ts";
import { useScrollMargin } from "../../ui/useScrollMargin.ts";
import type { Column } from "../columns.ts";
import type { QueueFilter } from "../filters.ts";
import type { Sort } from "../sort.ts";
import { type ServiceLevels, useFigures, useQueueRows } from "../useQueueRows.ts";
import type { Entry } from "./entry.ts";
import { Header } from "./Header.tsx";
import css from "./QueueTable.module.css";
import { Row } from "./Row.tsx";
import { useRovingFocus } from "./useRovingFocus.ts";

const ROW = 40;
const CARD = 148;

export interface QueueTableProps {
  /** The element that scrolls; the table measures its place in it. */
  scroller: React.RefObject<HTMLElement | null>;
  columns: Column[];
  sort: Sort;
  onSort(sort: Sort): void;
  search?: string;
  filter?: QueueFilter | undefined;
  channels: readonly string[];
  serviceLevels: ServiceLevels;
  /** Opens a queue's day curve; rows have a button for it where this is given. */
  onCurve?: ((sid: string, channel: string) => void) | undefined;
}

const NONE: ReadonlySet<string> = new Set();

export function QueueTable(props: QueueTableProps) {
  const { scroller, columns, sort, onSort, search = "", filter, channels, serviceLevels, onCurve } = props;
  const text = useText().queues;
  const queuesKnown = useLive((state) => state.board?.queuesKnown);
  const staleSince = useStaleSince();
  const narrow = useNarrow();
  const [open, setOpen] = React.useState(NONE);
  const [focusInside, setFocusInside] = React.useState(false);
  const figuresOf = useFigures(serviceLevels);
  const hold = focusInside || open.size > 0;
  const rows = useQueueRows({ sort, columns, search, filter, figuresOf, hold });
  const body = React.useRef<HTMLDivElement>(null);
  const margin = useScrollMargin(scroller, body);

  const entries = React.useMemo(
    () =>
      rows.flatMap((row): Entry[] => {
        const { sid } = row.item;
        const own: Entry = { key: sid, row, scope: "all", figures: row.all };
        if (!open.has(sid)) return [own];
        const byChannel = channels.map((scope) => ({
          key: `${sid} ${scope}`,
          row,
          scope,
          figures: figuresOf(row.item, scope),
        }));
        return [own, ...byChannel];
      }),
    [rows, open, channels, figuresOf],
  );

  const size = narrow ? CARD : ROW;
  const focused = React.useRef<string | undefined>(undefined);
  const virtual = useVirtualizer({
    count: entries.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => size,
    getItemKey: (index) => entries[index]?.key ?? index,
    overscan: 8,
    scrollMargin: margin,
    // The row with the keyboard's focus stays in the page when it is out of sight.
    rangeExtractor(range) {
      const indexes = defaultRangeExtractor(range);
      const at = focused.current ? entries.findIndex((entry) => entry.key === focused.current) : -1;
      return at < 0 || indexes.includes(at) ? indexes : [...indexes, at].sort((a, b) => a - b);
    },
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: measured again when rows become cards
  React.useLayoutEffect(() => virtual.measure(), [size]);
  const focus = useRovingFocus({
    entries,
    body,
    focused,
    scrollTo: virtual.scrollToIndex,
    onInside: setFocusInside,
  });

  const toggle = React.useCallback((sid: string) => {
    setOpen((before) => {
      const next = new Set(before);
      if (!next.delete(sid)) next.add(sid);
      return next;
    });
  }, []);

  const over = serviceLevels.thresholds.at(-1) ?? 120;
  const { template, least } = React.useMemo(() => tracks(columns), [columns]);

  return (
    <div
      className={narrow ? `${css.table} ${css.cards}` : css.table}
      role="table"
      aria-label={text.table}
      aria-rowcount={entries.length + 1}
      aria-colcount={columns.length + 1}
      data-stale={staleSince === undefined ? undefined : ""}
      style={narrow ? undefined : { minWidth: least }}
    >
      <Header columns={columns} sort={sort} onSort={onSort} template={template} />
      <div
        role="rowgroup"
        className={css.body}
        ref={body}
        style={{ height: virtual.getTotalSize() }}
        onFocus={focus.onFocus}
        onBlur={focus.onBlur}
        onKeyDown={focus.onKeyDown}
      >
        {virtual.getVirtualItems().map((place) => {
          const entry = entries[place.index];
          if (!entry) return null;
          return (
            <Row
              key={entry.key}
              rowKey={entry.key}
              item={entry.row.item}
              figures={entry.figures}
              scope={entry.scope}
              columns={columns}
              template={template}
              index={place.index + 2}
              top={place.start - margin}
              open={open.has(entry.row.item.sid)}
              onToggle={toggle}
              onCurve={onCurve}
              staleSince={staleSince}
              over={over}
            />
          );
        })}
      </div>
      {entries.length === 0 && (
        <p className={css.empty}>
          {!queuesKnown
            ? text.waitingForData
            : search
              ? text.noMatch(search)
              : filter
                ? text.noneSelected
                : text.none}
        </p>
      )}
    </div>
  );
}

/** On a narrow screen columns close up before any of them is out of sight. */
function tracks(columns: readonly Column[]): { template: string; least: number } {
  const narrowest = (width: number) => Math.round(width * (width > 200 ? 0.5 : 0.8));
  const sizes = columns.map(({ width }) => `minmax(${narrowest(width)}px, ${width}px)`);
  return {
    template: `minmax(180px, 1fr) ${sizes.join(" ")}`,
    least: 180 + columns.reduce((sum, { width }) => sum + narrowest(width), 0) + 44,
  };
}
