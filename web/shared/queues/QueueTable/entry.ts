import type { Figures } from "../figures.ts";
import type { QueueRow } from "../sort.ts";

/** One row of the table: a queue, or one of its channels. */
export interface Entry {
  key: string;
  row: QueueRow;
  scope: string;
  figures: Figures;
}
