// What the service worker knows of the media files: a copy of the directory in IndexedDB, which it can read while no page,
// worker or database is open. The copy may be behind: what it does not have, the service worker asks the page for.

const DATABASE = "cardferry-media";
const TABLE = "files";

/** Where a file's content lies; see Extent. */
export interface Mirrored {
  pack: number;
  at: number;
  size: number;
}

/** The copy of one profile. */
export class Mirror {
  readonly #profile: string;
  #db: Promise<IDBDatabase> | undefined;

  constructor(profile: string) {
    this.#profile = profile;
  }

  /** What is known of a name. */
  async find(name: string): Promise<Mirrored | undefined> {
    return this.#use("readonly", (t) => t.get(this.#key(name)) as IDBRequest<Mirrored | undefined>);
  }

  /** The mark of the directory that this is a copy of. */
  async mark(): Promise<string | undefined> {
    return this.#use("readonly", (t) => t.get(this.#key("")) as IDBRequest<string | undefined>);
  }

  /** Empties the copy and makes it one of the directory with this mark. */
  async begin(mark: string): Promise<void> {
    await this.#use("readwrite", (t) => {
      t.delete(IDBKeyRange.bound(this.#key(""), this.#key("\uffff")));
      return t.put(mark, this.#key(""));
    });
  }

  /** Takes over what names stand for; undefined is nothing. */
  async put(list: readonly { name: string; file: Mirrored | undefined }[]): Promise<void> {
    await this.#use("readwrite", (t) => {
      let last: IDBRequest = t.get(this.#key(""));
      for (const { name, file } of list) {
        const key = this.#key(name);
        last = file ? t.put(file, key) : t.delete(key);
      }
      return last;
    });
  }

  /** Lets go of the database. */
  close(): void {
    void this.#db?.then((db) => db.close(), () => {});
    this.#db = undefined;
  }

  #key(name: string): [string, string] {
    return [this.#profile, name];
  }

  async #use<T>(mode: IDBTransactionMode, run: (table: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    const db = await (this.#db ??= this.#open());
    const transaction = db.transaction(TABLE, mode, { durability: "relaxed" });
    const request = run(transaction.objectStore(TABLE));
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new DOMException("aborted", "UnknownError"));
    });
    return request.result;
  }

  async #open(): Promise<IDBDatabase> {
    const db = await new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open(DATABASE, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(TABLE);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error ?? new DOMException("cannot be opened", "UnknownError"));
    }).catch((e: unknown) => {
      this.#db = undefined; // it is tried again
      throw e;
    });
    db.onversionchange = db.onclose = () => {
      db.close();
      this.#db = undefined;
    };
    return db;
  }
}
