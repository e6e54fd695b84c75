import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { decode, encode, METHODS, parse, PIECE, pieces, type Stream } from "../src/hostmessages.ts";

const none = (): Promise<Blob> => Promise.reject(new Error("nothing is read"));

test("values cross as they are", async () => {
  const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => i % 251);
  const value = { a: [1, "ß", null, true, { b: bytes }], wide: 2n ** 62n, least: -(2n ** 63n), empty: new Uint8Array() };
  const text = JSON.stringify(encode(value, () => assert.fail("there is no content")));
  assert.deepEqual(await decode(JSON.parse(text), none), value);
});

test("contents cross in pieces", async () => {
  const content = new Blob([new Uint8Array(2 * PIECE + 7).fill(3)], { type: "audio/ogg" });
  const encoded = encode([content], (given) => (assert.equal(given, content), 5));
  assert.deepEqual(encoded, [{ $stream: 5, size: content.size, type: "audio/ogg" }]);
  const sizes: number[] = [];
  for await (const piece of pieces(content)) sizes.push(piece.length);
  assert.deepEqual(sizes, [PIECE, PIECE, 7]);
  const asked: Stream[] = [];
  const [got] = (await decode(encoded, (s) => (asked.push(s), Promise.resolve(content)))) as [Blob];
  assert.equal(got, content);
  assert.equal(asked[0]?.$stream, 5);
  const small = (await decode({ $bytes: "AAE=", type: "x/y" }, none)) as Blob;
  assert.deepEqual([small.size, small.type], [2, "x/y"]);
});

test("what is no value is refused", async () => {
  for (const bad of [{ $bytes: "?" }, { $bytes: "A" }, { $int: "" }, { $int: "1e3" }, { $int: "9".repeat(400) }, [{ a: { $int: "x" } }]]) {
    await assert.rejects(decode(bad, none), TypeError, JSON.stringify(bad));
  }
  // Fields of these names that hold something else are fields.
  for (const field of [{ $bytes: 1 }, { $int: 7 }, { $stream: null }]) assert.deepEqual(await decode(field, none), field);
});

test("what is no message is refused", () => {
  for (const good of ['{"id":1,"method":"sync"}', '{"id":"a","result":null}', '{"id":1,"error":{"kind":"auth"}}', '{"event":"x"}']) {
    assert.deepEqual(parse(good), JSON.parse(good));
    assert.deepEqual(parse(JSON.parse(good)), JSON.parse(good));
  }
  for (const bad of ["", "{", "null", "[]", "1", '"x"', "{}", '{"id":1}', '{"method":"x"}', '{"id":[],"method":"x"}', '{"id":1,"error":"x"}', undefined]) {
    assert.equal(parse(bad), undefined, String(bad));
  }
});

test("WEBVIEW.md has every method", () => {
  const text = readFileSync(new URL("../../WEBVIEW.md", import.meta.url), "utf8"); // from dist/test
  for (const name of Object.keys(METHODS)) assert.match(text, new RegExp(`\`${name.replace(".", "\\.")}[ \`]`), name);
});
