// A browser that needs space, or a user who tidies up, may remove the files of a profile and leave what is in IndexedDB.
// A mark there tells such a profile from a new one: its empty collection is to be fetched from the server again, and must
// never be taken for one whose cards were all deleted. It is the same with one that was damaged and put aside.

import { SyncError } from "./errors.ts";
import { useTable } from "./indexed.ts";

/** What is remembered. */
export interface Mark {
  /** The collection that was here is gone, and has not been fetched again. */
  lost: boolean;
}

/** What is remembered of one profile's files. */
export class Evicted {
  readonly #profile: string;
  #lost: boolean;

  private constructor(profile: string, lost: boolean) {
    this.#profile = profile;
    this.#lost = lost;
  }

  /** What is remembered of a profile, to be read while it is opened. */
  static read(profile: string): Promise<Mark | undefined> {
    return useTable("profiles", "readonly", (t) => t.get(profile) as IDBRequest<Mark | undefined>);
  }

  /** Looks at a profile that has just been opened, and at what was remembered of it; created: it had no collection. */
  static async check(profile: string, mark: Mark | undefined, created: boolean): Promise<Evicted> {
    const evicted = new Evicted(profile, mark !== undefined && (created || mark.lost));
    if (mark?.lost !== evicted.#lost) await evicted.#store();
    return evicted;
  }

  /** Whether the collection was lost and is not there again. */
  get lost(): boolean {
    return this.#lost;
  }

  /** The collection is there again, or has been begun anew. That is not undone where a full storage does not take the mark: it is seen again. */
  async over(): Promise<void> {
    if (!this.#lost) return;
    this.#lost = false;
    await this.#store().catch(() => {});
  }

  async #store(): Promise<void> {
    const mark: Mark = { lost: this.#lost };
    await useTable("profiles", "readwrite", (t) => t.put(mark, this.#profile));
  }
}

/** What the status shows while the collection is lost; cause is why it could not be fetched. */
export function lostError(cause?: SyncError): SyncError {
  const message = "the collection of this profile is gone from this browser";
  const hint = "It is fetched from the server as soon as that can be reached. To keep it, allow this site to store data.";
  if (!cause) return new SyncError("not_found", message, { hint: "Log in, and it is fetched from the server." });
  return new SyncError(cause.kind, `${message}, and it could not be fetched again: ${cause.message}`, {
    hint: cause.kind === "auth" ? cause.hint : hint,
    changed: cause.changed,
    details: { ...cause.details, evicted: true },
  });
}

/** The error of calls that find all files removed beneath them; the profile is opened anew then. */
export function removedError(): SyncError {
  return new SyncError("other", "all that this site stores was removed while the profile was open", {
    hint: "Try again. What the server has is fetched from there; log in again if you are asked to.",
    details: { evicted: true },
  });
}

/** The answer to an upload of an empty collection over the one that was lost here. */
export function refuseUpload(): SyncError {
  return new SyncError("one_way_needed", "the collection here is gone: an upload would empty the server", {
    hint: "Sync or download: the server's collection replaces the empty one here.",
    details: { upload_ok: false, download_ok: true, evicted: true },
  });
}
