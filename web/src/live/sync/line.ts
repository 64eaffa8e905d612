/** One connection of the SDK after the other: its token is renewed before it ends, and a connection that is refused is made anew. */
import type { SyncClient } from "./client.ts";

const FIRST_PAUSE_MS = 5000;
const LONGEST_PAUSE_MS = 60_000;
/** Were each new token about to end, by a clock that is wrong, it would be asked for without end. */
const RENEWAL_MS = 10_000;
/** The SDK tries by itself; after this long it gets a fresh start. */
const PATIENCE_MS = 120_000;

export interface LineDoors {
  token(): Promise<string>;
  connect(token: string): Promise<SyncClient>;
}

export interface LineTold {
  /** A new client; what was opened through the one before is gone. */
  client(client: SyncClient): void;
  connected(yes: boolean): void;
  /** This client ended, and why; another one follows. */
  ended(why: string): void;
}

export function line(doors: LineDoors, told: LineTold): () => void {
  let stopped = false;
  let wake: (() => void) | undefined;
  let end: ((why: string) => void) | undefined;

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  /** Resolves with the reason for which the client is of no use any more. */
  async function life(client: SyncClient, connectedOnce: () => void): Promise<string> {
    let patience: ReturnType<typeof setTimeout> | undefined;
    let renewal: ReturnType<typeof setTimeout> | undefined;
    let renewing = false;
    let renewedAt = Number.NEGATIVE_INFINITY;
    let over = false;
    try {
      return await new Promise<string>((resolve) => {
        end = resolve;
        let reason = "the connection to Twilio Sync failed";
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
            const token = await doors.token();
            renewedAt = Date.now();
            if (!over) await client.updateToken(token);
          } catch {
            // The service may be away for a moment; a token that Sync refuses ends in `denied`.
            const ms = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
            if (!over) renewal = setTimeout(() => void renew(failures + 1), ms);
          } finally {
            renewing = false;
          }
        };
        const state = (now: string) => {
          if (over) return;
          clearTimeout(patience);
          told.connected(now === "connected");
          if (now === "connected") connectedOnce();
          else if (now === "denied" || now === "error") resolve(reason);
          else patience = setTimeout(() => resolve("Twilio Sync cannot be reached"), PATIENCE_MS);
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
      told.connected(false);
    }
  }

  async function run(): Promise<void> {
    let failures = 0;
    while (!stopped) {
      let why: string;
      try {
        const client = await doors.connect(await doors.token());
        if (stopped) return void client.shutdown().catch(() => undefined);
        told.client(client);
        why = await life(client, () => {
          failures = 0;
        });
        client.shutdown().catch(() => undefined);
      } catch (error) {
        why = error instanceof Error ? error.message : String(error);
      }
      if (stopped) return;
      told.ended(why);
      const ms = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures) * (0.75 + Math.random() / 4);
      failures += 1;
      await pause(ms);
    }
  }
  void run();
  return () => {
    stopped = true;
    end?.("stopped");
    wake?.();
  };
}
