// The guest: an instance of core.wasm, its exports, and the tasks that run in it (wasm/ABI.md).

import { SyncError, kindOf, toSyncError } from "./errors.ts";
import type { FileImports, HttpImports, MediaImports, SqlImports, TaskImports } from "./host.ts";
import { LastError } from "./host.ts";
import { GuestMemory } from "./memory.ts";
import type { Progress } from "./protocol.ts";
import { ABI_VERSION, IMPORT_MODULE, type Method } from "./protocol.gen.ts";
import { fillRandom, wasi } from "./wasi.ts";

/** The exports of the guest. */
interface Exports {
  cf_abi(): number;
  cf_alloc(length: number): number;
  cf_call(task: number, ptr: number, length: number): void;
  cf_event(call: number, kind: number, ptr: number, length: number): void;
  cf_tick(task: number): void;
  cf_cancel(task: number): void;
  cf_collate(a: number, aLength: number, b: number, bLength: number): number;
  cf_collate_buffer(length: number): number;
}

/** What the guest is lent. */
export interface Ports {
  sql: SqlImports;
  files: FileImports;
  media: MediaImports;
  http: HttpImports;
}

/** A guest before it is lent anything. */
export interface Unlent {
  /** Its memory, once there is one. */
  memory: GuestMemory;
  /** Lends it the imports, attaches the memory, and returns the exports, ready to be called. */
  lend(imports: WebAssembly.ModuleImports): Promise<WebAssembly.Exports>;
}

interface Task {
  resolve(result: unknown): void;
  reject(error: SyncError): void;
  progress(p: Progress): void;
}

/** One instance. A guest that has crashed answers every call with kind `internal`. */
export class Guest {
  readonly #memory: GuestMemory;
  readonly #exports: Exports;
  readonly #tasks = new Map<number, Task>();
  readonly #log: (line: string) => void;
  #last = 0;
  #crash: SyncError | undefined;
  #collation = { ptr: 0, size: 0 };
  /** Called after every call into the guest: other work may have been waiting for its transaction to end. */
  afterRun: () => void = () => {};
  /** Called once when the instance has ended. */
  onCrash: (error: SyncError) => void = () => {};

  private constructor(exports: Exports, memory: GuestMemory, log: (line: string) => void) {
    this.#exports = exports;
    this.#memory = memory;
    this.#log = log;
  }

  /** Makes an instance. log gets lines for developers. Errors: `internal` for another version of the boundary. */
  static async create({ memory, lend }: Unlent, ports: Ports, log: (line: string) => void): Promise<Guest> {
    const last = new LastError();
    let guest: Guest | undefined;
    const imports = {
      ...last.guard(ports.sql),
      ...last.guard(ports.files),
      ...last.guard(ports.media),
      ...ports.http,
      ...taskImports(() => guest, memory, last, log),
    };
    const exports = await lend(imports as unknown as WebAssembly.ModuleImports);
    memory.attach((exports.memory ?? exports.mem) as WebAssembly.Memory);
    guest = new Guest(exports as unknown as Exports, memory, log);
    const abi = guest.#exports.cf_abi();
    if (abi !== ABI_VERSION) {
      const message = `core.wasm speaks version ${abi} of the boundary, the bridge ${ABI_VERSION}`;
      throw new SyncError("internal", message, { hint: "Serve all files of the same version of cardferry." });
    }
    return guest;
  }

  /** Starts a task. Its answer, progress reports and errors come asynchronously; cancel ends it early. */
  call(method: Method, params: object, progress: (p: Progress) => void): { task: number; answer: Promise<unknown> } {
    const request = new TextEncoder().encode(json({ method, params }));
    const task = (this.#last = (this.#last % 0x7fffffff) + 1);
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#tasks.set(task, { resolve, reject, progress });
    });
    if (this.#crash) this.#rejectAll(this.#crash);
    else this.#run(() => this.#exports.cf_call(task, this.#put(request), request.length));
    return { task, answer };
  }

  /** Cancels a task; it ends soon with kind `cancelled`. */
  cancel(task: number): void {
    this.#run(() => this.#exports.cf_cancel(task));
  }

  /** Delivers an event of an HTTP call. */
  event(call: number, kind: number, bytes: Uint8Array): void {
    this.#run(() => this.#exports.cf_event(call, kind, this.#put(bytes), bytes.length));
  }

  /** Compares two texts as the collation unicase. It never throws: SQLite is on the stack. */
  collate(a: Uint8Array, b: Uint8Array): number {
    try {
      const size = a.length + b.length;
      if (size > this.#collation.size || !this.#collation.ptr) {
        this.#collation = { ptr: this.#exports.cf_collate_buffer(Math.max(size, 1)), size };
      }
      const { ptr } = this.#collation;
      const buffer = this.#memory.view(ptr, size);
      buffer.set(a);
      buffer.set(b, a.length);
      return this.#exports.cf_collate(ptr, a.length, ptr + a.length, b.length);
    } catch (e) {
      this.#crashed(e);
      return 0;
    }
  }

  /** Continues a task after other work of this worker: messages of the page come first. */
  tick(task: number): void {
    setTimeout(() => this.#run(() => this.#exports.cf_tick(task)), 0);
  }

  /** A task is over. */
  done(task: number, envelope: string): void {
    const t = this.#tasks.get(task);
    this.#tasks.delete(task);
    if (!t) return;
    const { result, error } = JSON.parse(envelope) as { result?: unknown; error?: Fault };
    if (error) t.reject(new SyncError(kindOf(error.kind), error.message, error));
    else t.resolve(result);
  }

  /** A report of a task. */
  progress(task: number, p: Progress): void {
    this.#tasks.get(task)?.progress(p);
  }

  #put(bytes: Uint8Array): number {
    const ptr = this.#exports.cf_alloc(bytes.length);
    this.#memory.view(ptr, bytes.length).set(bytes);
    return ptr;
  }

  #run(export_: () => void): void {
    if (this.#crash) return;
    try {
      export_();
    } catch (e) {
      this.#crashed(e);
    }
    this.afterRun();
  }

  #crashed(e: unknown): void {
    if (this.#crash) return;
    this.#log(`the guest has crashed: ${e instanceof Error ? (e.stack ?? e.message) : String(e)}`);
    this.#crash = new SyncError("internal", `the sync engine has crashed: ${toSyncError(e).message}`, {
      hint: "Open the profile again. Nothing that was committed is lost.",
    });
    this.#rejectAll(this.#crash);
    this.onCrash(this.#crash);
  }

  #rejectAll(error: SyncError): void {
    const tasks = [...this.#tasks.values()];
    this.#tasks.clear();
    for (const t of tasks) t.reject(error);
  }
}

/** Writes what a caller has given. Errors: `invalid_input` for a bigint, NaN, or something that contains itself. */
function json(request: object): string {
  try {
    return JSON.stringify(request, finite);
  } catch (e) {
    throw new SyncError("invalid_input", toSyncError(e).message);
  }
}

/** JSON has null in the place of NaN and the infinities, and that removes a key of the config. */
function finite(_: string, value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value)) throw new TypeError(`${value} cannot be stored`);
  return value;
}

/** The error of an answer envelope. */
interface Fault {
  kind: number;
  message: string;
  hint?: string;
  changed?: boolean;
  details?: Record<string, unknown>;
}

function taskImports(
  guest: () => Guest | undefined,
  memory: GuestMemory,
  last: LastError,
  log: (line: string) => void,
): TaskImports {
  return {
    last_error: (ptr, cap) => last.copy(memory, ptr, cap),
    task_done: (task, ptr, length) => guest()?.done(task, memory.text(ptr, length)),
    tick: (task) => guest()?.tick(task),
    progress: (task, stage, length, done, total) =>
      guest()?.progress(task, { stage: memory.text(stage, length), done: Number(done), total: Number(total) }),
    log: (ptr, length) => log(memory.text(ptr, length)),
    now: () => BigInt(Date.now()),
    minutes_west: (ms) => new Date(Number(ms)).getTimezoneOffset(),
    random: (ptr, length) => fillRandom(memory.view(ptr, length)),
    normalize: (form, ptr, length, out, cap) => normalize(memory, form, ptr, length, out, cap),
  };
}

/** Writes a text in the form NFC (0) or NFKD (1), unless it is longer than cap, and returns its size. */
export function normalize(memory: GuestMemory, form: number, ptr: number, length: number, out: number, cap: number): number {
  const text = new TextEncoder().encode(memory.text(ptr, length).normalize(form === 0 ? "NFC" : "NFKD"));
  if (text.length <= cap >>> 0) memory.view(out, text.length).set(text);
  return text.length;
}

/**
 * Instantiates the shipped file, a WASI reactor, and starts Go's runtime in it. That needs nothing of what the guest is lent, so it
 * is done while SQLite and its files are being opened.
 */
export async function reactor(module: WebAssembly.Module, log: (line: string) => void): Promise<Unlent> {
  const memory = new GuestMemory();
  const lent: WebAssembly.ModuleImports = {};
  const later = (name: string) => (...args: unknown[]): unknown => (lent[name] as (...args: unknown[]) => unknown)(...args);
  const names = WebAssembly.Module.imports(module).filter((i) => i.module === IMPORT_MODULE).map(({ name }) => name);
  const { exports } = await WebAssembly.instantiate(module, {
    [IMPORT_MODULE]: Object.fromEntries(names.map((name) => [name, later(name)])),
    wasi_snapshot_preview1: wasi(module, memory, log),
  });
  memory.attach(exports.memory as WebAssembly.Memory);
  (exports._initialize as () => void)();
  return { memory, lend: async (imports) => (Object.assign(lent, imports), exports) };
}
