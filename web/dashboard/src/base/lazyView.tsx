/** Views in chunks of their own, which may be gone after an upgrade or unreachable for a moment. */
import { type ComponentType, lazy } from "react";
import { reloadIfReplaced } from "./build.ts";

const RETRY_MS = 1000;
const pause = () => new Promise<void>((resolve) => setTimeout(resolve, RETRY_MS));

/** Loads a chunk with one retry; after an upgrade the page is reloaded, and the promise stays open until then. */
export async function loadChunk<T>(load: () => Promise<T>, isReplaced = reloadIfReplaced): Promise<T> {
  try {
    return await load();
  } catch {
    await pause();
  }
  try {
    return await load();
  } catch (error) {
    if (await isReplaced().catch(() => false)) return new Promise<never>(() => undefined);
    throw error;
  }
}

interface LazyChunk {
  load(): Promise<unknown>;
  /** Makes a new attempt possible after a failed one. */
  renew(): void;
}

const chunks: LazyChunk[] = [];

export function lazyView<P extends object>(load: () => Promise<{ default: ComponentType<P> }>) {
  let failed = false;
  const make = () =>
    lazy(() =>
      loadChunk(load).catch((error: unknown) => {
        failed = true;
        throw error;
      }),
    );
  let Current = make();
  chunks.push({
    load,
    renew() {
      if (!failed) return;
      failed = false;
      Current = make();
    },
  });
  return function LazyView(props: P) {
    const View = Current as unknown as ComponentType<P>;
    return <View {...props} />;
  };
}

/** React keeps the failure of a chunk for ever; a boundary that tries again calls this first. */
export function renewFailedViews(): void {
  for (const chunk of chunks) chunk.renew();
}

/** Fetches all views while the browser is idle, so that they are here when the service is not. */
export function prefetchViews(): void {
  const idle = globalThis.requestIdleCallback ?? ((work: () => void) => setTimeout(work, 2000));
  idle(() => {
    for (const { load } of chunks) load().catch(() => undefined);
  });
}
