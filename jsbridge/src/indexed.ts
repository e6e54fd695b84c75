// The package's database in IndexedDB: small things that must outlive the collection's files, or cannot be put into files.

const DATABASE = "cardferry";
const VERSION = 2;

/**
 * The tables; keys are names of profiles.
 * `accounts` who is logged in; `keys` the CryptoKey that seals the account's key; `profiles` what is known of a profile's
 * files; `finished` the results of calls that must not be repeated (keys: of calls).
 */
export type Table = "accounts" | "keys" | "profiles" | "finished";

const TABLES: readonly Table[] = ["accounts", "keys", "profiles", "finished"];

/** Runs one request on a table; what it writes is durable when this resolves. */
export async function useTable<T>(
  table: Table,
  mode: IDBTransactionMode,
  run: (table: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const db = await (open ??= opened());
  const transaction = db.transaction(table, mode, { durability: "strict" });
  const request = run(transaction.objectStore(table));
  await new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new DOMException("aborted", "UnknownError"));
  });
  return request.result;
}

/** The open database: opening it takes longer than what is done with it. */
let open: Promise<IDBDatabase> | undefined;

async function opened(): Promise<IDBDatabase> {
  try {
    const db = await request();
    // Another version in another tab wants to make its tables; or the browser has removed all.
    db.onversionchange = db.onclose = () => {
      open = undefined;
      db.close();
    };
    return db;
  } catch (e) {
    open = undefined;
    throw e;
  }
}

function request(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, VERSION);
    request.onupgradeneeded = () => {
      for (const table of TABLES) {
        if (!request.result.objectStoreNames.contains(table)) request.result.createObjectStore(table);
      }
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new DOMException("cannot be opened", "UnknownError"));
  });
}
