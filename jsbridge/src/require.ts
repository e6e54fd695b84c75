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
  const missing = [
    ["WebAssembly", typeof WebAssembly === "object"],
    ["Worker", typeof Worker === "function"],
    ["Web Locks", typeof navigator.locks?.request === "function"],
    ["OPFS", typeof navigator.storage?.getDirectory === "function"],
    ["IndexedDB", typeof indexedDB === "object" && indexedDB !== null],
    ["FileSystemSyncAccessHandle", typeof FileSystemFileHandle === "function"],
  ].flatMap(([name, there]) => (there ? [] : [String(name)]));
  if (missing.length === 0) return;
  throw new SyncError("unsupported_browser", `this browser lacks ${missing.join(", ")}`, {
    hint: "Use a current version of Chrome, Edge, Firefox or Safari.",
    details: { missing: missing.join(", ") },
  });
}
