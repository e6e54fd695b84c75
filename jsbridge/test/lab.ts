// What the tests of the host modules share: the imports on a memory that stands in for a guest's.

import { concat } from "../src/bytes.ts";
import { Catalogue } from "../src/catalogue.ts";
import { kindOf, SyncError, type Kind } from "../src/errors.ts";
import { Files } from "../src/files.ts";
import { normalize } from "../src/guest.ts";
import { LastError, type FileImports, type MediaImports, type SqlImports } from "../src/host.ts";
import { Media, type MediaStore } from "../src/media.ts";
import { GuestMemory } from "../src/memory.ts";
import { NEXT_DONE, NEXT_TOO_BIG } from "../src/protocol.gen.ts";
import { authorizeReading } from "../src/query.ts";
import { decodeRows, encodeRow, type Value } from "../src/rows.ts";
import { Databases } from "../src/sql.ts";
import type { Engine } from "../src/sqlite.ts";
import { Zstd } from "../src/zstd.ts";

const AT = 1024; // where arguments are put
const OUT = 1 << 20; // where results are read

function refuse(): never {
  throw new SyncError("unsupported_browser", "there are no media files");
}

/** A store of media files that refuses everything. */
const noMedia: MediaStore = {
  scan: refuse, stat: refuse, hash: refuse, open: refuse, blob: refuse, create: refuse, copy: refuse, trash: refuse,
  expire: refuse, flush: refuse,
};

/** A failed import. */
export class ImportError extends Error {
  readonly kind: Kind;
  constructor(kind: Kind, message: string) {
    super(`${kind}: ${message}`);
    this.kind = kind;
  }
}

/** The imports of files, databases and media files, called as a guest calls them. */
export class Lab {
  readonly memory = new GuestMemory();
  readonly engine: Engine;
  readonly databases: Databases;
  readonly files: Files;
  readonly sql: SqlImports;
  readonly file: FileImports;
  readonly media: MediaImports;
  readonly #catalogue: Catalogue;
  readonly #last = new LastError();
  /** Whether each comparison makes the memory grow, as one may that the guest does. */
  growing = false;

  constructor(engine: Engine, store: MediaStore = noMedia, zstd = new Zstd(() => Promise.reject(new Error("not here")))) {
    this.engine = engine;
    const memory = new WebAssembly.Memory({ initial: 64 });
    this.memory.attach(memory);
    const text = (ptr: number, length: number): string =>
      new TextDecoder().decode(engine.heap.slice(ptr, ptr + length)).toLowerCase();
    const compare = (a: string, b: string): number => {
      if (this.growing) memory.grow(1);
      return a < b ? -1 : a > b ? 1 : 0;
    };
    engine.install((a, n, b, m) => compare(text(a, n), text(b, m)), authorizeReading(engine));
    this.#catalogue = Catalogue.open(engine);
    this.files = new Files(engine, this.#catalogue, zstd);
    this.databases = new Databases(engine, this.#catalogue);
    this.sql = this.#last.guard(this.databases.imports(this.memory));
    this.file = this.#last.guard(this.files.imports(this.memory));
    this.media = this.#last.guard(new Media(store, this.databases, this.files).imports(this.memory));
  }

  /** Closes everything, as the end of a worker would. */
  close(): void {
    this.databases.closeAll();
    this.files.closeAll();
    this.#catalogue.close();
  }

  /** Puts bytes into the memory and returns pointer and length. */
  put(b: Uint8Array | string, at = AT): [number, number] {
    const bytes = typeof b === "string" ? new TextEncoder().encode(b) : b;
    this.memory.bytes.set(bytes, at);
    return [at, bytes.length];
  }

  /** Returns a result, or throws the error that a negative one stands for. */
  ok<T extends number | bigint>(result: T): T {
    if (result >= 0) return result;
    throw new ImportError(kindOf(-Number(result)), this.lastError());
  }

  /** The message of the last import that failed. */
  lastError(): string {
    return this.memory.text(OUT, this.#last.copy(this.memory, OUT, 1000));
  }

  /** Opens a database. */
  open(name: string, mode = 1): number {
    return this.ok(this.sql.sql_open(...this.put(name), mode));
  }

  /** Runs statements. */
  exec(db: number, sql: string): void {
    this.ok(this.sql.sql_exec(db, ...this.put(sql)));
  }

  /** Compiles a statement. */
  prepare(db: number, sql: string): number {
    return this.ok(this.sql.sql_prepare(db, ...this.put(sql)));
  }

  /** Runs a statement for each row. */
  run(stmt: number, ...rows: Value[][]): bigint {
    return this.ok(this.sql.sql_run(stmt, ...this.put(concat(rows.map(encodeRow)))));
  }

  /** All rows of a statement, fetched with a buffer of cap bytes. */
  rows(db: number, sql: string, params: Value[] = [], cap = 4096): Value[][] {
    const stmt = this.prepare(db, sql);
    this.ok(this.sql.sql_query(stmt, ...this.put(params.length ? encodeRow(params) : new Uint8Array(0))));
    return this.drain(stmt, cap);
  }

  /** All rows of a started statement, which is finalized. */
  drain(stmt: number, cap = 4096): Value[][] {
    const rows: Value[][] = [];
    for (;;) {
      const r = this.ok(this.sql.sql_next(stmt, OUT, cap));
      const size = Number(r & 0xffffffffn);
      if (r & NEXT_TOO_BIG) {
        cap = size;
        continue;
      }
      rows.push(...decodeRows(this.memory.copy(OUT, size)));
      if (r & NEXT_DONE) break;
    }
    this.ok(this.sql.sql_finalize(stmt));
    return rows;
  }

  /** Makes a file with this content. */
  write(name: string, content: Uint8Array | string): void {
    const file = this.ok(this.file.file_create(...this.put(name)));
    this.ok(this.file.file_write(file, ...this.put(content)));
    this.ok(this.file.file_sync(file));
    this.ok(this.file.file_close(file));
  }

  /** The content of a file. */
  read(name: string): Uint8Array {
    const file = this.ok(this.file.file_open(...this.put(name)));
    const size = Number(this.ok(this.file.file_size(file)));
    const n = this.ok(this.file.file_read(file, 0n, OUT, Math.max(size, 1)));
    const bytes = this.memory.copy(OUT, n);
    this.ok(this.file.file_close(file));
    return bytes;
  }

  /** Names and sizes of the files with a prefix. */
  list(prefix: string): [string, number][] {
    const n = this.ok(this.file.file_list(...this.put(prefix), OUT, 1 << 16));
    return decodeRows(this.memory.copy(OUT, n)).map(([name, size]) => [String(name), Number(size)]);
  }

  /** The import normalize. */
  readonly normalizeImport = (form: number, ptr: number, length: number, out: number, cap: number): number =>
    normalize(this.memory, form, ptr, length, out, cap);

  /** The form NFC of a text, or the size that it needs if that is more than cap. */
  normalize(text: string, cap?: 1000): string;
  normalize(text: string, cap: number): number | string;
  normalize(text: string, cap = 1000): number | string {
    const n = this.normalizeImport(0, ...this.put(text), OUT, cap);
    return n > cap ? n : this.memory.text(OUT, n);
  }

  /** The form NFKD of a text. */
  decompose(text: string): string {
    return this.memory.text(OUT, this.normalizeImport(1, ...this.put(text), OUT, 1000));
  }

  /** Removes a file. */
  remove(name: string): void {
    this.ok(this.file.file_remove(...this.put(name)));
  }

  /** Replaces a file by another one. */
  replace(from: string, to: string): void {
    const [fromAt, fromLength] = this.put(from);
    const [toAt, toLength] = this.put(to, AT + 4096);
    this.ok(this.file.file_replace(fromAt, fromLength, toAt, toLength));
  }
}

/** Throws unless two values are equal. */
export function equal(got: unknown, want: unknown): void {
  const text = (v: unknown): string =>
    JSON.stringify(v, (_, x: unknown) =>
      typeof x === "bigint" ? `${x}n` : x instanceof Uint8Array ? `x'${[...x].join(" ")}'` : x,
    );
  if (text(got) !== text(want)) throw new Error(`got ${text(got)}, want ${text(want)}`);
}
