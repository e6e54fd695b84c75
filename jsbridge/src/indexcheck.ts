// Of all that the integrity check does, looking up each row of a table in each index takes most of the time. What it finds out can be had by
// reading both from one end to the other: an index is right if its entries are in order, and are those of the table. That they are the same
// is told by a sum over the hashes of them, under a key that nobody can know who made the file. hostrunner/sqlitehost does the same.

import { Trees } from "./btree.ts";
import type { Connection } from "./connection.ts";
import type { Row } from "./protocol.ts";
import { query } from "./query.ts";
import { VfsFile } from "./vfsfile.ts";

/** The most entries of a schema that is looked at: each costs several queries, and those become slower with their number. Anki has about 30. */
const MOST = 100;

/**
 * The tables of a database of which it is not certain that all indexes have what they should: if one has not, or is of a kind that is not
 * looked at here, the integrity check has to say what is wrong. For the others the quick check does. Not inside a transaction.
 */
export function uncertain(db: Connection): string[] {
  const [entries] = query(db, "SELECT count(*) AS n FROM sqlite_schema", []);
  if (Number(entries?.n) > MOST) throw new RangeError("more tables and indexes than a collection has");
  const tables = query(db, "SELECT name, rootpage AS root FROM sqlite_schema WHERE lower(type) = 'table' AND rootpage > 0 ORDER BY name", []);
  const file = VfsFile.open(db.engine, db.path, false);
  try {
    const trees = new Trees(file);
    const key = crypto.getRandomValues(new Int32Array(6)).map((v) => v | 1);
    return tables.filter((t) => !matches(db, trees, nameOf(t), Number(t.root), key)).map(nameOf);
  } finally {
    file.close();
  }
}

/** The name of a table or an index. One that is no UTF-8, or goes on behind a zero byte, cannot be asked for: another one might be meant. */
function nameOf(row: Row): string {
  const name = String(row.name);
  if (/[\0\ufffd]/.test(name)) throw new RangeError("a name that is no text");
  return name;
}

/** Whether all indexes of a table certainly have what they should. */
function matches(db: Connection, trees: Trees, table: string, root: number, key: Int32Array): boolean {
  const indexes = indexesOf(db, table);
  if (!indexes) return false;
  if (indexes.length === 0) return true;
  const columns = [...new Set(indexes.flatMap((ix) => ix.columns))].sort((a, b) => a - b);
  const want = indexes.map((ix) => new Wanted(ix, columns, key));
  const row = new Int32Array(2 * columns.length + 2);
  try {
    trees.rows(root, columns, row, () => {
      for (const w of want) w.add(row);
    });
    return want.every((w) => w.sum.equals(sumIndex(trees, w.index, key)));
  } catch {
    return false; // it has other values, or is damaged
  }
}

/** An index over integers. */
interface Index {
  root: number;
  /** The positions of its columns in the table. */
  columns: number[];
  /** Which of them is not 0 in the rows that a partial index has; -1 if it has all. */
  skips: number;
}

/** A partial index as it is looked at here, whole, so that the condition is no part of another one, or of a comment. */
const PARTIAL = /^CREATE INDEX \w+ ON \w+ ?\([\w, ]+\)\s+WHERE (\w+) != 0$/i;

/** The indexes of a table; undefined if there is one of another kind. */
function indexesOf(db: Connection, table: string): Index[] | undefined {
  const columns = query(db, "SELECT name, type, hidden FROM pragma_table_xinfo(?, 'main') ORDER BY cid", [table]);
  // Those that are computed may have no place in the record.
  if (columns.length === 0 || columns.some((c) => c.hidden !== 0)) return undefined;
  const sql = `SELECT l.name, l."unique" AS alone, l.partial, s.rootpage AS root, s.sql FROM pragma_index_list(?, 'main') AS l
    LEFT JOIN sqlite_schema AS s ON s.type = 'index' AND s.name = l.name`;
  const list: Index[] = [];
  for (const ix of query(db, sql, [table])) {
    const parts = query(db, `SELECT cid, "desc" AS descends, key FROM pragma_index_xinfo(?, 'main') ORDER BY seqno`, [nameOf(ix)]);
    // The last part is the rowid, unless the table has none.
    if (ix.alone !== 0 || parts.pop()?.cid !== -1) return undefined;
    const at = parts.map((p) => Number(p.cid));
    // The rowid under another name is at -1, an expression at -2.
    const plain = (i: number): boolean => /int/i.test(String(columns[i]?.type));
    if (!at.every(plain) || parts.some((p) => p.descends !== 0 || p.key !== 1)) return undefined;
    const condition = PARTIAL.exec(String(ix.sql))?.[1];
    const skips = ix.partial ? at.findIndex((i) => columns[i]?.name === condition) : -1;
    if (ix.partial && skips < 0) return undefined;
    list.push({ root: Number(ix.root), columns: at, skips });
  }
  return list;
}

/** What an index has, in any order. */
class Sum {
  #entries = 0;
  #a = 0;
  #b = 0;
  readonly #key: Int32Array;

  constructor(key: Int32Array) {
    this.#key = key;
  }

  /** Adds an entry, the words at these places. */
  add(words: Int32Array, places: Int32Array): void {
    const key = this.#key;
    // The indexes are all in range.
    const ka = key[0]!;
    const kb = key[1]!;
    let a = key[2]!;
    let b = key[3]!;
    const n = places.length;
    for (let i = 0; i < n + 2; i++) {
      const word = i < n ? words[places[i]!]! : key[4 + i - n]!;
      a = Math.imul(a ^ word, ka);
      b = Math.imul(b ^ word, kb);
      a ^= b >>> 15;
      b ^= a >>> 15;
    }
    this.#entries++;
    this.#a = (this.#a + a) | 0;
    this.#b = (this.#b + b) | 0;
  }

  equals(s: Sum): boolean {
    return this.#entries === s.#entries && this.#a === s.#a && this.#b === s.#b;
  }
}

/** What an index should have. */
class Wanted {
  readonly index: Index;
  readonly sum: Sum;
  /** Where in a row are the words of an entry. */
  readonly #places: Int32Array;
  /** Where is the value that is not 0 in an index that skips rows; -1 if it does not. */
  readonly #skips: number;

  /** columns are those of a row, which the rowid follows. */
  constructor(index: Index, columns: readonly number[], key: Int32Array) {
    this.index = index;
    this.sum = new Sum(key);
    const slots = [...index.columns.map((c) => columns.indexOf(c)), columns.length];
    this.#places = Int32Array.from(slots.flatMap((slot) => [2 * slot, 2 * slot + 1]));
    this.#skips = index.skips < 0 ? -1 : 2 * slots[index.skips]!;
  }

  /** Adds the entry of a row, if it should have one. */
  add(row: Int32Array): void {
    const at = this.#skips;
    if (at < 0 || (row[at]! | row[at + 1]!) !== 0) this.sum.add(row, this.#places);
  }
}

/** Adds up what an index has; throws if it is not in order. */
function sumIndex(trees: Trees, index: Index, key: Int32Array): Sum {
  const sum = new Sum(key);
  const entry = new Int32Array(2 * index.columns.length + 2);
  const places = entry.map((_, i) => i);
  const last = new Int32Array(entry.length);
  let first = true;
  trees.entries(index.root, entry, () => {
    if (!follows(entry, last) && !first) throw new RangeError("the index is not in order");
    first = false;
    sum.add(entry, places);
  });
  return sum;
}

/** Whether an entry is behind the last one, which it becomes. */
function follows(entry: Int32Array, last: Int32Array): boolean {
  let order = 0;
  for (let i = 0; i < entry.length; i++) {
    const a = last[i]!;
    const b = entry[i]!;
    // The lower halves have no sign.
    if (order === 0 && a !== b) order = (i & 1 ? a >>> 0 < b >>> 0 : a < b) ? 1 : -1;
    last[i] = b;
  }
  return order > 0;
}
