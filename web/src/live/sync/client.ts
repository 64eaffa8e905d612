/**
 * Twilio's Sync SDK, unmodified, and as much of its shape as this page uses. Only here is it named; it is loaded when
 * the first client is made.
 */
import type { SyncPlaces } from "../../types.ts";

/** Two overloads of `on` for each event that is used; the SDK's own types are wider. */
export interface SyncDocument {
  readonly data: unknown;
  on(event: "updated", told: (change: { data: unknown }) => void): unknown;
  on(event: "removed", told: () => void): unknown;
  on(event: "failure", told: (error: Error) => void): unknown;
  close(): void;
}

export interface SyncMapItem {
  readonly key: string;
  readonly data: unknown;
}

export interface SyncPage {
  readonly items: readonly SyncMapItem[];
  readonly hasNextPage: boolean;
  nextPage(): Promise<SyncPage>;
}

export interface SyncMap {
  on(event: "itemAdded" | "itemUpdated", told: (change: { item: SyncMapItem }) => void): unknown;
  on(event: "itemRemoved", told: (change: { key: string }) => void): unknown;
  on(event: "removed", told: () => void): unknown;
  on(event: "failure", told: (error: Error) => void): unknown;
  getItems(query: { pageSize: number }): Promise<SyncPage>;
  close(): void;
}

export interface SyncClient {
  readonly connectionState: string;
  document(which: { id: string; mode: "open_existing" }): Promise<SyncDocument>;
  map(which: { id: string; mode: "open_existing" }): Promise<SyncMap>;
  on(event: "connectionStateChanged", told: (state: string) => void): unknown;
  on(event: "connectionError", told: (error: { terminal: boolean; message: string }) => void): unknown;
  on(event: "tokenAboutToExpire" | "tokenExpired", told: () => void): unknown;
  updateToken(token: string): Promise<void>;
  shutdown(): Promise<void>;
}

/** `endpoint` is set where the service itself does not talk to Twilio. */
export async function connect(token: string, endpoint: SyncPlaces["endpoint"]): Promise<SyncClient> {
  const { Client } = await import("twilio-sync");
  const elsewhere = endpoint && { cdsUri: endpoint.cds, Twilsock: { uri: endpoint.twilsock } };
  // What the SDK would remember in this tab is as old as the tab: numbers are read anew instead.
  return new Client(token, { logLevel: "silent", Sync: { enableSessionStorage: false }, ...elsewhere });
}
