import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { kindOf } from "../src/errors.ts";
import { Http } from "../src/http.ts";
import { concat } from "./lab.ts";
import { MemoryMedia } from "./mediastore.ts";
import { GuestMemory } from "../src/memory.ts";
import { EVENTS } from "../src/protocol.gen.ts";
import { decodeRow, encodeRow, type Value } from "../src/rows.ts";

interface Event {
  call: number;
  kind: number;
  bytes: Uint8Array;
}

/** A server and the imports that ask it; next waits for the next event. */
async function lab(t: TestContext, listener: RequestListener) {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const memory = new GuestMemory();
  memory.attach(new WebAssembly.Memory({ initial: 4 }));
  const events: Event[] = [];
  const store = new MemoryMedia();
  let wake = (): void => {};
  const deliver = (call: number, kind: number, bytes: Uint8Array): void => {
    events.push({ call, kind, bytes });
    wake();
  };
  const http = new Http(deliver, {
    file: (name) => new Blob([`content of ${name}`]),
    media: (name, seen, offset, length) => store.blob(name, seen, offset, length),
  });
  const imports = http.imports(memory);
  t.after(() => {
    http.closeAll();
    server.closeAllConnections();
    server.close();
  });
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return {
    base,
    imports,
    store,
    start(call: number, path: string, more: Partial<Record<"body" | "file" | "stream" | "limit" | "stall", Value>> = {}, parts?: Value[][]) {
      const { body = new Uint8Array(0), file = null, stream = 0n, limit = 0n, stall = 0n } = more;
      const headers = JSON.stringify({ "content-type": "application/octet-stream", "content-length": "99", "x-key": "k" });
      const block = encodeRow(["POST", base + path, headers, body, file, stream, limit, stall, parts ? concat(parts.map(encodeRow)) : null]);
      memory.bytes.set(block, 16);
      imports.http_start(call, 16, block.length);
    },
    async next(): Promise<Event> {
      while (events.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return events.shift() as Event;
    },
    pending: () => events.length,
  };
}

function answerOf(e: Event) {
  assert.equal(e.kind, EVENTS.answer, `event ${e.kind}: ${new TextDecoder().decode(e.bytes)}`);
  const [status, headers, body] = decodeRow(e.bytes);
  return { status: Number(status), headers: JSON.parse(String(headers)) as Record<string, string>, body: body as Uint8Array };
}

function failureOf(e: Event): string {
  assert.equal(e.kind, EVENTS.failed);
  return kindOf(Number(decodeRow(e.bytes)[0]));
}

const text = (b: Uint8Array): string => new TextDecoder().decode(b);

test("a body and its answer", async (t) => {
  const l = await lab(t, (req, res) => {
    const parts: Buffer[] = [];
    req.on("data", (d: Buffer) => parts.push(d));
    req.on("end", () => {
      res.setHeader("Anki-Original-Size", "7");
      res.statusCode = 403;
      res.end(`${req.method} ${req.headers["x-key"]} ${req.headers["content-length"]} ${Buffer.concat(parts)}`);
    });
  });
  l.start(5, "sync/meta", { body: new TextEncoder().encode("hello") });
  const first = await l.next();
  const a = answerOf(first);
  assert.deepEqual([first.call, a.status, text(a.body), a.headers["anki-original-size"]], [5, 403, "POST k 5 hello", "7"]);
  l.start(6, "", { file: "cardferry.tmp/body" });
  assert.equal(text(answerOf(await l.next()).body), "POST k 29 content of cardferry.tmp/body");
});

test("a body of parts", async (t) => {
  const l = await lab(t, (req, res) => {
    const parts: Buffer[] = [];
    req.on("data", (d: Buffer) => parts.push(d));
    req.on("end", () => res.end(`${req.headers["content-length"]} ${Buffer.concat(parts)}`));
  });
  const { size, modified } = l.store.put("ä.png", Buffer.from("image"));
  const bytes = (s: string): Value[] => [new TextEncoder().encode(s)];
  const range = (offset: bigint, length: bigint, time = modified): Value[] => ["ä.png", size, time, offset, length];
  const cases: [Value[][], string][] = [
    [[bytes("<"), range(1n, 3n), bytes("|"), range(0n, 5n), bytes(""), range(5n, 0n), bytes(">")], "11 <mag|image>"],
    [[bytes("only")], "4 only"],
  ];
  for (const [parts, want] of cases) {
    l.start(1, "", {}, parts);
    assert.equal(text(answerOf(await l.next()).body), want);
  }
  const failures: [Value[][], string][] = [
    [[bytes("x"), ["none", size, modified, 0n, 1n]], "not_found"],
    [[bytes("x"), range(0n, 5n, modified + 1n)], "not_found"],
    [[range(1n, 5n)], "internal"],
    [[range(-1n, 5n)], "internal"],
    [[range(1n, -1n)], "internal"],
  ];
  for (const [parts, kind] of failures) {
    l.start(1, "", {}, parts);
    assert.equal(failureOf(await l.next()), kind);
  }
  l.start(1, "", { body: new TextEncoder().encode("y") }, [bytes("x")]);
  assert.equal(failureOf(await l.next()), "internal");
});

test("a streamed answer is read as the guest asks for it", async (t) => {
  const l = await lab(t, (_, res) => void res.end("x".repeat(100_000)));
  l.start(1, "", { stream: 1n, limit: 10n });
  assert.equal(answerOf(await l.next()).body.length, 0);
  let size = 0;
  for (;;) {
    assert.equal(l.pending(), 0);
    l.imports.http_read(1, 30_000);
    const e = await l.next();
    if (e.kind === EVENTS.end) break;
    assert.equal(e.kind, EVENTS.data);
    assert.ok(e.bytes.length > 0 && e.bytes.length <= 30_000);
    size += e.bytes.length;
  }
  assert.equal(size, 100_000);
});

test("an error answer is collected even if a stream was asked for", async (t) => {
  const l = await lab(t, (_, res) => void res.writeHead(500).end("broken"));
  l.start(1, "", { stream: 1n });
  assert.equal(text(answerOf(await l.next()).body), "broken");
});

test("failures have kinds", async (t) => {
  const l = await lab(t, (req, res) => {
    if (req.url === "/long") res.end("x".repeat(1001));
    else if (req.url === "/cut") res.writeHead(200, { "content-length": "100" }).write("x", () => req.socket.destroy());
    else if (req.url === "/slow") res.write("x"); // and nothing more
    else if (req.url === "/drop") req.socket.destroy();
  });
  const cases: [string, Parameters<typeof l.start>[2], string][] = [
    ["long", { limit: 1000n }, "damaged_download"],
    ["cut", {}, "network"],
    ["drop", {}, "network"],
    ["slow", { stall: 50n }, "timeout"],
    ["silent", { stall: 50n }, "timeout"],
  ];
  for (const [path, more, kind] of cases) {
    l.start(1, path, more);
    assert.equal(failureOf(await l.next()), kind, path);
  }
  l.start(2, "slow", { stream: 1n, stall: 1000n });
  answerOf(await l.next());
  l.imports.http_read(2, 10);
  assert.equal((await l.next()).kind, EVENTS.data);
  l.imports.http_read(2, 10);
  assert.equal(failureOf(await l.next()), "timeout");
});

test("a redirect is reported as a 308 to where it led", async (t) => {
  const l = await lab(t, (req, res) => {
    if (req.url === "/sync/meta") res.writeHead(308, { location: "/moved/" }).end();
    else res.writeHead(404).end();
  });
  l.start(1, "sync/meta");
  const a = answerOf(await l.next());
  assert.deepEqual([a.status, a.headers.location], [308, `${l.base}moved/`]);
});

test("no event follows a close", async (t) => {
  let asked = (): void => {};
  const received = new Promise<void>((resolve) => (asked = resolve));
  let gone = (): void => {};
  const closed = new Promise<void>((resolve) => (gone = resolve));
  const l = await lab(t, (req) => {
    asked();
    req.socket.on("close", gone);
  });
  l.start(1, "");
  await received;
  l.imports.http_close(1);
  l.imports.http_close(1);
  await closed;
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(l.pending(), 0);
});
