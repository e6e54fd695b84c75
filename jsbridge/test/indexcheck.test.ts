import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { uncertain } from "../src/indexcheck.ts";
import { FILES } from "../src/protocol.gen.ts";
import { Engine } from "../src/sqlite.ts";
import { damageRandomly } from "./indexsuite.ts";
import { Lab } from "./lab.ts";

const folder = join(import.meta.dirname, "..", "..", "..", "core", "collection", "testdata", "collections");

/** What each collection is made to be: several pages of rows in its large tables, of all sizes that numbers have in them. */
const FILL = `PRAGMA foreign_keys = OFF;
  CREATE TEMP TABLE n AS WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) SELECT i FROM n;
  INSERT INTO notes SELECT 1600000000000 + i * 1000003, 'g' || i, 1500000000000 + i % 3, i, i % 3 - 1, '', printf('%.*c', i % 50 * i % 9000, 'x'), i, i * 1400000 % 4294967296, 0, '' FROM n;
  INSERT INTO cards SELECT 1600000000000 + i * 1000007, 1600000000000 + i * 1000003, 1 + i % 7, 0, i, i % 3 - 1, i % 4, i % 5 - 3, i * 97 % 5000 - 90, 0, 0, 0, 0, 0, 0, iif(i % 9, 0, 1 + i % 3), 0, '{}' FROM n;
  INSERT INTO revlog SELECT 1600000000000 + i * 1000009, 1600000000000 + i * 31 % 3000 * 1000007, i % 3 - 1, 1, 1, 1, 0, 0, 0 FROM n`;

test("of Anki's collections only small tables need SQLite's own check", async (t) => {
  for (const name of await readdir(folder)) {
    if (!/^(stock|schema11.*)\.anki2$/.test(name)) continue;
    await t.test(name, async () => {
      const lab = new Lab(await Engine.memory());
      lab.write(FILES.collection, await readFile(join(folder, name)));
      const db = lab.open(FILES.collection);
      const asked = (): string[] => {
        const c = lab.databases.collection();
        assert.ok(c);
        return uncertain(c).filter((table) => ["notes", "cards", "revlog"].includes(table));
      };
      assert.deepEqual(asked(), []);
      lab.exec(db, FILL);
      assert.deepEqual(asked(), []);
      assert.deepEqual(lab.drain(lab.ok(lab.sql.sql_check(db, 5))), []);
      lab.exec(db, "UPDATE cards SET due = 1.5 WHERE id = (SELECT max(id) FROM cards)");
      assert.deepEqual(asked(), ["cards"]);
      assert.deepEqual(lab.drain(lab.ok(lab.sql.sql_check(db, 5))), []);
    });
  }
});

test("a collection whose index is not in order is found out", async () => {
  const lab = new Lab(await Engine.memory());
  lab.write(FILES.collection, await readFile(join(folder, "damaged-index-order.anki2")));
  assert.notDeepEqual(lab.drain(lab.ok(lab.sql.sql_check(lab.open(FILES.collection), 5))), []);
});

test("what is damaged is found out, more often than in a browser", async () => {
  const { certain, found } = damageRandomly(new Lab(await Engine.memory()), 20, 12, 100);
  assert.ok(certain > 50 && found > 40, `${certain} of 240 were certain, ${found} were found`);
});
