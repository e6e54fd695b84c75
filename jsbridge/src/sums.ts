// SHA-1 and CRC-32 of bytes that come in pieces, by hash-wasm: three times as fast as written in JavaScript (434 and 162 MB/s, and 1,742 and
// 494). WebCrypto has SHA-1 too, but asynchronously and of whole buffers only, and the stores of media files are synchronous.

import { createCRC32, createSHA1, type IHasher } from "hash-wasm";
import type { MediaSum } from "./media.ts";

let loaded: IHasher[] | undefined;

/** Makes sums possible; it is called before everything else. */
export async function loadSums(): Promise<void> {
  loaded ??= await Promise.all([createSHA1(), createCRC32()]);
}

/** The sums of the pieces, one after the other. */
export function sumOf(pieces: readonly Uint8Array[]): MediaSum {
  return end(use().map((hasher) => pieces.reduce((h, p) => h.update(p), hasher.init())));
}

/** The sums of what is added, a piece at a time. */
export class Sums {
  /** Of the hashers, which all share: what they have taken so far. */
  #states = use().map((hasher) => hasher.init().save());

  /** Adds bytes. */
  add(bytes: Uint8Array): void {
    this.#states = this.#resumed().map((hasher) => hasher.update(bytes).save());
  }

  /** The sums of everything so far; more may be added afterwards. */
  sum(): MediaSum {
    return end(this.#resumed());
  }

  #resumed(): IHasher[] {
    return use().map((hasher, i) => hasher.load(this.#states[i]!));
  }
}

function use(): IHasher[] {
  if (!loaded) throw new Error("loadSums comes first");
  return loaded;
}

function end(hashers: IHasher[]): MediaSum {
  const [sha1, crc] = hashers.map((hasher) => hasher.digest("binary")) as [Uint8Array, Uint8Array];
  return { sha1, crc: new DataView(crc.buffer, crc.byteOffset).getUint32(0) };
}
