// The compiled .wasm files. The worker that opens a profile compiles them, and its page keeps them, for nothing but that the browser does: a
// page that is loaded again, in the same process, finds them compiled, with the code of each function that had run.

import { SyncError } from "./errors.ts";
import type { OpenRequest } from "./protocol.ts";

/** One of the files. */
export type ModuleName = "core" | "sqlite" | "zstd";

const FILE_NAMES: Record<ModuleName, string> = { core: "core.wasm", sqlite: "sqlite3.wasm", zstd: "zstd.wasm" };

/** Worker to page: a compiled file. */
export interface ModuleMessage {
  type: "module";
  of: ModuleName;
  module: WebAssembly.Module;
}

/** Fetches and compiles a file. Errors: `internal` if it is not there. */
export async function compile(of: ModuleName, url: string): Promise<WebAssembly.Module> {
  const response = await fetch(url);
  if (!response.ok) {
    throw new SyncError("internal", `${FILE_NAMES[of]} cannot be loaded from ${url} (${response.status})`, {
      hint: `Serve it beside the worker, or pass its address as assets.${of}.`,
    });
  }
  // A server that does not know the type of .wasm files must not be the reason for a failure.
  if (response.headers.get("content-type") !== "application/wasm") return WebAssembly.compile(await response.arrayBuffer());
  return WebAssembly.compileStreaming(response);
}

/** The files of a worker. */
export class Modules {
  readonly #post: (message: ModuleMessage) => void;

  constructor(post: (message: ModuleMessage) => void) {
    this.#post = post;
  }

  /** A compiled file. Errors: `internal` if it is not there. */
  async get(of: ModuleName, from: OpenRequest): Promise<WebAssembly.Module> {
    const given = from[of];
    if (typeof given !== "string") return given;
    const module = await compile(of, given);
    this.#post({ type: "module", of, module });
    return module;
  }
}
