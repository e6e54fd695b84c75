// Handles of OPFS files, for a start that waits for as little as it can. The pool of SQLite flushes a file whenever it is closed and cuts
// every free one when it is opened: at a start that were some thirty waits, the larger half of the time, for files that nobody had
// written. And it asks for its handles only once SQLite was loaded.

import { SyncError } from "./errors.ts";

/** What TypeScript does not know of pages and workers at the same time. */
interface Handle {
  write(bytes: BufferSource, options?: { at: number }): number;
  truncate(size: number): void;
  flush(): void;
  getSize(): number;
}

/**
 * Makes the flushing of a handle do nothing if nothing was written through it, and the cutting if the file has that size. A handle is the
 * only one of its file, so nothing else can have written.
 */
export function sparingly(handle: Handle): void {
  const written = new WeakSet<Handle>();
  const { write, truncate, flush } = handle;
  handle.write = function (bytes, options) {
    written.add(this);
    return options ? write.call(this, bytes, options) : write.call(this, bytes);
  };
  handle.truncate = function (size) {
    if (this.getSize() === size) return;
    written.add(this);
    truncate.call(this, size);
  };
  handle.flush = function () {
    if (!written.has(this)) return;
    flush.call(this);
    written.delete(this);
  };
}

/**
 * Whether a file or folder that is looked for is no longer there. Asked before a handle is closed: if a user has removed all that the site
 * stores, Chromium never comes back from closing one that was open then. It is left to the end of the worker.
 */
export async function isMissing(look: () => Promise<unknown>): Promise<boolean> {
  try {
    await look();
    return false;
  } catch (e) {
    return e instanceof DOMException && e.name === "NotFoundError";
  }
}

/** Opens a folder of OPFS by its path. */
export async function openFolder(path: string, create: boolean): Promise<FileSystemDirectoryHandle> {
  let folder = await navigator.storage.getDirectory();
  for (const part of path.split("/")) folder = await folder.getDirectoryHandle(part, { create });
  return folder;
}

type Opener = { createSyncAccessHandle(this: FileSystemFileHandle): Promise<{ close(): void }> };

/** What an exception of a method means, by its name; others are passed on. */
type Meanings = Record<string, () => Error>;

/** What WebKit says in its own way: files that are held are in an invalid state. WebKitGTK has files and no handles, and only says so of one. */
export const HANDLE_FAILURES: Meanings = {
  InvalidStateError: () => new DOMException("the file is held", "NoModificationAllowedError"),
  NotSupportedError: noHandles,
};
/** Private windows of WebKit have no files, for an unknown reason. */
export const ROOT_FAILURES: Meanings = { UnknownError: () => new DOMException("no files", "SecurityError") };

/** Makes a method of a prototype, if it is there, fail alike in all browsers. */
export function failingAlike<K extends string>(prototype: Partial<Record<K, (...args: never[]) => Promise<unknown>>> | undefined, name: K, meanings: Meanings): void {
  const method = prototype?.[name];
  if (!method) return;
  prototype[name] = async function (this: unknown, ...args: never[]) {
    try {
      return await method.apply(this, args);
    } catch (e) {
      throw (e instanceof DOMException && meanings[e.name]?.()) || e;
    }
  };
}

/** The error of a browser without handles. */
export function noHandles(): SyncError {
  return new SyncError("unsupported_browser", "this browser lacks synchronous access to files", {
    hint: "Use a current version of Chrome, Edge, Firefox or Safari.",
    details: { missing: "createSyncAccessHandle" },
  });
}

/**
 * Opens all files of a folder of OPFS; whoever opens one of them before the end gets the handle that is there already, or, where that
 * failed, one of his own: a worker that has just been ended may have held it until then. Resolves to what ends that once all are under
 * way; handles that nobody has asked for are closed then. A folder that is missing has no files.
 */
export async function openAhead(path: string): Promise<() => void> {
  const ahead = new Map<string, Promise<{ close(): void }>>();
  const opener = FileSystemFileHandle.prototype as unknown as Opener;
  const { createSyncAccessHandle } = opener;
  opener.createSyncAccessHandle = function () {
    const handle = ahead.get(this.name);
    ahead.delete(this.name);
    const open = (): Promise<{ close(): void }> => createSyncAccessHandle.call(this);
    return handle?.catch(open) ?? open();
  };
  try {
    for await (const file of (await openFolder(path, false)).values()) {
      if (file.kind !== "file") continue;
      const handle = createSyncAccessHandle.call(file as FileSystemFileHandle);
      handle.catch(() => {}); // nobody may ask for it
      ahead.set(file.name, handle);
    }
  } catch {
    // Whoever opens the files is told.
  }
  return () => {
    opener.createSyncAccessHandle = createSyncAccessHandle;
    for (const handle of ahead.values()) handle.then((h) => h.close(), () => {});
  };
}
