// Constants that both sides of the boundary share (wasm/ABI.md).
// Written by `go test ./wasm -run TestProtocolFile -update`; do not edit.

/** The number of the boundary; another one is refused. */
export const ABI_VERSION = 1;

/** The module that the guest imports from. */
export const IMPORT_MODULE = "cardferry";

/** The exports of the guest. */
export const EXPORTS = [
  "_initialize",
  "cf_abi",
  "cf_alloc",
  "cf_call",
  "cf_event",
  "cf_tick",
  "cf_cancel",
  "cf_collate",
  "cf_collate_buffer",
] as const;

/** The imports of the guest. */
export const IMPORTS = [
  "last_error",
  "task_done",
  "tick",
  "progress",
  "log",
  "now",
  "minutes_west",
  "random",
  "normalize",
  "sql_open",
  "sql_exec",
  "sql_prepare",
  "sql_run",
  "sql_query",
  "sql_next",
  "sql_check",
  "sql_copy_into",
  "sql_finalize",
  "sql_rollback",
  "sql_close",
  "file_create",
  "file_open",
  "file_read",
  "file_write",
  "file_sync",
  "file_close",
  "file_size",
  "file_stat",
  "file_list",
  "file_compress",
  "file_remove",
  "file_replace",
  "media_scan",
  "media_stat",
  "media_hash",
  "media_open",
  "media_create",
  "media_copy",
  "media_write",
  "media_sum",
  "media_install",
  "media_discard",
  "media_trash",
  "media_expire",
  "media_flush",
  "http_start",
  "http_read",
  "http_close",
] as const;

/** The name of one import. */
export type ImportName = (typeof IMPORTS)[number];

/** The methods that a call can name. */
export const METHODS = [
  "open",
  "close",
  "login",
  "status",
  "sync",
  "upload",
  "download",
  "backups",
  "restore",
  "version",
  "mediaSync",
  "getMedia",
  "mediaCheck",
  "forgetMedia",
  "addMedia",
  "removeMedia",
  "mediaState",
  "exportFile",
  "importFile",
  "auto",
  "edit",
  "undo",
  "deckTree",
  "nextCards",
  "render",
  "compareTyped",
] as const;

/** The name of one method. */
export type Method = (typeof METHODS)[number];

/** The kinds of errors and their stable numbers. */
export const KINDS = {
  other: 1,
  busy: 2,
  storage_full: 3,
  not_found: 4,
  invalid_input: 5,
  one_way_needed: 6,
  auth: 7,
  offline: 8,
  timeout: 9,
  proxy_auth: 10,
  server_error: 11,
  network: 12,
  server_message: 13,
  clock: 14,
  client_too_old: 15,
  too_large: 16,
  sanity: 17,
  resync: 18,
  database_check: 19,
  conflict: 20,
  damaged_file: 21,
  unsupported_file: 22,
  damaged_download: 23,
  needs_decision: 24,
  cancelled: 25,
  not_writable: 26,
  closed: 27,
  internal: 28,
  unsupported_browser: 29,
} as const;

/** The name of one kind of error. */
export type Kind = keyof typeof KINDS;

/** The flags of a request block. */
export const REQUEST_FLAGS = {
  stream: 1,
  unzstd: 2,
  zstd: 4,
} as const;

/** The kinds of cf_event. */
export const EVENTS = {
  answer: 1,
  data: 2,
  end: 3,
  failed: 4,
  sent: 5,
} as const;

/** The modes of sql_open. */
export const OPEN_MODES = {
  readWrite: 0,
  create: 1,
  readOnly: 2,
} as const;

/** The tags of packed values (core/rows). */
export const TAGS = {
  null: 0,
  integer: 1,
  real: 2,
  text: 3,
  blob: 4,
} as const;

/** Added to the result of sql_next when the statement is done. */
export const NEXT_DONE = 4294967296n;

/** Added to the size of a row that does not fit into the buffer of sql_next. */
export const NEXT_TOO_BIG = 8589934592n;

/** The result of an import of the media store that found something else than the guest has seen. */
export const CHANGED = 1;

/** The methods whose requests must not come twice (core/remote). */
export const ONCE = [
  "chunk",
  "applyChanges",
  "applyGraves",
] as const;

/** The status that stands for an answer that may be the second one. */
export const TWICE = 425;

/** The names of the files of a profile. */
export const FILES = {
  collection: "collection.anki2",
  state: "cardferry.state.db",
  staging: "cardferry.tmp/",
  backups: "cardferry.backups/",
  mediaIndex: "cardferry.media.db",
} as const;
