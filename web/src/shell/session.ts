import { createContext, useContext } from "react";
import type { Session } from "../types.ts";

export const SessionContext = createContext<Session | undefined>(undefined);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("no session above");
  return session;
}

/** `today since 06:00 Europe/Berlin` */
export const interval = (session: Session) => `today since ${session.dayStart} ${session.timeZone}`;
