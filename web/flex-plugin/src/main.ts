/** The bundle's entry: registers the plugin with Flex, which is a global by then. */
import type { Flex } from "./flex/api.ts";
import { TaskrouterSyncPlugin } from "./TaskrouterSyncPlugin.tsx";

const { Twilio } = globalThis as { Twilio?: { Flex?: Pick<Flex, "Plugins"> } };
if (Twilio?.Flex?.Plugins) Twilio.Flex.Plugins.init(TaskrouterSyncPlugin);
else console.warn("taskrouter-sync: this page is not Flex UI 2, so the plugin does nothing");
