import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { concat } from "../src/bytes.ts";
import { kindOf } from "../src/errors.ts";
import { Http, type Bodies } from "../src/http.ts";
import { frameOf, recordedFrames, recordedPayload, zstdOf } from "./frames.ts";
import { MemoryMedia } from "./mediastore.ts";
import { GuestMemory } from "../src/memory.ts";
import { EVENTS, REQUEST_FLAGS } from "../src/protocol.gen.ts";
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
  const bodies: Bodies = {
    file: (name) => new Blob([`content of ${name}`]),
    media: (name, seen, offset, length) => store.blob(name, seen, offset, length),
  };
  const http = new Http(deliver, bodies, zstdOf());
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
    http,
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
    /** Reads a streamed body, up to max bytes at a time: its pieces, or the failure that ended it. */
    async body(call: number, max: number): Promise<{ pieces: Uint8Array[]; failure?: string }> {
      const pieces: Uint8Array[] = [];
      for (;;) {
        imports.http_read(call, max);
        const e = await this.next();
        if (e.kind === EVENTS.end) return { pieces };
        if (e.kind !== EVENTS.data) return { pieces, failure: failureOf(e) };
        pieces.push(e.bytes);
      }
    },
  };
}

function answerOf(e: Event) {
  assert.equal(e.kind, EVENTS.answer, `event ${e.kind}: ${new TextDecoder().decode(e.bytes)}`);
  const [status, headers, body, decoded] = decodeRow(e.bytes);
  return {
    status: Number(status),
    headers: JSON.parse(String(headers)) as Record<string, string>,
    body: body as Uint8Array,
    decoded: Number(decoded) !== 0,
  };
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

const UNZSTD = BigInt(REQUEST_FLAGS.stream | REQUEST_FLAGS.unzstd);

test("a streamed frame arrives decompressed", async (t) => {
  const large = frameOf(Array.from({ length: 100 }, (_, i) => ({ byte: i, times: 100_000 })));
  const recorded = recordedFrames().get("streamed, checksum") as Uint8Array;
  const l = await lab(t, async (req, res) => {
    if (req.url === "/large") return void res.end(large);
    for (const byte of recorded) {
      res.write(Uint8Array.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    res.end();
  });
  for (const transport of [undefined, fetch]) {
    l.http.transport = transport;
    l.start(1, "large", { stream: UNZSTD });
    const { body, decoded } = answerOf(await l.next());
    assert.deepEqual([body.length, decoded], [0, true]);
    const { pieces, failure } = await l.body(1, 30_000);
    assert.deepEqual([concat(pieces).length, concat(pieces)[9_999_999], failure], [10_000_000, 99, undefined]);
    assert.ok(pieces.every((p) => p.length > 0 && p.length <= 30_000));
    l.start(2, "bytes", { stream: UNZSTD });
    assert.ok(answerOf(await l.next()).decoded);
    assert.deepEqual(Buffer.from(concat((await l.body(2, 256 << 10)).pieces)), Buffer.from(recordedPayload()));
  }
});

test("only a streamed frame of a success is decompressed", async (t) => {
  const frame = frameOf([new TextEncoder().encode("payload")]);
  const l = await lab(t, (req, res) => void res.writeHead(req.url === "/" ? 200 : 500).end(frame));
  const cases: [string, bigint][] = [["", BigInt(REQUEST_FLAGS.unzstd)], ["broken", UNZSTD]];
  for (const [path, stream] of cases) {
    l.start(1, path, { stream });
    const { body, decoded } = answerOf(await l.next());
    assert.deepEqual([body, decoded], [frame, false]);
  }
  l.start(1, "", { stream: BigInt(REQUEST_FLAGS.stream) });
  assert.equal(answerOf(await l.next()).decoded, false);
  assert.deepEqual(Buffer.from(concat((await l.body(1, 100)).pieces)), Buffer.from(frame));
});

test("collected answers and bodies are compressed here once the library is there", async (t) => {
  const library = zstdOf();
  await library.ready();
  const long = library.compress(new Uint8Array(randomBytes(8192 + 10)));
  const short = frameOf([new TextEncoder().encode("payload")]);
  const bomb = frameOf(Array.from({ length: 40 }, (_, i) => ({ byte: i, times: 128 << 10 })));
  const answers: Record<string, Uint8Array> = {
    "/long": long, "/short": short, "/none": frameOf([new Uint8Array(0)]), "/after": Buffer.concat([short, Buffer.from("more")]),
    "/half": short.subarray(0, 9), "/html": Buffer.from("<html>Log in</html>"), "/empty": new Uint8Array(0), "/bomb": bomb,
  };
  let sent = Buffer.alloc(0);
  const l = await lab(t, async (req, res) => {
    sent = Buffer.concat(await req.toArray());
    res.writeHead(req.url === "/error" ? 400 : 200).end(answers[req.url === "/error" ? "/short" : (req.url ?? "")]);
  });
  const asked = BigInt(REQUEST_FLAGS.unzstd);
  const ask = async (path: string, more: Parameters<typeof l.start>[2] = {}) => {
    l.start(1, path, { stream: asked, ...more });
    return answerOf(await l.next());
  };
  assert.equal((await ask("short")).decoded, false); // not worth loading it
  await ask("long"); // it is, but perhaps not at once
  while (!(await ask("short")).decoded);
  for (const [path, payload] of [["short", "payload"], ["none", ""], ["after", "payload"]] as const) {
    const { body, decoded } = await ask(path);
    assert.deepEqual([Buffer.from(body).toString(), decoded], [payload, true], path);
  }
  assert.equal((await ask("long")).body.length, 8192 + 10);
  // What the guest has to judge comes as it is.
  for (const path of ["half", "html", "empty", "bomb", "error"]) {
    const { body, decoded } = await ask(path);
    assert.deepEqual([Buffer.from(body), decoded], [Buffer.from(answers[path === "error" ? "/short" : `/${path}`] ?? ""), false], path);
  }
  assert.equal((await ask("short", { limit: BigInt(short.length) })).decoded, true);
  assert.equal((await ask("long", { limit: BigInt(long.length) })).decoded, long.length >= 8192 + 10);
  assert.equal((await ask("short", { stream: 0n })).decoded, false); // nobody has asked for it
  for (const body of [new Uint8Array(0), new TextEncoder().encode("a body"), new Uint8Array(randomBytes(60_000)), new Uint8Array(200_000)]) {
    await ask("short", { body, stream: BigInt(REQUEST_FLAGS.unzstd | REQUEST_FLAGS.zstd) });
    assert.ok(sent.length < body.length + 40);
    const got = library.decompress(sent, 2_000_000);
    assert.ok(got && Buffer.compare(got, body) === 0, `${body.length} bytes`);
  }
});

test("failures of a frame have kinds", async (t) => {
  const frame = frameOf(Array.from({ length: 10 }, (_, i) => ({ byte: i, times: 1000 })));
  const l = await lab(t, (req, res) => {
    if (req.url === "/half") res.end(frame.subarray(0, 20));
    else if (req.url === "/html") res.end("<html>Log in</html>");
    else if (req.url === "/empty") res.end();
    else if (req.url === "/slow") res.write(frame.subarray(0, 20)); // and nothing more
    else if (req.url === "/cut") res.writeHead(200, { "content-length": "100" }).write(frame.subarray(0, 20), () => setTimeout(() => req.socket.destroy(), 50));
  });
  for (const [path, kind] of [
    ["half", "damaged_download"],
    ["html", "damaged_download"],
    ["empty", "damaged_download"],
    ["slow", "timeout"],
    ["cut", "network"],
  ] as const) {
    l.start(1, path, { stream: UNZSTD, stall: path === "slow" ? 300n : 0n });
    answerOf(await l.next());
    assert.equal((await l.body(1, 1000)).failure, kind, path);
    l.imports.http_close(1);
  }
  l.start(1, "html", { stream: UNZSTD });
  answerOf(await l.next());
  l.imports.http_read(1, 10);
  const [, message] = decodeRow((await l.next()).bytes);
  assert.match(String(message), /^decode the file: not a zstd frame\u001fTry again; /); // with a hint
});

test("a frame that is given up", async (t) => {
  const frame = frameOf(Array.from({ length: 100 }, (_, i) => ({ byte: i, times: 100_000 })));
  const l = await lab(t, (_, res) => void res.end(frame));
  l.start(1, "", { stream: UNZSTD });
  answerOf(await l.next());
  l.imports.http_read(1, 1000);
  assert.equal((await l.next()).kind, EVENTS.data);
  l.imports.http_read(1, 1000);
  l.imports.http_close(1);
  l.start(2, "", { stream: UNZSTD });
  assert.equal((await l.next()).call, 2);
  assert.equal(concat((await l.body(2, 1 << 18)).pieces).length, 10_000_000);
});

test("a body that comes as fast as it is read, and has nothing in it, can be given up", async (t) => {
  const l = await lab(t, () => {});
  const head = frameOf([]);
  const nothing = new Uint8Array(30_000); // 10,000 blocks, all empty
  let pulls = 0;
  l.http.transport = async () =>
    new Response(
      new ReadableStream({
        pull(c) {
          if (pulls++ === 0) c.enqueue(head);
          else if (pulls < 20_000) c.enqueue(nothing);
          else c.close();
        },
      }),
    );
  l.start(1, "", { stream: UNZSTD });
  assert.ok(answerOf(await l.next()).decoded);
  l.imports.http_read(1, 1000);
  await new Promise((resolve) => setTimeout(resolve));
  l.imports.http_close(1);
  assert.ok(pulls < 20_000, "all was read");
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

test("an app that sends a large body, and cannot tell how much it has sent, has the time of a slow line", async (t) => {
  const l = await lab(t, () => {});
  l.http.transport = async (_, init) => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    init!.signal!.throwIfAborted();
    return new Response("taken");
  };
  l.start(1, "", { stall: 50n, body: new Uint8Array(64 << 10) });
  assert.equal(text(answerOf(await l.next()).body), "taken");
  l.start(2, "", { stall: 50n });
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
