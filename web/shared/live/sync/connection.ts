/** Maintains a connection of the SDK: renews its token before it expires, and replaces a client that failed. */
import { en } from "../../locales/en.ts";
import type { Texts } from "../../locales/index.ts";
import { backoff, WakeableDelay } from "../backoff.ts";
import type { SyncClient } from "./sdk.ts";

const FIRST_PAUSE_MS = 5000;
const LONGEST_PAUSE_MS = 60_000;
/** With a wrong clock each new token looks about to expire: never renew more often than this. */
const RENEWAL_MS = 10_000;
/** The SDK tries by itself; after this long it gets a fresh start. */
const PATIENCE_MS = 120_000;

export interface ConnectionDeps {
  token(): Promise<string>;
  connect(token: string): Promise<SyncClient>;
}

export interface ConnectionListener {
  /** A new client; what was opened through the previous one is closed. */
  client(client: SyncClient): void;
  connected(yes: boolean): void;
  /** This client ended; another one follows. */
  ended(why: string): void;
}

export function maintainConnection(
  deps: ConnectionDeps,
  listener: ConnectionListener,
  { source: text }: Texts = en,
): () => void {
  let stopped = false;
  const delay = new WakeableDelay();
  let end: ((why: string) => void) | undefined;

  /** Resolves with the reason why the client failed. */
  async function life(client: SyncClient, connectedOnce: () => void): Promise<string> {
    let patience: ReturnType<typeof setTimeout> | undefined;
    let renewal: ReturnType<typeof setTimeout> | undefined;
    let renewing = false;
    let renewedAt = Number.NEGATIVE_INFINITY;
    let over = false;
    try {
      return await new Promise<string>((resolve) => {
        end = resolve;
        let reason = text.connectionFailed;
        const renew = async (failures = 0) => {
          if (renewing || over) return;
          clearTimeout(renewal);
          const wait = renewedAt + RENEWAL_MS - Date.now();
          if (wait > 0) {
            renewal = setTimeout(() => void renew(), wait);
            return;
          }
          renewing = true;
          try {
            const token = await deps.token();
            renewedAt = Date.now();
            if (!over) await client.updateToken(token);
          } catch {
            // The service may be away for a moment; a token that Sync refuses ends in `denied`.
            const ms = backoff(failures, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
            if (!over) renewal = setTimeout(() => void renew(failures + 1), ms);
          } finally {
            renewing = false;
          }
        };
        const state = (now: string) => {
          if (over) return;
          clearTimeout(patience);
          listener.connected(now === "connected");
          if (now === "connected") connectedOnce();
          else if (now === "denied" || now === "error") resolve(reason);
          else patience = setTimeout(() => resolve(text.unreachable), PATIENCE_MS);
        };
        client.on("connectionError", ({ terminal, message }) => {
          reason = message;
          if (terminal) resolve(message);
        });
        client.on("tokenAboutToExpire", () => void renew());
        client.on("tokenExpired", () => void renew());
        client.on("connectionStateChanged", state);
        state(client.connectionState);
      });
    } finally {
      over = true;
      end = undefined;
      clearTimeout(patience);
      clearTimeout(renewal);
      listener.connected(false);
    }
  }

  async function run(): Promise<void> {
    let failures = 0;
    while (!stopped) {
      let why: string;
      try {
        const client = await deps.connect(await deps.token());
        if (stopped) return void client.shutdown().catch(() => undefined);
        listener.client(client);
        why = await life(client, () => {
          failures = 0;
        });
        client.shutdown().catch(() => undefined);
      } catch (error) {
        why = error instanceof Error ? error.message : String(error);
      }
      if (stopped) return;
      listener.ended(why);
      const ms = backoff(failures, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
      failures += 1;
      await delay.wait(ms);
    }
  }
  void run();
  return () => {
    stopped = true;
    end?.("stopped");
    delay.wake();
  };
}
