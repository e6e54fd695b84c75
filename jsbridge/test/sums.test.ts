import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { loadSums, sumOf, Sums } from "../src/sums.ts";

test("sums equal those of Node, whatever the pieces, and whatever else is summed beside", async () => {
  await Promise.all([loadSums(), loadSums()]);
  const bytes = new Uint8Array(1 << 17);
  for (let i = 0, x = 1; i < bytes.length; i++) bytes[i] = (x = (x * 1103515245 + 12345) & 0x7fffffff) >> 16;
  const beside = new Sums();
  let besides = 0;
  for (const size of [0, 1, 7, 8, 9, 55, 56, 63, 64, 65, 119, 128, 1000, 65535, 65536, 131072]) {
    for (const piece of [1, 3, 64, 100, 65536, 131072]) {
      if (size > 1000 && piece < 64) continue;
      const sums = new Sums();
      const parts: Uint8Array[] = [];
      for (let at = 0; at < size; at += piece) {
        const part = bytes.subarray(at, Math.min(at + piece, size));
        sums.add(part);
        parts.push(part);
        sums.sum(); // in between, to no effect
        beside.add(bytes.subarray(besides, ++besides));
      }
      const all = bytes.subarray(0, size);
      for (const { sha1, crc } of [sums.sum(), sumOf(parts)]) {
        assert.deepEqual([...sha1], [...createHash("sha1").update(all).digest()], `sha1 of ${size} by ${piece}`);
        assert.equal(crc, crc32(all), `crc of ${size} by ${piece}`);
      }
    }
  }
  const { sha1, crc } = beside.sum();
  assert.deepEqual([...sha1], [...createHash("sha1").update(bytes.subarray(0, besides)).digest()]);
  assert.equal(crc, crc32(bytes.subarray(0, besides)));
});
