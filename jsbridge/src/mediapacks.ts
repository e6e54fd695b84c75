// Packs: the OPFS files that hold the media files of a page, many in each, one after the other.
//
// Why not one OPFS file for each? Making one is slow and cannot be done synchronously: in one run on a busy machine a file of
// 20 kB took 2.2 ms in a pack (directory and flushes included) and 6.9 ms by itself, and an opened profile has 30 packs to
// look after instead of 10,000 files. A pack is written by this worker alone, only at its end; once sealed it never changes,
// so anyone may read slices of it. Space of files that are gone comes back when a pack is rewritten (OpfsMedia.tidy) and
// removed at the next opening.

import { SyncError, toSyncError } from "./errors.ts";
import { isMissing, openFolder } from "./handles.ts";

/** What TypeScript does not know of pages and workers at the same time. */
interface SyncHandle {
  read(into: Uint8Array, options: { at: number }): number;
  write(bytes: Uint8Array, options: { at: number }): number;
  truncate(size: number): void;
  flush(): void;
  close(): void;
}
type FileHandle = FileSystemFileHandle & { createSyncAccessHandle(options?: { mode: "read-only" }): Promise<SyncHandle> };
declare const FileReaderSync: new () => { readAsArrayBuffer(blob: Blob): ArrayBuffer };

/** Where content lies. */
export interface Extent {
  pack: number;
  at: number;
  size: number;
}

/** A pack that is full is sealed; the last file may exceed that. */
const PACK_SIZE = 8 << 20;
/** So many empty packs are kept open: making one is asynchronous, writing is not. */
const SPARE = 2;
/** Up to that size content is read to be sent; a larger one is left where it is. */
const SMALL = 1 << 20;
/** So many sealed packs are open for that at most, and for how long, in milliseconds, when nothing is read any more. */
const READERS = 32;
const READERS_IDLE = 1000;
/** What is appended is written so much at a time: a write takes about as long for one small file as for fifty. */
const TAIL = 1 << 20;
/** Packs are looked at so many at a time. */
const IN_FLIGHT = 16;

/** A pack that is being written. */
export interface OpenPack {
  id: number;
  file: FileHandle;
  handle: SyncHandle;
  /** The end of what it has, of what of that is written, and of what may be truncated no more. */
  end: number;
  written: number;
  kept: number;
  /** Whether it has a large file that is not finished: then it is let alone. */
  draft: boolean;
}

/** The packs in one folder. */
export class Packs {
  readonly #folder: FileSystemDirectoryHandle;
  readonly #sealed = new Map<number, File>();
  readonly #open = new Map<number, OpenPack>();
  readonly #spare: OpenPack[] = [];
  #active: OpenPack | undefined;
  /** What the active pack has that is not written yet, up to its end. */
  readonly #tail = new Uint8Array(TAIL);
  /** Why it could not be written: the next flush tells. */
  #lost: unknown;
  #last: number;
  #refilling: Promise<void> | undefined;
  #refused: SyncError | undefined;
  #closed = false;
  /** Sealed packs from which something is being sent. */
  readonly #readers = new Map<number, Promise<SyncHandle>>();
  #readersIdle: ReturnType<typeof setTimeout> | undefined;

  private constructor(folder: FileSystemDirectoryHandle, last: number) {
    this.#folder = folder;
    this.#last = last;
  }

  /** Opens a folder of OPFS and removes the packs that are not among those in use: what a killed tab has left. */
  static async open(path: string, used: ReadonlySet<number>): Promise<Packs> {
    const folder = await openFolder(path, true);
    const packs = new Packs(folder, Math.max(0, ...used));
    const leftovers: string[] = [];
    for await (const [name] of folder.entries()) {
      const id = idOf(name);
      packs.#last = Math.max(packs.#last, id ?? 0);
      if (id === undefined || !used.has(id)) leftovers.push(name);
    }
    await inParallel(leftovers, (name) => folder.removeEntry(name, { recursive: true }).catch(() => {}));
    await packs.look(used);
    return packs;
  }

  /** Looks which of the packs are there, as something else may have removed them. */
  async look(used: Iterable<number>): Promise<void> {
    const ids = [...used].filter((id) => !this.#open.has(id));
    await inParallel(ids, async (id) => {
      try {
        const file = await (await this.#folder.getFileHandle(nameOf(id))).getFile();
        if (!this.#open.has(id)) this.#sealed.set(id, file);
      } catch (e) {
        if (!(e instanceof DOMException) || e.name !== "NotFoundError") throw e;
        this.#sealed.delete(id);
      }
    });
  }

  /** Makes sure that something can be written. Errors are told when it is. */
  prepare(): Promise<void> {
    this.#refilling ??= this.#refill().finally(() => (this.#refilling = undefined));
    return this.#refilling;
  }

  async #refill(): Promise<void> {
    try {
      while (this.#spare.length < SPARE && !this.#closed) {
        const id = (this.#last = Math.max(Date.now(), this.#last + 1));
        const file = (await this.#folder.getFileHandle(nameOf(id), { create: true })) as FileHandle;
        const handle = await file.createSyncAccessHandle();
        if (this.#closed) return handle.close();
        this.#spare.push({ id, file, handle, end: 0, written: 0, kept: 0, draft: false });
      }
      this.#refused = undefined;
    } catch (e) {
      this.#refused = toSyncError(e);
    }
  }

  /** Whether the content is there. */
  has({ pack, at, size }: Extent): boolean {
    const end = this.#open.get(pack)?.end ?? this.#sealed.get(pack)?.size ?? -1;
    return at + size <= end;
  }

  /** The sizes of all packs with content. */
  sizes(): Map<number, number> {
    return new Map([...[...this.#sealed].map(([id, f]) => [id, f.size] as const), ...[...this.#open].map(([id, p]) => [id, p.end] as const)]);
  }

  /** Whether a pack is sealed. */
  isSealed(pack: number): boolean {
    return this.#sealed.has(pack);
  }

  /** Appends the pieces to the pack that is being filled. Errors: `storage_full`; nothing was appended then, but maybe not what was before. */
  append(pieces: readonly Uint8Array[]): Extent {
    if (!this.#active || (this.#active.end >= PACK_SIZE && this.#spare.length > 0)) {
      this.#write();
      this.#active = this.#take();
    }
    const pack = this.#active;
    if (!pack) throw this.#refused ?? new SyncError("storage_full", "no file could be made for media files");
    const at = pack.end;
    const size = pieces.reduce((sum, p) => sum + p.length, 0);
    if (pack.end - pack.written + size > TAIL) this.#write();
    if (size > TAIL) for (const p of pieces) write(pack, p, at);
    else {
      for (const p of pieces) {
        this.#tail.set(p, pack.end - pack.written);
        pack.end += p.length;
      }
    }
    return { pack: pack.id, at, size };
  }

  /** Writes what was appended. If that fails, all that was not flushed yet is lost. */
  #write(): void {
    if (this.#lost) throw this.#lost;
    const pack = this.#active;
    if (!pack || pack.end === pack.written) return;
    const bytes = this.#tail.subarray(0, pack.end - pack.written);
    pack.end = pack.written;
    try {
      write(pack, bytes, pack.kept);
    } catch (e) {
      throw (this.#lost = e);
    }
  }

  /** A pack of its own for a large file; undefined if none is ready. There is always one left to append to. */
  takeForDraft(): OpenPack | undefined {
    const pack = this.#active || this.#spare.length > 1 ? this.#take() : undefined;
    if (pack) pack.draft = true;
    return pack;
  }

  #take(): OpenPack | undefined {
    const pack = this.#spare.shift();
    if (pack) this.#open.set(pack.id, pack);
    void this.prepare();
    return pack;
  }

  /** Gives a pack back whose content nobody wants. */
  giveBack(pack: OpenPack): void {
    this.#open.delete(pack.id);
    pack.end = pack.written = pack.kept = 0;
    pack.draft = false;
    if (this.#closed) return;
    pack.handle.truncate(0);
    this.#spare.push(pack);
  }

  /** Makes what was written durable. It may be undone until it is kept. */
  flush(): void {
    this.#write();
    for (const p of this.#changed()) p.handle.flush();
  }

  /** Keeps what was flushed. */
  keep(): void {
    for (const p of this.#changed()) p.kept = p.end;
  }

  /** Drops what was appended and is not kept. */
  undo(): void {
    this.#lost = undefined;
    for (const p of this.#changed()) {
      if (p.kept === 0 && p !== this.#active) this.giveBack(p);
      else p.handle.truncate((p.end = p.written = p.kept));
    }
  }

  #changed(): OpenPack[] {
    return [...this.#open.values()].filter((p) => !p.draft && p.end !== p.kept);
  }

  /** Seals the packs that are full, and with all also the one that is being filled, if there is another one to append to. */
  async seal(all: boolean): Promise<void> {
    if (all) await this.prepare();
    if (all && this.#spare.length > 0 && this.#active && this.#active.end === this.#active.kept) this.#active = undefined;
    for (const p of [...this.#open.values()]) {
      if (p === this.#active || p.draft || p.end !== p.kept) continue;
      const file = await p.file.getFile();
      if (this.#closed || !this.#open.delete(p.id)) return;
      this.#sealed.set(p.id, file);
      p.handle.close();
    }
  }

  /** Reads content and returns how much there was. Errors: `not_found` if the pack is gone. */
  read({ pack, at, size }: Extent, offset: number, into: Uint8Array): number {
    const n = Math.max(0, Math.min(into.length, size - offset));
    if (n === 0) return 0;
    const open = this.#open.get(pack);
    if (open) {
      if (at + offset + n > open.written) this.#write();
      return open.handle.read(into.subarray(0, n), { at: at + offset });
    }
    try {
      const slice = this.#file(pack).slice(at + offset, at + offset + n);
      into.set(new Uint8Array(new FileReaderSync().readAsArrayBuffer(slice)));
      return n;
    } catch (e) {
      this.#sealed.delete(pack);
      throw gone(e);
    }
  }

  /** A part of content, to be read later. */
  blob(extent: Extent, offset: number, length: number): Blob {
    const start = extent.at + offset;
    if (this.#sealed.has(extent.pack)) return this.#file(extent.pack).slice(start, start + length);
    const PIECE = 1 << 20;
    const parts: Blob[] = [];
    for (let at = 0; at < length; at += PIECE) {
      const piece = new Uint8Array(Math.min(PIECE, length - at));
      this.read(extent, offset + at, piece);
      parts.push(new Blob([piece]));
    }
    return new Blob(parts);
  }

  /**
   * A part of content, to be sent now: as bytes, unless it is large. The browser takes a hundred times as long to make a slice of a file as
   * to read one of 20 kB through a handle.
   */
  async piece(extent: Extent, offset: number, length: number): Promise<Blob | Uint8Array<ArrayBuffer>> {
    if (length > SMALL) return this.blob(extent, offset, length);
    const bytes = new Uint8Array(length);
    if (this.#sealed.has(extent.pack)) {
      const read = await this.#reader(extent.pack).then((reader) => reader.read(bytes, { at: extent.at + offset })).catch(() => 0);
      if (read === length) return bytes;
    }
    if (this.read(extent, offset, bytes) < length) throw gone("it is shorter");
    return bytes;
  }

  #reader(pack: number): Promise<SyncHandle> {
    if (this.#closed) throw gone("it is closed");
    clearTimeout(this.#readersIdle);
    this.#readersIdle = setTimeout(() => void this.#closeReaders(), READERS_IDLE);
    let reader = this.#readers.get(pack);
    if (!reader) {
      if (this.#readers.size >= READERS) void this.#closeReaders();
      reader = this.#folder.getFileHandle(nameOf(pack)).then((file) => (file as FileHandle).createSyncAccessHandle({ mode: "read-only" }));
      this.#readers.set(pack, reader);
    }
    return reader;
  }

  /** Whoever waits for one of them reads from it first. */
  async #closeReaders(): Promise<void> {
    clearTimeout(this.#readersIdle);
    const closing = [...this.#readers].map(([pack, r]) => r.then((reader) => this.#release(pack, reader), () => {}));
    this.#readers.clear();
    await Promise.all(closing);
  }

  async #release(pack: number, handle: SyncHandle): Promise<void> {
    if (!(await isMissing(() => this.#folder.getFileHandle(nameOf(pack))))) handle.close();
  }

  /** Lets go of all files; resolves when that is done, also of those that were being opened. */
  async close(): Promise<void> {
    this.#closed = true;
    const closing = [...this.#open.values(), ...this.#spare].map((p) => this.#release(p.id, p.handle));
    this.#open.clear();
    this.#spare.length = 0;
    this.#active = undefined;
    await Promise.all([this.#closeReaders(), this.#refilling, ...closing]);
  }

  #file(pack: number): File {
    const f = this.#sealed.get(pack);
    if (!f) throw gone("it is not there");
    return f;
  }
}

/** Writes a piece at the end of a pack, or cuts the pack at the given size. */
export function write(pack: OpenPack, bytes: Uint8Array, orCut: number): void {
  try {
    const n = pack.handle.write(bytes, { at: pack.end });
    if (n < bytes.length) throw new DOMException("no space left", "QuotaExceededError");
    pack.written = pack.end += n;
  } catch (e) {
    pack.written = pack.end = orCut;
    pack.handle.truncate(orCut);
    throw toSyncError(e);
  }
}

/** The name of a pack in its folder. */
export function nameOf(pack: number): string {
  return `${pack}.pack`;
}

function idOf(name: string): number | undefined {
  const id = Number(/^(\d+)\.pack$/.exec(name)?.[1]);
  return Number.isSafeInteger(id) ? id : undefined;
}

function gone(cause: unknown): SyncError {
  return new SyncError("not_found", `media files are gone from the browser's storage: ${String(cause)}`);
}

async function inParallel<T>(list: readonly T[], run: (item: T) => Promise<unknown>): Promise<void> {
  const rest = list[Symbol.iterator]();
  const work = async (): Promise<void> => {
    for (const item of rest) await run(item);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
}
