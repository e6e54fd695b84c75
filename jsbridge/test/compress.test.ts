// The import file_compress: what it writes is the file, whatever comes between its turns.

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { concat } from "../src/bytes.ts";
import { Engine } from "../src/sqlite.ts";
import { VfsFile } from "../src/vfsfile.ts";
import { zstdOf } from "./frames.ts";
import { ImportError, Lab } from "./lab.ts";

const FROM = "cardferry.tmp/from";
const TO = "cardferry.tmp/to";
const DONE = 0;
const NOT_OFFERED = 1;
const UNFINISHED = 2;

/** A lab with a file, where each turn of a compression is as long as it may be. */
async function lab(t: TestContext) {
  const zstd = zstdOf();
  await zstd.ready();
  const l = new Lab(await Engine.memory(), undefined, zstd);
  t.after(() => l.close());
  let now = 0;
  t.mock.method(performance, "now", () => (now += 30));
  const noise = crypto.getRandomValues(new Uint8Array(65536));
  const content = concat([noise, new Uint8Array(700_000), noise, new TextEncoder().encode("a word, and a word, ".repeat(20_000))]);
  l.write(FROM, content);
  const compress = (to = TO): number => {
    const [from, fromLength] = l.put(FROM);
    const [at, length] = l.put(to, from + fromLength);
    return l.ok(l.file.file_compress(from, fromLength, at, length));
  };
  const finish = (to = TO): number => {
    for (let turns = 1; ; turns++) {
      const r = compress(to);
      if (r === DONE) return turns;
      assert.equal(r, UNFINISHED);
    }
  };
  const check = (name = TO): void => {
    const payload = zstd.decompress(l.read(name), content.length);
    assert.ok(payload && Buffer.compare(payload, content) === 0);
  };
  return { l, compress, finish, check };
}

/** Counts files that are open. */
function opened(t: TestContext): () => number {
  let n = 0;
  const open = VfsFile.open.bind(VfsFile);
  t.mock.method(VfsFile, "open", (...args: Parameters<typeof VfsFile.open>) => {
    const file = open(...args);
    const close = file.close.bind(file);
    let closed = false;
    file.close = () => {
      if (!closed) n--;
      closed = true;
      close();
    };
    n++;
    return file;
  });
  return () => n;
}

test("a file is compressed piece by piece", async (t) => {
  const open = opened(t);
  const { l, finish, check } = await lab(t);
  l.write(TO, "what was there before");
  assert.ok(finish() > 3);
  assert.equal(open(), 0);
  check();
  assert.equal(finish() > 3, true); // once more
  check();
});

test("two files at once", async (t) => {
  const { compress, finish, check } = await lab(t);
  assert.equal(compress("cardferry.tmp/a"), UNFINISHED);
  assert.equal(compress("cardferry.tmp/b"), UNFINISHED);
  finish("cardferry.tmp/a");
  finish("cardferry.tmp/b");
  check("cardferry.tmp/a");
  check("cardferry.tmp/b");
});

test("one that is given up", async (t) => {
  const open = opened(t);
  const { l, compress, finish, check } = await lab(t);
  assert.equal(compress(), UNFINISHED);
  assert.equal(open(), 2);
  l.remove(TO);
  assert.equal(open(), 0);
  assert.deepEqual(l.list(TO), []);
  assert.equal(compress(), UNFINISHED);
  finish();
  check();
  // The guest does it itself after all.
  assert.equal(compress(), UNFINISHED);
  l.write(TO, "another one");
  assert.equal(open(), 0);
  assert.equal(Buffer.from(l.read(TO)).toString(), "another one");
  compress();
  l.close();
  assert.equal(open(), 0);
});

test("one that fails", async (t) => {
  const open = opened(t);
  const { l, compress, finish, check } = await lab(t);
  const write = VfsFile.prototype.write;
  let writes = 0;
  const full = t.mock.method(VfsFile.prototype, "write", function (this: VfsFile, ...args: Parameters<typeof write>) {
    if (++writes > 1) throw new DOMException("no room", "QuotaExceededError");
    return write.apply(this, args);
  });
  assert.throws(() => finish(), (e) => e instanceof ImportError && e.kind === "storage_full");
  full.mock.restore();
  assert.equal(open(), 0);
  finish();
  check();
  l.remove(FROM);
  assert.throws(compress, (e) => e instanceof ImportError && e.kind === "not_found");
  assert.equal(open(), 0);
});

test("without the library the guest does it", async (t) => {
  const l = new Lab(await Engine.memory());
  t.after(() => l.close());
  l.write(FROM, "content");
  const [from, fromLength] = l.put(FROM);
  const [to, length] = l.put(TO, from + fromLength);
  assert.equal(l.ok(l.file.file_compress(from, fromLength, to, length)), NOT_OFFERED);
  assert.deepEqual(l.list(TO), []);
});
