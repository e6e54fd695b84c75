import assert from "node:assert/strict";
import { test } from "node:test";
import { failingAlike, HANDLE_FAILURES, sparingly } from "../src/handles.ts";

test("what would change nothing is not done", () => {
  const done: string[] = [];
  class Handle {
    size = 3;
    getSize(): number { return this.size; }
    write(bytes: BufferSource): number { return done.push("write"), bytes.byteLength; }
    truncate(size: number): void { done.push("truncate"); this.size = size; }
    flush(): void { done.push("flush"); if (this.size === 9) throw new Error("full"); }
  }
  sparingly(Handle.prototype);
  const [a, b] = [new Handle(), new Handle()];
  b.write(new Uint8Array(1));
  a.flush();
  a.truncate(3);
  a.flush();
  assert.deepEqual(done.splice(0), ["write"]);
  a.truncate(2);
  a.flush();
  a.flush();
  b.flush();
  assert.deepEqual(done.splice(0), ["truncate", "flush", "flush"]);
  a.truncate(9);
  for (let i = 0; i < 2; i++) assert.throws(() => a.flush(), "what was not flushed still has to be");
});

test("what fails alike in all browsers is called as before", async () => {
  const prototype = {
    async createSyncAccessHandle(options?: { mode: string }): Promise<unknown> {
      if (!options) throw new DOMException("held", "InvalidStateError");
      return options.mode;
    },
  };
  failingAlike(prototype, "createSyncAccessHandle", HANDLE_FAILURES);
  assert.equal(await prototype.createSyncAccessHandle({ mode: "read-only" }), "read-only");
  await assert.rejects(prototype.createSyncAccessHandle(), { name: "NoModificationAllowedError" });
});
