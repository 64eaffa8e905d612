/**
 * What the service says of itself and this user, asked until it answers and again when the feed is lost. Where it can't be
 * asked, what it said last in this browser stands in, so that the table has its columns.
 */

import type { Client } from "@taskrouter-sync/shared/api/client.ts";
import { ApiError } from "@taskrouter-sync/shared/api/errors.ts";
import type { Session } from "@taskrouter-sync/shared/api/types.ts";
import { backoff } from "@taskrouter-sync/shared/live/backoff.ts";
import { readStored, writeStored } from "@taskrouter-sync/shared/ui/storage.ts";
import * as v from "valibot";

export type Trouble =
  | { kind: "loading" }
  | { kind: "unreachable" }
  | { kind: "token" }
  | { kind: "role" }
  | { kind: "older" }
  | { kind: "no-address" }
  | { kind: "refused"; message: string };

export interface SessionState {
  session: Session;
  /** Whether the service answered in this life of the page. */
  answered: boolean;
  trouble: Trouble | undefined;
}

const FIRST_PAUSE_MS = 2000;
const LONGEST_PAUSE_MS = 30_000;
const KEY = "flex.session";

/** Of what the service says, what the table needs. */
const remembered = v.object({
  channels: v.array(v.string()),
  slaThresholds: v.array(v.number()),
  timeZone: v.string(),
  dayStart: v.string(),
});
const answer = v.looseObject({ ...remembered.entries, watches: v.boolean() });

const DEFAULTS = {
  channels: ["voice", "chat", "video"],
  slaThresholds: [30, 60, 120],
  timeZone: "UTC",
  dayStart: "00:00",
};

export class SessionPoll {
  private state: SessionState;
  private readonly listeners = new Set<() => void>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private asking = false;

  constructor(private readonly client: Pick<Client, "session"> | undefined) {
    const kept = readStored(KEY, remembered) ?? DEFAULTS;
    this.state = {
      session: { ...kept, user: "", role: "viewer", csrfToken: "", workspaceSid: "", syncToken: false },
      answered: false,
      trouble: client ? { kind: "loading" } : { kind: "no-address" },
    };
  }

  getState = (): SessionState => this.state;
  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };

  /** Asks now, unless it is asking. */
  ask = async (): Promise<void> => {
    if (!this.client || this.asking) return;
    clearTimeout(this.timer);
    this.asking = true;
    try {
      this.took(await this.client.session());
    } catch (error) {
      this.failed(error);
    } finally {
      this.asking = false;
    }
  };

  stop(): void {
    clearTimeout(this.timer);
  }

  private took(given: unknown): void {
    const parsed = v.safeParse(answer, given);
    if (!parsed.success) {
      this.wait({ kind: "older" });
      return;
    }
    this.failures = 0;
    writeStored(KEY, v.parse(remembered, given));
    const session = given as Session;
    this.set({ session, answered: true, trouble: parsed.output.watches ? undefined : { kind: "role" } });
  }

  private failed(error: unknown): void {
    const { status, code, message } = error instanceof ApiError ? error : new ApiError(0, String(error));
    if (status === 0 || status >= 502) this.wait({ kind: "unreachable" });
    else if (status === 401 || code === "flex_token") this.wait({ kind: "token" });
    else if (code === "flex_role") this.wait({ kind: "role" });
    else if (status === 404) this.wait({ kind: "older" });
    else this.wait({ kind: "refused", message });
  }

  private wait(trouble: Trouble): void {
    this.set({ ...this.state, trouble });
    const ms = backoff(this.failures, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
    this.failures += 1;
    this.timer = setTimeout(() => void this.ask(), ms);
  }

  private set(state: SessionState): void {
    if (JSON.stringify(state) === JSON.stringify(this.state)) return;
    this.state = state;
    for (const listener of this.listeners) listener();
  }
}
