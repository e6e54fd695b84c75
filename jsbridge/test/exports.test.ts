// The entries of the package, as a bundler takes them.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { build } from "esbuild";

const folder = join(import.meta.dirname, "..", "..");

for (const entry of ["sync-button", "worker", "serviceWorker.js"]) {
  test(`what is imported only for what it does is bundled: ${entry}`, { skip: !existsSync(join(folder, "dist", "index.js")) && "the package is not built: run make" }, async () => {
    const stdin = { contents: `import "cardferry/${entry}"`, resolveDir: folder };
    const { outputFiles: [out] } = await build({ stdin, bundle: true, write: false, format: "esm", logLevel: "silent" });
    assert.ok((out?.text.length ?? 0) > 1000, `${out?.text.length} characters`);
  });
}
