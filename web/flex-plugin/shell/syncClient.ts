/** Flex's own Sync client: Twilio's SDK with a token of its own. */
import { Client, type SyncClient } from "twilio-sync";
import type { ShellConfig } from "./manager.ts";

export function connect({ token, endpoint }: NonNullable<ShellConfig["sync"]>): SyncClient {
  const elsewhere = { cdsUri: endpoint.cds, Twilsock: { uri: endpoint.twilsock } };
  return new Client(token, { logLevel: "silent", Sync: { enableSessionStorage: false }, ...elsewhere });
}
