import { addDays } from "@taskrouter-sync/shared/format/localDays.ts";

/** The page's address for a replay of a moment. */
export const replayAddress = (moment: number): string =>
  `#/replay?at=${new Date(moment).toISOString().replace(".000", "")}`;

/** The page's address for the report of a day, of one queue or of all. */
export function reportAddress(date: string, queue?: string): string {
  const range = `from=${date}T00:00&until=${addDays(date, 1)}T00:00&step=1800`;
  return `#/report?${range}${queue === undefined ? "" : `&queues=${queue}`}`;
}
