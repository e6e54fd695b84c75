// HTTP done by the embedding app, in place of fetch: a native app's own requests know no CORS. The worker asks its page,
// which calls the app's function. Bodies of answers come piece by piece, as the worker takes them.

import { SyncError, toFailure, type Failure } from "./errors.ts";

/** Makes a request as fetch does, once: it must not be repeated when a connection ends. It may reject with a {@link SyncError}; any other error counts as a broken connection. */
export type Transport = (url: string, init: RequestInit) => Promise<Response>;

/** Worker to page. */
export type TransportRequest =
  | {
      type: "http";
      id: number;
      url: string;
      method: string;
      headers: [string, string][];
      body: Blob | Uint8Array<ArrayBuffer> | string | null;
    }
  /** The next piece of the body is wanted. */
  | { type: "httpPull"; id: number }
  /** The answer is not wanted any more. */
  | { type: "httpEnd"; id: number };

/** Page to worker. */
export type TransportAnswer =
  | { type: "httpHead"; id: number; status: number; headers: [string, string][]; url: string; redirected: boolean }
  /** A piece of the body; null at its end. */
  | { type: "httpData"; id: number; bytes: Uint8Array<ArrayBuffer> | null }
  | { type: "httpFailed"; id: number; error: Failure | null };

interface Waiting {
  head(message: Extract<TransportAnswer, { type: "httpHead" }>): void;
  data(bytes: Uint8Array<ArrayBuffer> | null): void;
  failed(error: unknown): void;
}

/** The worker's end. */
export class WorkerTransport {
  readonly #post: (message: TransportRequest) => void;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  constructor(post: (message: TransportRequest) => void) {
    this.#post = post;
  }

  /** Takes a message of the page. */
  receive(message: TransportAnswer): void {
    const w = this.#waiting.get(message.id);
    if (message.type === "httpHead") w?.head(message);
    else if (message.type === "httpData") w?.data(message.bytes);
    else w?.failed(message.error ? SyncError.from(message.error) : new TypeError("the app's request has failed"));
  }

  /** As the global fetch, as far as this package uses it. */
  readonly fetch = (async (url: string, init: RequestInit = {}): Promise<Response> => {
    const { signal } = init;
    signal?.throwIfAborted();
    const id = ++this.#last;
    const ended = new Promise<never>((_, reject) => {
      signal?.addEventListener("abort", () => {
        if (!this.#waiting.has(id)) return;
        this.#post({ type: "httpEnd", id });
        this.#waiting.get(id)?.failed(signal.reason);
        reject(signal.reason);
      });
    });
    ended.catch(() => {}); // after the head the body tells
    return await Promise.race([ended, this.#start(id, url, init)]);
  }) as typeof fetch;

  #start(id: number, url: string, init: RequestInit): Promise<Response> {
    return new Promise((resolve, reject) => {
      let body: ReadableStreamDefaultController<Uint8Array> | undefined;
      const stream = new ReadableStream<Uint8Array>(
        {
          start: (controller) => void (body = controller),
          pull: () => {
            this.#post({ type: "httpPull", id });
            return new Promise<void>((go) => (pulled = go));
          },
          cancel: () => {
            this.#waiting.delete(id);
            this.#post({ type: "httpEnd", id });
          },
        },
        { highWaterMark: 0 },
      );
      let pulled = (): void => {};
      this.#waiting.set(id, {
        head: ({ status, headers, url: from, redirected }) => {
          const empty = status === 204 || status === 205 || status === 304;
          const response = new Response(empty ? null : stream, { status, headers });
          Object.defineProperties(response, { url: { value: from }, redirected: { value: redirected } });
          resolve(response);
        },
        data: (bytes) => {
          if (bytes) body?.enqueue(bytes);
          else {
            this.#waiting.delete(id);
            body?.close();
          }
          pulled();
        },
        failed: (error) => {
          this.#waiting.delete(id);
          reject(error);
          body?.error(error);
          pulled();
        },
      });
      const headers = [...new Headers(init.headers)] as [string, string][];
      const sent = (init.body ?? null) as Extract<TransportRequest, { type: "http" }>["body"];
      this.#post({ type: "http", id, url, method: init.method ?? "GET", headers, body: sent });
    });
  }
}

/** A request that the app makes. */
interface Running {
  end: AbortController;
  body?: ReadableStreamDefaultReader<Uint8Array>;
}

/** The page's end. The next worker's numbers are those of the one before, of whose requests something may still come. */
export class PageTransport {
  readonly #transport: Transport;
  readonly #post: (message: TransportAnswer, transfer: Transferable[]) => void;
  readonly #running = new Map<number, Running>();

  constructor(transport: Transport, post: (message: TransportAnswer, transfer: Transferable[]) => void) {
    this.#transport = transport;
    this.#post = post;
  }

  /** Takes a message of the worker. */
  receive(message: TransportRequest): void {
    const { id } = message;
    if (message.type === "httpEnd") return this.#end(id);
    if (message.type === "http") this.#running.set(id, { end: new AbortController() });
    const run = this.#running.get(id);
    if (run) void this.#guard(id, run, () => (message.type === "http" ? this.#start(message, run) : this.#pull(id, run)));
  }

  /** Ends all requests: the worker that has asked is gone. */
  endAll(): void {
    for (const id of [...this.#running.keys()]) this.#end(id);
  }

  async #start({ id, url, method, headers, body }: Extract<TransportRequest, { type: "http" }>, run: Running): Promise<void> {
    const response = await this.#transport(url, { method, headers, body, signal: run.end.signal });
    if (this.#running.get(id) !== run) return void response.body?.cancel().catch(() => {});
    const { status, redirected } = response;
    // The worker cannot make such a one: 0 is that of a redirect that fetch was not to follow, or of what the page may not read.
    if (!(status >= 200 && status <= 599)) throw new TypeError(`the app's request has the status ${status}`);
    if (response.body) run.body = response.body.getReader();
    this.#post({ type: "httpHead", id, status, redirected, url: response.url || url, headers: [...response.headers] }, []);
  }

  async #pull(id: number, run: Running): Promise<void> {
    const { done, value } = run.body ? await run.body.read() : { done: true, value: undefined };
    if (this.#running.get(id) !== run) return;
    if (done || !value) {
      this.#running.delete(id);
      return this.#post({ type: "httpData", id, bytes: null }, []);
    }
    const bytes = value as Uint8Array<ArrayBuffer>;
    // A piece of a larger buffer is copied, as the buffer may be the app's.
    const whole = bytes.byteLength === bytes.buffer.byteLength;
    this.#post({ type: "httpData", id, bytes }, whole ? [bytes.buffer] : []);
  }

  #end(id: number): void {
    this.#running.get(id)?.end.abort();
    this.#running.get(id)?.body?.cancel().catch(() => {});
    this.#running.delete(id);
  }

  async #guard(id: number, run: Running, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (e) {
      if (this.#running.get(id) !== run) return; // ended by the worker
      this.#running.delete(id);
      this.#post({ type: "httpFailed", id, error: e instanceof SyncError ? toFailure(e) : null }, []);
    }
  }
}
