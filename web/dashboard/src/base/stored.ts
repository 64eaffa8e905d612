/** How the keys begin under which the queue table's choices are stored: one for all views. */
export const STORED = "queues";
