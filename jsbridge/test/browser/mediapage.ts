// Stores of media files, each in a worker of its own, for tests that call them from outside of the browser.

import { SyncError, type Failure } from "../../src/errors.ts";
import type { Call } from "./mediaworker.ts";

interface Store {
  worker: Worker;
  waiting: Map<number, { resolve(v: unknown): void; reject(e: SyncError): void }>;
}

const stores = new Map<string, Store>();
let last = 0;

function start(): Store {
  const worker = new Worker("/dist/test/browser/mediaworker.js", { type: "module" });
  const store: Store = { worker, waiting: new Map() };
  worker.onmessage = ({ data }: MessageEvent<{ id: number; result?: unknown; error?: Failure }>) => {
    const w = store.waiting.get(data.id);
    store.waiting.delete(data.id);
    if (data.error) w?.reject(SyncError.from(data.error));
    else w?.resolve(data.result);
  };
  return store;
}

/** Calls a method of the store in a folder; the first call opens it. */
export async function call(directory: string, method: Call["method"], ...args: unknown[]): Promise<unknown> {
  let store = stores.get(directory);
  if (!store) {
    stores.set(directory, (store = start()));
    await send(store, "open", [directory]);
  }
  return send(store, method, args);
}

/** Ends the worker of a store, as a killed tab would. */
export function kill(directory: string): void {
  stores.get(directory)?.worker.terminate();
  stores.delete(directory);
}

function send(store: Store, method: Call["method"], args: unknown[]): Promise<unknown> {
  const id = ++last;
  return new Promise((resolve, reject) => {
    store.waiting.set(id, { resolve, reject });
    store.worker.postMessage({ id, method, args } satisfies Call);
  });
}
