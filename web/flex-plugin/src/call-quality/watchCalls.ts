/** Watches each call of Flex's voice client by the rules of `call-quality`, and reports a poor one to the service. */
import {
  attach,
  ConfigurationError,
  configure,
  postTo,
  type WatchedCall,
} from "@taskrouter-sync/call-quality";
import type { Flex, Manager } from "../flex/api.ts";
import { voiceParties } from "../flex/voiceTask.ts";
import type { PluginTexts } from "../locales/index.ts";

const NOTIFICATION = "taskrouterSyncCallQuality";
const TEMPLATE = "TaskrouterSyncText";
const SHOWN_MS = 10_000;

export interface WatchCallsOptions {
  service: string;
  token(): string;
  text: PluginTexts["quality"];
  /** Whether this user sees a wrong configuration: agents can't mend it. */
  showsFaults: boolean;
}

/** Names the template in Flex's strings that notifications of the plugin fill. */
export function registerNotification(flex: Flex, manager: Manager): void {
  (manager.strings as unknown as Record<string, string>)[TEMPLATE] = "{{text}}";
  flex.Notifications.registerNotification({
    id: NOTIFICATION,
    type: flex.NotificationType.warning,
    content: TEMPLATE,
    timeout: SHOWN_MS,
  });
}

export function watchCalls(flex: Flex, manager: Manager, options: WatchCallsOptions): void {
  const { service, token, text, showsFaults } = options;
  const show = (words: string) => void flex.Notifications.showNotification(NOTIFICATION, { text: words });
  // The names of system E's plugin, so that an existing configuration holds.
  const settings: unknown = manager.serviceConfiguration?.attributes?.DeviceMonitoringPlugin;
  try {
    configure(settings);
  } catch (error) {
    const words = text.configuration(error instanceof ConfigurationError ? error.message : String(error));
    console.warn("taskrouter-sync:", words);
    if (showsFaults) show(words);
    return;
  }
  const respond = postTo(service, token);
  // Flex calls the agent for outbound calls, too.
  manager.voiceClient?.on("incoming", (call: WatchedCall) => {
    // The task is gone by the time the call has ended: its parties are kept from the moment it is accepted.
    let parties: ReturnType<typeof voiceParties> = {};
    call.on("accept", () => {
      parties = voiceParties(manager);
    });
    attach(call, {
      configuration: settings,
      respond,
      notify: (words) => show(text.alert(words.replace(/^[^:]*: /, ""))),
      parties: () => parties,
    });
  });
}
