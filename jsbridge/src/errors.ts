// Errors: one class with a kind, the same kinds as in Go (core/fault). This file has both directions of the mapping:
// numbers of the guest to names, and anything thrown to a SyncError.

import { KINDS, type Kind } from "./protocol.gen.ts";

export type { Kind } from "./protocol.gen.ts";

/** What a {@link SyncError} has besides kind and message. */
export interface ErrorFields {
  /** What a user can do; may be empty. */
  hint?: string;
  /** Whether the local profile was changed before the failure. */
  changed?: boolean;
  /** Further fields, by kind: `upload_ok` and `download_ok` of `one_way_needed`, both times of `clock`, … */
  details?: Record<string, unknown>;
}

/** An error as it crosses postMessage and the boundary of the guest. */
export interface Failure extends Required<ErrorFields> {
  kind: Kind;
  message: string;
}

/** Every failure of this package. */
export class SyncError extends Error {
  override readonly name = "SyncError";
  /** What went wrong, as far as a caller can act on it. */
  readonly kind: Kind;
  /** What a user can do; may be empty. */
  readonly hint: string;
  /** Whether the local profile was changed before the failure. */
  readonly changed: boolean;
  /** Further fields, by kind. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(kind: Kind, message: string, fields: ErrorFields = {}) {
    super(message);
    this.kind = kind;
    this.hint = fields.hint ?? "";
    this.changed = fields.changed ?? false;
    this.details = fields.details ?? {};
  }

  /** Makes the error that a {@link Failure} describes. */
  static from(f: Failure): SyncError {
    return new SyncError(f.kind, f.message, f);
  }
}

const names = new Map<number, Kind>(Object.entries(KINDS).map(([name, number]) => [number, name as Kind]));

/** Returns the kind with that number; a number that this version does not know is `other`. */
export function kindOf(number: number): Kind {
  return names.get(number) ?? "other";
}

/** Turns whatever was thrown into a SyncError: kinds are kept, anything else is a defect of ours. */
export function toSyncError(e: unknown): SyncError {
  if (e instanceof SyncError) return e;
  if (e instanceof DOMException) return fromDOM(e);
  return new SyncError("internal", e instanceof Error ? `${e.name}: ${e.message}` : String(e));
}

function fromDOM(e: DOMException): SyncError {
  switch (e.name) {
    case "AbortError":
      return new SyncError("cancelled", "cancelled");
    case "QuotaExceededError":
      return storageFull("no space left for this site");
    case "NoModificationAllowedError":
      return new SyncError("busy", "another tab has the profile open", { hint: "Close the other tab." });
    case "SecurityError":
      return new SyncError("unsupported_browser", "this browser does not let the page store files", {
        hint: "Leave private browsing, or allow this site to store data.",
      });
  }
  return new SyncError("other", `${e.name}: ${e.message}`);
}

/** What a user can do, for errors that come without it. The core knows nothing of pages. */
const HINTS: Partial<Record<Kind, string>> = {
  storage_full: "Free space on this device, or allow this site more storage.",
  damaged_file: "Restore a backup, or open the profile with setAside: the server's copy is fetched then.",
  damaged_download: "Try again; if it stays, the server or a proxy on the way has a problem.",
  network: "Check the connection and the address of the sync server, and try again.",
  offline: "Connect to a network and try again.",
  timeout: "Check the connection and try again.",
  resync: "Sync again; if it stays, run Check Database on the device that synced last.",
  internal: "This is a defect of the app. What was stored is in order; load the page again.",
};

/** The error of a full storage. */
export function storageFull(message: string, fields: ErrorFields = {}): SyncError {
  return withHint(new SyncError("storage_full", message, fields));
}

/** The error with what a user can do, if that is known. */
export function withHint(e: SyncError): SyncError {
  const hint = e.hint || HINTS[e.kind];
  return hint === e.hint || !hint ? e : new SyncError(e.kind, e.message, { ...e, hint });
}

/** Returns the plain object that crosses postMessage. */
export function toFailure(e: unknown): Failure {
  const { kind, message, hint, changed, details } = toSyncError(e);
  return { kind, message, hint, changed, details: { ...details } };
}
