// The store of media files of a page (host.Media in core/host): contents in packs (mediapacks.ts), names in a directory
// (mediadirectory.ts), and a copy of that for the service worker (mediamirror.ts).
//
// What a killed tab leaves is consistent: content is flushed before the directory that names it is committed. A file
// whose content the browser has lost is forgotten; the core fetches it again (mediasync.Options.Evictable).

import type { Catalogue } from "./catalogue.ts";
import { SyncError, toSyncError } from "./errors.ts";
import type { OpenFile } from "./files.ts";
import type { MediaDraft, MediaFile, MediaStore, MediaSum } from "./media.ts";
import type { MediaChange } from "./mediaprotocol.ts";
import { Directory, type Entry } from "./mediadirectory.ts";
import { Mirror } from "./mediamirror.ts";
import { Packs, write, type Extent, type OpenPack } from "./mediapacks.ts";
import { typeOf } from "./mediatype.ts";
import type { Engine } from "./sqlite.ts";
import type { Started } from "./sql.ts";
import { loadSums, sumOf, Sums } from "./sums.ts";

/** A draft that is larger gets a pack of its own: memory stays bounded. */
const BIG = 1 << 20;
/** The longest name, in bytes, as on most systems. */
const LONGEST = 255;
/** The most bytes of one unit of a text, in UTF-8. */
const MOST_BYTES = 3;
/** How long after a change the service worker's copy is brought up to date, in milliseconds. */
const MIRROR_DELAY = 100;
/** So many names go to the copy at once. */
const MIRROR_BATCH = 500;
/** A pack is rewritten when less than this part of it is still wanted; so much is rewritten at a time. */
const WANTED = 0.5;
const REWRITE = 32 << 20;

/** Media files on OPFS. {@link OpfsMedia.ready} comes before everything else. */
export class OpfsMedia implements MediaStore {
  readonly #engine: Engine;
  readonly #catalogue: Catalogue;
  readonly #folder: string;
  readonly #mirror: Mirror;
  readonly #drafts = new Set<Draft>();
  /** Is told which files have come and gone, once that is durable. */
  onChange: (changes: MediaChange[]) => void = () => {};
  #news = new Map<string, MediaChange["state"]>();
  /** Names of which the service worker's copy may have a content that they do not stand for any more. */
  readonly #outdated = new Set<string>();
  #announcing: Promise<void> | undefined;
  #parts: { directory: Directory; packs: Packs } | undefined;
  #directory: Directory | undefined;
  #opening: Promise<void> | undefined;
  #mirroring: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether something was changed since the last flush, and what has undone that since: the next flush tells. */
  #dirty = false;
  #undone: SyncError | undefined;
  /** Whether content was moved since the last flush. */
  #moved = false;
  /** Counts the flushes. */
  #changes = 0;
  #closed = false;
  #ended: Promise<void> | undefined;

  /** The directory lies in the pool of engine, the packs in an OPFS folder. */
  constructor(engine: Engine, catalogue: Catalogue, profile: string, folder: string) {
    this.#engine = engine;
    this.#catalogue = catalogue;
    this.#folder = folder;
    this.#mirror = new Mirror(profile);
  }

  /** Opens the store, if that was not done yet. */
  async ready(): Promise<void> {
    this.#alive();
    await (this.#opening ??= this.#open().catch((e: unknown) => {
      this.#opening = undefined;
      throw e;
    }));
    this.#alive();
    await this.#get().packs.prepare();
    this.#alive();
  }

  #alive(): void {
    if (this.#closed) throw new SyncError("closed", "the profile is closed");
  }

  /** Looks whether the browser has lost something, and forgets the files that lay there. */
  async verify(): Promise<void> {
    await this.ready();
    const { directory, packs } = this.#get();
    const used = [...directory.packs().keys()];
    await packs.look(used);
    this.#alive();
    const sizes = packs.sizes();
    const lost = used.filter((pack) => !sizes.has(pack));
    for (const pack of lost) this.#change(() => directory.lose(pack, 0));
    if (lost.length > 0) this.flush();
  }

  async #open(): Promise<void> {
    await Promise.all([this.#engine.reserve(), loadSums()]);
    this.#alive();
    // Known at once: it may have to be closed while the packs are being opened.
    const directory = (this.#directory = Directory.open(this.#engine, this.#catalogue));
    try {
      const used = new Set(directory.packs().keys());
      const packs = await Packs.open(this.#folder, used);
      if (this.#closed) this.#ended = packs.close();
      this.#alive();
      this.#parts = { directory, packs };
      const sizes = packs.sizes();
      for (const pack of used) directory.lose(pack, sizes.get(pack) ?? 0); // cut short, or gone
      directory.commit();
      this.#changed();
    } catch (e) {
      if (!this.#closed) directory.close();
      this.#directory = undefined;
      throw e;
    }
  }

  #get(): { directory: Directory; packs: Packs } {
    if (!this.#parts) throw new SyncError("internal", "the media files are not open");
    return this.#parts;
  }

  /** The files, sorted by the bytes of their names. */
  *scan(): Iterable<MediaFile & { name: string; regular: boolean }> {
    const { directory } = this.#get();
    for (const [name, size, modified] of directory.all("SELECT name, size, modified FROM files ORDER BY name")) {
      yield { name: String(name), size: size as bigint, modified: modified as bigint, regular: true };
    }
  }

  /** The same, straight from the directory to the guest. */
  listing(): Started {
    return this.#get().directory.listing();
  }

  /** Describes a file. */
  stat(name: string): MediaFile {
    return seen(this.#find(name));
  }

  /** The sums are those of the content when it was written: nothing else writes it. */
  hash(name: string): { file: MediaFile; sum: MediaSum } {
    const e = this.#find(name);
    return { file: seen(e), sum: { sha1: e.sha1, crc: e.crc } };
  }

  /** Opens a file for reading. */
  open(name: string): OpenFile {
    const e = this.#find(name);
    const { packs } = this.#get();
    const readOnly = (): never => {
      throw new SyncError("not_writable", `${name} is open for reading`);
    };
    return { read: (offset, into) => packs.read(e, offset, into), write: readOnly, sync: () => {}, size: () => e.size, close: () => {} };
  }

  /** A range of a file, to be sent. Its content is that of now, also if the file is replaced later. */
  async blob(name: string, as: MediaFile, offset: number, length: number): Promise<Blob | Uint8Array<ArrayBuffer>> {
    const e = this.#lookup(name);
    if (!e || !is(e, as)) throw new SyncError("not_found", `the media file ${name} has changed`);
    return this.#get().packs.piece(e, offset, length);
  }

  /** The content of a file; undefined if there is none, or none any more. */
  async readable(name: string): Promise<Blob | undefined> {
    const e = this.#lookup(name);
    if (!e) return undefined;
    const { packs } = this.#get();
    try {
      const content = packs.blob(e, 0, e.size).slice(0, e.size, typeOf(name));
      await content.slice(0, 1).arrayBuffer();
      return content;
    } catch {
      await this.verify();
      return undefined;
    }
  }

  create(): MediaDraft {
    return this.#draft();
  }

  copy(name: string, as: MediaFile): MediaDraft | undefined {
    const e = this.#lookup(name);
    return e && is(e, as) ? this.#draft(e) : undefined;
  }

  trash(name: string, as: MediaFile): boolean {
    const e = this.#lookup(name);
    if (!e || !is(e, as)) return false;
    this.#change((directory) => directory.trash(name));
    this.#dirty = true;
    this.#news.set(name, "missing");
    this.#outdated.add(name);
    return true;
  }

  expire(ms: number): void {
    if (this.#change((directory) => directory.expire(ms))) this.#dirty = true;
  }

  /** Contents in the trash that had the name; for tests. */
  inTrash(name: string): Blob[] {
    const { directory, packs } = this.#get();
    return directory.inTrash(name).map((e) => packs.blob(e, 0, e.size));
  }

  flush(): void {
    const { directory, packs } = this.#get();
    const undone = this.#undone;
    this.#undone = undefined;
    if (undone) throw undone;
    try {
      packs.flush();
      directory.commit();
      packs.keep();
      this.#dirty = this.#moved = false;
    } catch (e) {
      this.#undo();
      throw toSyncError(e);
    }
    this.#changed();
    if (this.#news.size === 0) return;
    const news = [...this.#news].map(([name, state]) => ({ name, state }));
    const outdated = [...this.#outdated];
    this.#news.clear();
    this.#outdated.clear();
    if (outdated.length === 0 && !this.#announcing) return this.onChange(news);
    const announcing = this.#announce(news, outdated, this.#announcing).finally(() => {
      if (this.#announcing === announcing) this.#announcing = undefined;
    });
    this.#announcing = announcing;
  }

  /** Tells of changes once the service worker does not serve any more what was there before: a page that hears of a file shows it again. */
  async #announce(news: MediaChange[], outdated: string[], before: Promise<void> | undefined): Promise<void> {
    const forgotten = this.#mirror.put(outdated.map((name) => ({ name, file: undefined }))).catch(() => {}); // it is told later
    await before;
    await forgotten;
    if (!this.#closed) this.onChange(news);
  }

  /** Resolves once all that was flushed was told. */
  async announced(): Promise<void> {
    await this.#announcing;
  }

  /** Rewrites packs of which little is wanted any more. To be called when nothing else is under way. */
  async tidy(): Promise<void> {
    await this.#settled(true);
    const { directory, packs } = this.#get();
    const wanted = directory.packs();
    let left = REWRITE;
    for (const [pack, size] of packs.sizes()) {
      const rest = wanted.get(pack) ?? 0;
      if (rest === 0 || rest >= size * WANTED || rest > left || !packs.isSealed(pack)) continue;
      left -= rest;
      for (const { key, extent } of directory.contentOf(pack)) {
        const bytes = new Uint8Array(await packs.blob(extent, 0, extent.size).arrayBuffer());
        this.#alive();
        this.#change(() => directory.move(key, extent, packs.append([bytes])));
        this.#moved = true;
      }
      this.flush();
    }
  }

  /** Waits until the service worker's copy is up to date. */
  async settled(): Promise<void> {
    await this.#settled(true);
  }

  /** Lets go of all files. What was not flushed is taken back. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const d of [...this.#drafts]) d.discard();
    this.#directory?.close();
    this.#directory = undefined;
    this.#ended = this.#parts?.packs.close();
    this.#parts = undefined;
    this.#mirror.close();
  }

  /** Resolves once no file is held any more, after close. */
  async ended(): Promise<void> {
    await this.#opening?.catch(() => {}); // it may have begun before
    await this.#ended;
  }

  #find(name: string): Entry {
    const e = this.#lookup(name);
    if (!e) throw new SyncError("not_found", `there is no media file ${JSON.stringify(name)}`);
    return e;
  }

  /** The file of a name whose content is there. */
  #lookup(name: string): Entry | undefined {
    check(name);
    const { directory, packs } = this.#get();
    const e = directory.find(name);
    if (!e || packs.has(e)) return e;
    this.#change(() => directory.lose(e.pack, packs.sizes().get(e.pack) ?? 0));
    return undefined;
  }

  #draft(from?: Entry): MediaDraft {
    const { packs } = this.#get();
    const draft: Draft = new Draft(packs, from, {
      ended: () => this.#drafts.delete(draft),
      install: (name, as) => {
        const e = this.#lookup(name);
        if (e ? !as || !is(e, as) : as) return undefined;
        const now = this.#change((directory) => directory.put(name, draft.extent(), draft.sum().sum, e !== undefined));
        this.#dirty = true;
        this.#news.set(name, "here");
        if (e) this.#outdated.add(name);
        return seen(now);
      },
    });
    this.#drafts.add(draft);
    return draft;
  }

  #change<T>(change: (directory: Directory) => T): T {
    try {
      return change(this.#get().directory);
    } catch (e) {
      const error = toSyncError(e);
      if (this.#dirty) this.#undone = error;
      this.#undo();
      throw error;
    }
  }

  /** Takes back what was not flushed. */
  #undo(): void {
    const { directory, packs } = this.#get();
    this.#dirty = this.#moved = false;
    this.#news.clear();
    this.#outdated.clear();
    directory.rollback();
    packs.undo();
  }

  #changed(): void {
    this.#changes++;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#settled(false).catch(() => {}); // the service worker asks for what it misses
    }, MIRROR_DELAY);
  }

  /** Seals packs and brings the copy up to date; the pack that is being filled only once nothing is added any more. */
  async #settled(all: boolean): Promise<void> {
    while (this.#mirroring) await this.#mirroring.catch(() => {});
    this.#mirroring = this.#tell(all).finally(() => (this.#mirroring = undefined));
    await this.#mirroring;
  }

  async #tell(all: boolean): Promise<void> {
    const before = this.#changes;
    const { directory, packs } = this.#get();
    await packs.seal(all);
    this.#alive();
    await this.#begin();
    this.#alive();
    for (let after: string | undefined = ""; after !== undefined; ) {
      const untold = directory.untold(after, MIRROR_BATCH);
      after = untold.at(-1)?.name;
      const list = untold.filter(({ file }) => !file || packs.isSealed(file.pack));
      if (list.length === 0) continue;
      await this.#mirror.put(list);
      this.#alive();
      this.#change(() => directory.told(list)); // what has changed meanwhile stays to be told
      if (!this.#dirty && !this.#moved) directory.commit();
    }
    if (all) return;
    if (before !== this.#changes) return this.#changed();
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#settled(this.#changes === before).catch(() => {});
    }, MIRROR_DELAY);
  }

  /** Makes the copy one of this directory. */
  async #begin(): Promise<void> {
    const { directory } = this.#get();
    const mark = directory.recall("mirror");
    if (mark && mark === (await this.#mirror.mark())) return;
    const fresh = crypto.randomUUID();
    await this.#mirror.begin(fresh);
    this.#alive();
    this.#change(() => {
      directory.tellAll();
      directory.remember("mirror", fresh);
    });
  }
}

interface Ends {
  ended(): void;
  install(name: string, as: MediaFile | undefined): MediaFile | undefined;
}

/** A file that is being written: in memory, in a pack of its own once it is large, or the content of another file. */
class Draft implements MediaDraft {
  readonly #packs: Packs;
  readonly #ends: Ends;
  #size = 0;
  #pieces: Uint8Array[] = [];
  #own: OpenPack | undefined;
  /** The sums of what is in the pack of its own, and those that were told last. */
  #sums: Sums | undefined;
  #sum: MediaSum | undefined;
  #copied: Entry | undefined;
  #over = false;

  constructor(packs: Packs, copied: Entry | undefined, ends: Ends) {
    this.#packs = packs;
    this.#copied = copied;
    this.#ends = ends;
  }

  write(bytes: Uint8Array): void {
    this.#check();
    this.#materialise();
    this.#sum = undefined;
    this.#size += bytes.length;
    if (this.#own) return this.#put(this.#own, bytes);
    this.#pieces.push(bytes.slice());
    if (this.#size > BIG) this.#spill();
  }

  sum(): { size: bigint; sum: MediaSum } {
    this.#check();
    if (this.#copied) return { size: BigInt(this.#copied.size), sum: { sha1: this.#copied.sha1, crc: this.#copied.crc } };
    return { size: BigInt(this.#size), sum: (this.#sum ??= this.#sums?.sum() ?? sumOf(this.#pieces)) };
  }

  install(name: string, as: MediaFile | undefined): MediaFile | undefined {
    this.#check();
    const now = this.#ends.install(name, as);
    if (!now) return undefined;
    if (this.#own) this.#own.draft = false; // it is the store's now
    this.#own = undefined;
    this.#end();
    return now;
  }

  discard(): void {
    if (!this.#over) this.#end();
  }

  /** Where the content lies; it is appended now if it is in memory. */
  extent(): Extent {
    if (this.#copied) return { pack: this.#copied.pack, at: this.#copied.at, size: this.#copied.size };
    if (this.#own) return { pack: this.#own.id, at: 0, size: this.#size };
    return this.#packs.append(this.#pieces);
  }

  #end(): void {
    this.#over = true;
    if (this.#own) this.#packs.giveBack(this.#own);
    this.#own = undefined;
    this.#pieces = [];
    this.#ends.ended();
  }

  #check(): void {
    if (this.#over) throw new SyncError("internal", "the draft has ended");
  }

  /** Takes the content of the copied file over, to write on. */
  #materialise(): void {
    const from = this.#copied;
    if (!from) return;
    this.#copied = undefined;
    const piece = new Uint8Array(Math.min(BIG, from.size));
    for (let at = 0; at < from.size; ) {
      const n = this.#packs.read(from, at, piece);
      if (n === 0) throw new SyncError("not_found", "the copied media file is gone");
      this.write(piece.subarray(0, n));
      at += n;
    }
  }

  #spill(): void {
    const own = this.#packs.takeForDraft();
    if (!own) return; // none is ready: later
    this.#own = own;
    for (const p of this.#pieces) this.#put(own, p);
    this.#pieces = [];
  }

  #put(own: OpenPack, bytes: Uint8Array): void {
    (this.#sums ??= new Sums()).add(bytes);
    write(own, bytes, own.end);
  }
}

function seen(e: Entry): MediaFile {
  return { size: BigInt(e.size), modified: e.modified };
}

function is(e: Entry, as: MediaFile): boolean {
  return e.modified === as.modified && BigInt(e.size) === as.size;
}

function check(name: string): void {
  const long = name.length * MOST_BYTES > LONGEST && new TextEncoder().encode(name).length > LONGEST;
  if (long || /^\.{0,2}$|[/\0]/.test(name)) {
    throw new SyncError("invalid_input", `not a name of a media file: ${JSON.stringify(name)}`);
  }
}
