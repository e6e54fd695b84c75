import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { EventParser, Live, type Change } from "../src/live.ts";

const changed = 'event: changed\ndata: {"usn":7,"media_usn":null}\n\n';
const change: Change = { usn: 7, media_usn: null, empty: false };

function parse(pieces: string[]): Change[] {
  const changes: Change[] = [];
  const parser = new EventParser((c) => changes.push(c));
  for (const piece of pieces) assert.ok(parser.feed(piece));
  return changes;
}

test("events are read, whatever the pieces", () => {
  const text = `: listening\n\n:\n\n${changed}event: other\ndata: 1\n\n${changed}`;
  assert.deepEqual(parse([text]), [change, change]);
  assert.deepEqual(parse([...text]), [change, change]);
  assert.deepEqual(parse([...text.replaceAll("\n", "\r\n")]), [change, change]);
  assert.deepEqual(parse([...text.replaceAll("\n", "\r"), "\n"]), [change, change]);
});

test("what cannot be read is a change of something", () => {
  const nothing = { usn: null, media_usn: null };
  assert.deepEqual(parse(["event: changed\ndata: {\ndata: \n\n"]), [nothing]);
  assert.deepEqual(parse(["event: changed\ndata: null\n\n"]), [nothing]);
  assert.deepEqual(parse(['event: changed\ndata: {"usn":"7","media_usn":1e99,"empty":true}\n\n']), [{ ...nothing, empty: true }]);
  assert.deepEqual(parse(['event: changed\ndata: {"usn":7,"media_usn":null,"replaced":true}\n\n']), [{ ...nothing, empty: false }]);
  assert.deepEqual(parse(["data: 1\n\nevent: changed"]), []);
});

test("an endless line is no stream of events", () => {
  const parser = new EventParser(() => {});
  assert.equal(parser.feed("x".repeat(100_000)), false);
});

/** A server of events and somebody who listens to it; next waits for what happens. */
async function lab(t: TestContext, handle: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(handle).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  const log: string[] = [];
  const timers = new Set<() => void>();
  let wake = (): void => {};
  const note = (line: string): void => (log.push(line), wake());
  const live = new Live(
    { listening: () => note("listening"), changed: (c) => note(`changed ${c.usn}`), deaf: () => note("deaf") },
    (url, init) => fetch(url, init),
    (_, f) => (timers.add(f), () => void timers.delete(f)),
  );
  t.after(() => live.stop());
  return {
    listen: () => live.listen(`http://127.0.0.1:${(server.address() as AddressInfo).port}/base/`, "k"),
    stop: () => live.stop(),
    timers,
    async next(): Promise<string> {
      while (log.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return log.shift() as string;
    },
    rest: () => log,
  };
}

const head = { "content-type": "text/event-stream" };

test("listens with the key, once, until it is stopped", async (t) => {
  const requests: string[] = [];
  let gone = (): void => {};
  const ended = new Promise<void>((resolve) => (gone = resolve));
  const l = await lab(t, (request, response) => {
    requests.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    response.on("close", gone);
    response.writeHead(200, head).write(changed);
  });
  l.listen();
  l.listen();
  assert.equal(await l.next(), "listening");
  assert.equal(await l.next(), "changed 7");
  l.stop();
  await ended;
  assert.deepEqual(requests, ["GET /base/api/events Bearer k"]);
  assert.deepEqual([l.rest(), l.timers.size], [[], 0]);
});

test("a server without events, or one that ends, is no more heard", async (t) => {
  const answers: ((response: ServerResponse) => void)[] = [
    (response) => response.writeHead(404).end(),
    (response) => response.writeHead(200, { "content-type": "text/html" }).end(changed),
    (response) => response.writeHead(302, { location: "http://127.0.0.1:9/" }).end(),
    (response) => response.destroy(),
  ];
  const l = await lab(t, (_, response) => (answers.shift() ?? ((r) => r.writeHead(200, head).end(changed)))(response));
  for (let i = 0; i < 4; i++) {
    l.listen();
    assert.equal(await l.next(), "deaf");
  }
  l.listen();
  assert.deepEqual([await l.next(), await l.next(), await l.next()], ["listening", "changed 7", "deaf"]);
});

test("a key that is refused is a reason to sync", async (t) => {
  const l = await lab(t, (_, response) => void response.writeHead(401).end());
  l.listen();
  assert.deepEqual([await l.next(), await l.next()], ["changed null", "deaf"]);
});

test("silence ends the connection", async (t) => {
  const l = await lab(t, (_, response) => void response.writeHead(200, head).write(":\n\n"));
  l.listen();
  assert.equal(await l.next(), "listening");
  while (l.timers.size !== 1) await new Promise((resolve) => setImmediate(resolve));
  for (const silent of l.timers) silent();
  assert.equal(await l.next(), "deaf");
});
