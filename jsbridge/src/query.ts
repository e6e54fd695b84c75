// Reading the collection for the page: read-only statements, rows as objects.

import type { Connection } from "./connection.ts";
import { SyncError } from "./errors.ts";
import type { Column, Param, Row } from "./protocol.ts";
import { encodeRow, type Value } from "./rows.ts";
import type { Authorizer, Engine } from "./sqlite.ts";

// Actions of sqlite3_set_authorizer that only read.
const SQLITE_PRAGMA = 19;
const READING = new Set([20 /* READ */, 21 /* SELECT */, 31 /* FUNCTION */, 33 /* RECURSIVE */]);
/** PRAGMAs that only read; the others are refused, whatever their argument. */
const PRAGMAS = new Set([
  "table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "collation_list",
  "integrity_check", "quick_check", "foreign_key_check", "compile_options", "function_list",
]);
const SQLITE_DENY = 1;

/** Lets only actions pass that read (see Engine.install). */
export function authorizeReading(engine: Engine): Authorizer {
  return (action, name) => {
    if (READING.has(action)) return 0;
    return action === SQLITE_PRAGMA && PRAGMAS.has(engine.text(name).toLowerCase()) ? 0 : SQLITE_DENY;
  };
}

/** Runs one statement that only reads. Errors: `invalid_input`. */
export function query(db: Connection, sql: string, params: readonly Param[]): Row[] {
  const statement = prepare(db, sql);
  // Tables that are functions compile statements of their own when they are read; that of pragma_optimize writes.
  db.engine.queryOnly = true;
  try {
    statement.query(params.length ? encodeRow(params.map(toValue)) : new Uint8Array(0));
    const names = columnNames(db, statement.pointer);
    const rows: Row[] = [];
    while (statement.step()) rows.push(readRow(db, statement.pointer, names));
    return rows;
  } catch (e) {
    // A wrong number of parameters is a defect in the guest, but a mistake of the caller here.
    if (e instanceof SyncError && e.kind === "internal") throw new SyncError("invalid_input", e.message);
    throw NOT_READING.test(messageOf(e)) ? notReading() : e;
  } finally {
    db.engine.queryOnly = false;
    statement.finalize();
  }
}

function prepare(db: Connection, sql: string) {
  try {
    const statement = db.prepare(new TextEncoder().encode(sql), true);
    if (db.engine.raw.sqlite3_stmt_readonly(statement.pointer)) return statement;
    statement.finalize();
  } catch (e) {
    const message = messageOf(e);
    if (!NOT_READING.test(message)) throw new SyncError("invalid_input", message);
  }
  throw notReading();
}

/** What SQLite says of what {@link authorizeReading} has denied. */
const NOT_READING = /not authorized|prohibited/;

function notReading(): SyncError {
  return new SyncError("invalid_input", "query: only statements that read are allowed", { hint: "Change the collection with edit." });
}

function messageOf(e: unknown): string {
  return e instanceof Error ? e.message : String(e);
}

const PARAMS: ReadonlySet<string> = new Set(["number", "bigint", "string"]);

function toValue(p: Param): Value {
  if (typeof p === "boolean") return p ? 1n : 0n;
  if (typeof p === "number" && Number.isSafeInteger(p)) return BigInt(p);
  if (typeof p === "bigint" && BigInt.asIntN(64, p) !== p) throw new SyncError("invalid_input", "query: an integer has at most 64 bits");
  if (p === null || PARAMS.has(typeof p) || p instanceof Uint8Array) return p;
  throw new SyncError("invalid_input", `query: a parameter cannot be ${p === undefined ? "undefined" : "an object"}`);
}

function columnNames(db: Connection, statement: number): string[] {
  const { raw } = db.engine;
  return Array.from({ length: raw.sqlite3_column_count(statement) }, (_, i) =>
    db.engine.text(raw.sqlite3_column_name(statement, i)),
  );
}

function readRow(db: Connection, statement: number, names: readonly string[]): Row {
  const row: Row = {};
  for (const [i, name] of names.entries()) {
    const value = readColumn(db, statement, i);
    if (name === "__proto__") Object.defineProperty(row, name, { value, enumerable: true }); // setting it does something else
    else row[name] = value;
  }
  return row;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

function readColumn(db: Connection, statement: number, i: number): Column {
  const { engine } = db;
  const { raw } = engine;
  switch (raw.sqlite3_column_type(statement, i)) {
    case 1: {
      const v = raw.sqlite3_column_int64(statement, i);
      const n = Number(v);
      return Number.isSafeInteger(n) ? n : v;
    }
    case 2:
      return raw.sqlite3_column_double(statement, i);
    case 3: {
      const ptr = raw.sqlite3_column_text(statement, i);
      return decoder.decode(engine.heap.subarray(ptr, ptr + raw.sqlite3_column_bytes(statement, i)));
    }
    case 4: {
      const ptr = raw.sqlite3_column_blob(statement, i);
      return engine.heap.slice(ptr, ptr + raw.sqlite3_column_bytes(statement, i));
    }
  }
  return null;
}
