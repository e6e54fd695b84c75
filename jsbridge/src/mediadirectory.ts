// The directory of a page's media files: which name has which content, and where that lies. It is a small database in
// the profile's pool, so one transaction decides what a name stands for, whatever is killed.

import type { Catalogue } from "./catalogue.ts";
import { Connection } from "./connection.ts";
import type { Extent } from "./mediapacks.ts";
import { decodeRows, encodeRow, type Value } from "./rows.ts";
import type { Engine } from "./sqlite.ts";
import type { Statement } from "./statement.ts";

/** The name of the database in the profile. */
const NAME = "cardferry.pagemedia.db";

/** A file of the store. */
export interface Entry extends Extent {
  name: string;
  modified: bigint;
  sha1: Uint8Array;
  crc: number;
}

/** A name whose row the mirror does not have yet, and its file, if it has one. */
export interface Untold {
  name: string;
  modified: bigint | null;
  file: Extent | undefined;
}

/** mirror has the names whose rows the service worker's copy does not have yet (mediamirror.ts). */
const SCHEMA = `
CREATE TABLE IF NOT EXISTS files (
  name TEXT PRIMARY KEY, size INTEGER NOT NULL, modified INTEGER NOT NULL, sha1 BLOB NOT NULL, crc INTEGER NOT NULL,
  pack INTEGER NOT NULL, at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS trash (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, size INTEGER NOT NULL, sha1 BLOB NOT NULL,
  pack INTEGER NOT NULL, at INTEGER NOT NULL, since INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS mirror (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;`;

const PLACE = "f.modified, f.pack, f.at, f.size";
const COLUMNS = "name, size, modified, sha1, crc, pack, at";

/** The open directory. Changes stay in one transaction until {@link Directory.commit}. */
export class Directory {
  readonly #db: Connection;
  readonly #statements = new Map<string, Statement>();
  readonly #listings = new Set<Statement>();
  readonly #buffer = new DataView(new ArrayBuffer(64 << 10));
  #modified: bigint;

  private constructor(db: Connection) {
    this.#db = db;
    db.run(SCHEMA);
    this.#modified = this.value("SELECT coalesce(max(modified), 0) FROM files") as bigint;
  }

  /** Opens the directory of a profile. One that is damaged is made anew: the files are fetched again. */
  static open(engine: Engine, catalogue: Catalogue): Directory {
    try {
      return Directory.#open(engine, catalogue);
    } catch (e) {
      if ((e as { kind?: string }).kind !== "damaged_file") throw e;
      catalogue.remove(NAME);
      return Directory.#open(engine, catalogue);
    }
  }

  static #open(engine: Engine, catalogue: Catalogue): Directory {
    const created = !catalogue.find(NAME);
    if (created) catalogue.create(NAME).close();
    const path = catalogue.find(NAME)!;
    const db = Connection.open(engine, { name: NAME, path, readOnly: false, created });
    try {
      return new Directory(db);
    } catch (e) {
      db.close();
      throw e;
    }
  }

  /** The file of a name. */
  find(name: string): Entry | undefined {
    const [row] = this.all(`SELECT ${COLUMNS} FROM files WHERE name = ?`, name);
    return row && entryOf(row);
  }

  /** All packs that have content of files or of the trash, with how many bytes. */
  packs(): Map<number, number> {
    const sql = "SELECT pack, sum(size) FROM (SELECT pack, size FROM files UNION ALL SELECT pack, size FROM trash) GROUP BY pack";
    return new Map(this.all(sql).map(([pack, size]) => [Number(pack), Number(size)]));
  }

  /** Makes content that of a name; what it replaces goes to the trash. */
  put(name: string, extent: Extent, sum: { sha1: Uint8Array; crc: number }, replaces: boolean): Entry {
    const now = BigInt(Date.now()) * 1_000_000n;
    this.#modified = now > this.#modified ? now : this.#modified + 1n;
    if (replaces) this.#toTrash(name);
    const e = { name, modified: this.#modified, ...sum, ...extent };
    this.run(`INSERT OR REPLACE INTO files (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`, name, BigInt(e.size), e.modified,
      e.sha1, BigInt(e.crc), BigInt(e.pack), BigInt(e.at));
    this.#tell(name);
    return e;
  }

  /** Moves a file to the trash. */
  trash(name: string): void {
    this.#toTrash(name);
    this.run("DELETE FROM files WHERE name = ?", name);
    this.#tell(name);
  }

  /** Forgets what was put into the trash before that time. */
  expire(ms: number): boolean {
    return this.run("DELETE FROM trash WHERE since < ?", BigInt(ms)) > 0n;
  }

  /** Where the contents are that were put into the trash with a name. */
  inTrash(name: string): Extent[] {
    return this.all("SELECT pack, at, size FROM trash WHERE name = ?", name).map(extentOf);
  }

  /** Forgets whatever lies in a pack beyond an end, or in all of it: the browser has lost that. */
  lose(pack: number, end: number): void {
    const where = "pack = ? AND at + size > ?";
    const params = [BigInt(pack), BigInt(end)];
    this.run(`INSERT OR IGNORE INTO mirror SELECT name FROM files WHERE ${where}`, ...params);
    this.run(`DELETE FROM files WHERE ${where}`, ...params);
    this.run(`DELETE FROM trash WHERE ${where}`, ...params);
  }

  /** Whatever lies in a pack: of files, and of the trash by its id. */
  contentOf(pack: number): { key: string | bigint; extent: Extent }[] {
    const sql = "SELECT pack, at, size, name FROM files WHERE pack = ?1 UNION ALL SELECT pack, at, size, id FROM trash WHERE pack = ?1";
    return this.all(sql, BigInt(pack)).map((row) => ({ key: row[3] as string | bigint, extent: extentOf(row) }));
  }

  /** Notes that content has moved. */
  move(key: string | bigint, from: Extent, to: Extent): void {
    const [table, column] = typeof key === "string" ? ["files", "name"] : ["trash", "id"];
    const moved = this.run(`UPDATE ${table} SET pack = ?, at = ? WHERE ${column} = ? AND pack = ? AND at = ?`,
      BigInt(to.pack), BigInt(to.at), key, BigInt(from.pack), BigInt(from.at));
    if (typeof key === "string" && moved > 0n) this.#tell(key);
  }

  /** Names of which the mirror does not know what they stand for now, after the given one. */
  untold(after: string, limit: number): Untold[] {
    const sql = `SELECT m.name, ${PLACE} FROM mirror m LEFT JOIN files f USING (name) WHERE m.name > ? ORDER BY m.name LIMIT ?`;
    return this.all(sql, after, BigInt(limit)).map(([name, modified, ...place]) => ({
      name: String(name), modified: modified as bigint | null, file: modified === null ? undefined : extentOf(place),
    }));
  }

  /** The mirror has what these names stood for. */
  told(names: readonly Untold[]): void {
    const now = `(SELECT ${PLACE} FROM files f WHERE f.name = mirror.name)`;
    for (const { name, modified, file } of names) {
      const place = file ? [BigInt(file.pack), BigInt(file.at), BigInt(file.size)] : [null, null, null];
      this.run(`DELETE FROM mirror WHERE name = ? AND ${now} IS (?, ?, ?, ?)`, name, modified, ...place);
    }
  }

  /** The mirror was emptied. */
  tellAll(): void {
    this.run("INSERT OR IGNORE INTO mirror SELECT name FROM files");
  }

  /** What a remembered key is, undefined if there is none. */
  recall(key: string): string | undefined {
    return this.value("SELECT value FROM meta WHERE key = ?", key) as string | undefined;
  }

  /** Remembers a text. */
  remember(key: string, value: string): void {
    this.run("INSERT OR REPLACE INTO meta VALUES (?, ?)", key, value);
  }

  /** A listing of the files, as the guest reads it. */
  listing(): Statement {
    const s = this.#db.prepare(encode("SELECT name, size, modified, 1 FROM files ORDER BY name"), false, () => this.#listings.delete(s));
    this.#listings.add(s);
    s.query(new Uint8Array(0));
    return s;
  }

  /** Makes all changes durable. */
  commit(): void {
    if (this.#db.inTransaction) this.#db.run("COMMIT");
  }

  /** Takes all changes since the last commit back. */
  rollback(): void {
    this.#db.rollback();
  }

  /** Closes the directory; what was not committed is taken back. */
  close(): void {
    for (const s of [...this.#statements.values(), ...this.#listings]) s.finalize();
    this.#statements.clear();
    this.#db.close();
  }

  #toTrash(name: string): void {
    this.run("INSERT INTO trash (name, size, sha1, pack, at, since) SELECT name, size, sha1, pack, at, ? FROM files WHERE name = ?",
      BigInt(Date.now()), name);
  }

  #tell(name: string): void {
    this.run("INSERT OR IGNORE INTO mirror VALUES (?)", name);
  }

  /** Runs a statement that changes something, in the transaction. */
  run(sql: string, ...params: Value[]): bigint {
    if (!this.#db.inTransaction) this.#db.run("BEGIN");
    return this.#statement(sql).run(params.length ? encodeRow(params) : new Uint8Array(0));
  }

  /** The rows of a query. */
  all(sql: string, ...params: Value[]): Value[][] {
    const statement = this.#statement(sql);
    statement.query(params.length ? encodeRow(params) : new Uint8Array(0));
    const rows: Value[][] = [];
    for (let done = false; !done; ) {
      const batch = statement.next(() => this.#buffer);
      rows.push(...decodeRows(new Uint8Array(this.#buffer.buffer.slice(0, batch.written))));
      done = batch.done;
    }
    return rows;
  }

  value(sql: string, ...params: Value[]): Value | undefined {
    return this.all(sql, ...params)[0]?.[0];
  }

  #statement(sql: string): Statement {
    let s = this.#statements.get(sql);
    if (!s) this.#statements.set(sql, (s = this.#db.prepare(encode(sql))));
    return s;
  }
}

function encode(sql: string): Uint8Array {
  return new TextEncoder().encode(sql);
}

function entryOf([name, size, modified, sha1, crc, pack, at]: Value[]): Entry {
  return {
    name: String(name), size: Number(size), modified: modified as bigint, sha1: sha1 as Uint8Array, crc: Number(crc),
    pack: Number(pack), at: Number(at),
  };
}

function extentOf([pack, at, size]: Value[]): Extent {
  return { pack: Number(pack), at: Number(at), size: Number(size) };
}
