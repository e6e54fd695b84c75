// The page API (contract.md §4).

import { absolute, check, checkProfile, checkValue } from "./checks.ts";
import { Client } from "./client.ts";
import type { ImportReport } from "./colpkgprotocol.ts";
import type { ServerContents } from "./contents.ts";
import { DevicesApi } from "./devices.ts";
import type { EditOp, EditReport, UndoReport } from "./edit.ts";
import { SyncError, toSyncError } from "./errors.ts";
import { Listeners, tell } from "./listeners.ts";
import { watchPage } from "./lifecycle.ts";
import { MediaFiles, type MediaSource } from "./mediaapi.ts";
import { watchPresence, type Network } from "./presence.ts";
import {
  NOTHING, type AccountInfo, type Backup, type OnConflict, type OpenRequest, type Param, type RestoreReport, type Row,
  type Status, type StatusReport, type SyncReport, type TransferReport,
} from "./protocol.ts";
import type { RenderedCard, RenderRequest, TypedAnswer } from "./render.ts";
import { requireBrowser } from "./require.ts";
import { SettingsApi } from "./settings.ts";
import { pageStorage, type Storage } from "./storage.ts";
import type { Transport } from "./transport.ts";
import type { DeckTree, NextCards } from "./study.ts";
import { VERSION } from "./version.ts";

export type {
  AddDeck, AddNote, AnswerCard, EditOp, EditReport, EditResult, Json, RemoveDeck, RemoveNotes, RenameDeck, SetCards, SetConfig,
  SetTemplate, UndoReport, UpdateNote,
} from "./edit.ts";
export type { Network } from "./presence.ts";
export { SettingsApi, type Settings } from "./settings.ts";
export type { Storage, StorageReport } from "./storage.ts";
export type { Transport } from "./transport.ts";
export { SyncError, type ErrorFields, type Failure, type Kind } from "./errors.ts";
export type { ImportReport } from "./colpkgprotocol.ts";
export type { DevicesApi } from "./devices.ts";
export type { ServerContents } from "./contents.ts";
export type { Device } from "./devicesprotocol.ts";
export type { MediaFiles, MediaSource } from "./mediaapi.ts";
export type {
  MediaChange, MediaCheckReport, MediaCount, MediaReport, MediaState, SetAside,
} from "./mediaprotocol.ts";
export type {
  AccountInfo, Backup, Column, Counts, OnConflict, Param, Progress, RequiredSync, RestoreReport, Row, Status, StatusReport, SyncReport,
  TransferReport,
} from "./protocol.ts";
export type { CardState, DeckNode, DeckTree, Finished, NextCard, NextCards } from "./study.ts";
export type { PlayItem, RenderedCard, RenderRequest, TypedAnswer } from "./render.ts";

/** Where the files of the package are; each has a default beside index.js. */
export interface Assets {
  /** core.wasm, or its compiled module. */
  core?: string | URL | WebAssembly.Module | undefined;
  /** sqlite3.wasm */
  sqlite?: string | URL | undefined;
  /** zstd.wasm, which is loaded by the first upload, download or media sync. Where it is missing these take longer. */
  zstd?: string | URL | undefined;
  /** worker.js; it must have the page's own origin. */
  worker?: string | URL | undefined;
  /**
   * serviceWorker.js, which serves media files to the page; it must have the page's own origin, and lie beside or above
   * the page. A page that has a service worker already keeps it (see sw.ts).
   */
  serviceWorker?: string | URL | undefined;
}

/** What {@link Cardferry.open} takes. */
export interface OpenOptions {
  /** The name of the profile; each has its own collection and account. Default `default`. */
  profile?: string | undefined;
  /** The address of the sync server, absolute or relative to the page. Default: the page's own origin. */
  endpoint?: string | undefined;
  /** How the program calls itself to servers. Default `cardferry/<version>`. */
  clientName?: string | undefined;
  assets?: Assets | undefined;
  /**
   * Makes the requests in place of fetch, as an app does that embeds the page and knows no CORS. Every tab that has the
   * profile open must give one.
   */
  transport?: Transport | undefined;
  /** What kind of network there is, asked from time to time. Default: as the browser knows it. */
  network?: (() => Network) | undefined;
  /** Reads media files that the embedding app has itself: it is asked for one that is not here, before that is fetched. */
  media?: MediaSource | undefined;
  /**
   * What a user may choose after `damaged_file`: the collection that cannot be read is put among the backups, with the reason `damaged`, and
   * fetched from the server, as one that the browser has removed. Changes that were never sent are in the damaged file alone then. Another
   * backup can be restored. A collection that can be read is opened as without it.
   */
  setAside?: boolean | undefined;
}

/** The backups of a profile. */
export interface Backups {
  /** All backups, the newest first. */
  list(): Promise<Backup[]>;
  /**
   * Replaces the collection by a backup, after a backup of what is replaced. The next sync is a one-way one. Errors:
   * `not_found`, `damaged_file`.
   */
  restore(id: string): Promise<RestoreReport>;
}

/** A way to end a call early. */
export interface CallOptions {
  signal?: AbortSignal | undefined;
}

/** An open profile. Every method may reject with a {@link SyncError}, and with nothing else. */
export class Cardferry {
  readonly #client: Client;
  readonly #listeners = new Listeners<Status>();
  #status: Status = NOTHING;
  #account: AccountInfo | null = null;
  #closing: Promise<void> | undefined;

  readonly #unwatch: (() => void)[];
  /** The images and sounds of the profile. */
  readonly media: MediaFiles;
  /** What happens by itself. */
  readonly settings = new SettingsApi({ call: (name, params) => this.#client.call(name, params) });
  /** Tells how much is stored; `storage.request()` asks the browser to keep it. */
  readonly storage: Storage = pageStorage();
  /** The copies that are kept before something replaces the collection. */
  readonly backups: Backups = {
    list: () => this.#client.call("backups", null),
    restore: async (id) => {
      checkValue("restore", id, "id", "string");
      return this.#client.call("restore", { id });
    },
  };

  /** The devices that are signed in to the account. */
  readonly devices = new DevicesApi({ call: (name, params) => this.#client.call(name, params) });

  private constructor(start: () => Worker, open: OpenRequest, { transport, network, assets, media }: OpenOptions) {
    this.#client = new Client(start, open, (notice) => {
      if (notice.type === "media") return this.media.changed(notice.changes);
      this.#account = notice.account;
      this.#status = notice.status;
      this.#notify();
    }, transport);
    this.media = new MediaFiles(this.#client, open.profile, serviceWorkerAt(assets?.serviceWorker), media);
    this.#unwatch = [watchPage(this.#client), watchPresence((presence) => this.#client.tell(presence), network)];
  }

  /**
   * Opens a profile; a new one has an empty collection. Any number of tabs may have it open: one of them runs the calls
   * of all, and another takes over when it goes.
   * Errors: `unsupported_browser`; `invalid_input` for options that are of no use; `busy` if another tab has the profile and
   * does not answer; `damaged_file`, see {@link OpenOptions.setAside}; `unsupported_file`.
   */
  static async open(options: OpenOptions = {}): Promise<Cardferry> {
    requireBrowser();
    const given = check("open", options, OPTIONS);
    const ferry = new Cardferry(...request(given), given);
    try {
      await ferry.#client.open();
      return ferry;
    } catch (e) {
      ferry.#end(new SyncError("closed", "the profile could not be opened"));
      throw e;
    }
  }

  /** What to show about the profile now; see {@link subscribe}. */
  get status(): Status {
    return this.#status;
  }

  /** Who is logged in. */
  get account(): AccountInfo | null {
    return this.#account;
  }

  /** Calls listener at once and after every change of the status; returns what ends that. */
  subscribe(listener: (status: Status) => void): () => void {
    checkValue("subscribe", listener, "listener", "function");
    const end = this.#listeners.add(listener);
    tell(listener, this.#status);
    return end;
  }

  /**
   * Logs in and keeps the account. A media sync of the one before ends with `cancelled`. What the profile holds stays, also for another
   * account: once the user has chosen a side, media files of the one before are the next one's. Errors: `auth`, and those of the network;
   * `cancelled` by a logout.
   */
  async login(p: { user: string; password: string; endpoint?: string | undefined } & CallOptions): Promise<AccountInfo> {
    const { user, password, endpoint } = check("login", p, { user: "string", password: "string", endpoint: "address?" });
    const at = endpoint ? { endpoint: absolute("login", endpoint, "endpoint") } : {};
    return this.#client.call("login", { user, password, ...at }, p.signal);
  }

  /**
   * Makes an account on the server of `endpoint` in {@link OpenOptions}, and logs in; an account of that name and
   * password is logged in to, as the answer that it was made may have been lost. Errors: `invalid_input` for a name that
   * is taken or refused, `server_message` where there is no sign-up, `network` after too many tries (details have the
   * `reason`), and those of login.
   */
  async signUp(p: { user: string; password: string } & CallOptions): Promise<AccountInfo> {
    const { user, password } = check("signUp", p, { user: "string", password: "string" });
    return this.#client.call("signUp", { user, password }, p.signal);
  }

  /** Forgets the account; the collection and the media files stay. A login and a media sync that are under way end with `cancelled`. */
  async logout(): Promise<void> {
    await this.#client.call("logout", null);
  }

  /** Asks the server (or, offline, only looks at the collection) what a sync would do, and updates the status. */
  async refresh(options: { offline?: boolean | undefined } & CallOptions = {}): Promise<StatusReport> {
    const { offline, signal } = check("refresh", options, { offline: "boolean?" });
    return this.#client.call("refresh", { offline: offline ?? false }, signal);
  }

  /**
   * Syncs the collection, and then the media files unless media is false. Errors: `one_way_needed` if one side must replace the other and onConflict is `ask` (the
   * default); `auth`, and those of network and server.
   */
  async sync(options: { onConflict?: OnConflict | undefined; media?: boolean | undefined } & CallOptions = {}): Promise<SyncReport> {
    const { onConflict, media, signal } = check("sync", options, { onConflict: "string?", media: "boolean?" });
    return this.#client.call("sync", { onConflict: onConflict ?? "ask", media: media ?? true }, signal);
  }

  /**
   * Replaces the server's collection by this one. Unless backup is false, the server's is kept as a backup first
   * (`damaged_download` if it is damaged): by a server that does so, else here; with `"here"` always here, where it can be restored.
   */
  async upload(options: { backup?: boolean | "here" | undefined } & CallOptions = {}): Promise<TransferReport> {
    const { backup, signal } = check("upload", options, {});
    if (backup !== "here") checkValue("upload", backup, "backup", "boolean?");
    return this.#client.call("upload", { backup: backup !== false, ownBackup: backup === "here" }, signal);
  }

  /** Replaces this collection by the server's; unless backup is false, a backup is kept. */
  async download(options: { backup?: boolean | undefined } & CallOptions = {}): Promise<TransferReport> {
    const { backup, signal } = check("download", options, { backup: "boolean?" });
    return this.#client.call("download", { backup: backup ?? true }, signal);
  }

  /**
   * What the server's collection has, and how much of it is newer than `since` (Unix milliseconds): what would be lost if a copy
   * of that time replaced it. Errors: `auth`; `server_message` with `details.reason` `unsupported` if the server is none of ours; those of
   * the network.
   */
  async serverContents(options: { since?: number | undefined } & CallOptions = {}): Promise<ServerContents> {
    const { since, signal } = check("serverContents", options, { since: "number?" });
    return this.#client.call("serverContents", { since: since ?? 0 }, signal);
  }

  /**
   * Renders both sides of a card, of a stored note or of one that an editor shows before it is stored. A mistake in its
   * template is in the result. Errors: `not_found`, `damaged_file`; `invalid_input` for a wrong number of fields.
   */
  async render(card: RenderRequest): Promise<RenderedCard> {
    checkValue("render", card, "the card", "object");
    return this.#client.call("render", card);
  }

  /** Returns the HTML that stands for the marker of a typed answer on the answer side. Errors as of {@link render}. */
  async compareTyped(answer: TypedAnswer): Promise<string> {
    checkValue("compareTyped", answer, "the answer", "object");
    return (await this.#client.call("compareTyped", answer)).html;
  }

  /** Runs one SQL statement that only reads. Errors: `invalid_input` for any other. */
  async query(sql: string, params: readonly Param[] = []): Promise<Row[]> {
    checkValue("query", sql, "the statement", "string");
    if (!Array.isArray(params)) throw new SyncError("invalid_input", "query: the parameters must be a list");
    return this.#client.call("query", { sql, params });
  }

  /**
   * Changes the collection: all operations, or none if one of them is wrong (`invalid_input`, which names its index). A running sync
   * need not end first. It is one step for {@link undo}.
   */
  async edit(ops: readonly EditOp[]): Promise<EditReport> {
    return this.#client.call("edit", { ops });
  }

  /** Takes back the last edit; again for the one before. Errors: `not_found` if there is none, as after a sync. */
  async undo(): Promise<UndoReport> {
    return this.#client.call("undo", null);
  }

  /**
   * The collection as a package (`.colpkg`), which the desktop program imports; with the media files that are here unless
   * media is false. Errors: `storage_full`, as it is written before it is returned.
   */
  async exportFile(options: { media?: boolean | undefined } & CallOptions = {}): Promise<Blob> {
    const { media, signal } = check("exportFile", options, { media: "boolean?" });
    return this.#client.call("exportFile", { media: media ?? true }, signal);
  }

  /**
   * Replaces the collection, of which a backup is kept, by that of a package (`.colpkg`), and adds its media files. The next
   * sync is a one-way one. Errors, with the collection as it was: `damaged_file`, `unsupported_file`, `storage_full`; `invalid_input` for
   * a file that cannot be read any more. A file whose name says that it has some decks only (`.apkg`) is an `unsupported_file`.
   */
  async importFile(file: Blob, options: CallOptions = {}): Promise<ImportReport> {
    checkValue("importFile", file, "the package", "content");
    // Inside it is as a whole collection, in the place of which it would come.
    if ("name" in file && /\.apkg$/i.test(String(file.name))) {
      throw new SyncError("unsupported_file", "the package has some decks only (.apkg)", { hint: "Choose a collection package (.colpkg)." });
    }
    return this.#client.call("importFile", { file }, check("importFile", options, {}).signal);
  }

  /**
   * A text that a user can send: versions, settings, status, numbers of rows, last errors. It has no keys, no user name
   * and no card content.
   */
  async diagnostics(): Promise<string> {
    return this.#client.call("diagnostics", null);
  }

  /** The decks with what is to be studied today in each, and what was studied. A running sync need not end first. */
  async deckTree(): Promise<DeckTree> {
    return this.#client.call("deckTree", null);
  }

  /**
   * The next cards of a deck and those below it, at most `count` (1 to 100, default 1), and how many are left. Ask again after each
   * answer, edit or sync: nothing is kept between calls. Errors: `not_found` for a deck that does not exist.
   */
  async nextCards(deckId: number, options: { count?: number | undefined } = {}): Promise<NextCards> {
    const count = check("nextCards", options, { count: "number?" }).count ?? 1;
    if (!(count >= 1 && count <= 100)) throw new SyncError("invalid_input", "nextCards: count must be between 1 and 100");
    return this.#client.call("nextCards", { deckId, count });
  }

  /** Closes the profile in this tab; others go on. A second call waits for the first one's end; every other fails with `closed`. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    try {
      await this.#client.call("close", null);
    } finally {
      this.#end(new SyncError("closed", "the profile is closed"));
    }
  }

  #end(error: SyncError): void {
    for (const end of this.#unwatch) end();
    this.media.close();
    this.#client.end(error);
  }

  #notify(): void {
    this.#listeners.call(this.#status);
  }
}

const OPTIONS = {
  profile: "string?", endpoint: "address?", clientName: "string?", assets: "object?", transport: "function?", network: "function?",
  media: "function?", setAside: "boolean?",
} as const;

/** What starts the worker, and what it is told. Errors: `invalid_input`. */
function request(options: OpenOptions): [() => Worker, OpenRequest] {
  const { endpoint, clientName, assets, transport } = options;
  const profile = options.profile ?? "default";
  checkProfile(profile);
  const { core, sqlite, zstd, worker } = assets ?? {};
  const at = worker && absolute("open", worker, "assets.worker");
  const start = (): Worker => startWorker(at);
  return [start, {
    tab: crypto.randomUUID(),
    profile,
    endpoint: absolute("open", endpoint ?? "/", "endpoint"),
    clientName: clientName ?? `cardferry/${VERSION}`,
    core: core instanceof WebAssembly.Module ? core : absolute("open", core ?? new URL("./core.wasm", import.meta.url), "assets.core"),
    sqlite: absolute("open", sqlite ?? new URL("./sqlite3.wasm", import.meta.url), "assets.sqlite"),
    zstd: absolute("open", zstd ?? new URL("./zstd.wasm", import.meta.url), "assets.zstd"),
    transport: Boolean(transport),
    setAside: options.setAside ?? false,
  }];
}

/** Where the service worker is. The one beside this file is only of use to a page that lies beside or below it. */
function serviceWorkerAt(url: string | URL | undefined): URL | undefined {
  if (url) return new URL(absolute("open", url, "assets.serviceWorker"));
  const own = new URL("./serviceWorker.js", import.meta.url);
  // A bundler may have put it into a data: address, beside which nothing lies.
  return own.protocol === location.protocol && location.href.startsWith(new URL("./", own).href) ? own : undefined;
}

function startWorker(url: string | undefined): Worker {
  try {
    // The literal form is the one that bundlers know.
    return url
      ? new Worker(url, { type: "module", name: "cardferry" })
      : new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "cardferry" });
  } catch (e) {
    throw new SyncError("invalid_input", `the worker cannot be started: ${toSyncError(e).message}`, {
      hint: "Serve worker.js from the page's own origin, and pass its address as assets.worker.",
    });
  }
}
