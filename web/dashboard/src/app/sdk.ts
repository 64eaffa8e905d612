/** Twilio's Sync SDK, unmodified. Only this module names it; its chunk is loaded with the first client. */
import type { SyncObjectNames } from "@taskrouter-sync/shared/api/types.ts";
import type { SyncClient } from "@taskrouter-sync/shared/live/sync/sdk.ts";

/** `endpoint` is set where the service itself does not talk to Twilio. */
export async function connect(token: string, endpoint: SyncObjectNames["endpoint"]): Promise<SyncClient> {
  const { Client } = await import("twilio-sync");
  const elsewhere = endpoint && { cdsUri: endpoint.cds, Twilsock: { uri: endpoint.twilsock } };
  // The SDK's cache is as old as the tab; fresh objects are read instead.
  return new Client(token, { logLevel: "silent", Sync: { enableSessionStorage: false }, ...elsewhere });
}
