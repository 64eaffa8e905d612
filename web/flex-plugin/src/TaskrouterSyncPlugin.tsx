/** The plugin as Flex starts it. Each part is installed by itself: one that fails leaves the others and Flex as they are. */
import type { SyncClient } from "@taskrouter-sync/shared/live/sync/sdk.ts";
import * as React from "react";
import { registerNotification, watchCalls } from "./call-quality/watchCalls.ts";
import { Dialpad } from "./dialpad/Dialpad.tsx";
import type { Flex, Manager } from "./flex/api.ts";
import { settingsOf } from "./flex/settings.ts";
import { flexUser, isSupervisor } from "./flex/user.ts";
import { acceptOwnCalls } from "./flex/voiceTask.ts";
import { createRuntime, type Runtime } from "./live/runtime.ts";
import { languageOf } from "./locales/index.ts";
import { installQueuesView } from "./queues-view/install.tsx";
import { RealtimeView } from "./realtime/RealtimeView.tsx";
import { PluginScope } from "./ui/PluginScope.tsx";

const VIEW = "taskrouter-sync-realtime";

/** Where the bundle was loaded from; known only while it is being run. */
const SCRIPT = (document.currentScript as HTMLScriptElement | null)?.src;

export class TaskrouterSyncPlugin {
  readonly name = "TaskrouterSyncPlugin";

  async init(flex: Flex, manager: Manager): Promise<void> {
    const user = flexUser(manager);
    const settings = settingsOf(manager.serviceConfiguration?.attributes, SCRIPT);
    const runtime = createRuntime({
      user,
      settings,
      language: languageOf(user.language()),
      syncClient: () => manager.insightsClient as unknown as SyncClient | undefined,
    });
    const supervisor = isSupervisor(user);
    part("notifications", () => registerNotification(flex, manager));
    if (supervisor) {
      part("realtime view", () => installRealtimeView(flex, runtime));
      part("queues view", () => installQueuesView(flex, runtime));
    }
    const { service } = settings;
    if (service === undefined) return;
    part("dialpad", () => {
      flex.MainHeader.Content.add(
        <PluginScope key="taskrouter-sync-dialpad" runtime={runtime} live={false}>
          <Dialpad />
        </PluginScope>,
        { sortOrder: -1, align: "end" },
      );
      acceptOwnCalls(flex, manager, user.contactUri);
    });
    part("call quality", () =>
      watchCalls(flex, manager, {
        service,
        token: user.token,
        text: runtime.language.plugin.quality,
        showsFaults: supervisor,
      }),
    );
  }
}

function installRealtimeView(flex: Flex, runtime: Runtime): void {
  const { link } = runtime.language.plugin.view;
  const open = () => void flex.Actions.invokeAction("NavigateToView", { viewName: VIEW });
  const Link = ({ activeView }: { activeView?: string }) => (
    <flex.SideLink
      showLabel={true}
      icon="Supervisor"
      iconActive="SupervisorBold"
      isActive={activeView === VIEW}
      onClick={open}
    >
      {link}
    </flex.SideLink>
  );
  flex.SideNav.Content.add(<Link key={`${VIEW}-link`} />, { sortOrder: 100 });
  flex.ViewCollection.Content.add(
    <flex.View name={VIEW} key={VIEW}>
      <PluginScope runtime={runtime}>
        <RealtimeView />
      </PluginScope>
    </flex.View>,
  );
}

function part(name: string, install: () => void): void {
  try {
    install();
  } catch (error) {
    console.warn(`taskrouter-sync: the part "${name}" could not be installed:`, error);
  }
}
