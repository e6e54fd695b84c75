// The media files of an open profile, as the page uses them (contract.md §4).

import { check, checkValue, isBlob } from "./checks.ts";
import type { Client } from "./client.ts";
import { SyncError } from "./errors.ts";
import { Listeners } from "./listeners.ts";
import type { MediaChange, MediaCheckReport, MediaReport, MediaState } from "./mediaprotocol.ts";
import { answerServiceWorker, findServiceWorker, meanwhile, mediaPath } from "./swclient.ts";

/** So many blob URLs are kept where there is no service worker; the oldest is revoked. */
const BLOB_URLS = 500;

/** Reads a file of the embedding app; null if it has none of that name. */
export type MediaSource = (name: string) => Promise<Blob | null>;

/** Images and sounds. Every method may reject with a SyncError, and with nothing else. */
export class MediaFiles {
  readonly #client: Client;
  readonly #source: MediaSource | undefined;
  readonly #listeners = new Listeners<readonly MediaChange[]>();
  readonly #urls = new Map<string, Promise<string>>();
  /** Files of which a blob URL is being made, and whether they have changed since their content was asked for. */
  readonly #making = new Map<string, boolean>();
  #base: Promise<string | null>;
  readonly #unanswer: () => void;
  readonly #closed = new AbortController();

  /** Used by Cardferry.open only. serviceWorker is the address of the service worker. */
  constructor(client: Client, profile: string, serviceWorker: URL | undefined, source?: MediaSource) {
    this.#client = client;
    this.#source = source;
    const found = findServiceWorker(serviceWorker).then((scope) => scope && `${scope}${mediaPath(profile)}`);
    this.#base = Promise.race([found, meanwhile()]);
    void found.then(() => (this.#base = found));
    this.#unanswer = answerServiceWorker(profile, (name) => this.get(name));
  }

  /**
   * Syncs the media files alone; one that is running is joined. Errors: `auth`, `storage_full`, and those of the network.
   * Nothing is lost, and the next sync goes on.
   */
  async sync(options: { signal?: AbortSignal | undefined } = {}): Promise<MediaReport> {
    return this.#client.call("mediaSync", null, check("media.sync", options, {}).signal);
  }

  /** The content of a file. One that is still to come is fetched at once. Errors: `not_found` if no one has it. */
  async get(name: string, options: { signal?: AbortSignal | undefined } = {}): Promise<Blob> {
    name = fileName("media.get", name);
    const { signal } = check("media.get", options, {});
    return (await this.#given(name, signal)) ?? this.#client.call("mediaGet", { name }, signal);
  }

  /** What the embedding app has of that name, unless the file is here; null if it has none, or nobody waits for it any more. */
  async #given(name: string, signal: AbortSignal | undefined): Promise<Blob | null> {
    const source = this.#source;
    if (!source || (await this.state(name)) === "here") return null;
    const asked = Promise.resolve().then(() => source(name)).then((content) => (isBlob(content) ? content : null), () => null);
    const over = new AbortController();
    const ends = [this.#closed.signal, signal].filter((s): s is AbortSignal => typeof s?.addEventListener === "function");
    try {
      return await Promise.race([asked, ...ends.map((end) => nothingAfter(end, over.signal))]);
    } finally {
      over.abort();
    }
  }

  /**
   * An address for `<img>` and `<audio>`. Where the service worker answers it works at any time, also for a file that is
   * still to come; elsewhere it is a blob URL, good until the file changes. Errors: then those of {@link get}.
   */
  async url(name: string): Promise<string> {
    name = fileName("media.url", name);
    const base = await this.#base;
    if (base) return base + encodeURIComponent(name);
    let url = this.#urls.get(name);
    if (!url) {
      url = this.#make(name);
      this.#urls.set(name, url);
      url.catch(() => this.#urls.delete(name));
      const [oldest] = this.#urls.keys();
      if (this.#urls.size > BLOB_URLS && oldest !== undefined) this.#revoke(oldest);
    }
    return url;
  }

  /** What is in front of the encoded names in addresses of {@link url}; null where there is no service worker, or not yet. */
  base(): Promise<string | null> {
    return this.#base;
  }

  /**
   * Adds a file and returns the name that it got: the wanted one made fit for syncing, in lower case, or one with a
   * checksum if another file has that name. Errors: `invalid_input` (empty, larger than 100 MiB), `storage_full`.
   */
  async add(name: string, content: Blob): Promise<string> {
    name = fileName("media.add", name);
    checkValue("media.add", content, "the content", "content");
    return this.#client.call("mediaAdd", { name, content });
  }

  /** Moves a file to the trash; the next sync deletes it on the server. Errors: `not_found` if no one has it. */
  async remove(name: string): Promise<void> {
    name = fileName("media.remove", name);
    await this.#client.call("mediaRemove", { name });
  }

  /**
   * Compares the files with the notes: which are missing, and which no note uses. With apply, unused ones are moved to the
   * trash. Errors: `busy` while a media sync runs.
   */
  async check(options: { apply?: boolean | undefined; signal?: AbortSignal | undefined } = {}): Promise<MediaCheckReport> {
    const { apply, signal } = check("media.check", options, { apply: "boolean?" });
    return this.#client.call("mediaCheck", { apply: apply ?? false }, signal);
  }

  /** Where a file is. */
  async state(name: string): Promise<MediaState> {
    name = fileName("media.state", name);
    return this.#client.call("mediaState", { name });
  }

  /** Calls listener with the files that have come or gone, so that placeholders can change; returns what ends that. */
  subscribe(listener: (changes: readonly MediaChange[]) => void): () => void {
    checkValue("media.subscribe", listener, "listener", "function");
    return this.#listeners.add(listener);
  }

  /** Used by Cardferry only: the worker tells what has changed. */
  changed(changes: readonly MediaChange[]): void {
    for (const { name } of changes) this.#making.has(name) ? this.#making.set(name, true) : this.#revoke(name);
    this.#listeners.call(changes);
  }

  /** Used by Cardferry only: the profile is closed. */
  close(): void {
    this.#closed.abort();
    this.#unanswer();
    for (const name of [...this.#urls.keys()]) this.#revoke(name);
    this.#listeners.clear();
  }

  /** A blob URL. What has changed while the content was asked for, which may be that the file has come, is told before there is an answer. */
  async #make(name: string): Promise<string> {
    try {
      for (;;) {
        this.#making.set(name, false);
        const content = await this.get(name);
        if (!this.#making.get(name)) return URL.createObjectURL(content);
      }
    } finally {
      this.#making.delete(name);
    }
  }

  #revoke(name: string): void {
    void this.#urls.get(name)?.then((url) => URL.revokeObjectURL(url), () => {});
    this.#urls.delete(name);
  }
}

/** Gives nothing once end is aborted, of which whatever is called next has the error; over lets go of it. */
function nothingAfter(end: AbortSignal, over: AbortSignal): Promise<null> {
  if (end.aborted) return Promise.resolve(null);
  return new Promise((resolve) => end.addEventListener("abort", () => resolve(null), { signal: over }));
}

/**
 * The name as files have it: some keyboards and file dialogs decompose.
 * Errors: `invalid_input` for what is no text, or one that no file can have as its name: half of a surrogate pair is in it.
 */
function fileName(call: string, name: string): string {
  checkValue(call, name, "the name", "string");
  try {
    encodeURIComponent(name);
  } catch {
    throw new SyncError("invalid_input", `${call}: the name is no well-formed text`);
  }
  return name.normalize("NFC");
}
