// The names of a profile's files. The pool has no rename, so a file lies under a number, and a small database says
// which number a name stands for. Replacing a file is one transaction on it: atomic and durable, whatever dies.

import { Connection } from "./connection.ts";
import { SyncError } from "./errors.ts";
import { FILES } from "./protocol.gen.ts";
import type { Engine } from "./sqlite.ts";
import { exists, unlink, VfsFile } from "./vfsfile.ts";

const PATH = "/names.db";
/** What SQLite may put beside a database. */
const JOURNALS = ["-journal", "-wal", "-shm"];

/** Names to files. Temporary names (FILES.staging) are not stored: their files are leftovers after a restart. */
export class Catalogue {
  readonly #engine: Engine;
  readonly #db: Connection;
  readonly #paths = new Map<string, string>();
  #last = 0;

  private constructor(engine: Engine, db: Connection) {
    this.#engine = engine;
    this.#db = db;
  }

  /** Opens the catalogue and removes the files that it does not name: what a killed tab has left. */
  static open(engine: Engine): Catalogue {
    const created = !exists(engine, PATH);
    if (created) VfsFile.open(engine, PATH, true).close();
    const db = Connection.open(engine, { name: PATH, path: PATH, readOnly: false, created });
    const c = new Catalogue(engine, db);
    try {
      db.run("CREATE TABLE IF NOT EXISTS names (name TEXT PRIMARY KEY, path TEXT NOT NULL) WITHOUT ROWID");
      c.#load();
      return c;
    } catch (e) {
      db.close();
      throw e;
    }
  }

  #load(): void {
    for (const [name, path] of this.#stored()) {
      if (exists(this.#engine, path)) this.#paths.set(name, path);
      else this.#store(name, undefined); // named, but never created
    }
    const known = new Set([PATH, ...this.#paths.values()].flatMap((p) => [p, ...JOURNALS.map((j) => p + j)]));
    for (const path of this.#engine.poolFiles() ?? []) if (!known.has(path)) unlink(this.#engine, path);
    this.#last = Math.max(0, ...[...this.#paths.values()].map((p) => Number(p.slice(2))));
  }

  #stored(): [name: string, path: string][] {
    const engine = this.#engine;
    const rows = this.#db.prepare(new TextEncoder().encode("SELECT name, path FROM names"));
    try {
      const text = (i: number): string => engine.text(engine.raw.sqlite3_column_text(rows.pointer, i));
      const stored: [string, string][] = [];
      while (rows.step()) stored.push([text(0), text(1)]);
      return stored;
    } finally {
      rows.finalize();
    }
  }

  /** The path of a name, undefined if there is no such file. */
  find(name: string): string | undefined {
    return this.#paths.get(name);
  }

  /** Gives a new name a path; the caller creates the file. */
  add(name: string): string {
    if (!name || name.includes("\0")) throw new SyncError("invalid_input", `${JSON.stringify(name)} is no file name`);
    const path = `/f${++this.#last}`;
    this.#store(name, path);
    this.#paths.set(name, path);
    return path;
  }

  /** Makes an empty file under a new name. If that fails, there is no such name either. */
  create(name: string): VfsFile {
    const path = this.add(name);
    try {
      return VfsFile.open(this.#engine, path, true);
    } catch (e) {
      this.remove(name);
      throw e;
    }
  }

  /** Forgets a name and removes its file and journals; an unknown one is no error. */
  remove(name: string): void {
    const path = this.#paths.get(name);
    if (!path) return;
    this.#store(name, undefined);
    this.#paths.delete(name);
    this.#unlink(path);
  }

  /** Makes the file of from that of to, in one step; the old file of to is removed. */
  replace(from: string, to: string): void {
    const path = this.#paths.get(from);
    if (!path) throw new SyncError("not_found", `${from} does not exist`);
    const old = this.#paths.get(to);
    this.#db.run("BEGIN IMMEDIATE");
    try {
      this.#store(from, undefined);
      this.#store(to, path);
      this.#db.run("COMMIT");
    } catch (e) {
      this.#db.rollback();
      throw e;
    }
    this.#paths.delete(from);
    this.#paths.set(to, path);
    if (old && old !== path) this.#unlink(old);
  }

  /** All names, sorted. */
  names(): string[] {
    return [...this.#paths.keys()].sort();
  }

  /** Closes the catalogue. */
  close(): void {
    this.#db.close();
  }

  #store(name: string, path: string | undefined): void {
    if (name.startsWith(FILES.staging)) return;
    const quoted = `'${name.replaceAll("'", "''")}'`;
    this.#db.run(
      path ? `INSERT OR REPLACE INTO names VALUES (${quoted}, '${path}')` : `DELETE FROM names WHERE name = ${quoted}`,
    );
  }

  #unlink(path: string): void {
    for (const suffix of ["", ...JOURNALS]) unlink(this.#engine, path + suffix);
  }
}
