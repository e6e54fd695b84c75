// The list of an account's devices, as servers of ours and others answer it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { listDevices, removeDevice } from "../src/devices.ts";
import { SyncError } from "../src/errors.ts";

const owner = { endpoint: "https://h/base/", key: "secret" };
const { signal } = new AbortController();

/** A server that gives one answer, and what it was asked. */
function server(status: number, body = ""): { send: typeof fetch; asked: string[] } {
  const asked: string[] = [];
  const send = (async (url: string, init: RequestInit) => {
    asked.push(`${init.method} ${url} ${new Headers(init.headers).get("authorization")}`);
    return new Response(status === 204 ? null : body, { status });
  }) as typeof fetch;
  return { send, asked };
}

test("the list", async () => {
  const s = server(200, JSON.stringify({ devices: [{ id: "a", name: "phone", created: 1, last_seen: 2, current: true }] }));
  assert.deepEqual(await listDevices(s.send, owner, signal), [{ id: "a", name: "phone", created: 1, lastSeen: 2, current: true }]);
  assert.deepEqual(s.asked, ["GET https://h/base/api/devices Bearer secret"]);
});

test("one is removed", async () => {
  const s = server(204);
  await removeDevice(s.send, owner, "a/b", signal);
  assert.deepEqual(s.asked, ["DELETE https://h/base/api/devices/a%2Fb Bearer secret"]);
});

const refusals: [string, number, string, string][] = [
  ["not our server", 404, "", "server_message"],
  ["another program", 200, "<html>", "server_message"],
  ["a list of another kind", 200, `{"devices":3}`, "server_message"],
  ["an unknown key", 401, "{}", "auth"],
  ["too many requests", 429, "", "network"],
  ["a broken server", 502, "", "server_error"],
];
for (const [name, status, body, kind] of refusals) {
  test(name, () => assert.rejects(listDevices(server(status, body).send, owner, signal), { kind }));
}

test("no such device, no account, no network", async () => {
  await assert.rejects(removeDevice(server(404).send, owner, "a", signal), { kind: "not_found" });
  await assert.rejects(listDevices(server(200).send, null, signal), { kind: "auth" });
  const broken = (() => Promise.reject(new TypeError("failed"))) as typeof fetch;
  await assert.rejects(listDevices(broken, owner, signal), (e: unknown) => e instanceof SyncError && ["network", "offline"].includes(e.kind));
});
