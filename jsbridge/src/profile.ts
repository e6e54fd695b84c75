// One open profile: the guest with everything that it is lent. It knows nothing of pages, workers or accounts, so
// that tests can run it under Node.

import { Catalogue } from "./catalogue.ts";
import { SyncError } from "./errors.ts";
import { Files } from "./files.ts";
import { Guest, type Unlent } from "./guest.ts";
import { Http, type Bodies } from "./http.ts";
import { Media, type MediaStore } from "./media.ts";
import type { GuestMemory } from "./memory.ts";
import { FILES, type Method } from "./protocol.gen.ts";
import type { Param, Progress, Row } from "./protocol.ts";
import { authorizeReading, query } from "./query.ts";
import { Databases } from "./sql.ts";
import type { Engine } from "./sqlite.ts";
import { Zstd } from "./zstd.ts";

/** How a call is watched and ended. */
export interface CallOptions {
  signal?: AbortSignal | undefined;
  progress?: ((p: Progress) => void) | undefined;
}

/** Methods that run beside one that uses the collection (core/service). */
const BESIDE: ReadonlySet<Method> = new Set<Method>([
  "login", "version", "mediaSync", "getMedia", "forgetMedia", "addMedia", "removeMedia", "mediaState",
]);

/** An open profile. Calls of the guest that use the collection run one after the other. */
export class Profile {
  readonly #engine: Engine;
  readonly #memory: GuestMemory;
  readonly #catalogue: Catalogue;
  readonly #databases: Databases;
  readonly #files: Files;
  readonly #media: Media;
  readonly #http: Http;
  readonly #zstd: Zstd;
  readonly #guest: Guest;
  #tail: Promise<unknown> = Promise.resolve();
  #waiting: (() => void)[] = [];

  private constructor(
    engine: Engine,
    memory: GuestMemory,
    parts: { catalogue: Catalogue; databases: Databases; files: Files; media: Media; http: Http; zstd: Zstd; guest: Guest },
  ) {
    this.#engine = engine;
    this.#memory = memory;
    this.#catalogue = parts.catalogue;
    this.#databases = parts.databases;
    this.#files = parts.files;
    this.#media = parts.media;
    this.#http = parts.http;
    this.#zstd = parts.zstd;
    this.#guest = parts.guest;
    this.#guest.afterRun = () => this.#afterRun();
  }

  /** Lends the guest, which may still be on its way, the files of engine, a store of media files, and zstd, once it is needed. */
  static async create(
    engine: Engine,
    coming: Unlent | Promise<Unlent>,
    log: (line: string) => void,
    storeOn: (engine: Engine, catalogue: Catalogue) => MediaStore,
    zstd: Zstd,
  ): Promise<Profile> {
    let catalogue: Catalogue | undefined;
    try {
      const compare = (a: number, aLength: number, b: number, bLength: number): number =>
        guest.collate(engine.heap.subarray(a, a + aLength), engine.heap.subarray(b, b + bLength));
      engine.install(compare, authorizeReading(engine));
      await engine.reserve();
      catalogue = Catalogue.open(engine); // most of SQLite is compiled by this, which need not wait for the guest
      const unlent = await coming;
      const { memory } = unlent;
      const files = new Files(engine, catalogue, zstd);
      const databases = new Databases(engine, catalogue);
      const store = storeOn(engine, catalogue);
      const media = new Media(store, databases, files);
      const bodies: Bodies = {
        file: (name) => files.blob(name),
        media: (name, seen, offset, length) => store.blob(name, seen, offset, length),
      };
      const http = new Http((call, kind, bytes) => guest.event(call, kind, bytes), bodies, zstd);
      const ports = {
        sql: databases.imports(memory),
        files: files.imports(memory),
        media: media.imports(memory),
        http: http.imports(memory),
      };
      const guest = await Guest.create(unlent, ports, log);
      return new Profile(engine, memory, { catalogue, databases, files, media, http, zstd, guest });
    } catch (e) {
      catalogue?.close();
      await engine.close();
      throw e;
    }
  }

  /** Is called once when the guest has crashed; the profile can only be dropped then. */
  set onCrash(f: (error: SyncError) => void) {
    this.#guest.onCrash = f;
  }

  /** Makes the embedding app do the requests. */
  set transport(f: typeof fetch | undefined) {
    this.#http.transport = f;
  }

  /** Runs a method of the guest, after those before it if it uses the collection. Errors: those of the method, `cancelled`, `internal`. */
  call(method: Method, params: object, options: CallOptions = {}): Promise<unknown> {
    if (BESIDE.has(method)) return this.#run(method, params, options);
    const run = this.#tail.then(() => this.#run(method, params, options));
    this.#tail = run.catch(() => {});
    return run;
  }

  /** Runs a method that need not wait for the end of a sync, only for that of its transaction; after other calls it waits its turn. */
  async between(method: Method, params: object, options: CallOptions = {}): Promise<unknown> {
    await this.#betweenTransactions();
    try {
      return await this.#run(method, params, options);
    } catch (e) {
      if (e instanceof SyncError && e.kind === "busy") return this.call(method, params, options);
      throw e;
    }
  }

  /** Runs a method that may run beside others, without waiting for them. It makes no files. */
  beside(method: Method, params: object): Promise<unknown> {
    return this.#guest.call(method, params, () => {}).answer;
  }

  /** Runs a statement that only reads; it waits while a task has a transaction open. */
  async query(sql: string, params: readonly Param[]): Promise<Row[]> {
    return this.#engine.read(async () => {
      await this.#betweenTransactions();
      return query(this.#collection(), sql, params);
    });
  }

  /** Writes a staged file. */
  async stage(name: string, content: Blob, signal?: AbortSignal): Promise<void> {
    await this.#engine.reserve();
    await this.#files.stage(name, content, signal);
  }

  /** The content of a staged file, which is removed. */
  take(name: string, type: string): Blob {
    const content = this.#files.blob(name);
    this.unstage(name);
    return content.slice(0, content.size, type);
  }

  /** Removes a staged file. */
  unstage(name: string): void {
    this.#catalogue.remove(name);
  }

  /** Puts a collection that cannot be opened among the backups, as core/profile names them, and forgets what was known of it. */
  setAside(): void {
    const now = new Date().toISOString().replaceAll(/[-:]/g, "");
    this.#catalogue.replace(FILES.collection, `${FILES.backups}${now}-damaged.anki2`);
    this.#catalogue.remove(FILES.state);
  }

  /** For tests: runs statements that may write; a transaction among them must end among them. */
  async exec(sql: string): Promise<void> {
    await this.#betweenTransactions();
    const db = this.#collection();
    try {
      db.run(sql);
    } finally {
      db.rollback();
    }
  }

  /** For tests: the bytes of the collection's file. */
  async dump(): Promise<Blob> {
    await this.#betweenTransactions();
    return this.#files.blob(FILES.collection);
  }

  /** For tests: replaces a closed collection by these bytes. */
  load(bytes: Uint8Array): void {
    this.#files.write(FILES.collection, bytes);
  }

  /** The version of SQLite. */
  get sqliteVersion(): string {
    return this.#engine.sqlite3.version.libVersion;
  }

  /** For tests: the sizes of both memories, in bytes. */
  memory(): { guest: number; sqlite: number } {
    return { guest: this.#memory.bytes.length, sqlite: this.#engine.heap.length };
  }

  /** Whether something has removed all files, although they are open. */
  isRemoved(): Promise<boolean> {
    return this.#engine.isRemoved();
  }

  /** Closes the collection and lets go of all files. */
  async close(): Promise<void> {
    try {
      await this.call("close", {});
    } catch (e) {
      if (!(await this.isRemoved())) throw e;
    } finally {
      await this.#engine.settled();
      await this.drop();
    }
  }

  /** Lets go of everything, without the guest. */
  async drop(): Promise<void> {
    this.#http.closeAll();
    this.#databases.closeAll();
    this.#files.closeAll();
    this.#media.closeAll();
    this.#catalogue.close();
    this.#release();
    await this.#engine.close();
  }

  async #run(method: Method, params: object, { signal, progress }: CallOptions): Promise<unknown> {
    await this.#engine.reserve();
    if (method === "upload") void this.#zstd.load(); // beside its first request
    if (method === "exportFile") await this.#zstd.ready();
    if (signal?.aborted) throw new SyncError("cancelled", "cancelled");
    const { task, answer } = this.#guest.call(method, params, progress ?? (() => {}));
    const cancel = (): void => this.#guest.cancel(task);
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      return await answer;
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  }

  #collection() {
    const db = this.#databases.collection();
    if (!db) throw new SyncError("closed", "no collection is open", { hint: "Open the profile first." });
    return db;
  }

  async #betweenTransactions(): Promise<void> {
    while (this.#databases.collection()?.inTransaction) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #afterRun(): void {
    void this.#engine.reserve().catch(() => {}); // then creating a file reports that storage is full
    if (!this.#databases.collection()?.inTransaction) this.#release();
  }

  #release(): void {
    for (const go of this.#waiting.splice(0)) go();
  }
}
