// The sql_* imports: databases and statements of the guest. Values go from memory to memory as packed rows.

import type { Catalogue } from "./catalogue.ts";
import { Connection } from "./connection.ts";
import { SyncError } from "./errors.ts";
import type { SqlImports } from "./host.ts";
import type { GuestMemory } from "./memory.ts";
import { FILES, NEXT_DONE, NEXT_TOO_BIG, OPEN_MODES } from "./protocol.gen.ts";
import type { Engine } from "./sqlite.ts";
import type { Statement } from "./statement.ts";
import { exists, unlink, VfsFile } from "./vfsfile.ts";

/** What the guest does with a statement. */
export type Started = Pick<Statement, "run" | "query" | "next" | "finalize">;

/** The databases of a profile. */
export class Databases {
  readonly #engine: Engine;
  readonly #catalogue: Catalogue;
  readonly #open = new Map<number, Connection>();
  readonly #statements = new Map<number, { statement: Started; db: number }>();
  #last = 0;

  constructor(engine: Engine, catalogue: Catalogue) {
    this.#engine = engine;
    this.#catalogue = catalogue;
  }

  /** The imports, by name. Each may throw; the caller turns that into a negative result. */
  imports(memory: GuestMemory): SqlImports {
    return {
      sql_open: (ptr, length, mode) => this.#openName(memory.text(ptr, length), mode),
      sql_exec: (db, ptr, length) => (this.#db(db).exec(memory.view(ptr, length)), 0),
      sql_prepare: (db, ptr, length) => {
        return this.started(this.#db(db).prepare(memory.view(ptr, length)), db);
      },
      sql_run: (stmt, ptr, length) => this.#statement(stmt).run(memory.view(ptr, length)),
      sql_query: (stmt, ptr, length) => (this.#statement(stmt).query(memory.view(ptr, length)), 0),
      sql_next: (stmt, ptr, cap) => {
        const { written, done, needed } = this.#statement(stmt).next(memory.lasting(ptr, cap));
        if (needed) return NEXT_TOO_BIG + BigInt(needed);
        return BigInt(written) + (done ? NEXT_DONE : 0n);
      },
      sql_check: (db, limit) => this.started(this.#db(db).check(limit), db),
      sql_copy_into: (db, ptr, length, compact) => (this.#copyInto(this.#db(db), memory.text(ptr, length), compact !== 0), 0),
      sql_finalize: (stmt) => {
        this.#statement(stmt).finalize();
        this.#statements.delete(stmt);
        return 0;
      },
      sql_rollback: (db) => (this.#db(db).rollback(), 0),
      sql_close: (db) => (this.#close(db), 0),
    };
  }

  /** The open collection, undefined while it is closed or only looked at. */
  collection(): Connection | undefined {
    for (const c of this.#open.values()) if (c.name === FILES.collection && !c.readOnly) return c;
    return undefined;
  }

  /** Gives a statement a handle; it ends with its database, if it has one. */
  started(statement: Started, db = 0): number {
    this.#statements.set(++this.#last, { statement, db });
    return this.#last;
  }

  /** Closes what is still open. Open transactions are rolled back. */
  closeAll(): void {
    for (const handle of [...this.#open.keys()]) this.#close(handle);
  }

  #db(handle: number): Connection {
    const c = this.#open.get(handle);
    if (!c) throw new SyncError("closed", "the database is closed");
    return c;
  }

  #statement(handle: number): Started {
    const s = this.#statements.get(handle);
    if (!s) throw new SyncError("closed", "the statement is closed");
    return s.statement;
  }

  #openName(name: string, mode: number): number {
    const created = !this.#catalogue.find(name);
    if (created && mode === OPEN_MODES.create) this.#catalogue.create(name).close();
    const path = this.#catalogue.find(name);
    if (!path) throw new SyncError("not_found", `${name} does not exist`);
    // The pool has no locks: a reader would not see that a transaction is under way.
    if (mode === OPEN_MODES.readOnly && [...this.#open.values()].some((c) => c.path === path && !c.readOnly)) {
      throw new SyncError("busy", `${name} is open for writing`);
    }
    leaveWriteAheadLog(this.#engine, path);
    const options = { name, path, readOnly: mode === OPEN_MODES.readOnly, created };
    this.#open.set(++this.#last, Connection.open(this.#engine, options));
    return this.#last;
  }

  #copyInto(db: Connection, name: string, compact: boolean): void {
    if (this.#catalogue.find(name)) throw new SyncError("other", `${name} exists already`);
    try {
      db.copyInto(this.#catalogue.add(name), compact);
    } catch (e) {
      this.#catalogue.remove(name);
      throw e;
    }
  }

  #close(handle: number): void {
    const db = this.#db(handle);
    for (const [id, s] of this.#statements) {
      if (s.db !== handle) continue;
      s.statement.finalize();
      this.#statements.delete(id);
    }
    this.#open.delete(handle);
    db.close();
    dropEmptyJournal(this.#engine, `${db.path}-journal`);
  }
}

/**
 * Switches a file that was made with a write-ahead log back to a rollback journal: the pool has no shared memory, so
 * SQLite could not open it. The log itself is never there: such files come whole, from a server or a backup.
 */
function leaveWriteAheadLog(engine: Engine, path: string): void {
  const file = VfsFile.open(engine, path, false);
  try {
    const head = new Uint8Array(20);
    if (file.read(0, head) < 20 || !new TextDecoder().decode(head).startsWith("SQLite format 3\0")) return;
    if (head[18] === 2 || head[19] === 2) file.write(18, Uint8Array.of(1, 1));
  } finally {
    file.close();
  }
}

/** Gives the slot of an empty journal back to the pool. */
function dropEmptyJournal(engine: Engine, path: string): void {
  if (!exists(engine, path)) return;
  const file = VfsFile.open(engine, path, false);
  const size = file.size();
  file.close();
  if (size === 0) unlink(engine, path);
}
