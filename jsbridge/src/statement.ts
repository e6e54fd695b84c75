// One prepared statement: parameters and results as packed rows.

import type { Connection } from "./connection.ts";
import { SyncError } from "./errors.ts";
import { TAGS } from "./protocol.gen.ts";
import type { RawSqlite } from "./sqlite.ts";

const SQLITE_ROW = 100;
const SQLITE_DONE = 101;
const SQLITE_STATIC = 0;
/** SQLite's types of columns are 1 to 5. */
const COLUMN_TAGS = [TAGS.null, TAGS.integer, TAGS.real, TAGS.text, TAGS.blob, TAGS.null] as const;

/** What {@link Statement.next} did. */
export interface Batch {
  /** Bytes written: whole rows. */
  written: number;
  /** Whether the statement is done. */
  done: boolean;
  /** The size of a row that does not fit alone, else 0. */
  needed: number;
}

/** A prepared statement. */
export class Statement {
  readonly pointer: number;
  readonly #db: Connection;
  readonly #raw: RawSqlite;
  readonly #ended: () => void;
  readonly #parameters: number;
  /** The packed parameters in SQLite's memory; bound values point into it. */
  #packed = 0;
  /** `row`: stepped onto a row that was not given out yet. */
  #state: "idle" | "running" | "row" = "idle";
  #finalized = false;

  /** ended is called when the statement is finalized. */
  constructor(db: Connection, pointer: number, ended: () => void) {
    this.pointer = pointer;
    this.#db = db;
    this.#raw = db.engine.raw;
    this.#ended = ended;
    this.#parameters = this.#raw.sqlite3_bind_parameter_count(pointer);
  }

  /** Runs the statement once for each packed row, or once if there is none; returns the number of changed rows. */
  run(params: Uint8Array): bigint {
    const end = params.length; // the guest's memory may grow while SQLite runs, and params are of no length then
    this.#restart(params);
    const before = this.#raw.sqlite3_total_changes64(this.#db.pointer);
    let at = 0;
    do {
      at = this.#bind(at, end);
      let code: number;
      while ((code = this.#raw.sqlite3_step(this.pointer)) === SQLITE_ROW);
      this.#raw.sqlite3_reset(this.pointer);
      if (code !== SQLITE_DONE) throw this.#db.error(code, "execute");
    } while (at < end);
    this.#unbind();
    return this.#raw.sqlite3_total_changes64(this.#db.pointer) - before;
  }

  /** Binds one packed row, or none, and starts. */
  query(params: Uint8Array): void {
    this.#restart(params);
    const end = this.#bind(0, params.length);
    if (end < params.length) throw new SyncError("internal", "query: more than one row of parameters");
    this.#state = "running";
  }

  /** Writes whole rows to what out gives after each step. */
  next(out: () => DataView): Batch {
    let at = 0;
    while (this.#state !== "idle") {
      if (this.#state === "running" && !this.step()) break;
      const size = this.#rowSize();
      const view = out();
      if (at + size > view.byteLength) return { written: at, done: false, needed: at === 0 ? size : 0 };
      at = this.#writeRow(view, at);
      this.#state = "running";
    }
    return { written: at, done: true, needed: 0 };
  }

  /** Steps to the next row; false at the end. */
  step(): boolean {
    const code = this.#raw.sqlite3_step(this.pointer);
    if (code === SQLITE_ROW) {
      this.#state = "row";
      return true;
    }
    this.#raw.sqlite3_reset(this.pointer);
    this.#state = "idle";
    this.#unbind();
    if (code !== SQLITE_DONE) throw this.#db.error(code, "query");
    return false;
  }

  /** Releases the statement; may be called more than once. */
  finalize(): void {
    if (this.#finalized) return;
    this.#finalized = true;
    this.#raw.sqlite3_finalize(this.pointer);
    this.#db.engine.free(this.#packed);
    this.#ended();
  }

  #restart(params: Uint8Array): void {
    this.#raw.sqlite3_reset(this.pointer); // reports the error of the previous run again
    this.#unbind();
    this.#state = "idle";
    if (params.length) this.#packed = this.#db.engine.allocBytes(params);
  }

  #unbind(): void {
    if (!this.#packed) return;
    this.#raw.sqlite3_clear_bindings(this.pointer);
    this.#db.engine.free(this.#packed);
    this.#packed = 0;
  }

  /** Binds the row at offset at of the packed parameters and returns where the next one begins. */
  #bind(at: number, end: number): number {
    const { engine } = this.#db;
    const count = end ? engine.view.getUint16(this.#packed + at, true) : 0;
    if (count !== this.#parameters) {
      throw new SyncError("internal", `bind: ${count} values for ${this.#parameters} parameters`);
    }
    if (!end) return 0;
    at += 2;
    for (let i = 1; i <= count; i++) {
      if (at >= end) throw new SyncError("internal", "bind: truncated row");
      at = this.#bindValue(i, at, end);
    }
    if (at > end) throw new SyncError("internal", "bind: truncated row");
    return at;
  }

  #bindValue(i: number, at: number, end: number): number {
    const { view } = this.#db.engine;
    const ptr = this.#packed + at;
    const tag = view.getUint8(ptr);
    let code = 0;
    switch (tag) {
      case TAGS.null:
        code = this.#raw.sqlite3_bind_null(this.pointer, i);
        at += 1;
        break;
      case TAGS.integer:
        code = this.#raw.sqlite3_bind_int64(this.pointer, i, view.getBigInt64(ptr + 1, true));
        at += 9;
        break;
      case TAGS.real:
        code = this.#raw.sqlite3_bind_double(this.pointer, i, view.getFloat64(ptr + 1, true));
        at += 9;
        break;
      case TAGS.text:
      case TAGS.blob: {
        const length = view.getUint32(ptr + 1, true);
        if (at + 5 + length > end) throw new SyncError("internal", "bind: truncated row");
        const bind = tag === TAGS.text ? this.#raw.sqlite3_bind_text : this.#raw.sqlite3_bind_blob;
        // The bytes stay where they are until the statement is bound anew. A pointer is never 0, so an empty value
        // is an empty one and not NULL.
        code = bind(this.pointer, i, ptr + 5, length, SQLITE_STATIC);
        at += 5 + length;
        break;
      }
      default:
        throw new SyncError("internal", `bind: unknown tag ${tag}`);
    }
    if (code !== 0) throw this.#db.error(code, "bind");
    return at;
  }

  #rowSize(): number {
    const columns = this.#raw.sqlite3_column_count(this.pointer);
    let size = 2;
    for (let i = 0; i < columns; i++) {
      const tag = this.#tag(i);
      if (tag === TAGS.null) size += 1;
      else if (tag === TAGS.integer || tag === TAGS.real) size += 9;
      else size += 5 + this.#raw.sqlite3_column_bytes(this.pointer, i);
    }
    return size;
  }

  #tag(i: number): number {
    return COLUMN_TAGS[this.#raw.sqlite3_column_type(this.pointer, i)] ?? TAGS.null;
  }

  #writeRow(out: DataView, at: number): number {
    const columns = this.#raw.sqlite3_column_count(this.pointer);
    out.setUint16(at, columns, true);
    at += 2;
    for (let i = 0; i < columns; i++) at = this.#writeValue(out, at, i);
    return at;
  }

  #writeValue(out: DataView, at: number, i: number): number {
    const tag = this.#tag(i);
    out.setUint8(at++, tag);
    switch (tag) {
      case TAGS.integer:
        out.setBigInt64(at, this.#raw.sqlite3_column_int64(this.pointer, i), true);
        return at + 8;
      case TAGS.real:
        out.setFloat64(at, this.#raw.sqlite3_column_double(this.pointer, i), true);
        return at + 8;
      case TAGS.text:
      case TAGS.blob: {
        const get = tag === TAGS.text ? this.#raw.sqlite3_column_text : this.#raw.sqlite3_column_blob;
        const ptr = get(this.pointer, i);
        const length = this.#raw.sqlite3_column_bytes(this.pointer, i);
        out.setUint32(at, length, true);
        const bytes = new Uint8Array(out.buffer, out.byteOffset + at + 4, length);
        bytes.set(this.#db.engine.heap.subarray(ptr, ptr + length));
        return at + 4 + length;
      }
    }
    return at;
  }
}
