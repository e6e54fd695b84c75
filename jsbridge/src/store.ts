// Where the account is kept. Everything that reads or writes the key goes through this interface; it is stored sealed.

import { useTable } from "./indexed.ts";
import { forgetKey, seal, unseal, type Sealed } from "./secrets.ts";

/** An account as the leader uses it. */
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

/** What is stored. Versions before 0.2 stored the key as it is, in `key`. */
type Stored = Omit<Account, "key"> & ({ sealed: Sealed } | { key: string });

/** An AccountStore in IndexedDB. */
export class IndexedAccounts implements AccountStore {
  readonly #profile: string;

  constructor(profile: string) {
    this.#profile = profile;
  }

  /** Returns the account; one whose key cannot be opened is as good as none. */
  async load(): Promise<Account | undefined> {
    const stored = await useTable(
      "accounts",
      "readonly",
      (table) => table.get(this.#profile) as IDBRequest<Stored | undefined>,
    );
    if (!stored) return undefined;
    const { user, endpoint, newEndpoint } = stored;
    if ("sealed" in stored) {
      const key = await unseal(this.#profile, stored.sealed);
      return key === undefined ? undefined : { user, endpoint, newEndpoint, key };
    }
    const account = { user, endpoint, newEndpoint, key: stored.key };
    await this.save(account);
    return account;
  }

  async save({ user, endpoint, newEndpoint, key }: Account): Promise<void> {
    const stored: Stored = { user, endpoint, newEndpoint, sealed: await seal(this.#profile, key) };
    await useTable("accounts", "readwrite", (table) => table.put(stored, this.#profile));
  }

  async remove(): Promise<void> {
    await useTable("accounts", "readwrite", (table) => table.delete(this.#profile));
    await forgetKey(this.#profile);
  }
}
