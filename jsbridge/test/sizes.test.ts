// The sizes of what is published.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";

/** The largest sizes of the entries, in bytes: as they lie there, and as brotli sends them. */
const LIMITS: Record<string, [number, number]> = {
  "index.js": [20_000, 7_000],
  "worker.js": [400_000, 115_000],
  "sw.js": [6_000, 2_500],
  "serviceWorker.js": [6_000, 2_500],
  "react.js": [5_000, 2_000],
  "webview.js": [10_000, 4_000],
  "sync-button.js": [5_000, 2_500],
};

for (const [name, [most, sent]] of Object.entries(LIMITS)) {
  const path = fileURLToPath(new URL(`../${name}`, import.meta.url)); // from dist/test
  test(`size of ${name}`, { skip: !existsSync(path) && "the package is not built: run make" }, (t) => {
    const content = readFileSync(path);
    const brotli = brotliCompressSync(content).length;
    t.diagnostic(`${name}: ${content.length} bytes, gzip ${gzipSync(content).length}, brotli ${brotli}`);
    assert.ok(content.length <= most, `${name} has ${content.length} bytes, at most ${most}`);
    assert.ok(brotli <= sent, `${name} has ${brotli} bytes of brotli, at most ${sent}`);
  });
}
