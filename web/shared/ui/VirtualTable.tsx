/**
 * A long table of which only the rows in sight are in the page; cards on a phone. Headings with a tip can have the focus,
 * from where the keyboard scrolls.
 */
import { useVirtualizer } from "@tanstack/react-virtual";
import * as React from "react";
import { useNarrow } from "./useNarrow.ts";
import { useScrollMargin } from "./useScrollMargin.ts";
import css from "./VirtualTable.module.css";

const ROW = 36;
const CARD_LINE = 40;
const CARD_FRAME = 60;
/** Cells beside each other on a card: narrow ones, of which words take two. */
const CARD_COLUMNS = 3;
const AHEAD = 40;

export interface TableColumn<Row> {
  id: string;
  label: string;
  tip?: string | undefined;
  width: number;
  /** Words stand at the left, numbers at the right. */
  words?: boolean;
  cell(row: Row): React.ReactNode;
}

export interface VirtualTableProps<Row> {
  scroller: React.RefObject<HTMLElement | null>;
  label: string;
  /** The first one names its row. */
  columns: readonly TableColumn<Row>[];
  rows: readonly Row[];
  keyOf(row: Row): string;
  /** Rows that stay in sight below the header. */
  totals?: readonly React.ReactNode[][];
  /** There are more rows than are here: they are wanted when the last ones are nearly in sight. */
  more?: boolean;
  onNearEnd?(): void;
}

/** The first column is a card's title; the others fill its lines, and none is divided. */
function cardLines(columns: readonly { words?: boolean }[]): number {
  let [lines, room] = [0, 0];
  for (const { words } of columns.slice(1)) {
    const places = words ? 2 : 1;
    if (places > room) [lines, room] = [lines + 1, CARD_COLUMNS];
    room -= places;
  }
  return lines;
}

export function VirtualTable<Row>(props: VirtualTableProps<Row>) {
  const { scroller, label, columns, rows, keyOf, totals = [], more = false, onNearEnd } = props;
  const narrow = useNarrow();
  const body = React.useRef<HTMLDivElement>(null);
  const margin = useScrollMargin(scroller, body);
  const size = narrow ? CARD_FRAME + CARD_LINE * cardLines(columns) : ROW;
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => size,
    getItemKey: (index) => (rows[index] ? keyOf(rows[index]) : index),
    overscan: 10,
    scrollMargin: margin,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: measured again when rows become cards
  React.useLayoutEffect(() => virtual.measure(), [size]);
  const items = virtual.getVirtualItems();
  const last = items[items.length - 1]?.index ?? -1;
  const near = more && last >= rows.length - AHEAD;
  React.useEffect(() => {
    if (near) onNearEnd?.();
  }, [near, onNearEnd]);

  const template = columns
    .map(({ width }, n) => (n === 0 ? `minmax(${width}px, 1fr)` : `${width}px`))
    .join(" ");
  const tracks = narrow ? undefined : template;
  const least = columns.reduce((sum, { width }) => sum + width, 0) + 60;
  const cells = (of: (column: TableColumn<Row>, n: number) => React.ReactNode) =>
    columns.map((column, n) => (
      <div
        key={column.id}
        role={n === 0 ? "rowheader" : "cell"}
        className={column.words ? `${css.cell} ${css.words}` : css.cell}
        data-column={column.id}
        data-label={column.label}
      >
        {of(column, n)}
      </div>
    ));

  return (
    <div
      role="table"
      aria-label={label}
      aria-rowcount={more ? -1 : rows.length + 1 + totals.length}
      aria-colcount={columns.length}
      className={narrow ? `${css.table} ${css.cards}` : css.table}
      style={narrow ? undefined : { minWidth: least }}
    >
      <div role="rowgroup" className={css.head}>
        <div role="row" aria-rowindex={1} className={css.line} style={{ gridTemplateColumns: tracks }}>
          {columns.map((column) => (
            <div
              key={column.id}
              role="columnheader"
              className={column.words ? `${css.heading} ${css.words}` : css.heading}
              tabIndex={column.tip === undefined ? undefined : 0}
              data-tip={column.tip}
            >
              {column.label}
            </div>
          ))}
        </div>
        {totals.map((total, n) => (
          <div
            // biome-ignore lint/suspicious/noArrayIndexKey: totals have no other name than their place
            key={n}
            role="row"
            aria-rowindex={n + 2}
            data-part="total"
            className={`${css.line} ${css.total}`}
            style={{ gridTemplateColumns: tracks }}
          >
            {cells((_, at) => total[at])}
          </div>
        ))}
      </div>
      <div role="rowgroup" className={css.body} ref={body} style={{ height: virtual.getTotalSize() }}>
        {items.map((place) => {
          const row = rows[place.index];
          if (row === undefined) return null;
          return (
            <div
              key={String(place.key)}
              role="row"
              aria-rowindex={place.index + 2 + totals.length}
              data-part="row"
              className={`${css.line} ${css.row}`}
              style={{
                gridTemplateColumns: tracks,
                height: size - (narrow ? 8 : 0),
                transform: `translateY(${place.start - margin}px)`,
              }}
            >
              {cells((column) => column.cell(row))}
            </div>
          );
        })}
      </div>
    </div>
  );
}
