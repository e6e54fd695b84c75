// What the bridge needs of a browser, checked before anything starts, so that a user is told what is missing.

import { SyncError } from "./errors.ts";

/** Throws `unsupported_browser` if this page cannot run the bridge. */
export function requireBrowser(): void {
  if (!globalThis.isSecureContext) {
    throw new SyncError("unsupported_browser", "the page has no secure connection, so the browser gives it no storage", {
      hint: "Open it with https://, or from this computer as http://localhost.",
      details: { missing: "secure context" },
    });
  }
  if (globalThis.origin === "null") {
    throw new SyncError("unsupported_browser", "the page has no origin of its own, so the browser gives it no storage", {
      hint: "Open it from its server, not as a file or in a sandboxed frame.",
      details: { missing: "origin" },
    });
  }
  const missing = [
    ["WebAssembly", typeof WebAssembly === "object"],
    ["Worker", typeof Worker === "function"],
    ["Web Locks", typeof navigator.locks?.request === "function"],
    ["OPFS", typeof navigator.storage?.getDirectory === "function"],
    ["IndexedDB", hasIndexedDB()],
    ["FileSystemSyncAccessHandle", typeof FileSystemFileHandle === "function"],
  ].flatMap(([name, there]) => (there ? [] : [String(name)]));
  if (missing.length === 0) return;
  throw new SyncError("unsupported_browser", `this browser lacks ${missing.join(", ")}`, {
    hint: "Use a current version of Chrome, Edge, Firefox or Safari.",
    details: { missing: missing.join(", ") },
  });
}

/** Where storage is blocked the property itself may throw. */
function hasIndexedDB(): boolean {
  try {
    return typeof indexedDB === "object" && indexedDB !== null;
  } catch {
    return false;
  }
}
