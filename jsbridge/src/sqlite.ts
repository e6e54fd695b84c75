// The SQLite that this host lends: sqlite-wasm with its raw C functions, and the pool of files it lives in.
//
// Why raw functions? Values cross from the guest's memory into SQLite's as bytes. The wrappers of sqlite-wasm convert
// texts to JavaScript strings, and in this build sqlite3_bind_text with a string and sqlite3_create_collation do not
// work at all.

import initSqlite, { type SAHPoolUtil, type Sqlite3Static } from "@sqlite.org/sqlite-wasm";
import { isMissing, noHandles, openAhead, openFolder } from "./handles.ts";
import { timed } from "./timing.ts";
import { storageFull, SyncError, toSyncError } from "./errors.ts";

/** The C functions that are used, as sqlite3.wasm exports them. Pointers are numbers, 64 bit integers bigint. */
export interface RawSqlite {
  sqlite3_open_v2(name: number, out: number, flags: number, vfs: number): number;
  sqlite3_close_v2(db: number): number;
  sqlite3_exec(db: number, sql: number, callback: 0, arg: 0, message: 0): number;
  sqlite3_prepare_v3(db: number, sql: number, length: number, flags: number, out: number, tail: number): number;
  sqlite3_bind_parameter_count(stmt: number): number;
  sqlite3_bind_null(stmt: number, i: number): number;
  sqlite3_bind_int64(stmt: number, i: number, v: bigint): number;
  sqlite3_bind_double(stmt: number, i: number, v: number): number;
  sqlite3_bind_text(stmt: number, i: number, ptr: number, length: number, destructor: number): number;
  sqlite3_bind_blob(stmt: number, i: number, ptr: number, length: number, destructor: number): number;
  sqlite3_clear_bindings(stmt: number): number;
  sqlite3_step(stmt: number): number;
  sqlite3_reset(stmt: number): number;
  sqlite3_finalize(stmt: number): number;
  sqlite3_stmt_readonly(stmt: number): number;
  sqlite3_column_count(stmt: number): number;
  sqlite3_column_name(stmt: number, i: number): number;
  sqlite3_column_type(stmt: number, i: number): number;
  sqlite3_column_int64(stmt: number, i: number): bigint;
  sqlite3_column_double(stmt: number, i: number): number;
  sqlite3_column_text(stmt: number, i: number): number;
  sqlite3_column_blob(stmt: number, i: number): number;
  sqlite3_column_bytes(stmt: number, i: number): number;
  sqlite3_total_changes64(db: number): bigint;
  sqlite3_get_autocommit(db: number): number;
  sqlite3_create_collation_v2(db: number, name: number, encoding: number, arg: 0, compare: number, destroy: 0): number;
  sqlite3_set_authorizer(db: number, authorize: number, arg: 0): number;
  sqlite3_errmsg(db: number): number;
}

/** Compares two texts that lie in SQLite's memory, as the collation unicase. It must not throw. */
export type Collation = (aPtr: number, aLength: number, bPtr: number, bLength: number) => number;

/** Says if an action may be compiled: 0 or SQLITE_DENY. name is a C string or 0. */
export type Authorizer = (action: number, name: number) => number;

/** Where the pool has its files, in its folder. */
const POOL_FOLDER = ".opaque";
/**
 * How many slots of the pool are kept free: what a task may create before it lets the pool grow. The most that was seen is 4, of an
 * import; transfers of a million rows took 3. Every start opens all slots, in some 3 ms each.
 */
const FREE_SLOTS = 8;
/** Those that a new pool has: also for what every profile keeps, which are the catalogue, the collection and the index of media. */
const FIRST_SLOTS = FREE_SLOTS + 3;
/** From which size on, in bytes, a file that was removed is worth a new slot. */
const LARGE_FILE = 1 << 20;
/** So many are free at most while a query of an app runs: each sort and each table that it makes on its way may need one. */
const MOST_SLOTS = 128;
/** How long a tab waits for handles that a tab that has just gone still holds. */
const HANDLES_TIMEOUT = 5000;

/** SQLite with the files of one profile. */
export class Engine {
  readonly sqlite3: Sqlite3Static;
  readonly raw: RawSqlite;
  /** Pointer of the sqlite3_vfs. */
  readonly vfs: number;
  /** The name of the VFS as a C string. */
  readonly vfsName: number;
  /** Set while statements of the page are compiled: see {@link Engine.install}. */
  queryOnly = false;
  /** C function pointers, see {@link Engine.install}. */
  collation = 0;
  authorizer = 0;
  readonly #pool: SAHPoolUtil | undefined;
  /** The folder in which the pool has its own. */
  readonly #directory: string;
  #parent: FileSystemDirectoryHandle | undefined;
  readonly #failures: Failures;
  #growing: Promise<unknown> | undefined;
  /** How many reads have more slots than usual; the last one gives them back. */
  #greedy = 0;
  /** Whether free slots had large files. */
  #outgrown = false;
  #shrinking: Promise<void> | undefined;
  #view: DataView = new DataView(new ArrayBuffer(0));

  private constructor(sqlite3: Sqlite3Static, failures: Failures, pool: SAHPoolUtil | undefined, directory = "") {
    this.#failures = failures;
    this.#directory = directory;
    this.sqlite3 = sqlite3;
    this.raw = sqlite3.wasm.exports as unknown as RawSqlite;
    this.#pool = pool;
    this.vfs = sqlite3.capi.sqlite3_vfs_find(pool?.vfsName ?? null) as number;
    this.vfsName = new sqlite3.capi.sqlite3_vfs(this.vfs).$zName;
  }

  /** Loads SQLite, compiled from sqlite3.wasm, with the files in the OPFS folder directory. */
  static async opfs(module: Promise<WebAssembly.Module>, directory: string): Promise<Engine> {
    // Seen by workers only, so the page cannot check it (require.ts). In browsers of 2022 the handles are not quite synchronous; those
    // lack one or the other of two later things.
    const late = "toSorted" in Array.prototype && "CompressionStream" in globalThis;
    if (!late || !("createSyncAccessHandle" in FileSystemFileHandle.prototype)) throw noHandles();
    const failures: Failures = {};
    const files = timed("sqlite.files", openAhead(`${directory}/${POOL_FOLDER}`));
    try {
      const sqlite3 = await timed("sqlite.load", load(() => instantiate(module), failures));
      await files;
      return new Engine(sqlite3, failures, await timed("sqlite.pool", installPool(sqlite3, directory)), directory);
    } finally {
      (await files)();
    }
  }

  /** Loads SQLite with files in memory, for hosts without OPFS. */
  static async memory(): Promise<Engine> {
    const failures: Failures = {};
    return new Engine(await load(initSqlite, failures), failures, undefined);
  }

  /**
   * Makes C functions of the callbacks that every connection uses. authorize is asked while queryOnly is set only;
   * one that were set and unset would make SQLite compile all statements again.
   */
  install(compare: Collation, authorize: Authorizer): void {
    const { wasm } = this.sqlite3;
    const collation = (_: number, n1: number, p1: number, n2: number, p2: number): number => compare(p1, n1, p2, n2);
    const ask = (_: number, action: number, name: number): number => (this.queryOnly ? authorize(action, name) : 0);
    this.collation = wasm.installFunction("i(pipip)", collation) as number;
    this.authorizer = wasm.installFunction("i(pipppp)", ask) as number;
  }

  /** SQLite's memory. The array is valid until SQLite runs again. */
  get heap(): Uint8Array {
    return this.sqlite3.wasm.heap8u();
  }

  /** SQLite's memory as a DataView, valid until SQLite runs again. */
  get view(): DataView {
    const buffer = this.heap.buffer;
    if (this.#view.buffer !== buffer) this.#view = new DataView(buffer);
    return this.#view;
  }

  /** Allocates n bytes of SQLite's memory, to be given back with {@link free}. */
  alloc(n: number): number {
    return this.sqlite3.wasm.alloc(n);
  }

  /** Gives memory back; 0 is ignored. */
  free(ptr: number): void {
    if (ptr) this.sqlite3.wasm.dealloc(ptr);
  }

  /** Copies bytes into SQLite's memory, with a zero after them. */
  allocBytes(bytes: Uint8Array): number {
    const ptr = this.alloc(bytes.length + 1);
    this.heap.set(bytes, ptr);
    this.heap[ptr + bytes.length] = 0;
    return ptr;
  }

  /** The C string at ptr. */
  text(ptr: number): string {
    return this.sqlite3.wasm.cstrToJs(ptr) ?? "";
  }

  /** The names of all files of the pool; undefined if there is no pool. */
  poolFiles(): string[] | undefined {
    return this.#pool?.getFileNames();
  }

  /** The last exception of the pool, once. */
  takeFailure(): Error | undefined {
    const { last } = this.#failures;
    this.#failures.last = undefined;
    return last;
  }

  /**
   * Makes sure that enough files can be created before the next call, as far as there is room: most calls create none, and one that does says
   * that the storage is full. Creating is synchronous, growing is not.
   */
  async reserve(): Promise<void> {
    try {
      await this.#grow(FREE_SLOTS);
    } catch (e) {
      if (toSyncError(e).kind !== "storage_full") throw e;
    }
  }

  async #grow(free: number): Promise<void> {
    const pool = this.#pool;
    if (!pool) return;
    while (this.#growing) await this.#growing.catch(() => {}); // whoever began that is told of a failure
    if (pool.isPaused() || pool.getCapacity() - pool.getFileCount() >= free) return;
    this.#growing = pool.reserveMinimumCapacity(pool.getFileCount() + free);
    try {
      await this.#growing;
    } finally {
      this.#growing = undefined;
    }
  }

  /**
   * Runs work that only reads, and again with more slots while its temporary files find none: nobody knows beforehand how many
   * SQLite makes. They are given back at the end, as every start opens all.
   */
  async read<T>(work: () => Promise<T>): Promise<T> {
    let free = FREE_SLOTS;
    try {
      for (;;) {
        try {
          return await work();
        } catch (e) {
          if (!this.#pool || free >= MOST_SLOTS || !(e instanceof NoSlot)) throw e;
          if (free === FREE_SLOTS) this.#greedy++;
          free *= 2;
          await this.#grow(free);
        }
      }
    } finally {
      if (free > FREE_SLOTS) {
        this.#greedy--;
        this.#shrink();
      }
    }
  }

  /**
   * Takes note that a file of that size was removed. Large ones leave slots that are replaced: what Chromium has set aside for a file counts as
   * used until its handle is closed, also when it is cut.
   */
  removed(size: number): void {
    if (size < LARGE_FILE) return;
    this.#outgrown = true;
    this.#shrink();
  }

  /** Removes the slots that are too many, those that have been free for longest first. */
  #shrink(): void {
    this.#shrinking ??= this.#shrinkNow().finally(() => (this.#shrinking = undefined));
  }

  async #shrinkNow(): Promise<void> {
    const pool = this.#pool;
    if (!pool) return;
    const free = (): number => pool.getCapacity() - pool.getFileCount();
    const tooMany = (): boolean => !pool.isPaused() && this.#greedy === 0 && free() > FREE_SLOTS;
    do {
      if (this.#outgrown) {
        this.#outgrown = false;
        await this.#grow(free() + FREE_SLOTS).catch(() => {}); // whoever needs them is told
      }
      // One by one: of several the pool would close those, too, that have become files meanwhile.
      while (tooMany() && !(await this.isRemoved())) if (!(await pool.reduceCapacity(1).catch(() => 0))) return;
    } while (this.#outgrown);
  }

  /** Resolves once no slots are being made or removed. */
  async settled(): Promise<void> {
    await this.#shrinking;
    await this.#growing?.catch(() => {}); // whoever began that is told of a failure
  }

  /** Lets go of all files. Nothing may be open. */
  async close(): Promise<void> {
    if (this.#pool && !(await this.isRemoved())) this.#pool.pauseVfs();
  }

  /** Whether something has removed the files, although they are open. What is written then is lost with the worker. */
  async isRemoved(): Promise<boolean> {
    if (!this.#pool) return false;
    return isMissing(async () => {
      this.#parent ??= await openFolder(this.#directory, false);
      await this.#parent.getDirectoryHandle(POOL_FOLDER);
    });
  }
}

/** The pool has no slot for another file: before each call more are made, if there is room. */
class NoSlot extends SyncError {}

/** The last exception of the pool. SQLite only hears that something went wrong, and asks no further. */
interface Failures {
  last?: Error | undefined;
}

type Instantiate = (imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void) => void;
type Init = (config: { instantiateWasm: Instantiate }) => Promise<Sqlite3Static>;

/** Loads SQLite from a compiled file. SQLite's loader never hears of one that cannot be had. */
function instantiate(module: Promise<WebAssembly.Module>): Promise<Sqlite3Static> {
  return new Promise((resolve, reject) => {
    const instantiateWasm: Instantiate = (imports, done) => {
      module.then((m) => WebAssembly.instantiate(m, imports)).then(done).catch(reject);
    };
    (initSqlite as Init)({ instantiateWasm }).then(resolve, reject);
  });
}

async function load(init: () => Promise<Sqlite3Static>, failures: Failures): Promise<Sqlite3Static> {
  // Only the pool is wanted; the other VFSs would load workers of their own and warn about missing headers.
  const disable = { vfs: { kvvfs: true, opfs: true, "opfs-vfs": true, "opfs-wl": true } };
  const error = (...args: unknown[]): void => {
    failures.last = args.find((a) => a instanceof Error);
  };
  (globalThis as { sqlite3ApiConfig?: unknown }).sqlite3ApiConfig = { disable, error };
  return init();
}

/**
 * Opens the pool. A worker that has just been ended may still hold the handles for a moment, so the first failures
 * are tried again.
 */
async function installPool(sqlite3: Sqlite3Static, directory: string): Promise<SAHPoolUtil> {
  for (const start = performance.now(); ; ) {
    try {
      const options = { name: "cardferry", directory, initialCapacity: FIRST_SLOTS };
      // Missing in its types. 1: failures. Without the last it would delete the whole pool after a failure, which the next try may get over.
      const more = { verbosity: 1, forceReinitIfPreviouslyFailed: true, preserveOnInitFailure: true };
      return await sqlite3.installOpfsSAHPoolVfs({ ...options, ...more });
    } catch (e) {
      const error = toSyncError(e);
      if (error.kind !== "busy" || performance.now() - start > HANDLES_TIMEOUT) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

const SQLITE_KINDS: Record<number, SyncError["kind"]> = {
  3: "not_writable", // PERM
  5: "busy", // BUSY
  6: "busy", // LOCKED
  8: "not_writable", // READONLY
  9: "cancelled", // INTERRUPT
  11: "damaged_file", // CORRUPT
  13: "storage_full", // FULL
  14: "not_writable", // CANTOPEN: a journal that cannot be created; the main file was there
  26: "damaged_file", // NOTADB
};

/** IOERR, FULL and CANTOPEN: an exception of the pool may be behind them. */
const BY_THE_POOL: ReadonlySet<number> = new Set([10, 13, 14]);

/** Makes the error of a failed SQLite call; step says what was done, in lower case. */
export function sqliteError(engine: Engine, code: number, message: string, step: string): SyncError {
  // A format that there is not, in the header of a file, has no code of its own.
  const kind = code === 1 && message === "unsupported file format" ? "damaged_file" : (SQLITE_KINDS[code & 0xff] ?? "other");
  const cause = BY_THE_POOL.has(code & 0xff) ? engine.takeFailure() : undefined;
  if (!cause) return new SyncError(kind, `${step}: ${message}`);
  if (/SAH pool is full/.test(cause.message)) return new NoSlot("storage_full", `${step}: no space left for another file`);
  // Browsers name a full storage in one way, and its text in many.
  if (cause.name === "QuotaExceededError" || /quota|space/i.test(cause.message)) {
    return storageFull(`${step}: no space left for this site`);
  }
  return new SyncError(kind, `${step}: ${message} (${cause.message})`);
}

/** The C function behind a member of one of SQLite's structs of methods; a missing one does nothing. */
export function method(engine: Engine, struct: object, name: string): (...args: (number | bigint)[]) => number {
  const pointer = (struct as Record<string, unknown>)[`$${name}`];
  const f = typeof pointer === "number" && pointer ? engine.sqlite3.wasm.functionEntry(pointer) : undefined;
  return (f as ((...args: (number | bigint)[]) => number) | undefined) ?? (() => 0);
}
