/**
 * The queue table: rows by urgency unless the user sorts, open by channel, cards on a phone. Only the rows in sight are
 * in the page, and a row is drawn anew only when its own item changed.
 */
import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, type RefObject, useCallback, useLayoutEffect, useMemo, useRef, useState } from "react";
import { Age, Dash } from "../Age.tsx";
import { readBy, span } from "../format.ts";
import { age, instant } from "../live/clock.ts";
import { serverNow, useBoard, useFrozen, useSecond } from "../live/store.ts";
import { useSession } from "../shell/session.ts";
import type { QueueItem } from "../types.ts";
import { useNarrow } from "../useNarrow.ts";
import type { Column } from "./columns.ts";
import { type Figures, figures } from "./figures.ts";
import { held, type Line, matches, type Sort, sorted } from "./order.ts";

const ROW = 40;
const CARD = 148;
/** By urgency, rows change places at most this often. */
const HOLD_MS = 5000;
const GLOWN = "\u0000changed";

interface Props {
  scroller: RefObject<HTMLElement | null>;
  columns: Column[];
  sort: Sort;
  onSort(sort: Sort): void;
  search?: string;
}

type Entry = { key: string; line: Line; scope: string; figures: Figures };

/** Figures of an item are worked out once, however often the table is drawn. */
function useFigures() {
  const { slaThresholds, sla, slaOfQueues } = useSession();
  const cache = useRef(new WeakMap<QueueItem, Map<string, Figures>>());
  return useCallback(
    (item: QueueItem, scope: string) => {
      const scopes = cache.current.get(item) ?? new Map<string, Figures>();
      cache.current.set(item, scopes);
      const known = scopes.get(scope) ?? figures(item, scope, slaThresholds, slaOfQueues?.[item.sid] ?? sla);
      scopes.set(scope, known);
      return known;
    },
    [slaThresholds, sla, slaOfQueues],
  );
}

export function useLines(sort: Sort, columns: readonly Column[], search: string) {
  const board = useBoard();
  const figuresOf = useFigures();
  const last = useRef({ at: 0, sort, size: 0, order: new Map<string, number>() });
  return useMemo(() => {
    const all: Line[] = [];
    for (const item of board?.queues.values() ?? []) all.push({ item, all: figuresOf(item, "all") });
    const now = serverNow();
    const known = last.current;
    const same =
      known.sort === sort && known.size === all.length && all.every((line) => known.order.has(line.item.sid));
    let lines: Line[];
    if (same && now - known.at < HOLD_MS) lines = held(all, known.order);
    else {
      lines = sorted(all, sort, columns, now);
      last.current = {
        at: now,
        sort,
        size: all.length,
        order: new Map(lines.map((l, i) => [l.item.sid, i])),
      };
    }
    return search.trim() ? lines.filter((line) => matches(line.item, search)) : lines;
  }, [board, sort, columns, search, figuresOf]);
}

export function QueueTable({ scroller, columns, sort, onSort, search = "" }: Props) {
  const { channels, slaThresholds } = useSession();
  const board = useBoard();
  const frozen = useFrozen();
  const narrow = useNarrow();
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const lines = useLines(sort, columns, search);
  const figuresOf = useFigures();
  const body = useRef<HTMLDivElement>(null);
  const [margin, setMargin] = useState(0);

  const entries = useMemo(
    () =>
      lines.flatMap((line): Entry[] => {
        const { sid } = line.item;
        const own: Entry = { key: sid, line, scope: "all", figures: line.all };
        if (!open.has(sid)) return [own];
        return [
          own,
          ...channels.map((scope) => ({
            key: `${sid} ${scope}`,
            line,
            scope,
            figures: figuresOf(line.item, scope),
          })),
        ];
      }),
    [lines, open, channels, figuresOf],
  );

  useLayoutEffect(() => {
    const measure = () => {
      if (!body.current || !scroller.current) return;
      const top = body.current.getBoundingClientRect().top - scroller.current.getBoundingClientRect().top;
      setMargin(Math.round(top + scroller.current.scrollTop));
    };
    measure();
    const watch = new ResizeObserver(measure);
    if (scroller.current) watch.observe(scroller.current);
    const before = body.current?.closest(".queue-table")?.previousElementSibling;
    if (before) watch.observe(before);
    return () => watch.disconnect();
  }, [scroller]);

  const size = narrow ? CARD : ROW;
  const virtual = useVirtualizer({
    count: entries.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => size,
    getItemKey: (index) => entries[index]?.key ?? index,
    overscan: 8,
    scrollMargin: margin,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: measured again when rows become cards
  useLayoutEffect(() => virtual.measure(), [size]);

  const toggle = useCallback((sid: string) => {
    setOpen((before) => {
      const next = new Set(before);
      if (!next.delete(sid)) next.add(sid);
      return next;
    });
  }, []);

  const over = slaThresholds.at(-1) ?? 120;
  // On a narrow screen columns close up before any of them is out of sight.
  const narrowest = (width: number) => Math.round(width * (width > 200 ? 0.5 : 0.8));
  const tracks = columns.map(({ width }) => `minmax(${narrowest(width)}px, ${width}px)`);
  const template = `minmax(180px, 1fr) ${tracks.join(" ")}`;
  const least = 180 + columns.reduce((sum, { width }) => sum + narrowest(width), 0) + 44;

  return (
    <div
      className={narrow ? "queue-table cards" : "queue-table"}
      role="table"
      aria-label="Queues"
      aria-rowcount={entries.length + 1}
      aria-colcount={columns.length + 1}
      style={narrow ? undefined : { minWidth: least }}
    >
      <div role="rowgroup" className="thead">
        <div role="row" className="tr" aria-rowindex={1} style={{ gridTemplateColumns: template }}>
          <Head
            label="Queue"
            id="name"
            tip="TaskQueue; its row opens by channel"
            sort={sort}
            onSort={onSort}
          />
          {columns.map((column) => (
            <Head key={column.id} {...column} sort={sort} onSort={onSort} />
          ))}
        </div>
      </div>
      <div role="rowgroup" className="tbody" ref={body} style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((place) => {
          const entry = entries[place.index];
          if (!entry) return null;
          return (
            <Row
              key={entry.key}
              item={entry.line.item}
              figures={entry.figures}
              scope={entry.scope}
              columns={columns}
              template={template}
              index={place.index + 2}
              top={place.start - margin}
              open={open.has(entry.line.item.sid)}
              onToggle={toggle}
              frozen={frozen}
              over={over}
            />
          );
        })}
      </div>
      {entries.length === 0 && (
        <p className="empty">
          {!board?.queuesKnown
            ? "Waiting for the first numbers."
            : search
              ? `No queue is called “${search}”.`
              : "This workspace has no queues yet. They appear here when they are created."}
        </p>
      )}
    </div>
  );
}

function Head({
  id,
  label,
  tip,
  sort,
  onSort,
}: {
  id: string;
  label: string;
  tip: string;
  sort: Sort;
  onSort(s: Sort): void;
}) {
  const on = sort.by === id;
  const firstDown = id !== "name";
  // First as one expects, then the other way round, then by urgency again.
  const next: Sort = !on
    ? { by: id, down: firstDown }
    : sort.down === firstDown
      ? { by: id, down: !firstDown }
      : { down: true };
  return (
    <div
      role="columnheader"
      className="th"
      aria-sort={on ? (sort.down ? "descending" : "ascending") : undefined}
    >
      <button type="button" data-tip={tip} onClick={() => onSort(next)}>
        {label}
        <span aria-hidden="true" className="sort">
          {on ? (sort.down ? "↓" : "↑") : ""}
        </span>
      </button>
    </div>
  );
}

interface RowProps {
  item: QueueItem;
  figures: Figures;
  scope: string;
  columns: Column[];
  template: string;
  index: number;
  top: number;
  open: boolean;
  onToggle(sid: string): void;
  frozen: number | undefined;
  over: number;
}

const Row = memo(function Row(p: RowProps) {
  const { item, scope } = p;
  const asOf = instant(item.asOf);
  const failing = item.realTimeStatsMessage;
  const until = failing ? (asOf ?? 0) : p.frozen;
  const whole = scope === "all";
  return (
    <div
      role="row"
      className={`tr row${whole ? "" : " sub"}${failing ? " stale" : ""}`}
      aria-rowindex={p.index}
      data-sid={item.sid}
      data-scope={scope}
      style={{ gridTemplateColumns: p.template, transform: `translateY(${p.top}px)` }}
    >
      <div role="rowheader" className="td name">
        {whole ? (
          <button
            type="button"
            aria-expanded={p.open}
            onClick={() => p.onToggle(item.sid)}
            onKeyDown={walk}
            data-tip={source(item)}
            data-as-of={asOf}
          >
            <span aria-hidden="true" className="twist">
              {p.open ? "▾" : "▸"}
            </span>
            <span className="queue-name">{item.friendlyName}</span>
          </button>
        ) : (
          <span className="channel">
            <span className="sr">{item.friendlyName}, </span>
            {scope}
          </span>
        )}
        {whole && failing && asOf !== undefined && <Old asOf={asOf} reason={failing} />}
      </div>
      {p.columns.map((column) => (
        <div
          role="cell"
          className={`td ${column.id}`}
          key={column.id}
          data-label={column.label}
          data-tip={tipOf(column, p.figures, item, scope)}
          data-as-of={asOf}
        >
          {column.counts ? (
            p.figures.oldestSince === undefined ? (
              <Dash reason="TaskRouter told no waiting time" />
            ) : p.figures.oldestSince === null ? (
              <span className="none">
                00:00<span className="sr"> nothing waits</span>
              </span>
            ) : (
              <Age since={p.figures.oldestSince} until={until} over={p.over} />
            )
          ) : (
            <Cell column={column} figures={p.figures} item={item} />
          )}
        </div>
      ))}
    </div>
  );
});

function Cell({ column, figures, item }: { column: Column; figures: Figures; item: QueueItem }) {
  const text = column.text(figures);
  const first = useRef(text);
  // A change glows for half a second; what was there from the start, or scrolled into sight, does not.
  if (text !== first.current) first.current = GLOWN;
  if (text !== undefined) {
    return (
      <span key={text} className={first.current === GLOWN ? "glow" : undefined}>
        {text}
      </span>
    );
  }
  const cut = item.cut?.length ? `left out to fit (${item.cut.join(", ")})` : undefined;
  return <Dash reason={column.reason?.(figures) ?? cut ?? item.cumulativeStatsMessage ?? "not read yet"} />;
}

function Old({ asOf, reason }: { asOf: number; reason: string }) {
  const now = useSecond() * 1000;
  return (
    <span className="old" data-tip={`Last known numbers. Reading fails: ${reason}`}>
      {span(age(asOf, now))} old
    </span>
  );
}

const source = (item: QueueItem) =>
  [
    `TaskQueue ${item.sid}. ${readBy(item.readBy)}`,
    item.realTimeStatsMessage && `Last known numbers. Reading fails: ${item.realTimeStatsMessage}`,
    item.cumulativeStatsMessage && `Today's numbers are old: ${item.cumulativeStatsMessage}`,
    item.cut?.length && `Left out to fit into Sync: ${item.cut.join(", ")}`,
  ]
    .filter(Boolean)
    .join("\n");

/** Where one number comes from: formula, interval, whose it is. The tip itself adds when it was read. */
const tipOf = (column: Column, figures: Figures, item: QueueItem, scope: string) =>
  `${column.tipOf?.(figures) ?? column.tip}.\n${item.friendlyName}${scope === "all" ? "" : `, ${scope} only`}`;

/** Up and down go from row to row. */
function walk(event: React.KeyboardEvent<HTMLButtonElement>) {
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  if (!step) return;
  event.preventDefault();
  const rows = [
    ...(event.currentTarget.closest("[role=rowgroup]")?.querySelectorAll<HTMLElement>(".row") ?? []),
  ].sort((a, b) => Number(a.ariaRowIndex) - Number(b.ariaRowIndex));
  const buttons = rows.flatMap((row) => row.querySelector<HTMLButtonElement>(".name button") ?? []);
  buttons[buttons.indexOf(event.currentTarget) + step]?.focus();
}
