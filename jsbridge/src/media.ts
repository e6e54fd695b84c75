// The media_* imports on a store of media files (host.Media in core/host): that of a page is OpfsMedia.

import { SyncError } from "./errors.ts";
import type { Files, OpenFile } from "./files.ts";
import type { MediaImports } from "./host.ts";
import type { GuestMemory } from "./memory.ts";
import { CHANGED } from "./protocol.gen.ts";
import { encodeRow } from "./rows.ts";
import type { Databases, Started } from "./sql.ts";
import type { Batch } from "./statement.ts";

/** How a file was seen; both numbers are as the store gave them. */
export interface MediaFile {
  size: bigint;
  modified: bigint;
}

/** What reading a whole file tells about its content. */
export interface MediaSum {
  sha1: Uint8Array;
  crc: number;
}

/** A file that is being written. */
export interface MediaDraft {
  write(bytes: Uint8Array): void;
  /** Size and sums of what was written. */
  sum(): { size: bigint; sum: MediaSum };
  /** Makes the draft the content of name and ends it; undefined, and nothing was done, if name is not as seen. */
  install(name: string, seen: MediaFile | undefined): MediaFile | undefined;
  discard(): void;
}

/** A store of media files. The methods are synchronous and throw SyncError; core/host/media.go says what they do. */
export interface MediaStore {
  /** The files, sorted by the bytes of their names. */
  scan(): Iterable<MediaFile & { name: string; regular: boolean }>;
  /** The same as a started statement, from a store that has one. */
  listing?(): Started;
  stat(name: string): MediaFile;
  hash(name: string): { file: MediaFile; sum: MediaSum };
  open(name: string): OpenFile;
  /** A range of a file, to be sent. Throws `not_found` if the file is not as seen. */
  blob(name: string, seen: MediaFile, offset: number, length: number): Promise<Blob | Uint8Array<ArrayBuffer>>;
  create(): MediaDraft;
  /** A draft with the content of name; undefined if that is not as seen. */
  copy(name: string, seen: MediaFile): MediaDraft | undefined;
  /** Moves a file to the trash; false, and nothing was done, if it is not as seen. */
  trash(name: string, seen: MediaFile): boolean;
  /** Deletes what was put into the trash before that time, in Unix milliseconds. */
  expire(ms: number): void;
  flush(): void;
  /** Lets go of everything; what was not flushed may be lost. */
  close?(): void;
}

/** The drafts of a guest, and its imports. */
export class Media {
  readonly #store: MediaStore;
  readonly #databases: Databases;
  readonly #files: Files;
  readonly #drafts = new Map<number, MediaDraft>();
  #last = 0;

  /** databases and files number what the guest reads with sql_next and file_read. */
  constructor(store: MediaStore, databases: Databases, files: Files) {
    this.#store = store;
    this.#databases = databases;
    this.#files = files;
  }

  /** The imports, by name. Each may throw; the caller turns that into a negative result. */
  imports(memory: GuestMemory): MediaImports {
    const store = this.#store;
    const name = (ptr: number, length: number): string => memory.text(ptr, length);
    return {
      media_scan: () => this.#databases.started(store.listing?.() ?? new Listing(store.scan())),
      media_stat: (ptr, length, out) => putPair(memory.data(out, 16), store.stat(name(ptr, length))),
      media_hash: (ptr, length, out) => {
        const view = memory.data(out, 40);
        const { file, sum } = store.hash(name(ptr, length));
        return putRecord(view, file, sum);
      },
      media_open: (ptr, length) => this.#files.adopt(store.open(name(ptr, length))),
      media_create: () => this.#add(store.create()),
      media_copy: (ptr, length, size, modified) => {
        const draft = store.copy(name(ptr, length), { size, modified });
        return draft ? this.#add(draft) : 0;
      },
      media_write: (draft, ptr, length) => (this.#draft(draft).write(memory.view(ptr, length)), 0),
      media_sum: (draft, out) => {
        const { size, sum } = this.#draft(draft).sum();
        return putRecord(memory.data(out, 40), { size, modified: 0n }, sum);
      },
      media_install: (draft, ptr, length, seen, size, modified, out) => {
        const view = memory.data(out, 16);
        const now = this.#draft(draft).install(name(ptr, length), seen ? { size, modified } : undefined);
        if (!now) return CHANGED;
        this.#drafts.delete(draft);
        return putPair(view, now);
      },
      media_discard: (draft) => {
        this.#draft(draft).discard();
        this.#drafts.delete(draft);
        return 0;
      },
      media_trash: (ptr, length, size, modified) => (store.trash(name(ptr, length), { size, modified }) ? 0 : CHANGED),
      media_expire: (ms) => (store.expire(Number(ms)), 0),
      media_flush: () => (store.flush(), 0),
    };
  }

  /** Ends what the guest has left. */
  closeAll(): void {
    for (const draft of this.#drafts.values()) draft.discard();
    this.#drafts.clear();
    this.#store.close?.();
  }

  #add(draft: MediaDraft): number {
    this.#drafts.set(++this.#last, draft);
    return this.#last;
  }

  #draft(handle: number): MediaDraft {
    const d = this.#drafts.get(handle);
    if (!d) throw new SyncError("internal", `there is no draft ${handle}`);
    return d;
  }
}

function putPair(view: DataView, { size, modified }: MediaFile): 0 {
  view.setBigInt64(0, size, true);
  view.setBigInt64(8, modified, true);
  return 0;
}

/** Writes a media record (wasm/ABI.md). */
function putRecord(view: DataView, file: MediaFile, { sha1, crc }: MediaSum): 0 {
  putPair(view, file);
  new Uint8Array(view.buffer, view.byteOffset + 16, 20).set(sha1);
  view.setUint32(36, crc, true);
  return 0;
}

/** A statement without SQLite, which has been started. */
class Listing {
  readonly #rows: Iterator<MediaFile & { name: string; regular: boolean }>;
  /** The next row, packed; undefined before it is made and at the end. */
  #row: Uint8Array | undefined;

  constructor(files: Iterable<MediaFile & { name: string; regular: boolean }>) {
    this.#rows = files[Symbol.iterator]();
  }

  run(): never {
    throw new SyncError("internal", "a listing cannot be run again");
  }

  query(): never {
    this.run();
  }

  next(out: () => DataView): Batch {
    const { buffer, byteOffset, byteLength } = out();
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    let at = 0;
    while ((this.#row ??= this.#read())) {
      if (at + this.#row.length > bytes.length) return { written: at, done: false, needed: at ? 0 : this.#row.length };
      bytes.set(this.#row, at);
      at += this.#row.length;
      this.#row = undefined;
    }
    return { written: at, done: true, needed: 0 };
  }

  finalize(): void {
    this.#rows.return?.();
  }

  #read(): Uint8Array | undefined {
    const { done, value } = this.#rows.next();
    return done ? undefined : encodeRow([value.name, value.size, value.modified, value.regular ? 1n : 0n]);
  }
}
