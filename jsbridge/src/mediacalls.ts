// What the worker does about media files: the guest's methods on the store of the page.

import { SyncError } from "./errors.ts";
import { either } from "./http.ts";
import type {
  MediaCalls, MediaChange, MediaCheckReport, MediaCount, MediaReport, MediaState,
} from "./mediaprotocol.ts";
import type { OpfsMedia } from "./opfsmedia.ts";
import type { Profile } from "./profile.ts";
import { FILES, type Method } from "./protocol.gen.ts";

/** How often the numbers of files are read while files come, in milliseconds. */
const COUNT_EVERY = 1000;
/** The largest file that can be synced (core/mediawire). */
const LARGEST = 100 << 20;

/** What media calls need of the session. */
export interface Around {
  profile: Profile;
  store: OpfsMedia;
  /** Runs a method of the guest that talks to the server. */
  task(method: Method, params: object, signal: AbortSignal): Promise<object>;
  counted(count: MediaCount): void;
  changed(changes: MediaChange[]): void;
  /** The user has added or removed a file. */
  edited(): Promise<void>;
}

type Run<N extends keyof MediaCalls> = (params: MediaCalls[N][0], signal: AbortSignal) => Promise<MediaCalls[N][1]>;

/** A media sync, and how many wait for its end. */
interface Shared {
  report: Promise<MediaReport>;
  end: AbortController;
  waiting: number;
}

/** The media files of a session. */
export class MediaDesk {
  readonly #a: Around;
  #counted = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #syncing: Shared | undefined;
  /** One file after the other is added, as each takes a file of the pool meanwhile, and that has a limit. */
  #adding: Promise<unknown> = Promise.resolve();
  /** Files that are being fetched: several tabs may ask for the same one. */
  readonly #fetching = new Map<string, Promise<unknown>>();
  /** Ends with the account. */
  #left = new AbortController();

  constructor(around: Around) {
    this.#a = around;
    around.store.onChange = (changes) => {
      around.changed(changes);
      this.#countSoon();
    };
  }

  /** The calls, by name. */
  readonly calls: { [N in Exclude<keyof MediaCalls, "mediaSync">]: Run<N> } = {
    mediaGet: ({ name }, signal) => this.#get(name, signal),
    mediaAdd: ({ name, content }) => this.#add(name, content),
    mediaRemove: ({ name }) => this.#remove(name),
    mediaCheck: ({ apply }, signal) => this.#check(apply, signal),
    mediaState: ({ name }) => this.#state(name),
  };

  /**
   * Syncs the media files, beside what happens to the collection. One that is running is joined, and ends early only when all who wait
   * for it have cancelled. usn is that of a collection sync just made.
   */
  async sync(signal: AbortSignal, usn?: number): Promise<MediaReport> {
    while (this.#syncing?.end.signal.aborted) await this.#syncing.report.catch(() => {});
    if (signal.aborted) throw new SyncError("cancelled", "cancelled");
    const run = (this.#syncing ??= this.#begin(usn));
    run.waiting++;
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        if (--run.waiting === 0) run.end.abort();
        else reject(new SyncError("cancelled", "cancelled"));
      };
      signal.addEventListener("abort", leave, { once: true });
      const over = (): void => signal.removeEventListener("abort", leave);
      run.report.then(resolve, reject).then(over);
    });
  }

  /** The account is another one, or none: what runs with the one before must not go on among the files of the next. */
  leave(): void {
    this.#left.abort();
    this.#left = new AbortController();
    this.#syncing?.end.abort();
  }

  #begin(usn: number | undefined): Shared {
    const end = new AbortController();
    const report = this.#sync(end.signal, usn).finally(() => (this.#syncing = undefined));
    return { report, end, waiting: 0 };
  }

  async #sync(signal: AbortSignal, usn: number | undefined): Promise<MediaReport> {
    const { store, task } = this.#a;
    try {
      await store.verify();
      const params = { evictable: true, ...(usn === undefined ? {} : { server_usn: usn }) };
      return (await task("mediaSync", params, signal)) as MediaReport;
    } finally {
      await this.count();
      await store.tidy().catch(() => {}); // it is tried again after the next sync
    }
  }

  /** Reports the numbers of files, after what has changed: whoever waits for this finds no file as it was before. */
  async count(): Promise<void> {
    this.#counted = Date.now();
    try {
      await this.#a.store.ready();
      await this.#a.store.announced();
      const { done, total } = (await this.#a.profile.call("mediaState", { name: "" })) as MediaCount;
      this.#a.counted({ done, total });
    } catch {
      // The profile is being closed, or has failed: then that is told.
    }
  }

  /** Reports them now, or once it is time again. */
  #countSoon(): void {
    const wait = Math.min(COUNT_EVERY, COUNT_EVERY - (Date.now() - this.#counted)); // the clock may have been set back
    if (wait <= 0) return void this.count();
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.count();
    }, wait);
  }

  async #get(name: string, signal: AbortSignal): Promise<Blob> {
    const { store, task } = this.#a;
    await store.ready();
    await this.#fetching.get(name)?.catch(() => {});
    const here = await store.readable(name);
    if (here) return here;
    const fetching = task("getMedia", { name }, either(signal, this.#left.signal));
    this.#fetching.set(name, fetching);
    try {
      await fetching;
    } finally {
      if (this.#fetching.get(name) === fetching) this.#fetching.delete(name);
      this.#countSoon(); // the list of files may have come with it
    }
    const fetched = await store.readable(name);
    if (!fetched) throw new SyncError("not_found", `the media file ${JSON.stringify(name)} is not here any more`);
    return fetched;
  }

  async #add(name: string, content: Blob): Promise<string> {
    if (content.size === 0 || content.size > LARGEST) {
      throw new SyncError("invalid_input", content.size ? "the file is larger than 100 MiB" : "the file is empty");
    }
    const adding = this.#adding.then(() => this.#addNext(name, content));
    this.#adding = adding.catch(() => {});
    const added = await adding;
    await this.count();
    await this.#a.edited();
    return added;
  }

  async #addNext(name: string, content: Blob): Promise<string> {
    const { profile, store } = this.#a;
    await store.ready();
    const file = `${FILES.staging}media/${crypto.randomUUID()}`;
    await profile.stage(file, content);
    const added = (await profile.call("addMedia", { name, type: content.type.replace(/;.*/s, ""), file })) as { name: string };
    return added.name;
  }

  async #remove(name: string): Promise<null> {
    await this.#a.store.ready();
    await this.#a.profile.call("removeMedia", { name });
    await this.count();
    await this.#a.edited();
    return null;
  }

  async #check(apply: boolean, signal: AbortSignal): Promise<MediaCheckReport> {
    const { profile, store, edited } = this.#a;
    await store.verify();
    const report = (await profile.call("mediaCheck", { apply, evictable: true }, { signal })) as MediaCheckReport;
    if (report.trashed > 0) await this.count();
    if (report.trashed > 0) await edited();
    return report;
  }

  async #state(name: string): Promise<MediaState> {
    await this.#a.store.ready();
    return ((await this.#a.profile.call("mediaState", { name })) as { state: MediaState }).state || "missing";
  }
}
