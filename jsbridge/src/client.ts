// The page's end of the worker: calls with numbers, answers, cancelling.

import { SyncError, toSyncError, type Failure } from "./errors.ts";
import type { CallName, Calls, ToPage, ToWorker } from "./protocol.ts";

/** How long the worker may take to end a cancelled call before the page gives up on its answer, in milliseconds. */
const CANCEL_PATIENCE = 700;

interface Pending {
  resolve(result: unknown): void;
  reject(error: SyncError): void;
}

/** One worker. After a crash or {@link Client.end} every call fails. */
export class Client {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #onStatus: (message: Extract<ToPage, { type: "status" }>) => void;
  #last = 0;
  #ended: SyncError | undefined;

  constructor(worker: Worker, onStatus: (message: Extract<ToPage, { type: "status" }>) => void) {
    this.#worker = worker;
    this.#onStatus = onStatus;
    worker.onmessage = (e: MessageEvent<ToPage>) => this.#receive(e.data);
    worker.onmessageerror = () => this.end(new SyncError("internal", "an answer of the worker cannot be read"));
    worker.onerror = (e) => {
      const where = e.message || "it could not be loaded";
      this.end(new SyncError("internal", `the worker has failed: ${where}`, { hint: "Load the page again." }));
    };
  }

  /** Makes a call. Errors: what the worker answers; `cancelled` at most a second after signal. */
  call<N extends CallName>(name: N, params: Calls[N][0], signal?: AbortSignal): Promise<Calls[N][1]> {
    if (this.#ended) return Promise.reject(this.#ended);
    if (signal?.aborted) return Promise.reject(new SyncError("cancelled", "cancelled"));
    const id = ++this.#last;
    const answer = new Promise<Calls[N][1]>((resolve, reject) => {
      this.#pending.set(id, { resolve: resolve as (result: unknown) => void, reject });
    });
    this.#post({ type: "call", id, name, params } as ToWorker);
    if (!signal) return answer;
    const cancel = (): void => this.#cancel(id);
    signal.addEventListener("abort", cancel, { once: true });
    return answer.finally(() => signal.removeEventListener("abort", cancel));
  }

  /** Ends the worker: calls in flight and later ones fail with error. */
  end(error: SyncError): void {
    if (this.#ended) return;
    this.#ended = error;
    this.#worker.terminate();
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
      this.#worker.postMessage(message);
    } catch (e) {
      if (message.type === "call") this.#settle(message.id, (p) => p.reject(invalid(e)));
    }
  }

  #receive(message: ToPage): void {
    switch (message.type) {
      case "result":
        return this.#settle(message.id, (p) => p.resolve(message.result));
      case "error":
        return this.#settle(message.id, (p) => p.reject(fromFailure(message.error)));
      case "status":
        return this.#onStatus(message);
      case "crash":
        return this.end(fromFailure(message.error));
    }
  }

  #settle(id: number, act: (p: Pending) => void): void {
    const p = this.#pending.get(id);
    this.#pending.delete(id);
    if (p) act(p);
  }
}

function fromFailure(f: Failure): SyncError {
  return SyncError.from(f);
}

/** A parameter that cannot be sent to a worker, such as a function. */
function invalid(e: unknown): SyncError {
  return new SyncError("invalid_input", toSyncError(e).message);
}
