import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";

const build = join(import.meta.dirname, "..", "..", "..", "build");

interface Answer {
  id: number;
  result?: unknown;
  error?: { kind: string };
  progress?: unknown;
}

/** Starts a host and returns what makes one call and what ends it. */
function start(core: string) {
  const child = spawn(process.execPath, [join(import.meta.dirname, "nodehost.js"), core], { stdio: ["pipe", "pipe", "inherit"] });
  const waiting = new Map<number, (a: Answer) => void>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    const a = JSON.parse(line) as Answer;
    if (!a.progress) waiting.get(a.id)?.(a);
  });
  let last = 0;
  const call = (method: string, params: object = {}): Promise<Answer> =>
    new Promise((resolve) => {
      waiting.set(++last, resolve);
      child.stdin.write(`${JSON.stringify({ id: last, method, params })}\n`);
    });
  return { call, end: () => child.stdin.end() };
}

for (const name of ["core.wasm", "core.js.wasm"]) {
  const core = join(build, name);
  test(`${name} under Node`, { skip: existsSync(core) ? false : `${core} is not built` }, async () => {
    const dir = await mkdtemp(join(tmpdir(), "nodehost"));
    const file = join(dir, "collection.anki2");
    const { call, end } = start(core);
    try {
      assert.deepEqual((await call("open", { client: "test/1", create: true })).result, { created: true, upgraded: false });
      assert.deepEqual((await call("exec", { sql: "INSERT INTO tags VALUES ('b', -1, 0, NULL), ('A', -1, 0, NULL)" })).result, null);
      const sql = "SELECT tag FROM tags ORDER BY tag";
      assert.deepEqual((await call("query", { sql })).result, [{ tag: "A" }, { tag: "b" }]);
      assert.equal((await call("query", { sql: "DELETE FROM tags" })).error?.kind, "invalid_input");
      assert.equal((await call("nothing")).error?.kind, "invalid_input");
      const status = (await call("status", { account: null, offline: true })).result as { pending: number };
      assert.equal(status.pending, 2);
      const unreachable = { endpoint: "http://127.0.0.1:9/", user: "u", password: "p", client: "test/1" };
      assert.equal((await call("login", unreachable)).error?.kind, "network");
      await call("export", { path: file });
      assert.equal((await readFile(file)).subarray(0, 15).toString(), "SQLite format 3");
      assert.deepEqual((await call("close")).result, {});
      assert.deepEqual((await call("import", { path: file })).result, null);
      assert.deepEqual((await call("open", { client: "test/1", create: false })).result, { created: false, upgraded: false });
      assert.deepEqual((await call("query", { sql })).result, [{ tag: "A" }, { tag: "b" }]);
    } finally {
      end();
      await rm(dir, { recursive: true });
    }
  });
}
