// Zstd frames for tests: those that were recorded for core/wire, and ones made here, of blocks that are not compressed.

import { readFileSync } from "node:fs";
import { concat } from "../src/bytes.ts";
import { Zstd } from "../src/zstd.ts";

/** zstd.wasm, from dist/test. */
export const zstdFile = (): Uint8Array<ArrayBuffer> => readFileSync(new URL("zstd.wasm", import.meta.url));

/** The zstd library. */
export const zstdOf = (): Zstd => new Zstd(() => WebAssembly.compile(zstdFile()));

/** The frames of core/wire/testdata, by name; all have one payload. */
export function recordedFrames(): Map<string, Uint8Array> {
  const lines = readFileSync(new URL("../../../core/wire/testdata/frames.jsonl", import.meta.url), "utf8"); // from dist/test
  return new Map(
    lines.trim().split("\n").map((line) => {
      const { name, frame } = JSON.parse(line) as { name: string; frame: string };
      return [name, new Uint8Array(Buffer.from(frame, "base64"))];
    }),
  );
}

/** What is in them. */
export function recordedPayload(): Uint8Array {
  const cards = Array.from({ length: 300 }, (_, i) => `[${i},1,2]`);
  return new TextEncoder().encode(`{"done":true,"cards":[${cards}]}`);
}

/** A block: bytes as they are, or one that is repeated. */
export type Block = Uint8Array | { byte: number; times: number };

/** A frame of blocks. head is what follows the magic; without one, a window of 128 KiB. */
export function frameOf(blocks: readonly Block[], head: readonly number[] = [0, 7 << 3]): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, ...head)];
  blocks.forEach((block, i) => {
    const raw = block instanceof Uint8Array;
    const header = Number(i === blocks.length - 1) | (raw ? 0 : 2) | ((raw ? block.length : block.times) << 3);
    parts.push(Uint8Array.of(header, header >> 8, header >> 16), raw ? block : Uint8Array.of(block.byte));
  });
  return concat(parts);
}
