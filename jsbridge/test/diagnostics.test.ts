import assert from "node:assert/strict";
import { test } from "node:test";
import { Errors, report, type Facts } from "../src/diagnostics.ts";
import { SyncError } from "../src/errors.ts";
import { refused } from "../src/signup.ts";

test("the report has neither secrets nor card content", () => {
  const errors = new Errors();
  errors.add("query", new SyncError("invalid_input", "no such column: Geheimnis"));
  errors.add("sync", new SyncError("server_error", "the key abcdef was refused"));
  errors.add("sync", new SyncError("cancelled", "cancelled"));
  const facts: Facts = {
    versions: { cardferry: "1", browser: "B" },
    profile: "default",
    endpoint: "https://user:password@host/path/?key=abcdef",
    status: { required: "none", activity: "idle", lastSync: 0, pending: 3 } as Facts["status"],
    settings: {},
    counts: { notes: 5 },
    storage: { persisted: false },
    tabs: 2,
    errors: errors.lines(),
  };
  const text = report(facts, ["abcdef", undefined, ""]);
  for (const part of ["cardferry: 1", "https://host/path/", "pending 3", "notes 5", "tabs: 2", "query: invalid_input\n", "the key … was refused"]) {
    assert.ok(text.includes(part), `${part} in ${text}`);
  }
  for (const secret of ["Geheimnis", "abcdef", "password", "cancelled"]) assert.ok(!text.includes(secret), secret);
});

test("only the last errors are kept", () => {
  const errors = new Errors();
  for (let i = 0; i < 50; i++) errors.add("sync", new SyncError("network", `n${i}.`));
  assert.equal(errors.lines().length, 20);
  assert.match(errors.lines()[0]!, /n49\./);
});

test("refused sign-ups", () => {
  for (const [status, kind, reason] of [
    [400, "invalid_input", "invalid"],
    [403, "server_message", "closed"],
    [404, "server_message", "unsupported"],
    [409, "invalid_input", "taken"],
    [422, "invalid_input", "invalid"],
    [429, "network", "rate_limited"],
  ] as const) {
    const e = refused(status, "", "soon");
    assert.equal(e.kind, kind);
    assert.equal(e.details.reason, reason);
    assert.ok(e.hint && e.message);
  }
  assert.equal(refused(429, "", "30").details.retry_after, 30);
  assert.equal(refused(503, "", null).kind, "server_error");
});
