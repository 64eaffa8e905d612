/** The dialog with a queue's day curve, for the views that have the queue table. */
import { useLiveStore } from "@taskrouter-sync/shared/live/react.tsx";
import { type ReactNode, Suspense, useCallback, useState } from "react";
import { PartBoundary } from "../base/Boundaries.tsx";
import { lazyView } from "../base/lazyView.tsx";
import type { CurveSubject } from "./DayCurve.tsx";
import { useHistoryState } from "./HistoryState.tsx";

const CurveDialog = lazyView(() => import("./CurveDialog.tsx"));

export interface QueueCurve {
  /** Undefined where the service has no history. */
  open: ((sid: string, channel: string) => void) | undefined;
  dialog: ReactNode;
}

export function useQueueCurve(): QueueCurve {
  const live = useLiveStore();
  const served = useHistoryState() !== undefined;
  const [subject, setSubject] = useState<CurveSubject>();
  const open = useCallback(
    (sid: string, channel: string) => {
      const name = live.getState().board?.queues.get(sid)?.friendlyName ?? sid;
      setSubject({ kind: "queue", sid, name, channel });
    },
    [live],
  );
  return {
    open: served ? open : undefined,
    dialog: subject && (
      <PartBoundary resetKey={subject}>
        <Suspense fallback={null}>
          <CurveDialog subject={subject} onClose={() => setSubject(undefined)} />
        </Suspense>
      </PartBoundary>
    ),
  };
}
