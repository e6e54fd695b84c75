// A page in the webview of a native app (cardferry/webview): the app calls the profile over one channel, and lends the page
// what it may not have there: requests without CORS, what kind of network there is, media files. WEBVIEW.md has the table.

import {
  CHANNEL_VERSION, decode, encode, isObject, isStream, METHODS, parse, PIECE, pieces, type HostFailure, type HostMessage,
  type Stream,
} from "./hostmessages.ts";
import type { HostPort } from "./hostports.ts";
import { Cardferry, SyncError, type Kind, type Network, type OpenOptions } from "./index.ts";
import { KINDS } from "./protocol.gen.ts";
import { VERSION } from "./version.ts";

export { androidPort, reactNativePort, webkitPort, type HostPort } from "./hostports.ts";

/** How long the app may take to answer what is asked before the profile is open, in milliseconds. */
const PATIENCE = 10_000;

/** What the app says of itself in answer to `hello`. */
interface Hello {
  version: number;
  /** It answers `http`, `network`, `media`. */
  http?: boolean;
  network?: boolean;
  media?: boolean;
  /** Options of {@link Cardferry.open}, before those of the page. */
  open?: Pick<OpenOptions, "profile" | "endpoint" | "clientName">;
}

/**
 * Connects the page with the app around it, opens the profile that either of them names, and returns it for the page to
 * use as well. From then on the app's calls are answered; those that come earlier wait.
 * Errors: `timeout` if nobody answers, `invalid_input` for an app of another version, and those of {@link Cardferry.open}.
 */
export async function connectHost(port: HostPort, options: OpenOptions = {}): Promise<Cardferry> {
  return new Host(port).open(options);
}

interface Waiting {
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** The page's end of the channel. */
class Host {
  readonly #port: HostPort;
  readonly #waiting = new Map<number | string, Waiting>();
  readonly #running = new Map<number | string, AbortController>();
  readonly #offered = new Map<number, AsyncGenerator<Uint8Array<ArrayBuffer>, undefined>>();
  #ferry: Promise<Cardferry> | undefined;
  #network: Network | undefined;
  #last = 0;

  constructor(port: HostPort) {
    this.#port = port;
  }

  /** Opens the profile as app and page want it. */
  open(options: OpenOptions): Promise<Cardferry> {
    this.#ferry = this.#open(options);
    this.#port.onmessage = ({ data }) => this.#receive(data);
    this.#port.start?.();
    this.#ferry.catch((e: unknown) => this.#post({ event: "failed", error: failureOf(e) }));
    return this.#ferry;
  }

  async #open(options: OpenOptions): Promise<Cardferry> {
    await Promise.resolve(); // the port delivers from now on
    const hello = await this.#hello();
    if (hello.network) await this.#askNetwork();
    const ferry = await Cardferry.open({
      ...(isObject(hello.open) && hello.open),
      ...Object.fromEntries(Object.entries(options ?? {}).filter(([, value]) => value !== undefined && value !== null)),
      ...(hello.http && { transport: (url: string, init: RequestInit) => this.#fetch(url, init) }),
      ...(hello.network && { network: () => this.#networkNow() }),
      ...(hello.media && { media: (name: string) => this.#media(name) }),
    });
    ferry.subscribe((status) => this.#post({ event: "status", status, account: ferry.account }));
    ferry.media.subscribe((changes) => this.#post({ event: "media", changes }));
    return ferry;
  }

  async #hello(): Promise<Hello> {
    const signal = AbortSignal.timeout(PATIENCE);
    const hello = await this.#call("hello", [{ version: CHANNEL_VERSION, cardferry: VERSION }], signal).catch((e: unknown) => {
      throw signal.aborted ? new SyncError("timeout", "the app around the page does not answer") : e;
    });
    if (!isObject(hello) || hello.version !== CHANNEL_VERSION) {
      const theirs = isObject(hello) ? hello.version : hello;
      throw new SyncError("invalid_input", `the app speaks version ${String(theirs)} of the channel, the page ${CHANNEL_VERSION}`, {
        hint: "Update the app.",
      });
    }
    return hello as unknown as Hello;
  }

  // What the app asks.

  #receive(data: unknown): void {
    const message = parse(data);
    if (!message) return this.#post({ event: "refused", message: "a message that is none" });
    if ("event" in message) {
      if (message.event === "network") this.#heard(message.network);
    } else if ("method" in message) {
      void this.#answer(message);
    } else {
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id); // one that nobody waits for was cancelled
      if ("error" in message) waiting?.reject(errorOf(message.error));
      else waiting?.resolve(message.result);
    }
  }

  async #answer({ id, method, args }: Extract<HostMessage, { method: string }>): Promise<void> {
    let reply: HostMessage;
    try {
      const list = Array.isArray(args) ? args : args === undefined || args === null ? [] : [args];
      const result = await this.#run(id, method, list);
      reply = { id, result: encode(result, (content) => this.#offer(content)) ?? null };
    } catch (e) {
      reply = { id, error: failureOf(e) };
    }
    this.#post(reply);
  }

  async #run(id: number | string, method: string, args: unknown[]): Promise<unknown> {
    if (method === "cancel") return this.#running.get(args[0] as number | string)?.abort();
    if (method === "read") return this.#read(args[0]);
    if (method === "end") return void this.#offered.delete(args[0] as number);
    if (!Object.hasOwn(METHODS, method)) throw new SyncError("invalid_input", `there is no method ${method}`);
    if (this.#running.has(id)) throw new SyncError("invalid_input", `a call ${id} is running`);
    const end = new AbortController();
    this.#running.set(id, end);
    try {
      const ferry = await unlessEnded(end.signal, this.#ferry!);
      const given = (await decode(args, (s) => this.#collect(s, end.signal))) as unknown[];
      end.signal.throwIfAborted();
      const at = METHODS[method];
      // What is no options stays, and is refused: it must not pass for none.
      if (at !== undefined && isObject(given[at] ?? {})) given[at] = { ...(given[at] as object | null), signal: end.signal };
      const answer = member(ferry, method, given);
      return await (at === undefined ? unlessEnded(end.signal, answer) : answer);
    } finally {
      this.#running.delete(id);
    }
  }

  #offer(content: Blob): number {
    this.#offered.set(++this.#last, pieces(content));
    return this.#last;
  }

  async #read(id: unknown): Promise<Uint8Array | null> {
    const content = this.#offered.get(id as number);
    if (!content) throw new SyncError("not_found", `there is no content ${String(id)}`);
    const { done, value } = await content.next();
    if (done) this.#offered.delete(id as number);
    return value ?? null;
  }

  // What the page asks.

  #call(method: string, args: unknown[], signal?: AbortSignal | null): Promise<unknown> {
    signal?.throwIfAborted();
    const id = ++this.#last;
    const answer = new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      signal?.addEventListener("abort", () => {
        if (!this.#waiting.delete(id)) return;
        this.#post({ id: ++this.#last, method: "cancel", args: [id] });
        reject(signal.reason);
      });
    });
    const given: number[] = [];
    this.#post({ id, method, args: encode(args, (content) => given[given.push(this.#offer(content)) - 1]!) });
    answer.catch(() => given.forEach((content) => this.#offered.delete(content))); // nobody reads on, and not every app says so
    return answer;
  }

  /** The next piece of a content of the app; null at its end. */
  async #pull(s: Stream, signal?: AbortSignal | null): Promise<Uint8Array<ArrayBuffer> | null> {
    const piece = await decode(await this.#call("read", [s.$stream], signal), nothing);
    if (piece === null || piece instanceof Uint8Array) return piece as Uint8Array<ArrayBuffer> | null;
    throw new SyncError("invalid_input", "the app has answered read with something else than bytes");
  }

  async #collect(s: Stream, signal?: AbortSignal): Promise<Blob> {
    const parts: Blob[] = [];
    try {
      for (;;) {
        const piece = await this.#pull(s, signal);
        if (!piece) return new Blob(parts, { type: String(s.type ?? "") });
        parts.push(new Blob([piece]));
      }
    } catch (e) {
      this.#drop(s);
      throw e;
    }
  }

  #drop(s: Stream): void {
    this.#call("end", [s.$stream]).catch(() => {}); // it may be over already
  }

  /** The transport of the profile. */
  async #fetch(url: string, init: RequestInit): Promise<Response> {
    const { signal } = init;
    let body = init.body as Blob | Uint8Array<ArrayBuffer> | string | null;
    if (body instanceof Uint8Array && body.length > PIECE) body = new Blob([body]);
    const request = { url, method: init.method ?? "GET", headers: [...new Headers(init.headers)], body };
    const answer = await this.#call("http", [request], signal);
    const { status, headers, body: content, url: from } = isObject(answer) ? answer : {};
    if (typeof status !== "number" || status < 200 || status > 599) {
      throw new SyncError("network", "the app has answered a request with no status");
    }
    const empty = status === 204 || status === 205 || status === 304;
    const response = new Response(empty ? null : await this.#body(content, signal), { status, headers: headersOf(headers) });
    if (typeof from !== "string") return response;
    return Object.defineProperties(response, { url: { value: from }, redirected: { value: from !== url } });
  }

  async #body(content: unknown, signal?: AbortSignal | null): Promise<BodyInit | null> {
    if (!isStream(content)) return (await decode(content ?? null, nothing)) as BodyInit | null;
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const piece = await this.#pull(content, signal);
          if (piece) controller.enqueue(piece);
          else controller.close();
        },
        cancel: () => this.#drop(content),
      },
      { highWaterMark: 0 },
    );
  }

  async #media(name: string): Promise<Blob | null> {
    const content = await decode(await this.#call("media", [name]), (s) => this.#collect(s));
    if (content instanceof Uint8Array) return new Blob([content as Uint8Array<ArrayBuffer>]);
    return content instanceof Blob ? content : null;
  }

  #networkNow(): Network {
    void this.#askNetwork();
    return this.#network ?? "unmetered";
  }

  async #askNetwork(): Promise<void> {
    this.#heard(await this.#call("network", [], AbortSignal.timeout(PATIENCE)).catch(() => undefined));
  }

  #heard(network: unknown): void {
    if (network === "unmetered" || network === "metered" || network === "offline") this.#network = network;
  }

  #post(message: HostMessage): void {
    this.#port.postMessage(JSON.stringify(message));
  }
}

/** Calls a member of the profile, or reads one that is no function. */
function member(ferry: Cardferry, method: string, args: unknown[]): unknown {
  const [first, second] = method.split(".") as [string, string | undefined];
  const owner = (second ? ferry[first as keyof Cardferry] : ferry) as unknown as Record<string, unknown>;
  const value = owner[second ?? first];
  return typeof value === "function" ? value.apply(owner, args) : value;
}

/** What comes of what takes no signal; once it is cancelled nobody waits for that any more. */
function unlessEnded<T>(signal: AbortSignal, answer: T | Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(new SyncError("cancelled", "cancelled; what has begun may still be done")), { once: true });
    Promise.resolve(answer).then(resolve, reject);
  });
}

function nothing(): Promise<Blob> {
  return Promise.reject(new SyncError("invalid_input", "a content where none is expected"));
}

function headersOf(given: unknown): Headers {
  if (Array.isArray(given)) return new Headers(given.map(([name, value]) => [String(name), String(value)]));
  return new Headers(isObject(given) ? (given as Record<string, string>) : {});
}

/** The error that the app has answered with. One without a kind of ours counts as a broken connection. */
function errorOf(f: HostFailure): Error {
  const message = String(f.message ?? "the app has answered with an error");
  if (typeof f.kind !== "string" || !Object.hasOwn(KINDS, f.kind)) return new TypeError(message);
  return new SyncError(f.kind as Kind, message, { hint: String(f.hint ?? "") });
}

function failureOf(e: unknown): HostFailure {
  if (e instanceof SyncError) {
    const { kind, message, hint, changed, details } = e;
    return { kind, message, hint, changed, details: { ...details } };
  }
  const kind: Kind = e instanceof DOMException && e.name === "AbortError" ? "cancelled" : e instanceof TypeError ? "invalid_input" : "internal";
  return { kind, message: e instanceof Error ? e.message : String(e), hint: "", changed: false, details: {} };
}
