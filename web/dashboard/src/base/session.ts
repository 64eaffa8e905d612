import type { Client } from "@taskrouter-sync/shared/api/client.ts";
import type { Session } from "@taskrouter-sync/shared/api/types.ts";
import { useText } from "@taskrouter-sync/shared/locales/index.ts";
import { createContext, useContext } from "react";
import { usePageText } from "../locales/index.ts";

export const SessionContext = createContext<Session | undefined>(undefined);
export const ClientContext = createContext<Client | undefined>(undefined);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("no session above");
  return session;
}

export function useClient(): Client {
  const client = useContext(ClientContext);
  if (!client) throw new Error("no client above");
  return client;
}

/** The contact centre's name, or what stands for it. */
export function useTitle(): string {
  const text = usePageText();
  return useSession().centreName || text.title;
}

/** `today since 06:00 Europe/Berlin` */
export function useInterval(): string {
  const { dayStart, timeZone } = useSession();
  return useText().interval(dayStart, timeZone);
}
