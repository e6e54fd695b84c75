// Files of SQLite's own VFS, used without SQLite: the methods of sqlite3_vfs and sqlite3_io_methods are called
// directly. They are synchronous, on the OPFS pool as well as in memory, and a file written this way is one that
// SQLite can open.

import { SyncError } from "./errors.ts";
import { method, sqliteError, type Engine } from "./sqlite.ts";

const SQLITE_OPEN_READWRITE = 0x2;
const SQLITE_OPEN_CREATE = 0x4;
const SQLITE_OPEN_MAIN_DB = 0x100;
const SQLITE_SYNC_NORMAL = 2;
/** How much is moved at once; the buffer lies in SQLite's memory. SQLite's own VFS writes at most 128 KiB less one byte. */
const BLOCK = 64 << 10;

type Call = (...args: (number | bigint)[]) => number;

/** One open file. Names are those of the VFS. */
export class VfsFile {
  readonly #engine: Engine;
  readonly #name: number;
  readonly #file: number;
  readonly #buffer: number;
  #methods: Record<"xRead" | "xWrite" | "xSync" | "xFileSize" | "xTruncate" | "xClose", Call> | undefined;

  private constructor(engine: Engine, path: string) {
    this.#engine = engine;
    // SQLite's own VFSs look behind the name for parameters, which end with an empty string.
    this.#name = engine.allocBytes(new TextEncoder().encode(`${path}\0\0\0`));
    this.#file = engine.alloc(new engine.sqlite3.capi.sqlite3_vfs(engine.vfs).$szOsFile);
    this.#buffer = engine.alloc(BLOCK);
  }

  /** Opens a file; with create, a missing one is made. */
  static open(engine: Engine, path: string, create: boolean): VfsFile {
    const f = new VfsFile(engine, path);
    try {
      f.#open(create);
      return f;
    } catch (e) {
      f.close();
      throw e;
    }
  }

  #open(create: boolean): void {
    const { capi } = this.#engine.sqlite3;
    const xOpen = method(this.#engine, new capi.sqlite3_vfs(this.#engine.vfs), "xOpen");
    const flags = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0);
    this.#check(xOpen(this.#engine.vfs, this.#name, this.#file, flags, this.#buffer), "open");
    const io = new capi.sqlite3_io_methods(new capi.sqlite3_file(this.#file).$pMethods);
    const get = (name: string): Call => method(this.#engine, io, name);
    this.#methods = {
      xRead: get("xRead"),
      xWrite: get("xWrite"),
      xSync: get("xSync"),
      xFileSize: get("xFileSize"),
      xTruncate: get("xTruncate"),
      xClose: get("xClose"),
    };
  }

  get #io() {
    if (!this.#methods) throw new SyncError("internal", "the file is closed");
    return this.#methods;
  }

  #check(code: number, step: string): void {
    if (code !== 0) throw sqliteError(this.#engine, code, `error ${code} of the file system`, `${step} file`);
  }

  /** The size in bytes. */
  size(): number {
    this.#check(this.#io.xFileSize(this.#file, this.#buffer), "stat");
    return Number(this.#engine.view.getBigInt64(this.#buffer, true));
  }

  /** Reads into out and returns how many bytes there were; 0 at the end. */
  read(offset: number, out: Uint8Array): number {
    const length = Math.max(0, Math.min(out.length, this.size() - offset));
    for (let done = 0; done < length; ) {
      const n = Math.min(BLOCK, length - done);
      this.#check(this.#io.xRead(this.#file, this.#buffer, n, BigInt(offset + done)), "read");
      out.set(this.#engine.heap.subarray(this.#buffer, this.#buffer + n), done);
      done += n;
    }
    return length;
  }

  /** Writes all of bytes at offset. */
  write(offset: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; done += BLOCK) {
      const block = bytes.subarray(done, done + BLOCK);
      this.#engine.heap.set(block, this.#buffer);
      this.#check(this.#io.xWrite(this.#file, this.#buffer, block.length, BigInt(offset + done)), "write");
    }
  }

  /** Writes all of the file to another one. */
  copyTo(target: VfsFile): void {
    const size = this.size();
    for (let at = 0; at < size; at += BLOCK) {
      const n = Math.min(BLOCK, size - at);
      this.#check(this.#io.xRead(this.#file, this.#buffer, n, BigInt(at)), "read");
      this.#check(target.#io.xWrite(target.#file, this.#buffer, n, BigInt(at)), "write");
    }
  }

  /** Cuts the file. */
  truncate(size: number): void {
    this.#check(this.#io.xTruncate(this.#file, BigInt(size)), "truncate");
  }

  /** Makes what was written durable. */
  sync(): void {
    this.#check(this.#io.xSync(this.#file, SQLITE_SYNC_NORMAL), "flush");
  }

  /** Releases the file; may be called more than once. */
  close(): void {
    if (!this.#closed) {
      this.#closed = true;
      this.#methods?.xClose(this.#file);
      this.#methods = undefined;
      for (const ptr of [this.#name, this.#file, this.#buffer]) this.#engine.free(ptr);
    }
  }
  #closed = false;
}

/** Whether there is such a file. */
export function exists(engine: Engine, path: string): boolean {
  return withName(engine, path, (vfs, name, out) => {
    method(engine, vfs, "xAccess")(engine.vfs, name, 0, out);
    return engine.view.getInt32(out, true) !== 0;
  });
}

/** Removes a file; a missing one is no error. */
export function unlink(engine: Engine, path: string): void {
  if (!exists(engine, path)) return;
  const file = VfsFile.open(engine, path, false);
  const size = file.size();
  file.close();
  const code = withName(engine, path, (vfs, name) => method(engine, vfs, "xDelete")(engine.vfs, name, 1));
  if (code !== 0) throw sqliteError(engine, code, `error ${code} of the file system`, "remove file");
  engine.removed(size);
}

function withName<T>(engine: Engine, path: string, use: (vfs: object, name: number, out: number) => T): T {
  const name = engine.allocBytes(new TextEncoder().encode(path));
  const out = engine.alloc(8);
  try {
    return use(new engine.sqlite3.capi.sqlite3_vfs(engine.vfs), name, out);
  } finally {
    engine.free(name);
    engine.free(out);
  }
}
