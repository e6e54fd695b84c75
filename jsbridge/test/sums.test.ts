import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { crc32 as nodeCRC } from "node:zlib";
import { crc32, Sha1 } from "../src/sums.ts";

test("sums equal those of Node, whatever the pieces", () => {
  const bytes = new Uint8Array(1 << 16);
  for (let i = 0, x = 1; i < bytes.length; i++) bytes[i] = (x = (x * 1103515245 + 12345) & 0x7fffffff) >> 16;
  for (const size of [0, 1, 7, 8, 9, 55, 56, 63, 64, 65, 119, 128, 1000, 65535, 65536]) {
    for (const piece of [1, 3, 64, 100, 65536]) {
      if (size > 1000 && piece < 64) continue;
      const sha = new Sha1();
      let crc = 0;
      for (let at = 0; at < size; at += piece) {
        const part = bytes.subarray(at, Math.min(at + piece, size));
        sha.add(part);
        sha.sum(); // in between, to no effect
        crc = crc32(part, crc);
      }
      const all = bytes.subarray(0, size);
      assert.deepEqual([...sha.sum()], [...createHash("sha1").update(all).digest()], `sha1 of ${size} by ${piece}`);
      assert.equal(crc, nodeCRC(all), `crc of ${size} by ${piece}`);
    }
  }
});
