// Checks of the integrity check (src/indexcheck.ts), part of hostsuite.ts: it must find what SQLite's own finds, and where an index is
// right it must know so without it.

import { uncertain } from "../src/indexcheck.ts";
import { FILES } from "../src/protocol.gen.ts";
import type { Value } from "../src/rows.ts";
import type { Check } from "./hostsuite.ts";
import { equal, ImportError, type Lab } from "./lab.ts";

/** What is known about a collection. */
interface Known {
  /** Whether there are complaints, of the host's check and of SQLite's own. */
  ours: boolean;
  theirs: boolean;
  /** The tables that only SQLite's own can tell about. */
  uncertain: string[];
}

/** Opens the collection, uses it and closes it. */
function using<T>(lab: Lab, use: (db: number) => T): T {
  const db = lab.open(FILES.collection);
  try {
    return use(db);
  } finally {
    lab.ok(lab.sql.sql_close(db));
  }
}

/** Whether rows were returned; an error of a damaged file is one of them. */
function some(rows: () => Value[][]): boolean {
  try {
    return rows().length > 0;
  } catch (e) {
    equal([e instanceof ImportError, (e as ImportError).kind], [true, "damaged_file"]);
    return true;
  }
}

function check(lab: Lab): Known {
  return using(lab, (db) => ({
    ours: some(() => lab.drain(lab.ok(lab.sql.sql_check(db, 5)))),
    theirs: some(() => lab.rows(db, "SELECT * FROM pragma_integrity_check WHERE integrity_check <> 'ok'")),
    uncertain: uncertainOf(lab),
  }));
}

function uncertainOf(lab: Lab): string[] {
  const c = lab.databases.collection();
  if (!c) throw new Error("no collection");
  try {
    return uncertain(c);
  } catch {
    return ["all"];
  }
}

// Ways in which an index may be of other rows than its table: the index, the change of the other rows, and if there is none, whether SQLite
// has to be asked nevertheless.
const others: [name: string, index: string, change: string, asked?: true][] = [
  ["the same rows", "(a)", ""],
  ["the same rows, two columns", "(a, b)", ""],
  ["the same rows, partial", "(b) WHERE b != 0", ""],
  ["the same rows, partial for another reason", "(b) WHERE b != 1", "", true],
  ["the same rows, text", "(c)", "", true],
  ["the same rows, of any type", "(d)", "", true],
  ["the same rows, descending", "(a DESC)", "", true],
  ["the same rows, an expression", "(a + b)", "", true],
  ["the same rows, the rowid", "(id)", "", true],
  ["another value", "(a)", "UPDATE other SET a = 51 WHERE id = 1000"],
  ["another value of the second column", "(a, b)", "UPDATE other SET b = 51 WHERE id = 1000"],
  ["a value that differs in its upper half", "(a)", "UPDATE other SET a = a + (1 << 40) WHERE id = 1000"],
  ["no value", "(a)", "UPDATE other SET a = NULL WHERE id = 1000"],
  ["no value in place of 0", "(a)", "UPDATE other SET a = NULL WHERE a = 0"],
  ["two values exchanged", "(a)", "UPDATE other SET a = iif(id = 1, 14, 7) WHERE id IN (1, 2)"],
  ["a row less", "(a)", "DELETE FROM other WHERE id = 2000"],
  ["a row more", "(a)", "INSERT INTO other VALUES (-5, 1, 1, '', 1)"],
  ["another row", "(a)", "UPDATE other SET id = 2001 WHERE id = 7"],
  ["no rows", "(a)", "DELETE FROM other"],
  ["a text", "(c)", "UPDATE other SET c = 'y' WHERE id = 1000"],
  ["partial", "(b) WHERE b != 0", "UPDATE other SET b = 0 WHERE id = 1000"],
  ["descending", "(a DESC)", "UPDATE other SET a = 51 WHERE id = 1000"],
];

const numbers = (n: number): string => `WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${n})`;

function createTables(lab: Lab, db: number, tables: readonly string[]): void {
  for (const t of tables) {
    lab.exec(db, `CREATE TABLE ${t} (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER, c TEXT, d); ${numbers(2000)}
      INSERT INTO ${t} SELECT i, i * 7 % 50, iif(i % 9, i % 3, -i), 'x' || i, i FROM n`);
  }
}

/** Gives each of two tables the index of the other one. */
function exchange(lab: Lab, index: string, change: string): void {
  using(lab, (db) => {
    const tables = ["t", "other"];
    createTables(lab, db, tables);
    lab.exec(db, change);
    for (const t of tables) lab.exec(db, `CREATE INDEX i_${t} ON ${t} ${index}`);
    lab.exec(db, `PRAGMA writable_schema = ON;
      UPDATE sqlite_schema SET rootpage = (SELECT sum(rootpage) FROM sqlite_schema WHERE type = 'index') - rootpage WHERE type = 'index'`);
  });
}

// Indexes that are sound, but not what the schema says: how they are made, and what it says then.
const belied: [name: string, made: string, index: string, table?: string][] = [
  ["another column", "(b)", "(a)"],
  ["unique", "(a)", "UNIQUE (a)"],
  ["descending", "(a)", "(a DESC)"],
  ["partial for another reason", "(b) WHERE b != 0", "(b) WHERE b != 1"],
  ["partial as it says in a comment only", "(b) WHERE b != 0", "(b) WHERE b IS NOT NULL /* (b) WHERE b != 0"],
  ["a column that is computed", "(b)", "(a)", "id INTEGER PRIMARY KEY, g INTEGER AS (1), a INTEGER, b INTEGER, c TEXT, d"],
  ["a column that is missing in the rows", "(b)", "(z)", "id INTEGER PRIMARY KEY, a INTEGER, b INTEGER, c TEXT, d, z INTEGER DEFAULT 1"],
];

function belie(lab: Lab, made: string, index: string, table?: string): void {
  using(lab, (db) => {
    createTables(lab, db, ["t"]);
    lab.exec(db, `CREATE INDEX i ON t ${made}; PRAGMA writable_schema = ON`);
    const [, unique = "", rest] = /^(UNIQUE )?(.*)/.exec(index) ?? [];
    lab.exec(db, `UPDATE sqlite_schema SET sql = 'CREATE ${unique}INDEX i ON t ${rest}' WHERE name = 'i'`);
    if (table) lab.exec(db, `UPDATE sqlite_schema SET sql = 'CREATE TABLE t (${table})' WHERE name = 't'`);
  });
}

/** Numbers that are the same in each run. */
function randomOf(seed: number): (below: number) => number {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), seed | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

type Random = ReturnType<typeof randomOf>;

const PAGE_SIZES = [512, 1024, 4096, 65536];
const INDEXES = ["(a)", "(b, a)", "(c)", "(b)\nWHERE b != 0", "(e, c)"];

/** An integer of any size, near the limits of those that take fewer bytes, too. */
function integer(random: Random): bigint {
  const v = (1n << BigInt(random(64))) - BigInt(random(3));
  return BigInt.asIntN(64, random(2) ? v : -v);
}

function randomRow(random: Random, id: bigint, pageSize: number): Value[] {
  const text = (): string => "x".repeat(random(8) ? random(40) : random(Math.min(5 * pageSize, 70_000)));
  const few = (): bigint => BigInt(random(3) - 1);
  return [id, text(), random(2) ? integer(random) : few(), few(), text(), integer(random), text(), BigInt(random(50_000))];
}

/** A sound collection with rows, free pages and all in places of its own. */
function randomCollection(lab: Lab, random: Random): void {
  const pageSize = PAGE_SIZES[random(PAGE_SIZES.length)] ?? 0;
  using(lab, (db) => lab.exec(db, `PRAGMA page_size = ${pageSize}; PRAGMA auto_vacuum = ${random(3)}; PRAGMA user_version = 1; VACUUM`));
  if (random(3) === 0) reserve(lab, pageSize, 1 + random(32));
  using(lab, (db) => {
    equal(lab.rows(db, "PRAGMA page_size"), [[BigInt(pageSize)]]);
    lab.exec(db, "CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT, a INTEGER, b INT, u, c BIGINT, v TEXT, e INTEGER); CREATE TABLE empty (a INTEGER); CREATE INDEX none ON empty (a)");
    const create = (): void => INDEXES.forEach((ix, i) => lab.exec(db, `CREATE INDEX i${i} ON t ${ix}`));
    const late = random(2) === 0;
    if (!late) create();
    const insert = lab.prepare(db, "INSERT OR REPLACE INTO t VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    lab.exec(db, "BEGIN");
    let room = 600_000; // a lab reads no more than 3 MB
    for (let n = [0, 1, 60, 400, 2000][random(5)] ?? 0, id = 0n; n > 0 && room > 0; n--) {
      id = random(20) ? id + BigInt(random(5)) : integer(random);
      const row = randomRow(random, id, pageSize);
      lab.run(insert, row);
      for (const v of row) if (typeof v === "string") room -= v.length;
    }
    lab.exec(db, `DELETE FROM t WHERE e % 10 < ${random(4)}; UPDATE t SET a = e, s = v WHERE e % 10 = 9; COMMIT`);
    if (late) create();
  });
}

/** Leaves bytes at the end of each page of a collection that is still empty. */
function reserve(lab: Lab, pageSize: number, n: number): void {
  const bytes = lab.read(FILES.collection).slice(0, pageSize);
  const view = new DataView(bytes.buffer);
  view.setUint8(20, pageSize === 512 ? Math.min(n, 32) : n);
  view.setUint16(105, pageSize - view.getUint8(20));
  view.setUint32(28, 1);
  lab.write(FILES.collection, bytes);
}

/** Changes a row, but not the indexes of its table, or but one. */
function forget(lab: Lab, random: Random): void {
  using(lab, (db) => {
    lab.exec(db, `CREATE TABLE hidden AS SELECT * FROM sqlite_schema WHERE type = 'index' AND tbl_name = 't' ${random(2) ? `AND name = 'i${random(INDEXES.length)}'` : ""};
      PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name IN (SELECT name FROM hidden)`);
  });
  using(lab, (db) => {
    const one = `WHERE id = (SELECT id FROM t LIMIT 1 OFFSET (SELECT ${random(1000)} % max(1, count(*)) FROM t))`;
    const column = ["a", "b", "c", "e"][random(4)] ?? "";
    lab.exec(db, [
      `DELETE FROM t ${one}`,
      `UPDATE t SET ${column} = ${column} ${random(2) ? "+" : "-"} ${1n << BigInt(random(62))} ${one}`,
      `UPDATE t SET ${column} = ${random(2) ? "NULL" : "'x'"} ${one}`,
      `UPDATE OR IGNORE t SET id = id + 1 ${one}`,
      `INSERT OR IGNORE INTO t VALUES (${integer(random)}, 'x', 1, 0, 0, 5, 'x', 7)`,
    ][random(5)] ?? "");
    lab.exec(db, "PRAGMA writable_schema = ON; INSERT INTO sqlite_schema SELECT * FROM hidden");
  });
  using(lab, (db) => lab.exec(db, "DROP TABLE hidden"));
}

/** Changes a byte, or the order of the entries in an index. */
function spoil(lab: Lab, random: Random, sound: Uint8Array): void {
  const bytes = sound.slice();
  const view = new DataView(bytes.buffer);
  const size = view.getUint16(16) === 1 ? 65536 : view.getUint16(16);
  const page = (1 + random(bytes.length / size - 1)) * size;
  const cells = bytes[page] === 10 ? view.getUint16(page + 3) : 0;
  if (cells > 1 && random(2)) {
    const at = page + 8 + 2 * random(cells - 1);
    view.setUint32(at, (view.getUint32(at) << 16) | view.getUint16(at));
  } else {
    const at = 100 + random(bytes.length - 100);
    view.setUint8(at, random(2) ? random(256) : view.getUint8(at) ^ (1 << random(8)));
  }
  lab.write(FILES.collection, bytes);
}

/**
 * Makes a collection of each seed and damages it in so many ways. Returns how often there was nothing that SQLite had to be asked about
 * then, and how often SQLite's own check found something.
 */
export function damageRandomly(lab: Lab, seeds: number, ways: number, first = 1): { certain: number; found: number } {
  let certain = 0;
  let found = 0;
  for (let seed = first; seed < first + seeds; seed++) {
    const random = randomOf(seed);
    const verify = (what: string, sound: boolean): void => {
      let known: Known;
      try {
        known = check(lab);
      } catch (e) {
        if (!sound && e instanceof ImportError && e.kind === "damaged_file") return; // it does not even open
        throw e;
      }
      const { ours, theirs, uncertain } = known;
      const right = sound ? !ours && !theirs && uncertain.length === 0 : ours === theirs;
      if (!right) throw new Error(`seed ${seed}, ${what}: ${JSON.stringify(known)}`);
      if (!sound && uncertain.length === 0) certain++;
      if (theirs) found++;
    };
    randomCollection(lab, random);
    verify("sound", true);
    const sound = lab.read(FILES.collection);
    for (let way = 0; way < ways; way++) {
      if (way % 3) spoil(lab, random, sound);
      else {
        lab.write(FILES.collection, sound);
        forget(lab, random);
      }
      verify(`way ${way}`, false);
    }
    lab.remove(FILES.collection);
  }
  return { certain, found };
}

export const indexChecks: Record<string, Check> = {
  "an index of other rows is found out": (lab) => {
    for (const [name, index, change, asked] of others) {
      exchange(lab, index, change);
      const { ours, theirs, uncertain } = check(lab);
      const wrong = change !== "";
      equal([name, ours, theirs, uncertain.length > 0], [name, wrong, wrong, wrong || asked === true]);
      lab.remove(FILES.collection);
    }
  },
  "an index that is not what the schema says is found out": (lab) => {
    for (const [name, made, index, table] of belied) {
      belie(lab, made, index, table);
      const { ours, theirs, uncertain } = check(lab);
      equal([name, ours, theirs, uncertain], [name, true, true, ["t"]]);
      lab.remove(FILES.collection);
    }
  },
  "tables are told apart by what SQLite takes for their names": (lab) => {
    exchange(lab, "(a)", "UPDATE other SET a = 51 WHERE id = 1000");
    using(lab, (db) => {
      const whole = (): number => lab.drain(lab.ok(lab.sql.sql_check(db, 9))).length;
      const wanted = whole();
      lab.exec(db, "CREATE TEMP TABLE t (x); CREATE TEMP TABLE other (x)");
      equal([wanted > 1, whole()], [true, wanted]);
    });
    using(lab, (db) => {
      lab.exec(db, "CREATE TABLE [it's] (a UNIQUE); CREATE TABLE [7] (a UNIQUE); PRAGMA writable_schema = ON; UPDATE sqlite_schema SET type = 'Table' WHERE name IN ('t', 'other')");
    });
    equal(check(lab), { ours: true, theirs: true, uncertain: ["7", "it's", "other", "t"] });
    using(lab, (db) => {
      const no = "CAST(x'ff' AS TEXT)";
      for (const column of ["name", "tbl_name", "sql"]) {
        lab.exec(db, `PRAGMA writable_schema = ON; UPDATE sqlite_schema SET ${column} = replace(replace(${column}, 'i_other', 'i_' || ${no}), 'other', ${no})`);
      }
    });
    equal(check(lab), { ours: true, theirs: true, uncertain: ["all"] });
  },
  "an index is compared with the rows of an open transaction": (lab) => {
    using(lab, (db) => {
      createTables(lab, db, ["t"]);
      lab.exec(db, `CREATE INDEX i ON t (a); BEGIN; CREATE TEMP TABLE hidden AS SELECT * FROM sqlite_schema WHERE name = 'i';
        PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = 'i'; PRAGMA writable_schema = RESET; UPDATE t SET a = 51 WHERE id = 7;
        PRAGMA writable_schema = ON; INSERT INTO sqlite_schema SELECT * FROM hidden; PRAGMA writable_schema = RESET`);
      equal(some(() => lab.drain(lab.ok(lab.sql.sql_check(db, 5)))), true);
      lab.ok(lab.sql.sql_rollback(db));
      equal(some(() => lab.drain(lab.ok(lab.sql.sql_check(db, 5)))), false);
    });
  },
  "a tree of endlessly many ways comes to an end": (lab) => {
    using(lab, (db) => {
      createTables(lab, db, ["t"]);
      lab.exec(db, "CREATE INDEX i ON t (a)");
    });
    const bytes = lab.read(FILES.collection);
    // The root is page 2; each of a hundred cells leads to the next page, in which there are as many.
    for (let no = 2; no < 10; no++) {
      const view = new DataView(bytes.buffer, 4096 * (no - 1), 4096);
      equal(view.getUint8(0), no === 2 ? 5 : 13);
      view.setUint8(0, 5);
      view.setUint16(3, 100);
      view.setUint32(8, no + 1);
      for (let cell = 0; cell < 100; cell++) view.setUint16(12 + 2 * cell, 4000);
      view.setUint32(4000, no + 1);
    }
    lab.write(FILES.collection, bytes);
    equal(check(lab), { ours: true, theirs: true, uncertain: ["t"] });
  },
  "cells that overlap cost no more than others": (lab) => {
    using(lab, (db) => lab.exec(db, "PRAGMA page_size = 65536; VACUUM"));
    using(lab, (db) => {
      const columns = Array.from({ length: 1900 }, (_, i) => `c${i} INTEGER`);
      lab.exec(db, `CREATE TABLE t (${columns}); ${numbers(800)} INSERT INTO t (c1899) SELECT i FROM n; CREATE INDEX i ON t (c1899)`);
    });
    const bytes = lab.read(FILES.collection);
    for (let at = 65536; at < bytes.length; at += 65536) {
      const view = new DataView(bytes.buffer, at);
      if (view.getUint8(0) !== 13) continue;
      const cell = view.getUint16(8);
      for (let pointer = 8; pointer < cell - 1; pointer += 2) view.setUint16(pointer, cell);
      view.setUint16(3, (cell - 8) >> 1);
    }
    lab.write(FILES.collection, bytes);
    const start = performance.now();
    equal(using(lab, () => uncertainOf(lab)), ["t"]);
    equal(performance.now() - start < 2000, true);
    lab.remove(FILES.collection);
  },
  "what Anki does not have is left to SQLite": (lab) => {
    using(lab, (db) => {
      lab.exec(db, "CREATE TABLE t (a UNIQUE); PRAGMA writable_schema = ON; UPDATE sqlite_schema SET name = 't' || char(0) || 'x' WHERE type = 'table'");
    });
    equal(check(lab), { ours: false, theirs: false, uncertain: ["all"] });
    lab.remove(FILES.collection);
    using(lab, (db) => {
      lab.exec(db, `BEGIN; ${Array.from({ length: 101 }, (_, i) => `CREATE TABLE t${i} (a)`).join(";")}; COMMIT`);
    });
    equal(check(lab), { ours: false, theirs: false, uncertain: ["all"] });
  },
  "what is damaged is found out": (lab) => {
    const { certain, found } = damageRandomly(lab, 3, 6);
    equal([certain > 0, found > 0], [true, true]);
  },
};
