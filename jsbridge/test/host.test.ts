import assert from "node:assert/strict";
import { test } from "node:test";
import { Engine } from "../src/sqlite.ts";
import { checks, runCheck } from "./hostsuite.ts";

for (const [title, check] of Object.entries(checks)) {
  test(`files and databases in memory: ${title}`, async () => {
    const line = await runCheck(title, check, await Engine.memory());
    assert.equal(line, `ok ${title}`);
  });
}
