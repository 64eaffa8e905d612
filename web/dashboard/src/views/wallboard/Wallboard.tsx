import { useLive, useStaleSince } from "@taskrouter-sync/shared/live/react.tsx";
import { SortNote } from "@taskrouter-sync/shared/queues/QueueControls.tsx";
import { QueueTable } from "@taskrouter-sync/shared/queues/QueueTable/index.tsx";
import { useTableChoices } from "@taskrouter-sync/shared/queues/tableChoices.ts";
import { useNarrow } from "@taskrouter-sync/shared/ui/useNarrow.ts";
import { type RefObject, Suspense, useCallback, useState } from "react";
import { PartBoundary } from "../../base/Boundaries.tsx";
import { lazyView } from "../../base/lazyView.tsx";
import { useSession } from "../../base/session.ts";
import { STORED } from "../../base/stored.ts";
import { useQueueCurve } from "../../history/useQueueCurve.tsx";
import { usePageText } from "../../locales/index.ts";
import { DrawerFrame } from "../../wallboard-editor/DrawerFrame.tsx";
import type { Draft } from "../../wallboard-editor/draft.ts";
import { useDefinitions } from "../../wallboard-editor/useDefinitions.ts";
import { Tiles } from "./Tiles.tsx";
import { UrgentQueues } from "./UrgentQueues.tsx";

const Drawer = lazyView(() => import("../../wallboard-editor/Drawer.tsx"));

export function Wallboard({ scroller }: { scroller: RefObject<HTMLElement | null> }) {
  const text = usePageText();
  const session = useSession();
  const metrics = useLive((state) => state.board?.metrics);
  const staleSince = useStaleSince();
  const definitions = useDefinitions();
  const choices = useTableChoices(session, STORED);
  const [opened, setOpened] = useState<string>();
  const [draft, setDraft] = useState<Draft>();
  const open = useCallback((name: string) => setOpened(name), []);
  const close = useCallback(() => {
    setOpened(undefined);
    setDraft(undefined);
  }, []);
  const curve = useQueueCurve();
  const narrow = useNarrow();
  const current = metrics?.find((metric) => metric.name === opened);

  return (
    <div className={opened === undefined ? "wallboard" : "wallboard with-drawer"}>
      {narrow && <UrgentQueues columns={choices.table.columns} serviceLevels={choices.table.serviceLevels} />}
      <Tiles
        metrics={metrics}
        draft={draft}
        definitions={definitions}
        staleSince={staleSince}
        selected={opened}
        editable={session.role === "editor"}
        onOpen={open}
      />
      <section aria-labelledby="board-queues" className="view">
        <div className="bar tight">
          <h2 id="board-queues">{text.wallboard.queues}</h2>
          <SortNote {...choices} />
        </div>
        <QueueTable scroller={scroller} {...choices.table} onCurve={curve.open} />
        {curve.dialog}
      </section>
      {opened !== undefined && (
        <DrawerFrame
          title={
            opened === ""
              ? text.editor.newMetric
              : (current?.label ?? definitions.all?.[opened]?.metric.label ?? opened)
          }
          onClose={close}
        >
          <PartBoundary resetKey={opened}>
            <Suspense fallback={<p className="empty">{text.editor.loading}</p>}>
              <Drawer
                key={opened}
                name={opened}
                metric={current}
                definitions={definitions}
                onDraft={setDraft}
                onClose={close}
              />
            </Suspense>
          </PartBoundary>
        </DrawerFrame>
      )}
    </div>
  );
}
