// One database connection.

import { SyncError } from "./errors.ts";
import { uncertain } from "./indexcheck.ts";
import { sqliteError, type Engine } from "./sqlite.ts";
import { Statement } from "./statement.ts";
import { VfsFile } from "./vfsfile.ts";

const SQLITE_OPEN_READWRITE = 0x2;
const SQLITE_OPEN_EXRESCODE = 0x02000000;
const SQLITE_PREPARE_PERSISTENT = 1;
const SQLITE_UTF8 = 1;

/** What to open. */
export interface Target {
  /** The name in the profile, for messages. */
  name: string;
  /** The path in the VFS. */
  path: string;
  readOnly: boolean;
  created: boolean;
}

/** Bounds the page caches of all connections together (design.md §8: 64 MB for guest and SQLite). */
const HEAP_LIMIT = 20 << 20;
/** Page caches in KiB: usually, and while SQLite's own check may walk through all pages of all indexes of a table in no order. */
const CACHE = 6000;
const CHECK_CACHE = 16000;

/** The part of the pages that may be free in a copy of pages: more would be sent for nothing. */
const FEW_FREE = 16;

/** An open database. */
export class Connection {
  readonly name: string;
  readonly path: string;
  readonly readOnly: boolean;
  readonly engine: Engine;
  readonly pointer: number;

  private constructor(engine: Engine, target: Target, pointer: number) {
    this.engine = engine;
    this.pointer = pointer;
    ({ name: this.name, path: this.path, readOnly: this.readOnly } = target);
  }

  /** Opens an existing file and reads its header. */
  static open(engine: Engine, target: Target): Connection {
    const path = engine.allocBytes(new TextEncoder().encode(target.path));
    const out = engine.alloc(8);
    engine.view.setUint32(out, 0, true);
    // A database that is only to be read is opened for writing as well: the journal of a killed tab must be rolled
    // back before anything can be read. query_only keeps everything else out.
    const code = engine.raw.sqlite3_open_v2(path, out, SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE, engine.vfsName);
    const db = new Connection(engine, target, engine.view.getUint32(out, true));
    engine.free(path);
    engine.free(out);
    try {
      db.#check(code, "open");
      db.#configure(target);
      return db;
    } catch (e) {
      db.close();
      throw e;
    }
  }

  #configure(target: Target): void {
    const { raw, collation, authorizer } = this.engine;
    const name = this.engine.allocBytes(new TextEncoder().encode("unicase"));
    const code = raw.sqlite3_create_collation_v2(this.pointer, name, SQLITE_UTF8, 0, collation, 0);
    this.engine.free(name);
    this.#check(code || raw.sqlite3_set_authorizer(this.pointer, authorizer, 0), "prepare");
    this.run("PRAGMA locking_mode=exclusive");
    // Temporary tables and sorts go to files of the pool once they exceed the cache: memory stays bounded.
    this.run(`PRAGMA temp_store=file; PRAGMA cache_size=-${CACHE}; PRAGMA soft_heap_limit=${HEAP_LIMIT}`);
    if (target.created) this.run("PRAGMA page_size=4096");
    this.run("SELECT count(*) FROM sqlite_schema");
    this.run(target.readOnly ? "PRAGMA query_only=1" : "PRAGMA journal_mode=truncate");
  }

  /** Whether a transaction is open. */
  get inTransaction(): boolean {
    return this.engine.raw.sqlite3_get_autocommit(this.pointer) === 0;
  }

  /** Runs statements given as text. */
  run(sql: string): void {
    this.exec(new TextEncoder().encode(sql));
  }

  /** Runs statements given as UTF-8. */
  exec(sql: Uint8Array): void {
    const ptr = this.engine.allocBytes(sql);
    try {
      this.#check(this.engine.raw.sqlite3_exec(this.pointer, ptr, 0, 0, 0), "execute");
    } finally {
      this.engine.free(ptr);
    }
  }

  /** Compiles exactly one statement; with reading, only one that reads (see Engine.install). Finalizing it calls ended. */
  prepare(sql: Uint8Array, reading = false, ended = () => {}): Statement {
    const { engine } = this;
    const ptr = engine.allocBytes(sql);
    const out = engine.alloc(8);
    try {
      const { pointer } = this;
      engine.view.setUint32(out, 0, true);
      engine.queryOnly = reading;
      const code = engine.raw.sqlite3_prepare_v3(pointer, ptr, sql.length, SQLITE_PREPARE_PERSISTENT, out, out + 4);
      engine.queryOnly = false;
      this.#check(code, "prepare");
      const statement = engine.view.getUint32(out, true);
      if (!statement || !this.#isBlank(engine.view.getUint32(out + 4, true), ptr + sql.length, out)) {
        engine.raw.sqlite3_finalize(statement);
        throw new SyncError("invalid_input", "prepare: not exactly one statement");
      }
      return new Statement(this, statement, ended);
    } finally {
      engine.free(ptr);
      engine.free(out);
    }
  }

  /** Whether there are only comments and blanks from at to end. SQLite itself stops at a zero byte. out has room for two pointers. */
  #isBlank(at: number, end: number, out: number): boolean {
    const { engine } = this;
    const { raw } = engine;
    while (at < end) {
      const code = raw.sqlite3_prepare_v3(this.pointer, at, end - at, 0, out, out + 4);
      const statement = engine.view.getUint32(out, true);
      const tail = engine.view.getUint32(out + 4, true);
      raw.sqlite3_finalize(statement);
      if (code || statement || tail <= at) return false;
      at = tail;
    }
    return true;
  }

  /** Starts the integrity check with a larger cache: a row with a text for each complaint, none if the file is sound. */
  check(limit: number): Statement {
    const sql = `${this.#checks().join(" UNION ")} LIMIT ${limit}`;
    this.run(`PRAGMA cache_size=-${CHECK_CACHE}`);
    const statement = this.prepare(new TextEncoder().encode(sql), false, () =>
      this.run(`PRAGMA cache_size=-${CACHE}; PRAGMA shrink_memory`),
    );
    statement.query(new Uint8Array());
    return statement;
  }

  /** The parts of the integrity check: the quick one, then SQLite's own for each table that only this can tell about; in a transaction just that. */
  #checks(): string[] {
    // As an argument of the function a number would be the name of a table.
    const part = (name: string, table = ""): string => `SELECT ${name} FROM pragma_${name}${table} WHERE ${name} <> 'ok'`;
    const whole = [part("integrity_check")];
    if (this.inTransaction) return whole;
    try {
      return [part("quick_check"), ...uncertain(this).map((t) => part("integrity_check", `('${t.replaceAll("'", "''")}', 'main')`))];
    } catch {
      return whole; // which tells what is wrong with a file that cannot be looked at
    }
  }

  /** Writes a copy to a file that does not exist yet; unless it is to be compact, the pages as they are if few of them are free. */
  copyInto(path: string, compact: boolean): void {
    if (!compact && !this.inTransaction && copyPages(this.engine, this.path, path)) return;
    // query_only counts the copy as a change.
    this.run("PRAGMA query_only=0");
    try {
      this.run(`VACUUM INTO '${path}'`);
    } finally {
      if (this.readOnly) this.run("PRAGMA query_only=1");
    }
  }

  /** Ends an open transaction; without one it does nothing. */
  rollback(): void {
    if (this.inTransaction) this.run("ROLLBACK");
  }

  /** Closes the connection. Its statements must be finalized. */
  close(): void {
    this.engine.raw.sqlite3_close_v2(this.pointer);
  }

  /** The error of the last call that failed. */
  error(code: number, step: string): SyncError {
    return sqliteError(this.engine, code, this.engine.text(this.engine.raw.sqlite3_errmsg(this.pointer)), step);
  }

  #check(code: number, step: string): void {
    if (code !== 0) throw this.error(code, step);
  }
}

/** Copies a database that rests, unless too many of its pages are free: as its header says (https://sqlite.org/fileformat2.html, 1.3). */
function copyPages(engine: Engine, path: string, to: string): boolean {
  const from = VfsFile.open(engine, path, false);
  try {
    const head = new DataView(new ArrayBuffer(40));
    from.read(0, new Uint8Array(head.buffer));
    if (head.getUint32(36) > head.getUint32(28) / FEW_FREE) return false;
    const copy = VfsFile.open(engine, to, true);
    try {
      from.copyTo(copy);
    } finally {
      copy.close();
    }
    return true;
  } finally {
    from.close();
  }
}
