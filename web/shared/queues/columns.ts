/** The columns of the queue table, and where each number comes from. Pure. */
import type { SlaName } from "../api/types.ts";
import { clock, spanExact } from "../format/duration.ts";
import { percent } from "../format/number.ts";
import type { Texts } from "../locales/index.ts";
import type { Figures } from "./figures.ts";
import { DEFAULT_SLA, describe, isKnown } from "./serviceLevel.ts";

export interface Column {
  id: string;
  label: string;
  /** Where the number comes from. */
  tip: string;
  /** Where one row's number comes from, if from elsewhere. */
  tipOf?(f: Figures): string;
  width: number;
  /** What is sorted by; undefined sorts last. */
  order(f: Figures): number | undefined;
  text(f: Figures): string | undefined;
  /** Why there is nothing to show. */
  reason?(f: Figures): string;
  /** An age counts up on the screen. */
  kind?: "age";
  /** Low values are the bad ones: the first click sorts them to the top. */
  lowIsBad?: true;
  hidden?: true;
}

export interface ColumnOptions {
  thresholds: readonly number[];
  /** The interval of today's totals, in words. */
  interval: string;
  /** The service level of a queue that has none of its own. */
  usual?: string | undefined;
  names?: readonly SlaName[] | undefined;
}

export function columns({ thresholds, interval, usual, names }: ColumnOptions, text: Texts): Column[] {
  const { columns: labels, tips, reasons } = text.queues;
  const live = tips.live;
  const today = tips.today(interval);
  const count = (
    id: keyof typeof labels & keyof typeof tips,
    tip: string,
    pick: (f: Figures) => number | undefined,
    more: Partial<Column> = {},
  ): Column => ({
    id,
    label: labels[id] as string,
    tip,
    width: 84,
    order: pick,
    text: (f) => pick(f)?.toString(),
    ...more,
  });
  return [
    count("pending", tips.pending(live), (f) => f.pending),
    {
      id: "oldest",
      label: labels.oldest,
      tip: tips.oldest(live),
      width: 104,
      order: (f) => (f.oldestSince == null ? undefined : -f.oldestSince),
      text: () => undefined,
      kind: "age",
    },
    ...thresholds.map(
      (t): Column => ({
        id: `sla_${t}`,
        label: labels.sla(`${t} s`),
        tip: tips.slaOwn(describe(usual || DEFAULT_SLA, spanExact(t), text, names), today),
        tipOf: (f) => tips.sla(describe(f.slaName, spanExact(t), text, names), today),
        width: 84,
        order: (f) => f.sla[t] ?? undefined,
        text: (f) => {
          const share = f.sla[t];
          return share == null ? undefined : percent(share);
        },
        reason: (f) =>
          f.sla[t] === null
            ? reasons.noQualifyingTasks
            : isKnown(f.slaName)
              ? reasons.noSplit
              : reasons.unknownLevel(f.slaName),
        lowIsBad: true,
      }),
    ),
    {
      id: "agents",
      label: labels.agents,
      tip: tips.agents(live),
      width: 84,
      order: (f) => f.available,
      text: (f) =>
        f.available === undefined || f.eligible === undefined ? undefined : `${f.available} / ${f.eligible}`,
      lowIsBad: true,
    },
    count("reserved", tips.reserved(live), (f) => f.reserved),
    count("assigned", tips.assigned(live), (f) => f.assigned, { width: 96 }),
    count("wrapping", tips.wrapping(live), (f) => f.wrapping),
    count("total", tips.total(live), (f) => f.total),
    count("handled", tips.handled(today), (f) => f.handled),
    count("abandoned", tips.abandoned(today), (f) => f.abandoned, { width: 96 }),
    {
      id: "waitAccept",
      label: labels.waitAccept,
      tip: tips.waitAccept(today),
      width: 84,
      order: (f) => f.waitAccept,
      text: (f) => (f.waitAccept === undefined ? undefined : clock(f.waitAccept)),
      reason: () => reasons.nothingAccepted,
    },
    {
      id: "waitCancel",
      label: labels.waitCancel,
      tip: tips.waitCancel(today),
      width: 108,
      order: (f) => f.waitCancel,
      text: (f) => (f.waitCancel === undefined ? undefined : clock(f.waitCancel)),
      reason: () => reasons.nothingCancelled,
      hidden: true,
    },
    {
      id: "activities",
      label: labels.activities,
      tip: tips.activities(live),
      width: 300,
      order: (f) => f.available,
      text: (f) => f.activities?.map((a) => `${a.name} ${a.workers}`).join(" · "),
      hidden: true,
    },
  ];
}
