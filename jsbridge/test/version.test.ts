import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { VERSION } from "../src/version.ts";

test("the version is that of package.json", async () => {
  const file = await readFile(join(import.meta.dirname, "..", "..", "package.json"), "utf8");
  assert.equal((JSON.parse(file) as { version: string }).version, VERSION);
});
