/**
 * As much of the Sync SDK's shape as is used. The dashboard makes such a client from `twilio-sync`; in Flex, Flex's own
 * client has this shape.
 */
/** Two overloads of `on` for each event that is used; the SDK's own types are wider. */
export interface SyncDocument {
  readonly data: unknown;
  on(event: "updated", listener: (change: { data: unknown }) => void): unknown;
  on(event: "removed", listener: () => void): unknown;
  on(event: "failure", listener: (error: Error) => void): unknown;
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
  on(event: "itemAdded" | "itemUpdated", listener: (change: { item: SyncMapItem }) => void): unknown;
  on(event: "itemRemoved", listener: (change: { key: string }) => void): unknown;
  on(event: "removed", listener: () => void): unknown;
  on(event: "failure", listener: (error: Error) => void): unknown;
  getItems(query: { pageSize: number }): Promise<SyncPage>;
  close(): void;
}

export interface SyncClient {
  readonly connectionState: string;
  document(query: { id: string; mode: "open_existing" }): Promise<SyncDocument>;
  map(query: { id: string; mode: "open_existing" }): Promise<SyncMap>;
  on(event: "connectionStateChanged", listener: (state: string) => void): unknown;
  on(event: "connectionError", listener: (error: { terminal: boolean; message: string }) => void): unknown;
  on(event: "tokenAboutToExpire" | "tokenExpired", listener: () => void): unknown;
  updateToken(token: string): Promise<void>;
  shutdown(): Promise<void>;
}
