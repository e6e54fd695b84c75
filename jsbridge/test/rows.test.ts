import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeRow, encodeRow, type Value } from "../src/rows.ts";

const rows: [Value[], string][] = [
  [[], "0000"],
  [[null], "010000"],
  [[1n, -1n], "0200010100000000000000" + "01ffffffffffffffff"],
  [[1.5], "010002000000000000f83f"],
  [["ü"], "01000302000000c3bc"],
  [[Uint8Array.of(0, 255), ""], "0200040200000000ff" + "0300000000"],
];

test("rows have the bytes of core/rows", () => {
  for (const [values, hex] of rows) {
    assert.equal(Buffer.from(encodeRow(values)).toString("hex"), hex);
    assert.deepEqual(decodeRow(new Uint8Array(Buffer.from(hex, "hex"))), values);
  }
});

test("damaged rows are refused", () => {
  for (const hex of ["", "00", "0100", "010005", "010001", "0100030500000041", "000000", "01000003", "0100ff"]) {
    assert.throws(() => decodeRow(new Uint8Array(Buffer.from(hex, "hex"))), RangeError, hex);
  }
});

test("every cut of a row is refused", () => {
  const whole = encodeRow([null, 7n, 0.5, "text", Uint8Array.of(1)]);
  for (let n = 0; n < whole.length; n++) assert.throws(() => decodeRow(whole.subarray(0, n)), RangeError);
});
