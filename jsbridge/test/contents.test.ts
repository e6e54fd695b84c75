// What a server says of its collection, as servers of ours and others answer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { serverContents } from "../src/contents.ts";

const owner = { endpoint: "https://h/base/", key: "secret" };
const { signal } = new AbortController();
const contents = { cards: 3, notes: 2, reviews: 9, modified: 5, newer: { notes: 1, reviews: 4, examples: ["<b>x</b>"] } };

function server(status: number, body: string): { send: typeof fetch; asked: string[] } {
  const asked: string[] = [];
  const send = (async (url: string, init: RequestInit) => {
    asked.push(`${init.method} ${url} ${new Headers(init.headers).get("authorization")}`);
    return new Response(body, { status });
  }) as typeof fetch;
  return { send, asked };
}

test("the contents", async () => {
  const s = server(200, JSON.stringify({ ...contents, more: 1 }));
  assert.deepEqual(await serverContents(s.send, owner, 1234.5, signal), contents);
  assert.deepEqual(s.asked, ["GET https://h/base/api/collection?since=1234 Bearer secret"]);
});

const refusals: [string, number, string, string][] = [
  ["not our server", 404, "", "server_message"],
  ["another program", 200, "<html>", "server_message"],
  ["an answer of another kind", 200, `{"cards":"3"}`, "server_message"],
  ["an unknown key", 401, "{}", "auth"],
  ["a broken server", 502, "", "server_error"],
];
for (const [name, status, body, kind] of refusals) {
  test(name, () => assert.rejects(serverContents(server(status, body).send, owner, 0, signal), { kind }));
}
