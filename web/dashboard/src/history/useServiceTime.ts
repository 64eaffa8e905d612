import { useLive } from "@taskrouter-sync/shared/live/react.tsx";
import type { LiveState } from "@taskrouter-sync/shared/live/store.ts";
import { useState } from "react";

const isExpected = ({ board, link }: LiveState) =>
  board === undefined && (link.state === "connecting" || link.state === "open");

/** Whether "today" can be told. It is the service's day, whatever the browser's clock says, so this is false until the
 * service has said its time. While the feed does not get through, the browser's clock must do. */
export function useServiceTime(): boolean {
  const expected = useLive(isExpected);
  const [known, setKnown] = useState(!expected);
  if (!expected && !known) setKnown(true);
  return known;
}
