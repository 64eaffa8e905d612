/** The columns of the queue table, with where each number comes from. */
import { clock, percent, spanExact } from "../format.ts";
import { interval } from "../shell/session.ts";
import type { Session, SlaName } from "../types.ts";
import type { Figures } from "./figures.ts";
import { DEFAULT_SLA, knownSla, slaWords } from "./sla.ts";

export interface Column {
  id: string;
  label: string;
  /** Where the number comes from. */
  tip: string;
  /** Where a line's own number comes from, if from elsewhere. */
  tipOf?(f: Figures): string;
  width: number;
  /** What is sorted by; undefined sorts last. */
  order(f: Figures): number | undefined;
  text(f: Figures): string | undefined;
  /** Why there is nothing to show. */
  reason?(f: Figures): string;
  /** The figure is an age that counts up. */
  counts?: true;
  hidden?: true;
}

const count = (
  id: string,
  label: string,
  tip: string,
  pick: (f: Figures) => number | undefined,
  more: Partial<Column> = {},
): Column => ({
  id,
  label,
  tip,
  width: 84,
  order: pick,
  text: (f) => pick(f)?.toString(),
  ...more,
});

export const columnsOf = (session: Session) =>
  columns(session.slaThresholds, interval(session), { usual: session.sla, names: session.slaNames });

export interface SlaChoice {
  /** The service level's name that holds where a queue has none of its own. */
  usual?: string;
  names?: readonly SlaName[];
}

export function columns(thresholds: readonly number[], today: string, sla: SlaChoice = {}): Column[] {
  const usual = sla.usual || DEFAULT_SLA;
  const live = "now, from TaskRouter's real-time statistics";
  const sum = `${today}, from TaskRouter's cumulative statistics`;
  return [
    count("pending", "Waiting", `Tasks with status pending; ${live}`, (f) => f.pending),
    {
      id: "oldest",
      label: "Oldest",
      tip: `Time since the task that waits longest was created; counted on this screen from ${live}`,
      width: 104,
      order: (f) => (f.oldestSince == null ? undefined : -f.oldestSince),
      text: () => undefined,
      counts: true,
    },
    ...thresholds.map(
      (t): Column => ({
        id: `sla_${t}`,
        label: `SLA ${t} s`,
        tip: `${slaWords(usual, spanExact(t), sla.names)}; ${sum}. A queue may have a service level of its own`,
        tipOf: (f) => `${slaWords(f.slaName, spanExact(t), sla.names)}; ${sum}`,
        width: 84,
        order: (f) => f.sla[t] ?? undefined,
        text: (f) => {
          const share = f.sla[t];
          return share == null ? undefined : percent(share);
        },
        reason: (f) =>
          f.sla[t] === null
            ? "nothing that counts happened yet today"
            : knownSla(f.slaName)
              ? "TaskRouter told no split by waiting time"
              : `this page does not know the service level “${f.slaName}”; load it again`,
      }),
    ),
    {
      id: "agents",
      label: "Agents",
      tip: `Available / eligible workers; ${live}`,
      width: 84,
      order: (f) => f.available,
      text: (f) =>
        f.available === undefined || f.eligible === undefined ? undefined : `${f.available} / ${f.eligible}`,
    },
    count("reserved", "Reserved", `Tasks offered to an agent; ${live}`, (f) => f.reserved),
    count("assigned", "Assigned", `Tasks that an agent works on; ${live}`, (f) => f.assigned),
    count("wrapping", "Wrapping", `Tasks in wrap-up; ${live}`, (f) => f.wrapping),
    count("total", "Total", `Waiting + reserved + assigned + wrapping; ${live}`, (f) => f.total),
    count("handled", "Handled", `Completed tasks; ${sum}`, (f) => f.handled),
    count("abandoned", "Abandoned", `Cancelled tasks; ${sum}`, (f) => f.abandoned, { width: 96 }),
    {
      id: "waitAccept",
      label: "Avg wait",
      tip: `Average wait until accepted; ${sum}`,
      width: 84,
      order: (f) => f.waitAccept,
      text: (f) => (f.waitAccept === undefined ? undefined : clock(f.waitAccept)),
      reason: () => "nothing was accepted yet today",
    },
    {
      id: "waitCancel",
      label: "Avg abandon",
      tip: `Average wait until cancelled; ${sum}`,
      width: 108,
      order: (f) => f.waitCancel,
      text: (f) => (f.waitCancel === undefined ? undefined : clock(f.waitCancel)),
      reason: () => "nothing was cancelled yet today",
      hidden: true,
    },
    {
      id: "activities",
      label: "Activities",
      tip: `Workers by Activity; ${live}`,
      width: 300,
      order: (f) => f.available,
      text: (f) => f.activities?.map((a) => `${a.name} ${a.workers}`).join(" · "),
      hidden: true,
    },
  ];
}
