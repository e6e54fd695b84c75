// A store of media files in memory, for tests under Node.

import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { SyncError } from "../src/errors.ts";
import type { OpenFile } from "../src/files.ts";
import type { MediaDraft, MediaFile, MediaStore, MediaSum } from "../src/media.ts";

/** A file is replaced, never changed, so that an open one keeps its content. */
interface Stored {
  bytes: Buffer;
  modified: bigint;
}

/** The longest name, in bytes, as on most systems. */
const LONGEST = 255;

/** Media files by name. */
export class MemoryMedia implements MediaStore {
  readonly #files = new Map<string, Stored>();
  #trash: { name: string; bytes: Buffer; at: number }[] = [];
  #tick = 0n;

  /** What another program does: writes a file. */
  put(name: string, bytes: Buffer): MediaFile {
    const f = { bytes, modified: ++this.#tick };
    this.#files.set(name, f);
    return seen(f);
  }

  /** What another program does: deletes a file, without the trash. */
  remove(name: string): void {
    if (!this.#files.delete(name)) throw missing(name);
  }

  /** The content of a file. */
  get(name: string): Buffer {
    return this.#find(name).bytes;
  }

  /** The names of all files, in byte order. */
  names(): string[] {
    return [...this.#files.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }

  *scan(): Iterable<MediaFile & { name: string; regular: boolean }> {
    for (const name of this.names()) {
      const f = this.#files.get(name);
      if (f) yield { name, ...seen(f), regular: true };
    }
  }

  stat(name: string): MediaFile {
    return seen(this.#find(name));
  }

  hash(name: string): { file: MediaFile; sum: MediaSum } {
    const f = this.#find(name);
    return { file: seen(f), sum: sumOf(f.bytes) };
  }

  open(name: string): OpenFile {
    const { bytes } = this.#find(name);
    const readOnly = (): never => {
      throw new SyncError("not_writable", `${name} is open for reading`);
    };
    return {
      read: (offset, into) => Math.max(bytes.copy(into, 0, Math.min(offset, bytes.length)), 0),
      write: readOnly,
      sync: () => {},
      size: () => bytes.length,
      close: () => {},
    };
  }

  async blob(name: string, as: MediaFile, offset: number, length: number): Promise<Blob> {
    if (!this.#is(name, as)) throw new SyncError("not_found", `the media file ${name} has changed`);
    return new Blob([new Uint8Array(this.get(name).subarray(offset, offset + length))]);
  }

  create(): MediaDraft {
    return this.#draft([]);
  }

  copy(name: string, as: MediaFile): MediaDraft | undefined {
    return this.#is(name, as) ? this.#draft([this.#find(name).bytes]) : undefined;
  }

  trash(name: string, as: MediaFile): boolean {
    if (!this.#is(name, as)) return false;
    this.#toTrash(name);
    this.#files.delete(name);
    return true;
  }

  expire(ms: number): void {
    this.#trash = this.#trash.filter((t) => t.at >= ms);
  }

  flush(): void {}

  #draft(parts: Uint8Array[]): MediaDraft {
    const bytes = (): Buffer => Buffer.concat(parts);
    return {
      write: (p) => void parts.push(p.slice()),
      sum: () => ({ size: BigInt(bytes().length), sum: sumOf(bytes()) }),
      install: (name, as) => {
        if (!this.#is(name, as)) return undefined;
        this.#toTrash(name);
        return this.put(name, bytes());
      },
      discard: () => void parts.splice(0),
    };
  }

  /** Whether a name is as it was seen. */
  #is(name: string, as: MediaFile | undefined): boolean {
    check(name);
    const f = this.#files.get(name);
    if (!f || !as) return !f && !as;
    return f.modified === as.modified && BigInt(f.bytes.length) === as.size;
  }

  #find(name: string): Stored {
    check(name);
    const f = this.#files.get(name);
    if (!f) throw missing(name);
    return f;
  }

  #toTrash(name: string): void {
    const f = this.#files.get(name);
    if (f) this.#trash.push({ name, bytes: f.bytes, at: Date.now() });
  }
}

function seen(f: Stored): MediaFile {
  return { size: BigInt(f.bytes.length), modified: f.modified };
}

function sumOf(bytes: Buffer): MediaSum {
  return { sha1: createHash("sha1").update(bytes).digest(), crc: crc32(bytes) };
}

function missing(name: string): SyncError {
  return new SyncError("not_found", `there is no media file ${JSON.stringify(name)}`);
}

function check(name: string): void {
  if (/^\.{0,2}$|[/\0]/.test(name) || Buffer.byteLength(name) > LONGEST) {
    throw new SyncError("invalid_input", `not a name of a media file: ${JSON.stringify(name)}`);
  }
}
