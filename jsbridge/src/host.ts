// The imports of the guest (wasm/ABI.md), as the host modules provide them, and the one place where an exception
// becomes a negative result.

import { toSyncError } from "./errors.ts";
import type { GuestMemory } from "./memory.ts";
import { KINDS, type ImportName } from "./protocol.gen.ts";

/** Databases; negative results are made by {@link guarded}. */
export interface SqlImports {
  sql_open(ptr: number, length: number, mode: number): number;
  sql_exec(db: number, ptr: number, length: number): number;
  sql_prepare(db: number, ptr: number, length: number): number;
  sql_run(stmt: number, ptr: number, length: number): bigint;
  sql_query(stmt: number, ptr: number, length: number): number;
  sql_next(stmt: number, ptr: number, cap: number): bigint;
  sql_check(db: number, limit: number): number;
  sql_copy_into(db: number, ptr: number, length: number, compact: number): number;
  sql_finalize(stmt: number): number;
  sql_rollback(db: number): number;
  sql_close(db: number): number;
}

/** Staged files. */
export interface FileImports {
  file_create(ptr: number, length: number): number;
  file_open(ptr: number, length: number): number;
  file_read(file: number, offset: bigint, ptr: number, length: number): number;
  file_write(file: number, ptr: number, length: number): number;
  file_sync(file: number): number;
  file_close(file: number): number;
  file_size(file: number): bigint;
  file_stat(ptr: number, length: number, out: number): number;
  file_list(ptr: number, length: number, out: number, cap: number): number;
  file_compress(from: number, fromLength: number, to: number, toLength: number): number;
  file_remove(ptr: number, length: number): number;
  file_replace(from: number, fromLength: number, to: number, toLength: number): number;
}

/** Media files. */
export interface MediaImports {
  media_scan(): number;
  media_stat(ptr: number, length: number, out: number): number;
  media_hash(ptr: number, length: number, out: number): number;
  media_open(ptr: number, length: number): number;
  media_create(): number;
  media_copy(ptr: number, length: number, size: bigint, modified: bigint): number;
  media_write(draft: number, ptr: number, length: number): number;
  media_sum(draft: number, out: number): number;
  media_install(
    draft: number,
    ptr: number,
    length: number,
    seen: number,
    size: bigint,
    modified: bigint,
    out: number,
  ): number;
  media_discard(draft: number): number;
  media_trash(ptr: number, length: number, size: bigint, modified: bigint): number;
  media_expire(ms: bigint): number;
  media_flush(): number;
}

/** Requests. Failures come as events. */
export interface HttpImports {
  http_start(call: number, ptr: number, length: number): void;
  http_read(call: number, max: number): void;
  http_close(call: number): void;
}

/** What belongs to tasks and the surroundings. */
export interface TaskImports {
  last_error(ptr: number, cap: number): number;
  task_done(task: number, ptr: number, length: number): void;
  tick(task: number): void;
  progress(task: number, stage: number, stageLength: number, done: bigint, total: bigint): void;
  log(ptr: number, length: number): void;
  now(): bigint;
  minutes_west(ms: bigint): number;
  random(ptr: number, length: number): void;
  normalize(form: number, ptr: number, length: number, out: number, cap: number): number;
}

/** All of them. */
export type HostImports = SqlImports & FileImports & MediaImports & HttpImports & TaskImports;

type Missing = Exclude<ImportName, keyof HostImports> | Exclude<keyof HostImports, ImportName>;
/** Fails to compile if the names above are not those of protocol.gen.ts. */
export const complete: [Missing] extends [never] ? true : never = true;

/** The imports whose results are i64. */
const WIDE: ReadonlySet<string> = new Set(["sql_run", "sql_next", "file_size"] satisfies ImportName[]);

/** Keeps the message of the last failed import for `last_error`. */
export class LastError {
  #message = new Uint8Array(0);

  /** Wraps imports so that an exception becomes -kind. An exception that leaves an import would end the guest. */
  guard<T extends SqlImports | FileImports | MediaImports>(imports: T): T {
    const guarded: Record<string, (...args: never[]) => number | bigint> = {};
    for (const [name, f] of Object.entries(imports) as [string, (...args: never[]) => number | bigint][]) {
      guarded[name] = (...args) => {
        try {
          return f(...args);
        } catch (e) {
          const code = this.#set(e);
          return WIDE.has(name) ? BigInt(code) : code;
        }
      };
    }
    return guarded as unknown as T;
  }

  #set(e: unknown): number {
    const error = toSyncError(e);
    this.#message = new TextEncoder().encode(error.message);
    return -KINDS[error.kind];
  }

  /** Copies the message, cut to cap bytes, and returns how many were copied. */
  copy(memory: GuestMemory, ptr: number, cap: number): number {
    const message = this.#message.subarray(0, cap);
    memory.view(ptr, message.length).set(message);
    return message.length;
  }
}
