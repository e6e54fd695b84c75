// Requests of the embedding app: both ends of transport.ts, connected without a worker.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SyncError } from "../src/errors.ts";
import { PageTransport, WorkerTransport, type Transport } from "../src/transport.ts";

/** Connects a worker's end with a page's; messages arrive later, as they do between threads. */
function connect(transport: Transport): typeof fetch {
  const worker = new WorkerTransport((m) => void queueMicrotask(() => page.receive(structuredClone(m))));
  const page = new PageTransport(transport, (m) => void queueMicrotask(() => worker.receive(structuredClone(m))));
  return worker.fetch;
}

test("request and answer", async () => {
  const f = connect(async (url, init) => {
    const body = await new Response(init.body).text();
    const headers = new Headers(init.headers);
    return new Response(`${init.method} ${url} ${headers.get("x-a")} ${body}`, { status: 201, headers: { "x-b": "2" } });
  });
  const r = await f("http://h/p", { method: "POST", headers: { "x-a": "1" }, body: new Blob(["sent"]) });
  assert.equal(r.status, 201);
  assert.equal(r.headers.get("x-b"), "2");
  assert.equal(r.url, "http://h/p");
  assert.equal(await r.text(), "POST http://h/p 1 sent");
});

test("a body comes as it is taken", async () => {
  let pulled = 0;
  const body = (): ReadableStream => new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array([++pulled])) }, { highWaterMark: 0 });
  const r = await connect(async () => new Response(body()))("http://h/");
  const reader = r.body!.getReader();
  assert.deepEqual((await reader.read()).value, new Uint8Array([1]));
  assert.deepEqual((await reader.read()).value, new Uint8Array([2]));
  assert.equal(pulled, 2);
  await reader.cancel();
});

test("answers without a body", async () => {
  const r = await connect(async () => new Response(null, { status: 204 }))("http://h/");
  assert.equal(r.status, 204);
  assert.equal(await r.text(), "");
});

test("errors", async () => {
  const busy = new SyncError("proxy_auth", "the proxy wants a password");
  await assert.rejects(connect(() => Promise.reject(busy))("http://h/"), { kind: "proxy_auth" });
  await assert.rejects(connect(() => Promise.reject(new Error("broken")))("http://h/"), TypeError);
  await assert.rejects(connect(async () => Response.error())("http://h/"), TypeError); // status 0, as of a redirect that fetch was not to follow
  const broken = new ReadableStream({ pull: (c) => c.error(new Error("broken")) }, { highWaterMark: 0 });
  await assert.rejects((await connect(async () => new Response(broken))("http://h/")).text(), TypeError);
});

test("an end of the request reaches the app", async () => {
  const end = new AbortController();
  let reason: unknown;
  const f = connect(
    (_, init) =>
      new Promise((_, reject) => {
        init.signal!.addEventListener("abort", () => reject((reason = init.signal!.reason)));
        end.abort();
      }),
  );
  await assert.rejects(f("http://h/", { signal: end.signal }), { name: "AbortError" });
  await new Promise((turn) => setImmediate(turn));
  assert.equal((reason as Error).name, "AbortError");
  await assert.rejects(f("http://h/", { signal: AbortSignal.abort() }), { name: "AbortError" });
});

test("what comes of a worker's requests after its end is not for the next one, whose numbers are the same", async () => {
  const answers: { resolve(r: Response): void; reject(e: Error): void }[] = [];
  const transport: Transport = () => new Promise((resolve, reject) => answers.push({ resolve, reject })); // it does not look at the signal
  let worker = new WorkerTransport(() => {});
  const page = new PageTransport(transport, (m) => worker.receive(structuredClone(m)));
  const request = (): Promise<Response> => {
    worker = new WorkerTransport((m) => page.receive(structuredClone(m)));
    return worker.fetch("http://h/");
  };
  const turn = (): Promise<void> => new Promise((go) => setImmediate(go));
  request().catch(() => {});
  page.endAll();
  request().catch(() => {});
  page.endAll();
  let done = false;
  const third = request().finally(() => (done = true));
  answers[0]!.resolve(new Response("of the first"));
  answers[1]!.reject(new Error("of the second"));
  await turn();
  assert.equal(done, false);
  answers[2]!.resolve(new Response("of the third"));
  assert.equal(await (await third).text(), "of the third");

  // The same while a body comes: to read on in one that is cancelled is to be at its end.
  const slow = request();
  answers[3]!.resolve(new Response(new ReadableStream({ cancel: () => {} })));
  (await slow).text().catch(() => {});
  await turn();
  page.endAll();
  const last = request();
  answers[4]!.resolve(new Response("of the last"));
  assert.equal(await (await last).text(), "of the last");
});
