// The compiled .wasm files. The worker that opens a profile has its hands full, so its page fetches them while the browser still starts the
// worker, and compiles them when that asks. A page that is loaded again finds what the one before it has left in the browser's process, with
// the code of each function that had run.

import { SyncError } from "./errors.ts";
import type { OpenRequest } from "./protocol.ts";

/** The files. The small one comes first: the other would keep it waiting. */
const NAMES = ["sqlite", "core"] as const;
/** How long a worker waits for a page that is busy before it helps itself, in milliseconds. */
const PATIENCE = 1000;

/** One of the files. */
export type ModuleName = (typeof NAMES)[number];

/** Worker to page: the files are wanted. */
export interface ModulesWanted {
  type: "modules";
}

/** Page to worker: a compiled file; null if the page does not have it. */
export interface ModuleMessage {
  type: "module";
  of: ModuleName;
  module: WebAssembly.Module | null;
}

/** Fetches and compiles a file. Errors: `internal` if it is not there. */
export async function compile(of: ModuleName, url: string, response = fetch(url)): Promise<WebAssembly.Module> {
  const r = await response;
  if (!r.ok) {
    const name = of === "core" ? "core.wasm" : "sqlite3.wasm";
    throw new SyncError("internal", `${name} cannot be loaded from ${url} (${r.status})`, {
      hint: `Serve it beside the worker, or pass its address as assets.${of}.`,
    });
  }
  // A server that does not know the type of .wasm files must not be the reason for a failure.
  if (r.headers.get("content-type") !== "application/wasm") return WebAssembly.compile(await r.arrayBuffer());
  return WebAssembly.compileStreaming(r);
}

/** The page's end. What fails here is tried again by the worker, which tells of it. */
export class PageModules {
  readonly #end = new AbortController();
  readonly #fetched: readonly [ModuleName, string, Promise<Response>][];
  #compiled: [ModuleName, Promise<WebAssembly.Module | null>][] | undefined;

  /** Begins to fetch the files. Reading and compiling them at once would hold up the start of the worker. */
  constructor(from: OpenRequest) {
    this.#fetched = NAMES.flatMap((of) => {
      const url = from[of];
      if (typeof url !== "string") return [];
      const response = (async () => fetch(url, { signal: this.#end.signal }))();
      response.catch(() => {}); // it may not be wanted
      return [[of, url, response]];
    });
  }

  /** Compiles the files, and hands each over as soon as it is. */
  send(post: (message: ModuleMessage) => void): void {
    this.#compiled ??= this.#fetched.map(([of, url, response]) => [of, compile(of, url, response).catch(() => null)]);
    for (const [of, compiled] of this.#compiled) void compiled.then((module) => post({ type: "module", of, module }));
  }

  /** The worker needs them no more, or has never needed them, as another tab leads. */
  end(): void {
    if (!this.#compiled) this.#end.abort();
  }
}

/** The worker's end. */
export class WorkerModules {
  readonly #post: (message: ModulesWanted) => void;
  readonly #waiting = new Map<ModuleName, (module: WebAssembly.Module | null) => void>();

  constructor(post: (message: ModulesWanted) => void) {
    this.#post = post;
  }

  /** Takes a message of the page. */
  receive({ of, module }: ModuleMessage): void {
    this.#waiting.get(of)?.(module);
  }

  /** The compiled files: the page's, or else those that are compiled here. Errors: `internal` for one that is not there. */
  get(from: OpenRequest): Record<ModuleName, Promise<WebAssembly.Module>> {
    const [sqlite, core] = NAMES.map((of) => this.#one(of, from[of]));
    this.#post({ type: "modules" });
    return { sqlite: sqlite!, core: core! };
  }

  async #one(of: ModuleName, from: string | WebAssembly.Module): Promise<WebAssembly.Module> {
    if (typeof from !== "string") return from;
    const module = await new Promise<WebAssembly.Module | null>((come) => {
      this.#waiting.set(of, come);
      setTimeout(come, PATIENCE, null);
    });
    return module ?? compile(of, from);
  }
}
