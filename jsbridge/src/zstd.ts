// The zstd library itself, as WebAssembly: it compresses three times and decompresses four times as fast as the guest, for which it would be half of an
// upload and a third of a download. What is refused, and with which words, is as in core/wire (stream.go, framebounds.go). Where it is not
// there, the guest does its work.

import { concat } from "./bytes.ts";
import { SyncError } from "./errors.ts";

/** The exports of zstd.wasm that are used (zstd.h). Positions lie in memory, and are moved on. Results may be errors. */
interface Exports {
  memory: WebAssembly.Memory;
  malloc(size: number): number;
  __wasm_call_ctors(): void;
  ZSTD_createDStream(): number;
  ZSTD_freeDStream(stream: number): number;
  /** 0 at the end of the frame. */
  ZSTD_decompressStream_simpleArgs(stream: number, out: number, outSize: number, outAt: number, input: number, size: number, at: number): number;
  ZSTD_createCStream(): number;
  ZSTD_freeCStream(stream: number): number;
  ZSTD_CCtx_setParameter(stream: number, parameter: number, value: number): number;
  /** How much is left to be written at least. */
  ZSTD_compressStream2_simpleArgs(
    stream: number, out: number, outSize: number, outAt: number, input: number, size: number, at: number, end: number,
  ): number;
}

/** An instance, and its buffers. */
interface Library {
  exports: Exports;
  input: number;
  output: number;
  /** Both positions, i32 each: of the output, of the input. */
  positions: number;
}

const INPUT = 128 << 10;
/** As much as the guest asks for at once. */
const OUTPUT = 256 << 10;
/** How long is waited for the library, in ms. What takes longer comes over a line that is slower than the guest. */
const PATIENCE = 500;
/** How long, in ms, it is not asked for again where it could not be loaded: a media sync has thousands of requests. */
const AGAIN_AFTER = 60_000;
/** As core/wire: more memory than this is no answer worth. What is one segment has no window, and is bounded by the library (128 MiB). */
const MAX_WINDOW = 16 << 20;
/** What every frame has at least: magic, descriptor, and one byte more. */
const HEAD = 6;
const MAGIC = 0xfd2fb528;
/** Results from here on are errors, -code. */
const ERRORS = 2 ** 32 - 120;
/** Codes of errors that say more than that the frame is damaged (zstd_errors.h), in the words of the guest's reader. */
const WORDS: Record<number, string> = { 16: "window size exceeded", 22: "CRC check failed", 32: "unknown dictionary" };
/** ZSTD_c_compressionLevel and ZSTD_c_checksumFlag, as core/wire: the fastest, and since not every damage to a collection is one that a server would see. */
const PARAMETERS = [[100, 1], [201, 1]] as const;
/** ZSTD_EndDirective */
const CONTINUE = 0;
const END = 2;

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

/** What makes a frame from a payload. */
export interface Encoding {
  /** Where the next bytes of the payload go. */
  readonly room: Uint8Array;
  /** Takes the first n bytes of the room, and gives what there is of the frame to out, which must copy it. With end, the frame ends. */
  write(n: number, end: boolean, out: (bytes: Uint8Array) => void): void;
  close(): void;
}

/** What makes frames, and payloads from them. */
export class Zstd {
  readonly #fetch: () => Promise<WebAssembly.Module>;
  #loading: Promise<WebAssembly.Module | undefined> | undefined;
  #module: WebAssembly.Module | undefined;
  #failed = -Infinity;
  /** Ends when nobody waits for it any longer. */
  #waited: Promise<void> | undefined;
  /** Of a frame that is done: a media sync has one with each request. */
  #spare: Library | undefined;

  /** load fetches and compiles zstd.wasm. */
  constructor(load: () => Promise<WebAssembly.Module>) {
    this.#fetch = load;
  }

  /** Begins to load the library, which takes a request; some time after a failure once more. */
  load(): Promise<WebAssembly.Module | undefined> {
    if (performance.now() - this.#failed < AGAIN_AFTER) return Promise.resolve(undefined);
    this.#loading ??= this.#fetch().then(
      (module) => (this.#module = module),
      () => {
        this.#failed = performance.now();
        return (this.#loading = this.#waited = undefined);
      },
    );
    return this.#loading;
  }

  /** Waits for the library, but not long, and but once: one answer after the other would wait for what does not come. */
  async ready(): Promise<void> {
    if (!this.#module) await Promise.race([this.load(), (this.#waited ??= later(PATIENCE))]);
  }

  /** Begins to read a frame; undefined if the guest has to. */
  async open(): Promise<Decoding | undefined> {
    await this.ready();
    return this.#use((library, keep) => new Reader(library, keep));
  }

  /** The payload of a frame, up to limit bytes; undefined if the guest has to, also if it is damaged. */
  decompress(frame: Uint8Array, limit: number): Uint8Array | undefined {
    const reader = this.#use((library, keep) => new Reader(library, keep));
    try {
      return reader && readAll(reader, frame, limit);
    } catch {
      return undefined; // the guest says what is wrong
    } finally {
      reader?.close();
    }
  }

  /** The frame of a payload. Errors: `internal`; it is only asked for once a payload was made here. */
  compress(payload: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const writer = this.create();
    if (!writer) throw new SyncError("internal", "zstd.wasm is not loaded");
    const pieces: Uint8Array[] = [];
    for (let at = 0, end = false; !end; ) {
      const room = writer.room;
      const piece = payload.subarray(at, at + room.length);
      room.set(piece);
      at += piece.length;
      end = at === payload.length;
      writer.write(piece.length, end, (bytes) => pieces.push(bytes.slice()));
    }
    writer.close();
    return concat(pieces);
  }

  /** Begins to write a frame; undefined if the guest has to. */
  create(): Encoding | undefined {
    return this.#use((library, keep) => new Writer(library, keep));
  }

  #use<T>(make: (library: Library, keep: Keep) => T): T | undefined {
    const spare = this.#spare;
    this.#spare = undefined;
    try {
      return this.#module && make(spare ?? instantiate(this.#module), (library) => (this.#spare = library));
    } catch {
      return undefined; // no memory
    }
  }
}

function readAll(reader: Reader, frame: Uint8Array, limit: number): Uint8Array | undefined {
  reader.feed(frame);
  const pieces: Uint8Array[] = [];
  for (let size = 0; !reader.done; ) {
    const piece = reader.read(OUTPUT);
    size += piece.length;
    if (size > limit || (piece.length === 0 && !reader.done)) return undefined; // too long, or cut off
    pieces.push(piece);
  }
  return concat(pieces);
}

function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The library of emscripten would do the same in 100 kB. */
function instantiate(module: WebAssembly.Module): Library {
  const env = {
    emscripten_memcpy_big: (to: number, from: number, n: number) => void new Uint8Array(exports.memory.buffer).copyWithin(to, from, from + n),
    emscripten_resize_heap: (size: number) => grow(exports.memory, size),
    setTempRet0: () => {},
  };
  const exports = new WebAssembly.Instance(module, { env }).exports as unknown as Exports;
  exports.__wasm_call_ctors();
  return { exports, positions: exports.malloc(8), input: exports.malloc(INPUT), output: exports.malloc(OUTPUT) };
}

/** Whether there was room for size bytes. */
function grow(memory: WebAssembly.Memory, size: number): boolean {
  try {
    memory.grow(Math.ceil((size - memory.buffer.byteLength) / 65536));
    return true;
  } catch {
    return false;
  }
}

type Keep = (library: Library) => void;

/** What one frame is made or read with. Nothing may be called after an error but close. */
class Stream {
  /** undefined once it is closed. */
  protected library: Library | undefined;
  protected readonly stream: number;
  /** Whether the frame has ended. */
  done = false;
  readonly #free: "ZSTD_freeDStream" | "ZSTD_freeCStream";
  readonly #memory: number;
  readonly #keep: Keep;

  constructor(library: Library, keep: Keep, kind: "D" | "C") {
    this.library = library;
    this.stream = library.exports[`ZSTD_create${kind}Stream`]();
    this.#free = `ZSTD_free${kind}Stream`;
    this.#memory = library.exports.memory.buffer.byteLength;
    this.#keep = keep;
  }

  /** Gives back the library, unless something went wrong in it, or its memory has grown, which never shrinks. */
  close(): void {
    const library = this.library;
    this.library = undefined;
    if (!library || !this.done || library.exports.memory.buffer.byteLength > this.#memory) return;
    library.exports[this.#free](this.stream);
    this.#keep(library);
  }
}

/** The payload of one frame. Errors: `damaged_download`. */
class Reader extends Stream implements Decoding {
  #rest: Uint8Array = empty;
  #begun = false;
  /** Whether there was no room left, so that the library may have more (zstd.h). */
  #full = false;

  constructor(library: Library, keep: Keep) {
    super(library, keep, "D");
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
    if (!this.library || !this.#begun) return empty;
    const { exports, input, output, positions } = this.library;
    const size = Math.min(max, OUTPUT);
    let n = 0;
    while (!this.done && n < size && (this.#rest.length > 0 || this.#full)) {
      const bytes = this.#rest.subarray(0, INPUT);
      new Uint8Array(exports.memory.buffer).set(bytes, input);
      new Uint32Array(exports.memory.buffer, positions, 2).set([n, 0]);
      const left = exports.ZSTD_decompressStream_simpleArgs(this.stream, output, size, positions, input, bytes.length, positions + 4) >>> 0;
      if (left > ERRORS) throw damaged(2 ** 32 - left);
      const [written, taken] = new Uint32Array(exports.memory.buffer, positions, 2); // the memory may have grown
      n = written as number;
      this.#rest = this.#rest.subarray(taken);
      this.#full = n === size;
      this.done = left === 0;
    }
    const piece = new Uint8Array(exports.memory.buffer).slice(output, output + n);
    if (this.done) this.close();
    return piece;
  }

  end(): void {
    throw refused("the zstd frame is cut off");
  }
}

/** One frame that is being written. Errors: `internal`. */
class Writer extends Stream implements Encoding {
  constructor(library: Library, keep: Keep) {
    super(library, keep, "C");
    for (const [parameter, value] of PARAMETERS) check(library.exports.ZSTD_CCtx_setParameter(this.stream, parameter, value));
  }

  get #open(): Library {
    if (!this.library) throw new SyncError("internal", "the frame is closed");
    return this.library;
  }

  get room(): Uint8Array {
    const { exports, input } = this.#open;
    return new Uint8Array(exports.memory.buffer, input, INPUT);
  }

  write(n: number, end: boolean, out: (bytes: Uint8Array) => void): void {
    const { exports, input, output, positions } = this.#open;
    for (let at = 0, left = 1; end ? left > 0 : at < n; ) {
      new Uint32Array(exports.memory.buffer, positions, 2).set([0, at]);
      left = check(exports.ZSTD_compressStream2_simpleArgs(this.stream, output, OUTPUT, positions, input, n, positions + 4, end ? END : CONTINUE));
      const [written, taken] = new Uint32Array(exports.memory.buffer, positions, 2) as unknown as [number, number]; // the memory may have grown
      if (written > 0) out(new Uint8Array(exports.memory.buffer, output, written));
      at = taken;
    }
    this.done = end;
  }
}

/** A result that is no error. */
function check(result: number): number {
  if (result >>> 0 > ERRORS) throw new SyncError("internal", `zstd failed with code ${-result}`);
  return result;
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
