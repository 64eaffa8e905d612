/** Intervals of queues and channels as a table, with totals that the service computed over all rows of the query. */
import { messageOf } from "@taskrouter-sync/shared/api/errors.ts";
import { historyApi, type IntervalRow, type IntervalTotals } from "@taskrouter-sync/shared/api/history.ts";
import { dateOf } from "@taskrouter-sync/shared/format/localDays.ts";
import { useLiveStore } from "@taskrouter-sync/shared/live/react.tsx";
import { Menu } from "@taskrouter-sync/shared/ui/Menu.tsx";
import { NoData } from "@taskrouter-sync/shared/ui/NoData.tsx";
import { useStoredState } from "@taskrouter-sync/shared/ui/storage.ts";
import ui from "@taskrouter-sync/shared/ui/ui.module.css";
import { type TableColumn, VirtualTable } from "@taskrouter-sync/shared/ui/VirtualTable.tsx";
import { type RefObject, useCallback, useEffect, useMemo, useState } from "react";
import * as v from "valibot";
import { useClient, useSession } from "../../base/session.ts";
import { useToaster } from "../../base/Toaster.tsx";
import { HistoryNotice, Unreadable } from "../../history/HistoryNotice.tsx";
import { useHistoryState } from "../../history/HistoryState.tsx";
import { type HistoryTexts, useHistoryText } from "../../locales/history/index.ts";
import { usePageText } from "../../locales/index.ts";
import { Controls } from "./Controls.tsx";
import { fileName, json, tsv } from "./exports.ts";
import { activitiesOf, type Figure, figuresOf, figureText, startText } from "./figures.ts";
import { addressOf, intervalQuery, queryOf } from "./query.ts";
import css from "./Report.module.css";
import { copyText, saveFile } from "./save.ts";
import { MOST_ROWS, usePages } from "./usePages.ts";

const hiddenSchema = v.record(v.string(), v.boolean());
const NOTICE = "report";

export default function Report({ scroller }: { scroller: RefObject<HTMLElement | null> }) {
  const text = useHistoryText();
  const words = text.report;
  const page = usePageText();
  const live = useLiveStore();
  const session = useSession();
  const state = useHistoryState();
  const zone = state?.timezone ?? session.timeZone;
  const [query, setQuery] = useState(() => queryOf(location.hash.split("?")[1] ?? "", live.now(), zone));
  useEffect(() => {
    // An address to send on; the way back leads to the view before. Another view may have been asked for meanwhile.
    if (location.hash.startsWith("#/report")) history.replaceState(history.state, "", addressOf(query));
  }, [query]);
  useEffect(() => {
    const follow = () => {
      const [view, search] = location.hash.split("?");
      if (view === "#/report" && search) setQuery(queryOf(search, live.now(), zone));
    };
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, [live, zone]);
  const asked = useMemo(() => intervalQuery(query, zone), [query, zone]);
  const off = state?.state === "off";
  const pages = usePages(off ? undefined : asked);
  const { answer, rows } = pages;

  const totals = answer?.totals;
  const figures = useMemo(
    () => (answer ? figuresOf(answer, activitiesOf(answer.totals), words) : []),
    [answer, words],
  );
  const [hidden, setHidden] = useStoredState("report.hidden", hiddenSchema, {});
  const visible = useMemo(
    () => figures.filter(({ id, hidden: usually }) => !(hidden[id] ?? usually)),
    [figures, hidden],
  );
  const byChannel = (totals?.length ?? 0) > 1;
  const marked = useMemo(
    () => rows.some(({ source, difference }) => source === "twilio" || difference),
    [rows],
  );
  const columns = useMemo(
    () => columnsOf(visible, totals ?? [], marked, text),
    [visible, totals, marked, text],
  );
  const totalRows = useMemo(
    () => (totals ?? []).map((total) => totalCells(total, visible, byChannel, text)),
    [totals, visible, byChannel, text],
  );

  return (
    <section aria-labelledby="report-title" className="view" aria-busy={pages.reading}>
      <div className="bar">
        <h2 id="report-title">
          {page.views.report}{" "}
          {answer && <span className={ui.weak}>{words.shown(rows.length, pages.more)}</span>}
        </h2>
        <span className="bar-end">
          <Exports pages={pages} figures={visible} query={asked} />
          {figures.length > 0 && (
            <Menu label={words.columns}>
              <fieldset className={css.columns}>
                <legend className={ui.srOnly}>{words.columns}</legend>
                {figures.map(({ id, label, hidden: usually }) => (
                  <label key={id}>
                    <input
                      type="checkbox"
                      checked={!(hidden[id] ?? usually)}
                      onChange={(event) => setHidden({ ...hidden, [id]: !event.target.checked })}
                    />
                    {label}
                  </label>
                ))}
              </fieldset>
            </Menu>
          )}
        </span>
      </div>
      <div className={css.controls}>
        <Controls query={query} today={dateOf(live.now(), zone)} onChange={setQuery} />
        <HistoryNotice />
        {pages.error !== undefined && <Unreadable reason={pages.error} onRetry={pages.retry} />}
      </div>
      {!asked ? (
        <p className="empty" role="alert">
          {words.wrongRange}
        </p>
      ) : answer && rows.length > 0 ? (
        <div className={pages.reading ? css.old : undefined}>
          <VirtualTable
            scroller={scroller}
            label={words.table}
            columns={columns}
            rows={rows}
            keyOf={keyOf}
            totals={totalRows}
            more={pages.more}
            onNearEnd={pages.loadMore}
          />
          {pages.more && <p className="more">{words.loadingMore}</p>}
        </div>
      ) : (
        !off && pages.error === undefined && <p className="empty">{answer ? words.none : text.loading}</p>
      )}
    </section>
  );
}

const keyOf = (row: IntervalRow) => `${row.queue} ${row.channel} ${row.start}`;

function columnsOf(
  figures: readonly Figure[],
  totals: readonly IntervalTotals[],
  marked: boolean,
  text: HistoryTexts,
): TableColumn<IntervalRow>[] {
  const { head, tips } = text.report;
  const channels = totals.map(({ channel }) => channelName(channel, text));
  return [
    {
      id: "queue",
      label: head.queue,
      width: 170,
      words: true,
      cell: (row) => <span data-tip={row.queue}>{row.friendlyName}</span>,
    },
    {
      id: "start",
      label: head.start,
      tip: tips.start,
      width: marked ? START_MARKED : START,
      words: true,
      cell: (row) => <Start row={row} text={text} />,
    },
    ...(totals.length > 1
      ? [
          {
            id: "channel",
            label: head.channel,
            width: widthOf(110, head.channel, channels),
            words: true,
            cell: (row: IntervalRow) => channelName(row.channel, text),
          },
        ]
      : []),
    ...figures.map(
      (figure): TableColumn<IntervalRow> => ({
        id: figure.id,
        label: figure.label,
        tip: figure.tip,
        // No row has a longer number than the totals.
        width: widthOf(
          figure.width,
          figure.label,
          totals.map((total) => {
            const value = figure.value(total);
            return value === null ? "" : figureText(value, figure.unit, text.locale);
          }),
        ),
        cell: (row) => <Value row={row} figure={figure} text={text} />,
      }),
    ),
  ];
}

const START = 150;
const START_MARKED = 256;
const LETTER = 8;
const ROOM = 18;
const MOST_WIDE = 240;

/** Wide enough for each word of the heading and for the longest of these texts, which are bold. */
function widthOf(least: number, heading: string, texts: readonly string[]): number {
  const letters = Math.max(...[...heading.split(/[\s/-]/), ...texts].map(({ length }) => length));
  return Math.min(MOST_WIDE, Math.max(least, ROOM + LETTER * letters));
}

const channelName = (channel: string, text: HistoryTexts) =>
  channel === "all" ? text.report.overAll : channel;

function totalCells(
  total: IntervalTotals,
  figures: readonly Figure[],
  byChannel: boolean,
  text: HistoryTexts,
): React.ReactNode[] {
  const { total: label } = text.report;
  return [
    label,
    "",
    ...(byChannel ? [channelName(total.channel, text)] : []),
    ...figures.map((figure) => <Value key={figure.id} row={total} figure={figure} text={text} />),
  ];
}

function Start({ row, text }: { row: IntervalRow; text: HistoryTexts }) {
  const { fromTwilio, fromTwilioMark, differs, differsMark } = text.report;
  const figures =
    row.difference && Object.entries(row.difference).map(([name, by]) => `${name} ${by > 0 ? "+" : ""}${by}`);
  return (
    <>
      <time dateTime={row.start}>{startText(row, text.locale)}</time>
      {row.source === "twilio" && (
        <span className={css.mark} data-tip={fromTwilio}>
          {fromTwilioMark}
        </span>
      )}
      {figures && figures.length > 0 && (
        <span className={css.mark} data-tip={differs(figures.join(", "))}>
          ▲ {differsMark}
        </span>
      )}
    </>
  );
}

function Value({ row, figure, text }: { row: IntervalTotals; figure: Figure; text: HistoryTexts }) {
  const value = figure.value(row);
  if (value !== null) return <>{figureText(value, figure.unit, text.locale)}</>;
  return (
    <NoData reason={figure.ofTasks && row.accepted === 0 ? text.report.noTasks : text.report.notKnown} />
  );
}

interface ExportsProps {
  pages: ReturnType<typeof usePages>;
  figures: readonly Figure[];
  query: ReturnType<typeof intervalQuery>;
}

function Exports({ pages, figures, query }: ExportsProps) {
  const text = useHistoryText();
  const words = text.report;
  const client = useClient();
  const toaster = useToaster();
  const [busy, setBusy] = useState(false);
  const { answer, loadAll } = pages;

  const run = useCallback(
    async (work: () => Promise<string>, failed: (reason: string) => string) => {
      setBusy(true);
      toaster.show(NOTICE, { kind: "status", text: words.preparing });
      try {
        toaster.show(NOTICE, { kind: "status", text: await work() });
      } catch (error) {
        toaster.show(NOTICE, { kind: "error", text: failed(messageOf(error)) });
      }
      setBusy(false);
    },
    [toaster, words],
  );
  const all = async () => {
    const rows = await loadAll();
    if (!rows) throw new Error(words.tooMany(MOST_ROWS));
    return rows;
  };
  const disabled = busy || pages.reading || !answer || !query;
  const copy = () =>
    run(async () => {
      const rows = await all();
      await copyText(tsv(rows, figures, text), words.clipboardRefused);
      return words.copied(rows.length);
    }, words.copyFailed);
  const csv = () =>
    run(async () => {
      if (!answer || !query) return "";
      const name = fileName(answer, "csv");
      saveFile(name, await historyApi(client).csv({ ...query, limit: CSV_ROWS }));
      return words.saved(name);
    }, words.saveFailed);
  const asJson = () =>
    run(async () => {
      if (!answer) return "";
      const name = fileName(answer, "json");
      const rows = await all();
      saveFile(name, new Blob([json(answer, rows)], { type: "application/json" }));
      return words.saved(name);
    }, words.saveFailed);
  return (
    <>
      <button type="button" className="quiet" disabled={disabled} onClick={() => void copy()}>
        {words.copy}
      </button>
      <button type="button" className="quiet" disabled={disabled} onClick={() => void csv()}>
        {words.csv}
      </button>
      <button type="button" className="quiet" disabled={disabled} onClick={() => void asJson()}>
        {words.json}
      </button>
    </>
  );
}

const CSV_ROWS = 20_000;
