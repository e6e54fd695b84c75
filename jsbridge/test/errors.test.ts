import assert from "node:assert/strict";
import { test } from "node:test";
import { kindOf, SyncError, toFailure, toSyncError, withHint } from "../src/errors.ts";
import { KINDS } from "../src/protocol.gen.ts";

test("kinds and numbers", () => {
  for (const [name, number] of Object.entries(KINDS)) assert.equal(kindOf(number), name);
  assert.equal(kindOf(0), "other");
  assert.equal(kindOf(200), "other");
});

test("an error survives postMessage", () => {
  const e = new SyncError("clock", "wrong", { hint: "set it", changed: true, details: { server_time: 1 } });
  const copy = SyncError.from(structuredClone(toFailure(e)));
  assert.ok(copy instanceof SyncError && copy instanceof Error);
  assert.deepEqual({ ...copy, message: copy.message }, { ...e, message: e.message });
});

test("whatever is thrown gets a kind", () => {
  const cases: [unknown, string][] = [
    [new SyncError("auth", "no"), "auth"],
    [new DOMException("x", "AbortError"), "cancelled"],
    [new DOMException("x", "QuotaExceededError"), "storage_full"],
    [new DOMException("x", "NoModificationAllowedError"), "busy"],
    [new DOMException("x", "SecurityError"), "unsupported_browser"],
    [new DOMException("x", "OtherError"), "other"],
    [new RangeError("x"), "internal"],
    ["text", "internal"],
    [undefined, "internal"],
  ];
  for (const [thrown, kind] of cases) assert.equal(toSyncError(thrown).kind, kind);
});

test("an error says what to do", () => {
  const own = new SyncError("network", "gone", { hint: "plug it in", changed: true });
  assert.equal(withHint(own), own);
  const given = withHint(new SyncError("resync", "no", { changed: true, details: { a: 1 } }));
  assert.match(given.hint, /Check Database/);
  assert.deepEqual([given.kind, given.message, given.changed, given.details], ["resync", "no", true, { a: 1 }]);
  assert.equal(withHint(new SyncError("cancelled", "cancelled")).hint, "");
});
