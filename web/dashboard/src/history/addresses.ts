/** The page's address for a replay of a moment. */
export const replayAddress = (moment: number): string =>
  `#/replay?at=${new Date(moment).toISOString().replace(".000", "")}`;
