// A WASI shim: what Go's runtime needs, and nothing else. There are no files, arguments or environment variables.

import type { GuestMemory } from "./memory.ts";

const OK = 0;
const EBADF = 8;
const ENOSYS = 52;
/** The most that crypto.getRandomValues fills at once. */
const RANDOM_MAX = 65536;

/** Thrown when the guest ends itself; its instance cannot be used any more. */
export class GuestExit extends Error {}

/** Fills a view with random bytes. */
export function fillRandom(view: Uint8Array): void {
  for (let at = 0; at < view.length; at += RANDOM_MAX) {
    crypto.getRandomValues(view.subarray(at, at + RANDOM_MAX) as Uint8Array<ArrayBuffer>);
  }
}

/**
 * Returns the functions that module imports from WASI. Functions that are not listed answer that there is no
 * such descriptor, or no such function: the runtime looks for preopened folders, and only names the others. print gets what the guest writes to standard output and error, line by line.
 */
export function wasi(module: WebAssembly.Module, memory: GuestMemory, print: (line: string) => void): WebAssembly.ModuleImports {
  let line = "";
  const decoder = new TextDecoder();
  const shim: WebAssembly.ModuleImports = {
    args_sizes_get: (argc: number, size: number) => zero(memory, argc, size),
    args_get: () => OK,
    environ_sizes_get: (count: number, size: number) => zero(memory, count, size),
    environ_get: () => OK,
    clock_time_get: (id: number, _precision: bigint, out: number) => {
      const ms = id === 0 ? Date.now() : performance.now();
      memory.data(out, 8).setBigUint64(0, BigInt(Math.round(ms * 1000)) * 1000n, true);
      return OK;
    },
    random_get: (ptr: number, length: number) => (fillRandom(memory.view(ptr, length)), OK),
    sched_yield: () => OK,
    // The runtime naps when it waits for itself; with one thread there is nothing to wait for.
    poll_oneoff: (_in: number, _out: number, count: number, done: number) => {
      memory.data(done, 4).setUint32(0, count, true);
      return OK;
    },
    fd_write: (_fd: number, iovs: number, count: number, written: number) => {
      let total = 0;
      for (let i = 0; i < count; i++) {
        const iov = memory.data(iovs + 8 * i, 8);
        const length = iov.getUint32(4, true);
        line += decoder.decode(memory.view(iov.getUint32(0, true), length), { stream: true });
        total += length;
      }
      memory.data(written, 4).setUint32(0, total, true);
      const lines = line.split("\n");
      line = lines.pop() ?? "";
      for (const l of lines) print(l);
      return OK;
    },
    proc_exit: (code: number) => {
      throw new GuestExit(`the guest has ended with code ${code}`);
    },
  };
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    if (from === "wasi_snapshot_preview1") shim[name] ??= () => (name.startsWith("fd_") ? EBADF : ENOSYS);
  }
  return shim;
}

function zero(memory: GuestMemory, a: number, b: number): number {
  memory.data(a, 4).setUint32(0, 0, true);
  memory.data(b, 4).setUint32(0, 0, true);
  return OK;
}
