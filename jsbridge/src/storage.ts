// What the browser lets this site store.

import { toSyncError } from "./errors.ts";

/** How much is stored, and how safely. */
export interface StorageReport {
  /** Bytes that this site uses, as far as the browser tells. */
  usage: number;
  /** Bytes that it may use, as far as the browser tells. */
  quota: number;
  /** Whether the browser keeps it when it needs space; else it may remove everything. */
  persisted: boolean;
}

/** Tells about storage when it is called. */
export interface Storage {
  (): Promise<StorageReport>;
  /** Asks the browser, which may ask the user, to keep what is stored; returns what was granted. */
  request(): Promise<boolean>;
}

/** Makes the member `storage` of a page. */
export function pageStorage(): Storage {
  const report = async (): Promise<StorageReport> => {
    const [{ usage = 0, quota = 0 }, persisted] = await guard(
      Promise.all([navigator.storage.estimate?.() ?? {}, isPersisted()]),
    );
    return { usage, quota, persisted };
  };
  const request = async (): Promise<boolean> =>
    (await isPersisted()) || guard(Promise.resolve(navigator.storage.persist?.() ?? false));
  return Object.assign(report, { request });
}

function isPersisted(): Promise<boolean> {
  return guard(Promise.resolve(navigator.storage.persisted?.() ?? false));
}

function guard<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((e: unknown) => {
    throw toSyncError(e);
  });
}
