import assert from "node:assert/strict";
import { test } from "node:test";
import { Guest, type Ports } from "../src/guest.ts";
import { GuestMemory } from "../src/memory.ts";

type Imports = Record<string, (...args: never[]) => unknown>;

/** A guest written in JavaScript: call gets what cf_call gets. */
async function fake(call: (imports: Imports, task: number, request: string) => void, more: object = {}) {
  const memory = new GuestMemory();
  const wasm = new WebAssembly.Memory({ initial: 1 });
  const lines: string[] = [];
  const ports = { sql: {}, files: {}, media: {}, http: {} } as Ports;
  const lend = async (imports: WebAssembly.ModuleImports): Promise<WebAssembly.Exports> =>
    ({
      memory: wasm,
      cf_abi: () => 1,
      cf_alloc: () => 64,
      cf_collate_buffer: () => 4096,
      cf_call: (task: number, ptr: number, length: number) =>
        call(imports as Imports, task, new TextDecoder().decode(new Uint8Array(wasm.buffer, ptr, length))),
      ...more,
    }) as unknown as WebAssembly.Exports;
  const guest = await Guest.create({ memory, lend }, ports, (line) => lines.push(line));
  const done = (imports: Imports, task: number, envelope: object): void => {
    const bytes = new TextEncoder().encode(JSON.stringify(envelope));
    new Uint8Array(wasm.buffer).set(bytes, 512);
    (imports.task_done as (...args: number[]) => void)(task, 512, bytes.length);
  };
  return { guest, lines, done };
}

const nothing = (): void => {};

test("answers and errors come back with their kind", async () => {
  const f = await fake((imports, task, request) => {
    const { method } = JSON.parse(request) as { method: string };
    if (method === "version") f.done(imports, task, { result: { version: "1" } });
    else f.done(imports, task, { error: { kind: 14, message: "wrong", hint: "set it", changed: true, details: { server_time: 5 } } });
  });
  assert.deepEqual(await f.guest.call("version", {}, nothing).answer, { version: "1" });
  await assert.rejects(f.guest.call("sync", {}, nothing).answer, {
    name: "SyncError", kind: "clock", message: "wrong", hint: "set it", changed: true, details: { server_time: 5 },
  });
});

test("what JSON would write as something else is refused", async () => {
  const f = await fake((imports, task) => f.done(imports, task, { result: null }));
  for (const value of [NaN, Infinity, 5n]) {
    assert.throws(() => f.guest.call("edit", { ops: [{ op: "setConfig", key: "k", value: { a: [value] } }] }, nothing), { kind: "invalid_input" });
  }
});

test("a crash rejects all calls, and later ones", async () => {
  let calls = 0;
  const f = await fake(() => {
    if (++calls === 2) throw new WebAssembly.RuntimeError("unreachable");
  });
  let crashes = 0;
  f.guest.onCrash = () => crashes++;
  const first = f.guest.call("sync", {}, nothing).answer;
  const second = f.guest.call("status", {}, nothing).answer;
  for (const answer of [first, second, f.guest.call("version", {}, nothing).answer]) {
    await assert.rejects(answer, { kind: "internal" });
  }
  f.guest.cancel(1); // is ignored
  assert.deepEqual([crashes, calls, f.lines.length], [1, 2, 1]);
});

test("a crash inside the collation does not unwind SQLite", async () => {
  const f = await fake(nothing, {
    cf_collate: () => {
      throw new WebAssembly.RuntimeError("unreachable");
    },
  });
  assert.equal(f.guest.collate(Uint8Array.of(1), Uint8Array.of(2)), 0);
  await assert.rejects(f.guest.call("version", {}, nothing).answer, { kind: "internal" });
});

test("another version of the boundary is refused", async () => {
  await assert.rejects(fake(nothing, { cf_abi: () => 2 }), { kind: "internal", message: /version 2/ });
});
