import assert from "node:assert/strict";
import { test } from "node:test";
import { GuestMemory } from "../src/memory.ts";
import { fillRandom, GuestExit, wasi } from "../src/wasi.ts";

/** A module that imports one function of WASI which the shim does not list. */
const module = new WebAssembly.Module(
  Uint8Array.from([
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 2, 36, 1, 22,
    ...new TextEncoder().encode("wasi_snapshot_preview1"), 9, ...new TextEncoder().encode("path_open"), 0, 0,
  ]),
);

function shim() {
  const memory = new GuestMemory();
  memory.attach(new WebAssembly.Memory({ initial: 1 }));
  const lines: string[] = [];
  const functions = wasi(module, memory, (line) => lines.push(line)) as Record<string, (...args: unknown[]) => number>;
  const call = (name: string, ...args: unknown[]): number => functions[name]?.(...args) ?? -1;
  return { memory, lines, call };
}

test("lines are put together from pieces", () => {
  const { memory, lines, call } = shim();
  const bytes = new TextEncoder().encode("grün\nzwei");
  memory.bytes.set(bytes, 100);
  const iovs = new Uint32Array(memory.bytes.buffer, 0, 4);
  for (const piece of [[100, 3], [103, bytes.length - 3]] as const) {
    iovs.set([...piece, 0, 0]);
    assert.equal(call("fd_write", 1, 0, 1, 16), 0);
    assert.equal(memory.data(16, 4).getUint32(0, true), piece[1]);
  }
  assert.deepEqual(lines, ["grün"]);
});

test("there is nothing but a clock and random numbers", () => {
  const { memory, call } = shim();
  assert.equal(call("clock_time_get", 0, 0n, 8), 0);
  const ms = Number(memory.data(8, 8).getBigUint64(0, true) / 1_000_000n);
  assert.ok(Math.abs(ms - Date.now()) < 5000);
  assert.equal(call("environ_sizes_get", 0, 4), 0);
  assert.equal(call("path_open"), 52);
  assert.throws(() => call("proc_exit", 2), GuestExit);
  assert.throws(() => call("random_get", 65536, 1), RangeError);
});

test("random numbers of any length", () => {
  const bytes = new Uint8Array(200_000);
  fillRandom(bytes);
  assert.ok(bytes.subarray(199_000).some((b) => b !== 0));
});
