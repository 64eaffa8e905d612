/** Flex's types under one name. Only types: at run time Flex hands itself to `init`. */
import type * as FlexModule from "@twilio/flex-ui";

export type Flex = typeof FlexModule;
export type Manager = FlexModule.Manager;
