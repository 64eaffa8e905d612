/**
 * Twilio Sync as a source of live numbers, with the service's feed beside it. It starts on the feed, which has
 * everything in one answer, hands over to Sync once all objects are read, and returns to the feed at once when Sync is
 * lost or something is missing in it. So no number ever waits for Sync.
 *
 * ```text
 * connection (token, client) → objects (subscriptions) ─┐
 * feed ─────────────────────────────────────────────────┼→ handover → listener
 * health (what Sync does not carry) ────────────────────┘
 * ```
 */
import type { HealthAnswer, SyncObjectNames } from "../../api/types.ts";
import { en } from "../../locales/en.ts";
import type { Texts } from "../../locales/index.ts";
import { pollHealth } from "../pollHealth.ts";
import type { LiveSource } from "../source.ts";
import { type ConnectionDeps, maintainConnection } from "./connection.ts";
import { Handover } from "./handover.ts";
import { SyncObjects } from "./objects.ts";

export interface SyncDeps extends ConnectionDeps {
  health(signal: AbortSignal): Promise<HealthAnswer>;
}

export function syncSource(
  names: SyncObjectNames,
  feed: LiveSource,
  deps: SyncDeps,
  text: Texts = en,
): LiveSource {
  return {
    start(listener) {
      const handover = new Handover(listener, feed, text.source);
      let objects: SyncObjects | undefined;
      let metricsDocuments = [names.metrics];
      const stopConnection = maintainConnection(
        deps,
        {
          client(client) {
            objects = new SyncObjects(
              client,
              names,
              {
                changed: (change) => handover.changed(change),
                missing: (why) => handover.missing(why),
                unreadable: (count) => handover.unreadable(count),
              },
              text,
            );
            objects.setMetricsDocuments(metricsDocuments);
            handover.use(objects);
          },
          connected: (yes) => handover.connected(yes),
          ended(why) {
            objects?.close();
            objects = undefined;
            handover.use(undefined, why);
          },
        },
        text,
      );
      const stopHealth = pollHealth(deps.health, {
        answer(answer) {
          if (answer.metricsDocuments?.length) metricsDocuments = answer.metricsDocuments;
          objects?.setMetricsDocuments(metricsDocuments);
          handover.health(answer);
        },
        silent: (retryAt) => handover.silent(retryAt),
      });
      return () => {
        stopConnection();
        stopHealth();
        objects?.close();
        handover.stop();
      };
    },
  };
}
