// The contract of databases and files (core/host), as a list of checks that runs in memory under Node and on OPFS in
// a worker of Chromium. It uses no test library: a worker has none.

import { query } from "../src/query.ts";
import { FILES, OPEN_MODES } from "../src/protocol.gen.ts";
import type { Engine } from "../src/sqlite.ts";
import { indexChecks } from "./indexsuite.ts";
import { equal, ImportError, Lab } from "./lab.ts";
import type { Value } from "../src/rows.ts";

/** A check gets a fresh lab. */
export type Check = (lab: Lab) => Promise<void> | void;

function fails(kind: string, do_: () => unknown): void {
  try {
    do_();
  } catch (e) {
    const got = e instanceof ImportError ? e.kind : ((e as { kind?: string }).kind ?? String(e));
    return equal(got, kind);
  }
  throw new Error(`no error, want ${kind}`);
}

const values: Value[] = [null, 1n << 62n, -1n, 0.5, "", "grün 🛶\0x", new Uint8Array(0), Uint8Array.of(0, 255)];

/** The checks, by name. */
export const checks: Record<string, Check> = {
  "values cross unchanged": (lab) => {
    const db = lab.open("a.db");
    lab.exec(db, "CREATE TABLE t (a, b, c, d, e, f, g, h)");
    const insert = lab.prepare(db, "INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    equal(lab.run(insert, values, values, values), 3n);
    equal(lab.rows(db, "SELECT * FROM t"), [values, values, values]);
    const types = ["null", "integer", "integer", "real", "text", "text", "blob", "blob"];
    const columns = [..."abcdefgh"].map((c) => `typeof(${c})`).join();
    equal(lab.rows(db, `SELECT DISTINCT ${columns} FROM t`), [types]);
    equal(lab.rows(db, "SELECT length(CAST(?1 AS BLOB)), ?2", ["grün 🛶\0x", null]), [[12n, null]]);
  },
  "rows come whole, whatever the buffer": (lab) => {
    const db = lab.open("a.db");
    const sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 50) SELECT i, printf('%.*c', i, 'x') FROM n";
    const want = Array.from({ length: 50 }, (_, i) => [BigInt(i + 1), "x".repeat(i + 1)]);
    for (const cap of [1, 17, 100, 4096]) equal(lab.rows(db, sql, [], cap), want);
    equal(lab.rows(db, "SELECT 1 WHERE 0"), []);
  },
  "the collation is the guest's": (lab) => {
    const db = lab.open("a.db");
    lab.exec(db, "CREATE TABLE t (a TEXT PRIMARY KEY COLLATE unicase); INSERT INTO t VALUES ('b'), ('A'), ('C')");
    equal(lab.rows(db, "SELECT a FROM t ORDER BY a"), [["A"], ["b"], ["C"]]);
    equal(lab.rows(db, "SELECT a FROM t WHERE a = ?", ["B"]), [["b"]]);
    fails("other", () => lab.exec(db, "INSERT INTO t VALUES ('a')"));
  },
  "a comparison may make the guest's memory grow": (lab) => {
    const db = lab.open("a.db");
    lab.exec(db, "CREATE TABLE t (a TEXT PRIMARY KEY COLLATE unicase)");
    lab.growing = true;
    equal(lab.run(lab.prepare(db, "INSERT INTO t VALUES (?)"), ["b"], ["A"], ["C"]), 3n);
    equal(lab.rows(db, "SELECT a FROM t ORDER BY (a || '') COLLATE unicase"), [["A"], ["b"], ["C"]]);
  },
  "defects of the caller are errors": (lab) => {
    const db = lab.open("a.db");
    fails("invalid_input", () => lab.prepare(db, "SELECT 1; SELECT 2"));
    fails("invalid_input", () => lab.prepare(db, "  "));
    fails("other", () => lab.prepare(db, "SELECT nothing"));
    lab.ok(lab.sql.sql_finalize(lab.prepare(db, "SELECT 1;\n ")));
    const stmt = lab.prepare(db, "SELECT ?");
    fails("internal", () => lab.run(stmt));
    fails("internal", () => lab.run(stmt, ["a", "b"]));
    fails("internal", () => lab.ok(lab.sql.sql_run(stmt, ...lab.put(Uint8Array.of(1, 0, 9)))));
    fails("internal", () => lab.ok(lab.sql.sql_run(stmt, ...lab.put(Uint8Array.of(1, 0, 3, 9, 0, 0, 0, 1)))));
    fails("internal", () => lab.ok(lab.sql.sql_query(stmt, 1 << 30, 4)));
    fails("internal", () => lab.ok(lab.file.file_stat(-5, 10, 0)));
    fails("closed", () => lab.exec(99, "SELECT 1"));
    fails("closed", () => lab.ok(lab.sql.sql_next(99, 0, 10)));
    fails("internal", () => lab.ok(lab.file.file_read(99, 0n, 0, 10)));
  },
  "what a media store refuses is told": (lab) => {
    const { media } = lab;
    for (const call of [
      () => media.media_scan(),
      () => media.media_stat(...lab.put("a"), 0),
      () => media.media_hash(...lab.put("a"), 0),
      () => media.media_open(...lab.put("a")),
      () => media.media_create(),
      () => media.media_copy(...lab.put("a"), 1n, 1n),
      () => media.media_trash(...lab.put("a"), 1n, 1n),
      () => media.media_expire(1n),
      () => media.media_flush(),
    ]) fails("unsupported_browser", () => lab.ok(call()));
    fails("internal", () => lab.ok(media.media_write(1, ...lab.put("a"))));
    fails("internal", () => lab.ok(media.media_sum(1, 0)));
    fails("internal", () => lab.ok(media.media_install(1, ...lab.put("a"), 0, 0n, 0n, 0)));
    fails("internal", () => lab.ok(media.media_discard(1)));
  },
  "texts are normalised": (lab) => {
    const nfc = (text: string): string => lab.normalize(text);
    for (const [text, want] of [
      ["", ""],
      ["Gru\u0308n\0", "Grün\0"],
      ["q\u0307\u0323", "q\u0323\u0307"],
      ["\u1112\u1161\u11ab", "한"],
      ["\u0958\u{1d160}", "\u0915\u093c\u{1d158}\u{1d165}\u{1d16e}"],
      ["\ufeffﬁ", "\ufeffﬁ"],
    ] as const) equal(nfc(text), want);
    equal(lab.normalize("\u0958", 5), 6);
    equal(lab.decompose("éﬁ한"), "e\u0301fi\u1112\u1161\u11ab");
  },
  "transactions": (lab) => {
    const db = lab.open("a.db");
    lab.exec(db, "CREATE TABLE t (a); BEGIN; INSERT INTO t VALUES (1)");
    lab.ok(lab.sql.sql_rollback(db));
    lab.ok(lab.sql.sql_rollback(db));
    equal(lab.rows(db, "SELECT * FROM t"), []);
    lab.exec(db, "BEGIN; INSERT INTO t VALUES (2)");
    lab.prepare(db, "SELECT * FROM t");
    lab.ok(lab.sql.sql_close(db));
    equal(lab.rows(lab.open("a.db", OPEN_MODES.readWrite), "SELECT * FROM t"), []);
  },
  "open modes": (lab) => {
    fails("not_found", () => lab.open("a.db", OPEN_MODES.readWrite));
    fails("not_found", () => lab.open("a.db", OPEN_MODES.readOnly));
    const db = lab.open("a.db", OPEN_MODES.create);
    lab.exec(db, "CREATE TABLE t (a)");
    equal(lab.rows(db, "PRAGMA page_size"), [[4096n]]);
    equal(lab.rows(db, "PRAGMA journal_mode"), [["truncate"]]);
    lab.ok(lab.sql.sql_close(db));
    const reader = lab.open("a.db", OPEN_MODES.readOnly);
    equal(lab.rows(reader, "SELECT * FROM t"), []);
    fails("not_writable", () => lab.exec(reader, "INSERT INTO t VALUES (1)"));
  },
  "damaged files are told": (lab) => {
    lab.write("text.db", "this is not a database, ".repeat(100));
    fails("damaged_file", () => lab.open("text.db", OPEN_MODES.readOnly));
    const before = lab.read("text.db");
    fails("damaged_file", () => lab.open("text.db", OPEN_MODES.readWrite));
    equal(lab.read("text.db"), before);
    const db = lab.open("a.db");
    lab.exec(db, "CREATE TABLE t (a)");
    lab.ok(lab.sql.sql_close(db));
    const bytes = lab.read("a.db");
    bytes[47] = 5; // a format that there is not
    lab.write("format.db", bytes);
    fails("damaged_file", () => lab.open("format.db", OPEN_MODES.readOnly));
    fails("damaged_file", () => lab.open("format.db", OPEN_MODES.readWrite));
    equal(lab.read("format.db"), bytes);
  },
  "a file with a write-ahead log in its header opens": (lab) => {
    const db = lab.open("a.db");
    lab.exec(db, "CREATE TABLE t (a); INSERT INTO t VALUES (7)");
    lab.ok(lab.sql.sql_close(db));
    const bytes = lab.read("a.db");
    bytes.fill(2, 18, 20);
    lab.write("cardferry.tmp/w.db", bytes);
    equal(lab.rows(lab.open("cardferry.tmp/w.db", OPEN_MODES.readOnly), "SELECT a FROM t"), [[7n]]);
  },
  "copy into": (lab) => {
    const db = lab.open("a.db");
    lab.exec(db, "CREATE TABLE t (a); INSERT INTO t VALUES (7)");
    const into = (name: string, compact: number): number => lab.ok(lab.sql.sql_copy_into(db, ...lab.put(name), compact));
    for (const compact of [0, 1]) {
      const name = `cardferry.tmp/copy ${compact}.db`;
      into(name, compact);
      fails("other", () => into(name, compact));
      lab.exec(db, "BEGIN");
      fails("other", () => into("cardferry.tmp/other.db", compact));
      lab.exec(db, "COMMIT");
      equal(lab.rows(lab.open(name, OPEN_MODES.readWrite), "SELECT a FROM t"), [[7n]]);
    }
    equal(lab.list("cardferry.tmp/").map(([n]) => n), ["cardferry.tmp/copy 0.db", "cardferry.tmp/copy 1.db"]);
    // What a deletion leaves is in a copy of pages only, and there not if it is much.
    lab.exec(db, "INSERT INTO t VALUES ('left behind'); DELETE FROM t WHERE a = 'left behind'");
    into("cardferry.tmp/some.db", 0);
    lab.exec(db, "CREATE TABLE u (a); INSERT INTO u SELECT zeroblob(100000); DELETE FROM u");
    into("cardferry.tmp/much.db", 0);
    const left = (name: string): boolean => new TextDecoder("latin1").decode(lab.read(name)).includes("left behind");
    equal(["some", "much"].map((n) => left(`cardferry.tmp/${n}.db`)), [true, false]);
    lab.ok(lab.sql.sql_close(db));
    const reader = lab.open("a.db", OPEN_MODES.readOnly);
    for (const compact of [0, 1]) {
      const name = `again ${compact}.db`;
      lab.ok(lab.sql.sql_copy_into(reader, ...lab.put(name), compact));
      equal(lab.rows(lab.open(name, OPEN_MODES.readOnly), "SELECT a FROM t"), [[7n]]);
    }
    fails("not_writable", () => lab.exec(reader, "DELETE FROM t"));
  },
  "the integrity check": (lab) => {
    const using = <T>(use: (db: number) => T): T => {
      const db = lab.open("a.db");
      const result = use(db);
      lab.ok(lab.sql.sql_close(db));
      return result;
    };
    const complaints = (): number => using((db) => lab.drain(lab.ok(lab.sql.sql_check(db, 3))).length);
    using((db) => lab.exec(db, "CREATE TABLE t (a); WITH n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 9) INSERT INTO t SELECT i FROM n"));
    equal(complaints(), 0);
    // An index without entries, by mistake on another table than it was made for.
    using((db) => lab.exec(db, "CREATE TABLE empty (a); CREATE INDEX i ON empty (a); PRAGMA writable_schema=1; UPDATE sqlite_schema SET tbl_name = 't', sql = 'CREATE INDEX i ON t (a)' WHERE name = 'i'"));
    equal(complaints(), 3);
  },
  "files": (lab) => {
    const big = new Uint8Array(700_000).map((_, i) => i * 7);
    lab.write("cardferry.tmp/b", big);
    lab.write("cardferry.tmp/a", "");
    equal(lab.list("cardferry.tmp/"), [["cardferry.tmp/a", 0], ["cardferry.tmp/b", big.length]]);
    equal(lab.list("none/"), []);
    if (!lab.read("cardferry.tmp/b").every((v, i) => v === big[i])) throw new Error("the content differs");
    const file = lab.ok(lab.file.file_open(...lab.put("cardferry.tmp/b")));
    equal(lab.ok(lab.file.file_read(file, BigInt(big.length - 3), 0, 100)), 3);
    equal(lab.ok(lab.file.file_read(file, BigInt(big.length), 0, 100)), 0);
    lab.ok(lab.file.file_close(file));
    lab.write("cardferry.tmp/b", "new");
    equal(new TextDecoder().decode(lab.read("cardferry.tmp/b")), "new");
    lab.remove("cardferry.tmp/b");
    lab.remove("cardferry.tmp/b");
    fails("not_found", () => lab.read("cardferry.tmp/b"));
    fails("not_found", () => lab.ok(lab.file.file_stat(...lab.put("cardferry.tmp/b"), 0)));
    fails("not_found", () => lab.replace("cardferry.tmp/b", "c"));
    equal(lab.ok(lab.file.file_list(...lab.put("cardferry.tmp/"), 0, 3)) > 3, true);
  },
  "a body is a blob of the file": async (lab) => {
    const big = new Uint8Array(2_500_000).map((_, i) => i * 13);
    for (let at = 0, name = "cardferry.tmp/b"; at === 0; at = 1) lab.write(name, big.subarray(0, 2_000_000));
    const got = new Uint8Array(await lab.files.blob("cardferry.tmp/b").arrayBuffer());
    equal(got.length, 2_000_000);
    if (!got.every((v, i) => v === big[i])) throw new Error("the content differs");
  },
  "replace swaps a database": (lab) => {
    for (const [name, value] of [["collection.anki2", 1], ["cardferry.tmp/new", 2], ["cardferry.tmp/old", 3]]) {
      const db = lab.open(String(name));
      lab.exec(db, `CREATE TABLE t (a); INSERT INTO t VALUES (${value})`);
      lab.ok(lab.sql.sql_close(db));
    }
    lab.replace("cardferry.tmp/new", "collection.anki2");
    lab.replace("cardferry.tmp/old", "cardferry.backups/1.anki2");
    equal(lab.list(""), [["cardferry.backups/1.anki2", 8192], ["collection.anki2", 8192]]);
    const db = lab.open("collection.anki2", OPEN_MODES.readWrite);
    equal(lab.rows(db, "SELECT a FROM t"), [[2n]]);
    lab.exec(db, "UPDATE t SET a = 4");
  },
  "memory stays bounded by temporary files": (lab) => {
    const db = lab.open("a.db");
    const before = lab.engine.heap.length;
    lab.exec(db, "CREATE TEMP TABLE t (a, b); WITH n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 3000) INSERT INTO t SELECT i, randomblob(20000) FROM n");
    equal(lab.rows(db, "SELECT count(*), sum(length(b)) FROM t"), [[3000n, 60000000n]]);
    equal(lab.rows(db, "SELECT a FROM (SELECT a, b FROM t ORDER BY b LIMIT -1 OFFSET 2999)").length, 1);
    const grown = lab.engine.heap.length - before;
    if (lab.engine.poolFiles() && grown > 40 << 20) throw new Error(`the memory has grown by ${grown >> 20} MiB`);
  },
  "what could not be made is not there, and can be made later": (lab) => {
    if (!lab.engine.poolFiles()) return; // memory has no limit of files
    let made = 0;
    try {
      for (;; made++) lab.write(`f${made}`, "x");
    } catch (e) {
      equal((e as ImportError).kind, "storage_full");
    }
    fails("storage_full", () => lab.open("a.db"));
    equal(lab.list("").length, made);
    for (let i = 0; i < made; i++) lab.remove(`f${i}`);
    lab.exec(lab.open("a.db"), "CREATE TABLE t (a)");
  },
  "query reads and nothing else": (lab) => {
    const db = lab.open(FILES.collection);
    lab.exec(db, "CREATE TABLE t (a, b); CREATE INDEX i ON t (a); INSERT INTO t VALUES (1, 'x'), (9007199254740993, x'01')");
    const c = lab.databases.collection();
    if (!c) throw new Error("no collection");
    equal(query(c, "SELECT a, b, 0.5 AS c, NULL AS d FROM t WHERE a = ?", [1]), [{ a: 1, b: "x", c: 0.5, d: null }]);
    equal(query(c, "SELECT a, b FROM t WHERE a > ?", [5]), [{ a: 9007199254740993n, b: Uint8Array.of(1) }]);
    equal(query(c, "SELECT ? AS a, ? AS b, ? AS c", [true, "ü", 1.5]), [{ a: 1, b: "ü", c: 1.5 }]);
    equal(query(c, "PRAGMA table_info(t)", []).length, 2);
    equal(query(c, "PRAGMA integrity_check", []), [{ integrity_check: "ok" }]);
    equal(query(c, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 3) SELECT max(i) AS m FROM n", []), [{ m: 3 }]);
    for (const sql of [
      "INSERT INTO t VALUES (1, 2)", "DELETE FROM t", "UPDATE t SET a = 1 RETURNING a", "CREATE TABLE u (a)",
      "CREATE TEMP TABLE u (a)", "DROP TABLE t", "BEGIN", "COMMIT", "ATTACH 'x' AS x", "VACUUM", "VACUUM INTO 'x'",
      "PRAGMA journal_mode=delete", "PRAGMA user_version=1", "PRAGMA query_only=0", "REINDEX t", "ANALYZE", "SAVEPOINT a",
      "SELECT 1; DELETE FROM t", "SELEC 1", "SELECT ?", "",
    ]) {
      fails("invalid_input", () => query(c, sql, []));
    }
    // What compiles a statement of its own, once it is read.
    equal(query(c, "SELECT name FROM pragma_table_info('t')", []), [{ name: "a" }, { name: "b" }]);
    fails("invalid_input", () => query(c, "SELECT * FROM pragma_optimize(0x10002)", []));
    equal(lab.rows(db, "SELECT name FROM sqlite_schema WHERE name LIKE 'sqlite_stat%'"), []);
    equal(lab.rows(db, "SELECT count(*) FROM t"), [[2n]]);
  },
  ...indexChecks,
};

/** Checks of what stays when the worker is killed: before runs in it, after in the next one. */
export const kills: Record<string, { before: Check; after: Check }> = {
  "what was replaced stays so, and temporary files go": {
    before: (lab) => {
      lab.write("collection.anki2", "one");
      lab.write("cardferry.tmp/x", "two");
      lab.write("cardferry.tmp/y", "three");
      lab.write("cardferry.offered.anki2", "four");
      lab.replace("cardferry.tmp/x", "collection.anki2");
    },
    after: (lab) => {
      equal(lab.list(""), [["cardferry.offered.anki2", 4], ["collection.anki2", 3]]);
      equal(new TextDecoder().decode(lab.read("collection.anki2")), "two");
      const pool = (lab.engine.poolFiles() ?? []).filter((p) => !p.startsWith("/names.db"));
      equal(pool.length, 2);
    },
  },
  "an open transaction is rolled back": {
    before: (lab) => {
      const db = lab.open(FILES.collection);
      const numbers = "WITH n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 50)";
      lab.exec(db, `CREATE TABLE t (a, b); ${numbers} INSERT INTO t SELECT i, zeroblob(9000) FROM n`);
      lab.exec(db, "PRAGMA cache_size=5; BEGIN; UPDATE t SET a = -a, b = randomblob(9000)");
      lab.exec(db, `${numbers} INSERT INTO t SELECT i, randomblob(9000) FROM n`);
    },
    after: (lab) => {
      const reader = lab.open(FILES.collection, OPEN_MODES.readOnly);
      equal(lab.rows(reader, "SELECT count(*), sum(a), max(b) = zeroblob(9000) FROM t"), [[50n, 1275n, 1n]]);
      equal(lab.rows(reader, "PRAGMA integrity_check"), [["ok"]]);
    },
  },
};

/** Runs one check; returns a line that begins with "ok" or "FAIL". */
export async function runCheck(title: string, check: Check, engine: Engine): Promise<string> {
  const lab = new Lab(engine);
  try {
    await check(lab);
    return `ok ${title}`;
  } catch (e) {
    return `FAIL ${title}: ${e instanceof Error ? (e.stack ?? e.message) : String(e)}`;
  }
}
