// Decompression of streamed answers, one zstd frame each, by the zstd library itself as WebAssembly: four times as fast as the guest, for which
// it would be a third of a download. What is refused, and with which words, is as in core/wire (stream.go, framebounds.go).

import packed from "zstddec.wasm";
import { SyncError } from "./errors.ts";

/** The exports that are used. The loader of the package is not: its loop does not end on a damaged frame. */
interface Exports {
  memory: WebAssembly.Memory;
  malloc(size: number): number;
  ZSTD_createDCtx(): number;
  ZSTD_freeDCtx(context: number): number;
  /** Takes a ZSTD_outBuffer and a ZSTD_inBuffer; 0 at the end of the frame. */
  ZSTD_decompressStream(context: number, out: number, input: number): number;
}

/** An instance, and its buffers. */
interface Decoder {
  exports: Exports;
  input: number;
  output: number;
  /** Both structs, of three i32 each: pointer, size, position. */
  structs: number;
}

const INPUT = 128 << 10;
/** As much as the guest asks for at once. */
const OUTPUT = 256 << 10;
/** As core/wire: more memory than this is no answer worth. What is one segment has no window, and is bounded by the library (128 MiB). */
const MAX_WINDOW = 16 << 20;
/** What every frame has at least: magic, descriptor, and one byte more. */
const HEAD = 6;
const MAGIC = 0xfd2fb528;
/** Results from here on are errors, -code. */
const ERRORS = 2 ** 32 - 120;
/** Codes of errors that say more than that the frame is damaged (zstd_errors.h), in the words of the guest's reader. */
const WORDS: Record<number, string> = { 16: "window size exceeded", 22: "CRC check failed", 32: "unknown dictionary" };

const empty = new Uint8Array(0);

/** What makes the payload of a body from its bytes. */
export interface Decoding {
  /** Takes the next bytes, once there is no more to read. */
  feed(bytes: Uint8Array): void;
  /** The next bytes of the payload, up to max; none if it needs more to be fed. */
  read(max: number): Uint8Array;
  /** Whether all is read. What may follow in the body is of no interest. */
  readonly done: boolean;
  /** Says that the body has ended. */
  end(): void;
  close(): void;
}

/** Decodes frames. */
export class Zstd {
  #module: Promise<WebAssembly.Module> | undefined;
  /** Of a frame that is done: a media sync has one with each request. */
  #spare: Decoder | undefined;

  /** Begins a frame; undefined if this browser cannot. */
  async open(): Promise<Decoding | undefined> {
    try {
      const spare = this.#spare;
      this.#spare = undefined;
      this.#module ??= unpack();
      return new Frame(spare ?? (await instantiate(await this.#module)), (decoder) => (this.#spare = decoder));
    } catch {
      return undefined;
    }
  }
}

async function unpack(): Promise<WebAssembly.Module> {
  const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return WebAssembly.compile(await new Response(plain).arrayBuffer());
}

async function instantiate(module: WebAssembly.Module): Promise<Decoder> {
  const instance = await WebAssembly.instantiate(module, { env: { emscripten_notify_memory_growth: () => {} } });
  const exports = instance.exports as unknown as Exports;
  const structs = exports.malloc(24);
  return { exports, structs, input: exports.malloc(INPUT), output: exports.malloc(OUTPUT) };
}

/** The payload of one frame. Errors: `damaged_download`; nothing may be called after one but close. */
class Frame implements Decoding {
  #decoder: Decoder | undefined;
  readonly #context: number;
  readonly #memory: number;
  readonly #keep: (decoder: Decoder) => void;
  #rest: Uint8Array = empty;
  #begun = false;
  /** Whether there was no room left, so that the library may have more (zstd.h). */
  #full = false;
  #done = false;

  constructor(decoder: Decoder, keep: (decoder: Decoder) => void) {
    this.#decoder = decoder;
    this.#memory = decoder.exports.memory.buffer.byteLength;
    this.#context = decoder.exports.ZSTD_createDCtx();
    this.#keep = keep;
  }

  get done(): boolean {
    return this.#done;
  }

  feed(bytes: Uint8Array): void {
    const before = this.#rest; // empty, or less than a head
    if (before.length === 0) this.#rest = bytes;
    else {
      this.#rest = new Uint8Array(before.length + bytes.length);
      this.#rest.set(before);
      this.#rest.set(bytes, before.length);
    }
    if (this.#begun || this.#rest.length < HEAD) return;
    checkHead(this.#rest);
    this.#begun = true;
  }

  read(max: number): Uint8Array {
    const decoder = this.#decoder;
    if (!decoder || !this.#begun) return empty;
    const { exports, input, output, structs } = decoder;
    const size = Math.min(max, OUTPUT);
    let n = 0;
    while (!this.#done && n < size && (this.#rest.length > 0 || this.#full)) {
      const bytes = this.#rest.subarray(0, INPUT);
      new Uint8Array(exports.memory.buffer).set(bytes, input);
      new Uint32Array(exports.memory.buffer, structs, 6).set([output, size, n, input, bytes.length, 0]);
      const left = exports.ZSTD_decompressStream(this.#context, structs, structs + 12) >>> 0;
      if (left > ERRORS) throw damaged(2 ** 32 - left);
      const [, , written, , , taken] = new Uint32Array(exports.memory.buffer, structs, 6); // the memory may have grown
      n = written as number;
      this.#rest = this.#rest.subarray(taken);
      this.#full = n === size;
      this.#done = left === 0;
    }
    const piece = new Uint8Array(exports.memory.buffer).slice(output, output + n);
    if (this.#done) this.close();
    return piece;
  }

  end(): void {
    throw refused("the zstd frame is cut off");
  }

  /** Gives back what it decodes with, unless something went wrong in it, or its memory has grown, which never shrinks. */
  close(): void {
    const decoder = this.#decoder;
    this.#decoder = undefined;
    if (!decoder || !this.#done || decoder.exports.memory.buffer.byteLength > this.#memory) return;
    decoder.exports.ZSTD_freeDCtx(this.#context);
    this.#keep(decoder);
  }
}

/** Refuses what the library would take: frames to be skipped, those of its older versions, and large windows. */
function checkHead(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEAD);
  if (view.getUint32(0, true) !== MAGIC) throw refused("not a zstd frame");
  const single = (view.getUint8(4) & 0x20) !== 0;
  const window = view.getUint8(5);
  if (!single && (2 ** (10 + (window >> 3)) / 8) * (8 + (window & 7)) > MAX_WINDOW) throw damaged(16);
}

function damaged(code: number): SyncError {
  return refused(WORDS[code] ?? `the zstd frame is damaged (${code})`);
}

function refused(why: string): SyncError {
  return new SyncError("damaged_download", `decode the file: ${why}`, {
    hint: "Try again; if it stays, the server or a proxy on the way has a problem.",
  });
}
