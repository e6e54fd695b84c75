// The page's end of its worker: calls with numbers, answers, cancelling. The worker can be ended and started again, as
// when the page is frozen or the worker has crashed; calls without an answer are sent to the next one.

import { SyncError, toSyncError } from "./errors.ts";
import type { Notice } from "./channel.ts";
import type { ModuleName } from "./modules.ts";
import type { Presence } from "./presence.ts";
import type { CallName, Calls, OpenRequest, ToPage, ToWorker } from "./protocol.ts";
import { PageTransport, type Transport } from "./transport.ts";

/** How long the worker may take to end a cancelled call before the page gives up on its answer, in milliseconds. */
const CANCEL_PATIENCE = 700;

interface Pending {
  message: Extract<ToWorker, { type: "call" }>;
  resolve(result: unknown): void;
  reject(error: SyncError): void;
}

/** The calls of one page. After {@link Client.end} every call fails. */
export class Client {
  readonly #start: () => Worker;
  readonly #open: OpenRequest;
  readonly #onNotice: (notice: Notice) => void;
  readonly #pending = new Map<number, Pending>();
  #transport: PageTransport | undefined;
  /** See modules.ts. */
  readonly #modules = new Map<ModuleName, WebAssembly.Module>();
  #worker: Worker | undefined;
  #presence: Presence | undefined;
  #opened = false;
  #last = 0;
  #ended: SyncError | undefined;

  constructor(start: () => Worker, open: OpenRequest, onNotice: (notice: Notice) => void, transport?: Transport) {
    this.#start = start;
    this.#open = open;
    this.#onNotice = onNotice;
    if (transport) {
      this.#transport = new PageTransport(transport, (message, transfer) => this.#worker?.postMessage(message, transfer));
    }
  }

  /** Starts the worker and opens the profile. */
  async open(): Promise<void> {
    this.#run();
    // The first touch of the storage takes the browser long; it may as well begin while the worker is being loaded.
    void navigator.storage.getDirectory().catch(() => {});
    await this.call("open", this.#open);
    this.#opened = true;
  }

  /** Makes a call. Errors: what the worker answers; `cancelled` at most a second after signal. */
  call<N extends CallName>(name: N, params: Calls[N][0], signal?: AbortSignal): Promise<Calls[N][1]> {
    if (this.#ended) return Promise.reject(this.#ended);
    if (signal && typeof signal.addEventListener !== "function") {
      return Promise.reject(new SyncError("invalid_input", "signal must be an AbortSignal"));
    }
    if (signal?.aborted) return Promise.reject(new SyncError("cancelled", "cancelled"));
    const id = ++this.#last;
    const message = { type: "call", id, name, params } as Pending["message"];
    const answer = new Promise<Calls[N][1]>((resolve, reject) => {
      this.#pending.set(id, { message, resolve: resolve as (result: unknown) => void, reject });
    });
    this.#post(message);
    if (!signal) return answer;
    const cancel = (): void => this.#cancel(id);
    signal.addEventListener("abort", cancel, { once: true });
    return answer.finally(() => signal.removeEventListener("abort", cancel));
  }

  /** Tells the worker, and each later one, how the page is. */
  tell(presence: Presence): void {
    this.#presence = presence;
    this.#post({ type: "presence", presence });
  }

  /** Ends the worker for a while: a page that is frozen must not keep the profile from other tabs. */
  suspend(): void {
    this.#transport?.endAll();
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  /** Starts a worker again, with the calls that have no answer yet. */
  resume(): void {
    if (this.#ended || this.#worker) return;
    const pending = [...this.#pending.values()];
    this.#run();
    if (this.#opened) this.#reopen();
    for (const { message } of pending) this.#post({ ...message, again: true });
  }

  /** Ends the worker: calls in flight and later ones fail with error. */
  end(error: SyncError): void {
    if (this.#ended) return;
    this.#ended = error;
    this.suspend();
    this.#rejectAll(error);
  }

  #run(): void {
    const worker = this.#start();
    this.#worker = worker;
    const mine = (f: () => void): void => {
      if (this.#worker === worker) f();
    };
    worker.onmessage = (e: MessageEvent<ToPage>) => mine(() => this.#receive(e.data));
    worker.onmessageerror = () => mine(() => this.#crashed(new SyncError("internal", "an answer of the worker cannot be read")));
    worker.onerror = (e) =>
      mine(() => {
        const where = e.message || "it could not be loaded";
        this.#crashed(new SyncError("internal", `the worker has failed: ${where}`, { hint: "Load the page again." }));
      });
    if (this.#presence) this.tell(this.#presence);
  }

  /** Every open call fails, as it may be what ended the worker. Later ones have a new one, if that can open the profile. */
  #crashed(error: SyncError): void {
    if (!this.#opened) return this.end(error);
    this.suspend();
    this.#rejectAll(error);
    this.#opened = false;
    this.#run();
    this.#reopen();
  }

  #reopen(): void {
    const failed = (e: unknown): void => {
      const error = toSyncError(e);
      // The worker is there, and tries again with the next call; or the profile is being closed, of which close has the answer.
      if (error.kind === "busy" || error.kind === "cancelled") this.#opened = true;
      else this.end(error);
    };
    this.call("open", this.#open).then(() => void (this.#opened = true), failed);
  }

  #rejectAll(error: SyncError): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const p of pending) p.reject(error);
  }

  #cancel(id: number): void {
    this.#post({ type: "cancel", id });
    // The worker may be inside one long SQLite statement, which cannot be interrupted. The work ends with it.
    setTimeout(() => {
      const p = this.#pending.get(id);
      this.#pending.delete(id);
      p?.reject(new SyncError("cancelled", "cancelled; the work ends with the running statement"));
    }, CANCEL_PATIENCE);
  }

  #post(message: ToWorker): void {
    try {
      this.#worker?.postMessage(message);
    } catch (e) {
      if (message.type === "call") this.#settle(message.id, (p) => p.reject(invalid(e)));
    }
  }

  #receive(message: ToPage): void {
    switch (message.type) {
      case "result":
        return this.#settle(message.id, (p) => p.resolve(message.result));
      case "error":
        return this.#settle(message.id, (p) => p.reject(SyncError.from(message.error)));
      case "module":
        return void this.#modules.set(message.of, message.module);
      case "crash":
        return this.#crashed(SyncError.from(message.error));
      case "http":
      case "httpPull":
      case "httpEnd":
        return this.#transport?.receive(message);
      default:
        this.#onNotice(message);
    }
  }

  #settle(id: number, act: (p: Pending) => void): void {
    const p = this.#pending.get(id);
    this.#pending.delete(id);
    if (p) act(p);
  }
}

/** A parameter that cannot be sent to a worker, such as a function. */
function invalid(e: unknown): SyncError {
  return new SyncError("invalid_input", toSyncError(e).message);
}
