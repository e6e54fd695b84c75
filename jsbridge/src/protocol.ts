// The messages between page and worker. Constants that the guest shares are in protocol.gen.ts.

import type { PackageCalls } from "./colpkgprotocol.ts";
import type { ContentsCalls } from "./contents.ts";
import type { DeviceCalls } from "./devicesprotocol.ts";
import type { EditOp, EditReport, UndoReport } from "./edit.ts";
import type { Failure } from "./errors.ts";
import type { RenderedCard, RenderRequest, TypedAnswer } from "./render.ts";
import type { MediaCalls, MediaChange, MediaCount, MediaReport } from "./mediaprotocol.ts";
import type { ModuleMessage } from "./modules.ts";
import type { Presence } from "./presence.ts";
import type { Settings } from "./settings.ts";
import type { TransportAnswer, TransportRequest } from "./transport.ts";
import type { DeckTree, NextCards } from "./study.ts";

/** A value that a query takes. */
export type Param = null | boolean | number | bigint | string | Uint8Array;
/** A value that a query returns; integers beyond 2^53 are bigint. */
export type Column = null | number | bigint | string | Uint8Array;
/** A row, by column name. */
export type Row = Record<string, Column>;

/** A report of a running task; total is 0 while unknown. */
export interface Progress {
  stage: string;
  done: number;
  total: number;
}

/** What to do when one side must replace the other. */
export type OnConflict = "ask" | "upload" | "download";

/** Numbers of objects by kind. */
export type Counts = Record<
  "notes" | "cards" | "revlog" | "decks" | "notetypes" | "deck_configs" | "tags" | "config" | "graves",
  number
>;

/** The result of a sync (contract §3). */
export interface SyncReport {
  /** What is still required afterwards. */
  required: RequiredSync;
  sent: Counts;
  received: Counts;
  /** How many HTTP requests were made. */
  round_trips: number;
  /** The address that the server has moved to, "" if it has not. */
  new_endpoint: string;
  /** A text of the server for the user. */
  message: string;
  /** Bytes and backup of the one-way sync that onConflict chose. */
  bytes?: number;
  backup?: string;
  /** The number of the server's last media change. */
  media_usn?: number;
  /** What the sync of the media files did; null if it was left out. */
  media: MediaReport | null;
}

/** The result of an upload or download (contract §3). */
export interface TransferReport {
  /** The size of the collection, uncompressed. */
  bytes: number;
  /** The id of the backup of what was replaced, "" if there was nothing to keep. */
  backup: string;
  new_endpoint: string;
  message: string;
  round_trips: number;
  /** What was lost here that the server never had, by kind; only of a download. */
  lost?: Partial<Counts>;
}

/** A copy of the collection that was kept before something replaced it. */
export interface Backup {
  id: string;
  /** Unix milliseconds. */
  created: number;
  /** What replaced it: `download`, `upload` (then it is the server's copy), `restore` or `upgrade`. */
  reason: string;
  /** The size, uncompressed. */
  bytes: number;
}

/** The result of restoring a backup. */
export interface RestoreReport {
  /** The id of the backup of what was replaced. */
  backup: string;
}

/** What a sync would have to do. */
export type RequiredSync = "none" | "normal" | "full";

/** The answer to a status check (contract §3). */
export interface StatusReport {
  required: RequiredSync;
  upload_ok: boolean;
  download_ok: boolean;
  /** Unix milliseconds, 0 = never. */
  last_sync: number;
  /** Rows that wait to be sent. */
  pending: number;
  new_endpoint: string;
}

/** What a page shows of a profile. */
export interface Status {
  required: RequiredSync;
  activity: "idle" | "syncing" | "offline" | "attention";
  /** Unix milliseconds, 0 = never. */
  lastSync: number;
  /** Rows that wait to be sent. */
  pending: number;
  /** Media files that are here, and all that are known of. */
  media: MediaCount;
  progress?: Progress;
  error?: Failure;
}

/** The status of a profile of which nothing is known yet. */
export const NOTHING: Readonly<Status> = {
  required: "none", activity: "idle", lastSync: 0, pending: 0, media: { done: 0, total: 0 },
};

/** Who is logged in; the key stays in the worker. */
export interface AccountInfo {
  user: string;
  endpoint: string;
}

/** What the worker needs to open a profile. Addresses are absolute. */
export interface OpenRequest {
  /** The page's name among the tabs; the same for each of its workers, so that a call can be recognised. */
  tab: string;
  profile: string;
  endpoint: string;
  clientName: string;
  core: string | WebAssembly.Module;
  sqlite: string;
  zstd: string;
  /** Whether the page makes the requests (transport.ts). */
  transport: boolean;
  /** Whether a collection that cannot be read is put among the backups. */
  setAside: boolean;
}

/** The calls that a page makes, by name: parameters and result. */
export interface Calls extends MediaCalls, PackageCalls, DeviceCalls, ContentsCalls {
  open: [OpenRequest, null];
  login: [{ user: string; password: string; endpoint?: string }, AccountInfo];
  logout: [null, null];
  refresh: [{ offline: boolean }, StatusReport];
  sync: [{ onConflict: OnConflict; media: boolean }, SyncReport];
  upload: [{ backup: boolean; ownBackup: boolean }, TransferReport];
  download: [{ backup: boolean }, TransferReport];
  signUp: [{ user: string; password: string }, AccountInfo];
  backups: [null, Backup[]];
  restore: [{ id: string }, RestoreReport];
  diagnostics: [null, string];
  /** Changes settings, if there are any to change, and returns all. */
  settings: [Partial<Settings> | null, Settings];
  query: [{ sql: string; params: readonly Param[] }, Row[]];
  edit: [{ ops: readonly EditOp[] }, EditReport];
  undo: [null, UndoReport];
  deckTree: [null, DeckTree];
  nextCards: [{ deckId: number; count: number }, NextCards];
  render: [RenderRequest, RenderedCard];
  compareTyped: [TypedAnswer, { html: string }];
  close: [null, null];
  /** For tests only: runs statements that may write, as an app would with `edit`. */
  exec: [{ sql: string }, null];
  /** For tests only: the bytes of the collection as they are in its file. */
  dump: [null, Blob];
  /** For tests only: replaces the collection by these bytes and opens it. */
  load: [{ collection: Blob }, null];
  /** For tests only: the sizes of both memories, in bytes. They never shrink, so these are the peaks as well. */
  memory: [null, { guest: number; sqlite: number; parts: Record<string, [start: number, took: number]> }];
  /** For tests only: lets time pass for the core, so that a test need not wait for the scheduler. */
  advance: [{ ms: number }, null];
}

/** The name of one call. */
export type CallName = keyof Calls;

/** Page to worker. */
export type ToWorker =
  /** again: an earlier worker of the page had this call and may have done it. */
  | { [N in CallName]: { type: "call"; id: number; name: N; params: Calls[N][0]; again?: boolean } }[CallName]
  | { type: "cancel"; id: number }
  | { type: "presence"; presence: Presence }
  | TransportAnswer;

/** Worker to page. */
export type ToPage =
  | { type: "result"; id: number; result: Calls[CallName][1] }
  | { type: "error"; id: number; error: Failure }
  | { type: "status"; status: Status; account: AccountInfo | null }
  | TransportRequest
  | ModuleMessage
  | { type: "media"; changes: MediaChange[] }
  /** The worker cannot go on: every call has failed, and the page starts another one. */
  | { type: "crash"; error: Failure };
