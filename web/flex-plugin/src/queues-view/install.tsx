/** Adds columns and data tiles to Flex's Queues View. */
import * as React from "react";
import type { Flex } from "../flex/api.ts";
import type { Runtime } from "../live/runtime.ts";
import { PluginScope } from "../ui/PluginScope.tsx";
import { OldestCell, ServiceLevelCell, SourceCell, WaitingCell, WaitingTile } from "./QueueCells.tsx";

const PREFIX = "taskrouter-sync-";

export function installQueuesView(flex: Flex, runtime: Runtime): void {
  const { QueuesStats, ColumnDefinition } = flex;
  if (!QueuesStats || !ColumnDefinition) return;
  const text = runtime.language.plugin.queuesView;
  const threshold = runtime.session.getState().session.slaThresholds[0] ?? 30;
  const scoped = (content: React.ReactNode) => <PluginScope runtime={runtime}>{content}</PluginScope>;
  const column = (id: string, header: string, content: (sid: string) => React.ReactNode) =>
    QueuesStats.QueuesDataTable.Content.add(
      <ColumnDefinition
        key={PREFIX + id}
        header={header}
        content={(queue: { key: string }) => scoped(content(queue.key))}
      />,
    );
  column("waiting", text.waiting, (sid) => <WaitingCell sid={sid} />);
  column("oldest", text.oldest, (sid) => <OldestCell sid={sid} />);
  column("service-level", text.serviceLevel(threshold), (sid) => (
    <ServiceLevelCell sid={sid} threshold={threshold} />
  ));
  column("source", text.source, (sid) => <SourceCell sid={sid} />);

  QueuesStats.AggregatedQueuesDataTiles.Content.add(
    <PluginScope key={`${PREFIX}tile-waiting`} runtime={runtime}>
      <WaitingTile />
    </PluginScope>,
  );
}
