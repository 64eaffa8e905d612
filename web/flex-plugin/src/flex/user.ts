/** Who uses Flex, from its manager. Everything is read when it is needed: Flex renews tokens and changes activities. */
import type { Manager } from "./api.ts";

export interface FlexUser {
  /** For what is remembered per user. */
  identity(): string;
  roles(): readonly string[];
  token(): string;
  /** The Worker's address in Calls; undefined for a user without one. */
  contactUri(): string | undefined;
  isAvailable(): boolean;
  language(): string;
  isLight(): boolean;
}

const SUPERVISORS = ["supervisor", "admin"];

/** Whether Flex lets this user see what supervisors see. */
export const isSupervisor = (user: FlexUser): boolean =>
  user.roles().some((role) => SUPERVISORS.includes(role.toLowerCase()));

export function flexUser(manager: Manager): FlexUser {
  const state = () => manager.store.getState().flex;
  return {
    identity: () => manager.user?.identity ?? state().session.identity ?? "",
    roles: () => manager.user?.roles ?? [],
    token: () => state().session.ssoTokenPayload?.token ?? manager.user?.token ?? "",
    contactUri() {
      const contact: unknown = manager.workerClient?.attributes?.contact_uri;
      return typeof contact === "string" && contact ? contact : undefined;
    },
    isAvailable: () => manager.workerClient?.available ?? false,
    language: () => manager.localization?.localeTag ?? document.documentElement.lang ?? navigator.language,
    isLight: () => state().config?.theme?.isLight !== false,
  };
}
