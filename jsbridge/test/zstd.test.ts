// What the guest's reader takes and refuses (core/wire/frame_test.go), so must the host's; and what the host writes.

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { concat } from "../src/bytes.ts";
import { SyncError } from "../src/errors.ts";
import { Zstd, type Decoding, type Encoding } from "../src/zstd.ts";
import { frameOf, recordedFrames, recordedPayload, zstdFile, zstdOf, type Block } from "./frames.ts";

const empty = frameOf([new Uint8Array(0)]);
const damaged = { kind: "damaged_download", message: /^decode the file: / };
const cutOff = { kind: "damaged_download", message: "decode the file: the zstd frame is cut off" };

async function open(zstd = zstdOf()): Promise<Decoding> {
  const frame = await zstd.open();
  assert.ok(frame);
  return frame;
}

/** The payload, piece by piece, of a body that comes step by step. */
function* pieces(frame: Decoding, body: Uint8Array, step = body.length, max = 1 << 30): Generator<Uint8Array> {
  for (let at = 0; ; at += step) {
    for (let piece = frame.read(max); piece.length > 0; piece = frame.read(max)) yield piece;
    if (frame.done) return;
    if (at >= body.length) return frame.end();
    frame.feed(body.subarray(at, at + step));
  }
}

/** All of it. The frame is closed. */
function payload(...args: Parameters<typeof pieces>): Uint8Array {
  try {
    return concat([...pieces(...args)]);
  } finally {
    args[0].close();
  }
}

/** Counts instances of the library. */
function instances(t: TestContext): () => number {
  const made = t.mock.method(WebAssembly, "Instance");
  return () => made.mock.callCount();
}

const same = (got: Uint8Array, want: Uint8Array, what: string): void => assert.ok(Buffer.compare(got, want) === 0, `${what}: ${got.length} bytes`);

test("recorded frames", async () => {
  const zstd = zstdOf();
  for (const [name, frame] of recordedFrames()) {
    for (const step of [1, 2, 3, 5, 100, frame.length]) {
      for (const max of [1, 100, 1 << 20]) {
        const of = await open(zstd);
        const message = "decode the file: window size exceeded";
        if (name === "window 128 MiB") assert.throws(() => payload(of, frame, step, max), { ...damaged, message });
        else same(payload(of, frame, step, max), recordedPayload(), `${name}, ${step} at a time, up to ${max}`);
      }
    }
  }
});

test("a frame ends where it ends", async () => {
  const zstd = zstdOf();
  const after = ["x", "garbage and more garbage", "\x28\xb5\x2f\xfd", "\x50\x2a\x4d\x18\x00\x00\x00\x00"].map((s) => Buffer.from(s, "latin1"));
  for (const [name, frame] of recordedFrames()) {
    if (name === "window 128 MiB") continue;
    for (const more of [...after, frame]) {
      for (const step of [1, frame.length, frame.length + more.length]) {
        same(payload(await open(zstd), concat([frame, more]), step), recordedPayload(), `${name}, then ${more.length} bytes`);
      }
    }
    for (let i = 0; i < frame.length; i += i < 40 ? 1 : 7) { // each takes an instance
      const of = await open(zstd);
      assert.throws(() => payload(of, frame.slice(0, i), i > 0 ? i : 1), cutOff, `${name}, ${i} bytes`);
    }
  }
  same(payload(await open(zstd), empty, 1), new Uint8Array(0), "an empty payload");
});

test("what is no frame", async () => {
  const zstd = zstdOf();
  const none = "decode the file: not a zstd frame";
  for (const [text, message] of [
    ["", cutOff.message],
    ["x", cutOff.message],
    ["{}", cutOff.message],
    ["<html>Log in to this network</html>", none],
    ["\x1f\x8b\x08\x00 a gzip header", none],
    ["\x50\x2a\x4d\x18\x04\x00\x00\x00abcd", none], // a frame to be skipped, with nothing behind it
    ["\x50\x2a\x4d\x18\x04\x00\x00\x00abcd" + Buffer.from(empty).toString("latin1"), none],
    ["\x27\xb5\x2f\xfd\x00\x00\x00\x00", none], // of version 0.7
    ["\x28\xb5\x2f\xfd\x08\x00\x01\x00\x00", /the zstd frame is damaged \(14\)$/], // a reserved bit
    ["\x28\xb5\x2f\xfd\x01\x00\x05\x01\x00\x00", /unknown dictionary$/],
    ["\x28\xb5\x2f\xfd\x00\x00\x07\x00\x00", /the zstd frame is damaged \(20\)$/], // a reserved block type
  ] as const) {
    for (const step of [1, 3, text.length + 1]) {
      const of = await open(zstd);
      assert.throws(() => payload(of, Buffer.from(text, "latin1"), step), { ...damaged, message }, text);
    }
  }
});

test("flipped bits are no other payload", async () => {
  const zstd = zstdOf();
  const frame = recordedFrames().get("streamed, checksum") as Uint8Array;
  for (let i = 0; i < frame.length * 8; i += i < 320 ? 1 : 5) {
    const bad = frame.slice();
    bad[i >> 3] = (bad[i >> 3] as number) ^ (1 << (i & 7));
    const of = await open(zstd);
    try {
      const got = payload(of, bad, 1000);
      if (i >= 4 * 8 + 8) same(got, recordedPayload(), `bit ${i}`);
    } catch (e) {
      assert.equal((e as { kind?: string }).kind, "damaged_download", `bit ${i}: ${e}`);
    }
  }
  const last = frame.slice();
  last[last.length - 1] = (last.at(-1) as number) ^ 1;
  const of = await open(zstd);
  assert.throws(() => payload(of, last), { ...damaged, message: "decode the file: CRC check failed" });
});

test("a payload longer than windows and pieces", async () => {
  const zstd = zstdOf();
  const blocks: Block[] = Array.from({ length: 1000 }, (_, i) => (i % 3 ? { byte: i, times: 1024 } : new Uint8Array(1000).map((_, k) => i * k)));
  const want = concat(blocks.map((b) => (b instanceof Uint8Array ? b : new Uint8Array(b.times).fill(b.byte))));
  const frame = frameOf(blocks, [0, 0]); // a window of 1 KiB
  for (const [step, max] of [[1, 300_000], [3, 1000], [1001, 262_144], [frame.length, 262_144], [frame.length, 7]] as const) {
    same(payload(await open(zstd), frame, step, max), want, `${step} at a time, up to ${max}`);
  }
  // A small piece of a frame may be a thousand of its payload.
  const bomb = frameOf(Array.from({ length: 800 }, (_, i) => ({ byte: i, times: 128 << 10 })));
  let size = 0;
  for (const piece of pieces(await open(zstd), bomb, bomb.length, 100_000)) {
    assert.ok(piece.length <= 100_000);
    size += piece.length;
  }
  assert.equal(size, 100 << 20);
});

test("windows are bounded", async () => {
  const zstd = zstdOf();
  const block = [new TextEncoder().encode("x")];
  for (const [descriptor, taken] of [[0x70, true], [0x71, false], [0x78, false], [0xff, false]] as const) {
    const of = await open(zstd);
    const read = (): string => Buffer.from(payload(of, frameOf(block, [0, descriptor]))).toString();
    if (taken) assert.equal(read(), "x");
    else assert.throws(read, { ...damaged, message: "decode the file: window size exceeded" });
  }
  // One segment has no window, and may have more than that, but not any size.
  const segment = (mib: number): Uint8Array =>
    frameOf(Array.from({ length: mib * 8 }, () => ({ byte: 0, times: 128 << 10 })), [0xa0, 0, 0, (mib & 15) << 4, mib >> 4]);
  assert.equal(payload(await open(zstd), segment(20)).length, 20 << 20);
  const huge = await open(zstd);
  assert.throws(() => payload(huge, segment(129)), damaged);
});

test("one instance serves one answer after the other", async (t) => {
  const count = instances(t);
  const zstd = zstdOf();
  const [frame] = [...recordedFrames()].filter(([name]) => name.endsWith("8 MiB")).map(([, f]) => f) as [Uint8Array];
  for (let i = 0; i < 200; i++) same(payload(await open(zstd), frame), recordedPayload(), `answer ${i}`);
  assert.equal(count(), 1);
  // What was given up, was damaged, or has grown, is not used again; nor is what is closed used at all.
  const given = await open(zstd);
  given.feed(frame.subarray(0, 20));
  given.close();
  given.feed(frame);
  assert.equal(given.read(100).length, 0);
  same(payload(await open(zstd), frame), recordedPayload(), "the next one");
  assert.equal(count(), 2);
});

test("two answers at once", async (t) => {
  const count = instances(t);
  const zstd = zstdOf();
  const of = [await open(zstd), await open(zstd)];
  const frame = recordedFrames().get("streamed, checksum") as Uint8Array;
  const both = of.map((f, i) => pieces(f, frame, 5 + i, 11 + i));
  const got: Uint8Array[][] = [[], []];
  for (let left = 2; left > 0; ) {
    left = 0;
    both.forEach((p, i) => {
      const { done, value } = p.next();
      if (done) return;
      got[i]?.push(value);
      left++;
    });
  }
  for (const g of got) same(concat(g), recordedPayload(), "one of two");
  assert.equal(count(), 2);
});

test("where it cannot be made it is left to the guest, and tried again later", async (t) => {
  let asked = 0;
  let now = 0;
  t.mock.method(performance, "now", () => now);
  const zstd = new Zstd(() => {
    asked++;
    return Promise.reject(new SyncError("internal", "zstd.wasm cannot be loaded"));
  });
  for (const [at, times] of [[0, 1], [59_999, 1], [60_000, 2], [119_999, 2], [120_000, 3]] as const) {
    now = at;
    assert.equal(await zstd.open(), undefined);
    await zstd.load();
    assert.equal(zstd.create(), undefined);
    assert.equal(asked, times);
  }
});

test("an answer does not wait long for the library, and the next one not at all", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let come = (_: WebAssembly.Module): void => {};
  const zstd = new Zstd(() => new Promise((resolve) => (come = resolve)));
  const waiting = zstd.open();
  t.mock.timers.tick(499);
  assert.equal(await Promise.race([waiting, Promise.resolve("waits")]), "waits");
  t.mock.timers.tick(1);
  assert.equal(await waiting, undefined);
  assert.equal(await zstd.open(), undefined); // at once: the clock stands still
  come(await WebAssembly.compile(zstdFile()));
  assert.ok(await zstd.open());
});

/** The frame of a payload that comes in pieces of a length. */
function framed(of: Encoding | undefined, payload: Uint8Array, length: number): Uint8Array {
  assert.ok(of);
  const out: Uint8Array[] = [];
  for (let at = 0, end = false; !end; at += length) {
    const piece = payload.subarray(at, at + length);
    end = at + length >= payload.length;
    of.room.set(piece);
    of.write(piece.length, end, (bytes) => out.push(bytes.slice()));
  }
  of.close();
  return concat(out);
}

test("what is written can be read, by others too", async (t) => {
  const count = instances(t);
  const zstd = zstdOf();
  await zstd.ready();
  const noise = new Uint8Array(2_000_000);
  for (let i = 0; i < noise.length; i += 65536) crypto.getRandomValues(noise.subarray(i, i + 65536));
  const payloads = [new Uint8Array(0), Uint8Array.of(1), recordedPayload(), new Uint8Array(10_000_000), noise, concat([noise, recordedPayload(), noise])];
  for (const want of payloads) {
    for (const length of [100_000, 128 << 10, ...(want.length < 10_000 ? [1, 7] : [])]) {
      const frame = framed(zstd.create(), want, length);
      same(payload(await open(zstd), frame, 70_000), want, `${want.length} bytes in pieces of ${length}`);
      assert.ok(frame.length < want.length + 2_000, `${want.length} bytes are ${frame.length}`);
      const bad = frame.slice();
      bad[bad.length - 1] = (bad.at(-1) as number) ^ 1;
      const of = await open(zstd);
      if (want.length > 0) assert.throws(() => payload(of, bad), { ...damaged, message: "decode the file: CRC check failed" });
    }
  }
  assert.ok(framed(zstd.create(), payloads[3] as Uint8Array, 100_000).length < 2_000);
  const before = count();
  for (let i = 0; i < 50; i++) framed(zstd.create(), recordedPayload(), 1000);
  assert.ok(count() - before <= 1, "one instance writes one frame after the other");
  const given = zstd.create();
  given?.close();
  assert.throws(() => given?.write(0, true, () => {}), { kind: "internal" });
});
