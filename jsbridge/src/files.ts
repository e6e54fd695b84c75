// The file_* imports: staged files, in the same place as the databases.

import { SyncError } from "./errors.ts";
import type { Catalogue } from "./catalogue.ts";
import type { FileImports } from "./host.ts";
import type { GuestMemory } from "./memory.ts";
import { encodeRow } from "./rows.ts";
import type { Engine } from "./sqlite.ts";
import { VfsFile } from "./vfsfile.ts";
import type { Encoding, Zstd } from "./zstd.ts";

/** Blobs are made of pieces of this size, so that no copy of the whole file lies in the worker's memory. */
const PIECE = 1 << 20;

/** An open file. */
export interface OpenFile {
  /** Reads at an offset and returns how many bytes there were. */
  read(offset: number, into: Uint8Array): number;
  write(offset: number, bytes: Uint8Array): void;
  sync(): void;
  size(): number;
  close(): void;
}

interface Open {
  file: OpenFile;
  /** Where the next write goes. */
  end: number;
}

/** How long, in ms, a file is compressed before other work of the worker. */
const TURN = 50;

/** A file that is being compressed into another one. */
class Compression {
  readonly #encoding: Encoding;
  readonly #from: VfsFile;
  readonly #to: VfsFile;
  #read = 0;
  #written = 0;

  constructor(encoding: Encoding, from: VfsFile, to: VfsFile) {
    this.#encoding = encoding;
    this.#from = from;
    this.#to = to;
  }

  /** Goes on for a turn, and returns whether that was all. */
  go(): boolean {
    for (const begun = performance.now(); performance.now() - begun < TURN; ) {
      const room = this.#encoding.room;
      const n = this.#from.read(this.#read, room);
      this.#read += n;
      const end = n < room.length;
      this.#encoding.write(n, end, (bytes) => {
        this.#to.write(this.#written, bytes);
        this.#written += bytes.length;
      });
      if (end) return true;
    }
    return false;
  }

  close(): void {
    this.#encoding.close();
    this.#from.close();
    this.#to.close();
  }
}

/** The files of a profile. */
export class Files {
  readonly #engine: Engine;
  readonly #catalogue: Catalogue;
  readonly #zstd: Zstd;
  /** By the names of what is written. */
  readonly #compressions = new Map<string, Compression>();
  readonly #open = new Map<number, Open>();
  #last = 0;

  constructor(engine: Engine, catalogue: Catalogue, zstd: Zstd) {
    this.#engine = engine;
    this.#catalogue = catalogue;
    this.#zstd = zstd;
  }

  /** The imports, by name. Each may throw; the caller turns that into a negative result. */
  imports(memory: GuestMemory): FileImports {
    const name = (ptr: number, length: number): string => memory.text(ptr, length);
    return {
      file_create: (ptr, length) => this.#create(name(ptr, length)),
      file_open: (ptr, length) => this.adopt(this.openFile(name(ptr, length))),
      file_read: (file, offset, ptr, length) =>
        this.#get(file).file.read(Number(offset), memory.view(ptr, length)),
      file_write: (file, ptr, length) => this.#append(this.#get(file), memory.view(ptr, length)),
      file_sync: (file) => (this.#get(file).file.sync(), 0),
      file_close: (file) => this.#close(file),
      file_size: (file) => BigInt(this.#get(file).file.size()),
      file_stat: (ptr, length, out) => {
        const view = memory.data(out, 16);
        view.setBigInt64(0, BigInt(this.size(name(ptr, length))), true);
        view.setBigInt64(8, 0n, true); // the pool knows no times
        return 0;
      },
      file_list: (ptr, length, out, cap) => this.#list(name(ptr, length), memory.view(out, cap)),
      file_compress: (from, fromLength, to, toLength) => this.#compress(name(from, fromLength), name(to, toLength)),
      file_remove: (ptr, length) => (this.#remove(name(ptr, length)), 0),
      file_replace: (from, fromLength, to, toLength) => {
        this.#replace(name(from, fromLength), name(to, toLength));
        return 0;
      },
    };
  }

  /** Opens an existing file. */
  openFile(name: string): VfsFile {
    const path = this.#catalogue.find(name);
    if (!path) throw new SyncError("not_found", `${name} does not exist`);
    return VfsFile.open(this.#engine, path, false);
  }

  /** The size of a file. */
  size(name: string): number {
    const file = this.openFile(name);
    try {
      return file.size();
    } finally {
      file.close();
    }
  }

  /** The content of a file. */
  blob(name: string): Blob {
    const file = this.openFile(name);
    try {
      const parts: Blob[] = [];
      const size = file.size();
      for (let at = 0; at < size; at += PIECE) {
        const piece = new Uint8Array(Math.min(PIECE, size - at));
        file.read(at, piece);
        parts.push(new Blob([piece]));
      }
      return new Blob(parts);
    } finally {
      file.close();
    }
  }

  /** Makes bytes the content of a file that is not open. */
  write(name: string, bytes: Uint8Array): void {
    const file = this.#made(name);
    try {
      file.write(0, bytes);
      file.sync();
    } finally {
      file.close();
    }
  }

  /**
   * Makes the content of a blob, which is read in pieces, that of a new file. Errors: `storage_full`; `invalid_input` if it cannot be read;
   * `cancelled`, also if the files are closed meanwhile.
   */
  async stage(name: string, content: Blob, signal?: AbortSignal): Promise<void> {
    const file = this.#catalogue.create(name);
    const handle = this.adopt(file);
    try {
      for (let at = 0; at < content.size; at += PIECE) {
        const piece = new Uint8Array(await content.slice(at, at + PIECE).arrayBuffer().catch(unreadable));
        if (signal?.aborted || !this.#open.has(handle)) throw new SyncError("cancelled", "cancelled");
        file.write(at, piece);
      }
    } catch (e) {
      if (this.#open.has(handle)) {
        this.#close(handle);
        this.#catalogue.remove(name);
      }
      throw e;
    }
    this.#close(handle);
  }

  /** Gives an open file a handle, by which the guest reads and closes it. */
  adopt(file: OpenFile): number {
    this.#open.set(++this.#last, { file, end: file.size() });
    return this.#last;
  }

  /** Closes what is still open. */
  closeAll(): void {
    for (const to of this.#compressions.keys()) this.#end(to);
    for (const { file } of this.#open.values()) file.close();
    this.#open.clear();
  }

  #create(name: string): number {
    return this.adopt(this.#made(name));
  }

  /** A new, empty file, in place of one of that name. */
  #made(name: string): VfsFile {
    this.#remove(name);
    return this.#catalogue.create(name);
  }

  #remove(name: string): void {
    this.#end(name);
    this.#catalogue.remove(name);
  }

  /** Goes on compressing one file into another: 0 when that is done, 1 if the guest has to, 2 if there is more to do. */
  #compress(from: string, to: string): number {
    const going = this.#compressions.get(to) ?? this.#begin(from, to);
    if (!going) return 1;
    try {
      if (!going.go()) return 2;
    } catch (e) {
      this.#end(to);
      throw e;
    }
    this.#end(to);
    return 0;
  }

  #begin(from: string, to: string): Compression | undefined {
    const encoding = this.#zstd.create();
    if (!encoding) return undefined;
    let source: VfsFile | undefined;
    try {
      source = this.openFile(from);
      const compression = new Compression(encoding, source, this.#made(to));
      this.#compressions.set(to, compression);
      return compression;
    } catch (e) {
      source?.close();
      encoding.close();
      throw e;
    }
  }

  #end(to: string): void {
    this.#compressions.get(to)?.close();
    this.#compressions.delete(to);
  }

  #get(handle: number): Open {
    const f = this.#open.get(handle);
    if (!f) throw new SyncError("internal", `there is no open file ${handle}`);
    return f;
  }

  #append(f: Open, bytes: Uint8Array): number {
    f.file.write(f.end, bytes);
    f.end += bytes.length;
    return bytes.length;
  }

  #close(handle: number): number {
    this.#get(handle).file.close();
    this.#open.delete(handle);
    return 0;
  }

  #list(prefix: string, out: Uint8Array): number {
    const rows = this.#catalogue
      .names()
      .filter((n) => n.startsWith(prefix))
      .map((n) => encodeRow([n, BigInt(this.size(n)), 0n]));
    const size = rows.reduce((sum, r) => sum + r.length, 0);
    let at = 0;
    if (size <= out.length) {
      for (const r of rows) {
        out.set(r, at);
        at += r.length;
      }
    }
    return size;
  }

  #replace(from: string, to: string): void {
    const file = this.openFile(from);
    try {
      file.sync();
    } finally {
      file.close();
    }
    this.#catalogue.replace(from, to);
  }
}

/** A file that a user has chosen may be removed, changed or on a drive that is gone when it is read. */
function unreadable(): never {
  throw new SyncError("invalid_input", "the file cannot be read: it was moved or changed", { hint: "Choose the file again." });
}
