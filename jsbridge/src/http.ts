// The http_* imports on fetch. Large bodies are sent with XMLHttpRequest where there is one: fetch does not tell how
// much has been sent, which the stall clock and the progress bar need.

import { concat } from "./bytes.ts";
import { SyncError, toSyncError } from "./errors.ts";
import type { HttpImports } from "./host.ts";
import type { MediaFile } from "./media.ts";
import type { GuestMemory } from "./memory.ts";
import { EVENTS, KINDS, REQUEST_FLAGS, TWICE } from "./protocol.gen.ts";
import { Connections } from "./resent.ts";
import { decodeRow, decodeRows, encodeRow, type Value } from "./rows.ts";
import { sendFile } from "./sendfile.ts";
import type { Decoding, Zstd } from "./zstd.ts";

/** Answers a call of the guest. It is never called while the guest runs. */
export type Deliver = (call: number, kind: number, bytes: Uint8Array) => void;

/** A range of a media file, as a piece of a body. */
export interface MediaRange {
  name: string;
  seen: MediaFile;
  offset: number;
  length: number;
}

/** What bodies are made of. */
export interface Bodies {
  /** The content of a staged file. */
  file(name: string): Blob;
  /** A range of a media file; kind `not_found` if that is not as seen. */
  media(name: string, seen: MediaFile, offset: number, length: number): Promise<Blob | Uint8Array<ArrayBuffer>>;
}

/** One decoded request block. */
export interface Request {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: Uint8Array<ArrayBuffer>;
  bodyFile: string | null;
  /** Pieces of the body in their order; null if it has none. */
  parts: (Uint8Array<ArrayBuffer> | MediaRange)[] | null;
  stream: boolean;
  /** Whether the body of an answer may be decompressed. */
  unzstd: boolean;
  /** Whether the body is to be compressed. */
  zstd: boolean;
  /** The most bytes of a collected body; 0 is no limit. */
  limit: number;
  /** Milliseconds without a byte after which the call fails; 0 is never. */
  stall: number;
}

/** The head of an answer and, unless it is streamed, its body. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array;
  /** Whether the body is decompressed, or is being so while it is streamed. */
  decoded?: boolean;
}

/** Headers that belong to the browser. Setting them would only be reported on the console. */
const FORBIDDEN = new Set(["accept-encoding", "connection", "content-length", "host", "user-agent"]);

const empty = new Uint8Array(0);

/** From this length on, in bytes, a body is worth loading the zstd library for those that will follow it. */
const LONG = 8 << 10;

/** Up to which size, in bytes, a collected answer is decompressed here. The guest knows how long a longer one may be. */
const MAX_DECODED = 4 << 20;

/** How long, in ms, pieces of a body may follow each other before other work of the worker: a turn costs about as much as a piece. */
const TURN_EVERY = 10;

/** The slowest line on which a body can be sent whose progress is unknown, in bytes each ms. */
const SLOWEST = 16;

/** A body as it comes. */
class Plain implements Decoding {
  #rest: Uint8Array = empty;
  readonly done = false;

  feed(bytes: Uint8Array): void {
    this.#rest = bytes;
  }

  read(max: number): Uint8Array {
    const piece = this.#rest.subarray(0, max);
    this.#rest = this.#rest.subarray(max);
    return piece;
  }

  end(): void {}

  close(): void {}
}

/** The requests in flight. */
export class Http {
  readonly #deliver: Deliver;
  readonly #bodies: Bodies;
  readonly #calls = new Map<number, Call>();
  readonly #connections = new Connections();
  readonly #zstd: Zstd;
  /** What requests are made with if the embedding app makes them. */
  transport: typeof fetch | undefined;

  constructor(deliver: Deliver, bodies: Bodies, zstd: Zstd) {
    this.#deliver = deliver;
    this.#bodies = bodies;
    this.#zstd = zstd;
  }

  /** The imports, by name. */
  imports(memory: GuestMemory): HttpImports {
    return {
      http_start: (call, ptr, length) => this.#start(call, decodeRequest(memory.copy(ptr, length))),
      http_read: (call, max) => void this.#calls.get(call)?.read(max),
      http_close: (call) => {
        this.#calls.get(call)?.close();
        this.#calls.delete(call);
      },
    };
  }

  /** Ends all requests. */
  closeAll(): void {
    for (const call of this.#calls.values()) call.close();
    this.#calls.clear();
    this.#connections.close();
  }

  #start(id: number, request: Request): void {
    const call = new Call(request, this.#bodies, this.#zstd, this.transport ?? this.#connections, (kind, bytes) => {
      if (this.#calls.get(id) === call) this.#deliver(id, kind, bytes);
    });
    this.#calls.set(id, call);
    if (request.unzstd && (request.stream || request.body.length > LONG)) void this.#zstd.load(); // beside the request
    void call.start();
  }
}

/** One request in flight. */
class Call {
  readonly #request: Request;
  readonly #bodies: Bodies;
  readonly #zstd: Zstd;
  readonly #transport: typeof fetch | undefined;
  /** Those of the browser, if it makes the request. */
  readonly #connections: Connections | undefined;
  readonly #emit: (kind: number, bytes: Uint8Array) => void;
  readonly #stall: Stall;
  #body: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #decoding: Decoding = new Plain();
  #turned = 0;

  constructor(
    request: Request,
    bodies: Bodies,
    zstd: Zstd,
    by: Connections | typeof fetch,
    emit: (kind: number, bytes: Uint8Array) => void,
  ) {
    this.#request = request;
    if (by instanceof Connections) this.#connections = by;
    else this.#transport = by;
    this.#bodies = bodies;
    this.#zstd = zstd;
    this.#emit = emit;
    this.#stall = new Stall(request.stall);
  }

  async start(): Promise<void> {
    try {
      this.#stall.start();
      const { url } = this.#request;
      this.#connections?.begin(url);
      let answer = await this.#send().finally(() => this.#connections?.end(url));
      if (await this.#connections?.resent(url, answer.headers)) answer = { status: TWICE, headers: {}, body: empty };
      this.#stall.stop();
      const { status, headers, body, decoded } = answer;
      this.#emit(EVENTS.answer, encodeRow([BigInt(status), JSON.stringify(headers), body, decoded ? 1n : 0n]));
    } catch (e) {
      this.#fail(e);
    }
  }

  async read(max: number): Promise<void> {
    try {
      const piece = await this.#piece(max);
      if (!piece) return this.#emit(EVENTS.end, empty);
      await this.#turn(); // not at once: the guest is still running
      this.#emit(EVENTS.data, piece);
    } catch (e) {
      this.#fail(e);
    }
  }

  /** Messages of the page (cancel) must get their turn. */
  async #turn(): Promise<void> {
    if (performance.now() - this.#turned < TURN_EVERY) return;
    await turn();
    this.#turned = performance.now();
  }

  /** Up to max bytes of the body; undefined at its end. */
  async #piece(max: number): Promise<Uint8Array | undefined> {
    const decoding = this.#decoding;
    for (;;) {
      this.#stall.signal.throwIfAborted(); // a body that an app's own transport has need not end with the request
      const piece = decoding.read(max);
      if (piece.length > 0) return piece;
      if (decoding.done) return undefined;
      const { done, value } = await this.#read();
      if (done) return decoding.end(), undefined;
      decoding.feed(value);
      await this.#turn(); // there may be nothing in it
    }
  }

  close(): void {
    this.#stall.stop();
    this.#stall.abort(new SyncError("cancelled", "cancelled"));
    this.#decoding.close();
  }

  async #send(): Promise<Answer> {
    const r = this.#request;
    if (r.zstd) r.body = this.#zstd.compress(r.body);
    const body = await this.#large();
    this.#stall.signal.throwIfAborted();
    if (body && !this.#transport) {
      const sent = (n: number): void => {
        this.#stall.start();
        this.#emit(EVENTS.sent, encodeRow([BigInt(n)]));
      };
      const answer = await sendFile(r, body, allowed(r.headers), this.#stall.signal, sent);
      if (answer) return this.#collected(answer);
    }
    const sending = r.method === "GET" ? null : (body ?? r.body);
    // Nobody tells how much has been sent.
    if (sending) this.#stall.start((sending instanceof Blob ? sending.size : sending.length) / SLOWEST);
    const response = await (this.#transport ?? fetch)(r.url, {
      method: r.method,
      headers: allowed(r.headers),
      body: sending,
      redirect: "follow",
      cache: "no-store",
      credentials: "omit",
      referrerPolicy: "no-referrer",
      signal: this.#stall.signal,
    });
    const head = headOf(response);
    this.#body = response.body?.getReader();
    if (r.stream && response.ok && head.status === response.status) return { ...head, body: empty, decoded: await this.#decode() };
    return this.#collected({ ...head, body: await this.#collect() });
  }

  /** An answer with its body decompressed, if that was asked for and can be done. */
  #collected(answer: Answer): Answer {
    const { unzstd, limit } = this.#request;
    if (!unzstd || answer.status < 200 || answer.status > 299) return answer;
    if (answer.body.length > LONG) void this.#zstd.load();
    const payload = this.#zstd.decompress(answer.body, limit > 0 ? Math.min(limit, MAX_DECODED) : MAX_DECODED);
    return payload ? { ...answer, body: payload, decoded: true } : answer;
  }

  /** Decompresses the body while it is read, if that was asked for and can be done. */
  async #decode(): Promise<boolean> {
    this.#stall.stop();
    const frame = this.#request.unzstd ? await this.#zstd.open() : undefined;
    this.#stall.signal.throwIfAborted();
    this.#decoding = frame ?? this.#decoding;
    return frame !== undefined;
  }

  /** The body, if it is a file or parts. Parts that are all bytes are joined: to make a Blob of them takes ten times as long. */
  async #large(): Promise<Blob | Uint8Array<ArrayBuffer> | undefined> {
    const { body, bodyFile, parts } = this.#request;
    if ([body.length > 0, bodyFile !== null, parts !== null].filter(Boolean).length > 1) {
      throw new SyncError("internal", "the request has two bodies");
    }
    if (bodyFile !== null) return this.#bodies.file(bodyFile);
    if (!parts) return undefined;
    const pieces = await Promise.all(parts.map((p) => (p instanceof Uint8Array ? p : this.#range(p))));
    return pieces.every((p) => p instanceof Uint8Array) ? concat(pieces) : new Blob(pieces);
  }

  async #range({ name, seen, offset, length }: MediaRange): Promise<Blob | Uint8Array<ArrayBuffer>> {
    if (offset < 0 || length < 0 || offset + length > Number(seen.size)) {
      throw new SyncError("internal", `the request takes ${length} bytes at ${offset} of a media file with ${seen.size}`);
    }
    return this.#bodies.media(name, seen, offset, length);
  }

  async #collect(): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    let size = 0;
    for (;;) {
      const { done, value } = await this.#read();
      if (done) return concat(pieces);
      size += value.length;
      if (this.#request.limit > 0 && size > this.#request.limit) {
        this.#stall.abort(new SyncError("damaged_download", `the answer is longer than ${this.#request.limit} bytes`));
      }
      pieces.push(value);
    }
  }

  async #read(): Promise<{ done: true; value?: undefined } | { done: false; value: Uint8Array }> {
    if (!this.#body) return { done: true };
    this.#stall.start();
    const r = await this.#body.read().finally(() => this.#stall.stop());
    return r.done ? { done: true } : { done: false, value: r.value };
  }

  #fail(e: unknown): void {
    this.#stall.stop();
    this.#decoding.close();
    const { kind, message, hint } = this.#stall.reason ?? networkError(e);
    this.#emit(EVENTS.failed, encodeRow([BigInt(KINDS[kind]), hint ? `${message}\u001f${hint}` : message]));
  }
}

/** Aborts when nothing moved for some time. */
class Stall {
  readonly #ms: number;
  readonly #controller = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Why it was aborted. */
  reason: SyncError | undefined;

  constructor(ms: number) {
    this.#ms = ms;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Starts the clock anew, with more milliseconds than usual for what takes them. */
  start(more = 0): void {
    this.stop();
    if (this.#ms <= 0) return;
    this.#timer = setTimeout(() => this.abort(timeout()), this.#ms + more);
  }

  /** Stops the clock. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Ends the request. */
  abort(reason: SyncError): void {
    this.reason ??= reason;
    this.#controller.abort();
  }
}

/** Decodes a request block (wasm/ABI.md). */
export function decodeRequest(block: Uint8Array<ArrayBuffer>): Request {
  const [method, url, headers, body, bodyFile, flags, limit, stall, parts] = decodeRow(block);
  return {
    method: String(method),
    url: String(url),
    headers: JSON.parse(String(headers)) as Record<string, string>,
    body: body instanceof Uint8Array ? (body as Uint8Array<ArrayBuffer>) : new Uint8Array(0),
    bodyFile: typeof bodyFile === "string" ? bodyFile : null,
    parts: parts instanceof Uint8Array ? decodeRows(parts).map(decodePart) : null,
    stream: (Number(flags) & REQUEST_FLAGS.stream) !== 0,
    unzstd: (Number(flags) & REQUEST_FLAGS.unzstd) !== 0,
    zstd: (Number(flags) & REQUEST_FLAGS.zstd) !== 0,
    limit: Number(limit),
    stall: Number(stall),
  };
}

function decodePart([first, size, modified, offset, length]: Value[]): Uint8Array<ArrayBuffer> | MediaRange {
  if (first instanceof Uint8Array) return first as Uint8Array<ArrayBuffer>;
  const seen = { size: BigInt(size as bigint), modified: BigInt(modified as bigint) };
  return { name: String(first), seen, offset: Number(offset), length: Number(length) };
}

function allowed(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !FORBIDDEN.has(name)));
}

/**
 * Status and headers. A page cannot see the 308 of a redirect, only where it led: the address after it is reported as
 * the Location of a 308, which is the new base (spec/collection-sync.md §2.3).
 */
function headOf(response: Response): { status: number; headers: Record<string, string> } {
  const headers = Object.fromEntries(response.headers);
  if (!response.redirected) return { status: response.status, headers };
  return { status: 308, headers: { ...headers, location: response.url } };
}

/** The error behind an exception of fetch. It does not say if a name was not found or a connection broke. */
export function networkError(e: unknown): SyncError {
  if (e instanceof DOMException && e.name === "TimeoutError") return timeout();
  if (!(e instanceof TypeError)) return toSyncError(e);
  if (globalThis.navigator?.onLine === false) {
    return new SyncError("offline", "this device is offline");
  }
  return new SyncError("network", "the server could not be reached, or the connection broke");
}

function timeout(): SyncError {
  return new SyncError("timeout", "the server did not answer in time");
}

/** An address of a server of ours, below the one that it was given by: that may lack the slash at its end, as in core/remote. */
export function below(endpoint: string, path: string): string {
  const base = new URL(endpoint);
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  return new URL(path, base).href;
}

/** What ends with the first of two signals: AbortSignal.any is younger than all else that is needed of a browser. */
export function either(a: AbortSignal, b: AbortSignal): AbortSignal {
  if ("any" in AbortSignal) return AbortSignal.any([a, b]);
  const end = new AbortController();
  for (const s of [a, b]) {
    if (s.aborted) end.abort(s.reason);
    s.addEventListener("abort", () => end.abort(s.reason), { signal: end.signal });
  }
  return end.signal;
}

/** Waits until other messages had their turn. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
