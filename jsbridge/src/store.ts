// Where the account is kept. Everything that reads or writes the key goes through this interface, so that the key can
// be encrypted in one place.

/** An account as it is stored. */
export interface Account {
  user: string;
  /** The address that the user has entered. */
  endpoint: string;
  /** The address that the server has redirected to; "" if it has not. */
  newEndpoint: string;
  /** The key of the server, a secret. */
  key: string;
}

/** Keeps one account for each profile. */
export interface AccountStore {
  load(): Promise<Account | undefined>;
  save(account: Account): Promise<void>;
  remove(): Promise<void>;
}

const DATABASE = "cardferry";
const TABLE = "accounts";

/** An AccountStore in IndexedDB. */
export class IndexedAccounts implements AccountStore {
  readonly #profile: string;

  constructor(profile: string) {
    this.#profile = profile;
  }

  load(): Promise<Account | undefined> {
    return this.#use("readonly", (table) => table.get(this.#profile) as IDBRequest<Account | undefined>);
  }

  async save(account: Account): Promise<void> {
    await this.#use("readwrite", (table) => table.put(account, this.#profile));
  }

  async remove(): Promise<void> {
    await this.#use("readwrite", (table) => table.delete(this.#profile));
  }

  async #use<T>(mode: IDBTransactionMode, run: (table: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    const db = await opened();
    try {
      const transaction = db.transaction(TABLE, mode, { durability: "strict" });
      const request = run(transaction.objectStore(TABLE));
      await new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(transaction.error ?? new DOMException("aborted", "UnknownError"));
      });
      return request.result;
    } finally {
      db.close();
    }
  }
}

function opened(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new DOMException("cannot be opened", "UnknownError"));
  });
}
