// What the leader of the tabs runs: one open profile with its account and status.

import { Auto, type Action, type AutoAnswer } from "./auto.ts";
import type { Notice, TabCall } from "./channel.ts";
import { exportFile, importFile, indexMedia } from "./colpkg.ts";
import { serverContents } from "./contents.ts";
import { listDevices, removeDevice } from "./devices.ts";
import type { EditReport, UndoReport } from "./edit.ts";
import { SyncError, toFailure, toSyncError, withHint, type Failure, type Kind } from "./errors.ts";
import { Errors, report } from "./diagnostics.ts";
import { afterSync, together } from "./synced.ts";
import { Evicted, lostError, refuseUpload, removedError } from "./evicted.ts";
import { once } from "./finished.ts";
import { reactor } from "./guest.ts";
import { either } from "./http.ts";
import { MediaDesk } from "./mediacalls.ts";
import type { MediaReport } from "./mediaprotocol.ts";
import type { Modules } from "./modules.ts";
import { OpfsMedia } from "./opfsmedia.ts";
import { Profile } from "./profile.ts";
import type { Method } from "./protocol.gen.ts";
import type { Presence } from "./presence.ts";
import {
  NOTHING, type AccountInfo, type Backup, type CallName, type Calls, type OpenRequest, type Progress, type RestoreReport, type Status,
  type StatusReport, type SyncReport, type ToPage,
} from "./protocol.ts";
import { Engine } from "./sqlite.ts";
import { signUp } from "./signup.ts";
import { IndexedAccounts, type Account, type AccountStore } from "./store.ts";
import { parts, timed } from "./timing.ts";
import { VERSION } from "./version.ts";
import { Zstd } from "./zstd.ts";
import type { DeckTree, NextCards } from "./study.ts";

/** Reports of one stage go to the page at most this often, in milliseconds; the last one always does. */
const REPORT_EVERY = 100;
/** How often it is looked whether the files are still there while calls read, in milliseconds. */
const LOOK_EVERY = 1000;
/** After these it is looked each time: without the files they work as before, in vain. */
const WRITING: ReadonlySet<CallName> = new Set<CallName>(["edit", "undo", "mediaAdd", "mediaRemove", "importFile", "restore", "download"]);
/** Runs a call. key names it, however often it is sent: what must not be done twice is recorded under it. */
type Run<P, R> = (params: P, signal: AbortSignal, key: string) => Promise<R>;

/** What a session has around it. */
export interface Around {
  /** Tells the pages of all tabs. */
  post(message: Notice | Extract<ToPage, { type: "crash" }>): void;
  /** Makes requests, if the embedding app makes them. */
  transport: typeof fetch | undefined;
  /** The compiled files. */
  modules: Modules;
  /** How many tabs there are. */
  tabs(): number;
}

/** Opens the collection; a missing one is made. */
async function openCollection(profile: Profile, { clientName, setAside }: OpenRequest): Promise<unknown> {
  const open = (): Promise<unknown> => profile.call("open", { client: clientName, create: true });
  try {
    return await open();
  } catch (e) {
    if (!setAside || toSyncError(e).kind !== "damaged_file") throw e;
    profile.setAside();
    return open();
  }
}

/** An open profile. */
export class Session {
  readonly #around: Around;
  readonly #evicted: Evicted;
  readonly #errors = new Errors();
  #rebuilding: Promise<void> | undefined;
  /** Ends, when the profile is closed, what no call and not the scheduler has begun. */
  readonly #end = new AbortController();
  readonly #options: OpenRequest;
  readonly #profile: Profile;
  readonly #store: AccountStore;
  readonly #media: MediaDesk;
  readonly #files: OpfsMedia;
  #account: Account | undefined;
  /** Ends with a logout: a login that is under way must not undo it. */
  #out = new AbortController();
  /** Changes of the account, one after the other. */
  #changing: Promise<unknown> = Promise.resolve();
  readonly #auto: Auto;
  readonly #failures = new Map<Kind, Failure>();
  #begun = false;
  /** Whether the status has the error of a refresh, of which the scheduler does not know. */
  #unanswered = false;
  #status: Status = NOTHING;
  #reported = 0; // by a clock that nobody sets
  #looked = -LOOK_EVERY;
  #removed = false;

  private constructor(
    around: Around,
    options: OpenRequest,
    parts: { evicted: Evicted; profile: Profile; store: AccountStore; account: Account | undefined; media: OpfsMedia },
  ) {
    this.#around = around;
    this.#evicted = parts.evicted;
    this.#options = options;
    this.#profile = parts.profile;
    this.#store = parts.store;
    this.#account = parts.account;
    const host = {
      ask: (event: object) => this.#profile.beside("auto", event) as Promise<AutoAnswer>,
      run: (action: Action, signal: AbortSignal) => this.#automatic(action, signal),
      show: (answer: AutoAnswer) => this.#show(answer),
      account: () => this.#credentials(),
      pending: () => this.#status.pending > 0,
    };
    this.#auto = new Auto(host, around.transport);
    this.#files = parts.media;
    this.#media = new MediaDesk({
      profile: parts.profile,
      store: parts.media,
      task: (method, params, signal) => this.#task(method, params, signal),
      counted: (media) => this.#set({ media }),
      changed: (changes) => around.post({ type: "media", changes }),
      edited: () => this.#auto.edited(true),
    });
  }

  /** Opens a profile, whose lock the caller has; a missing collection is made, empty. Errors: `busy`, `unsupported_browser`, `damaged_file`, … */
  static async open(options: OpenRequest, around: Around): Promise<Session> {
    const store = new IndexedAccounts(options.profile);
    let profile: Profile | undefined;
    try {
      const folder = `cardferry/${encodeURIComponent(options.profile)}`;
      const log = (line: string): void => console.info(`cardferry: ${line}`);
      // Not needed before the end, and a browser that has just been started takes its time.
      const known = timed("account", Promise.all([store.load(), Evicted.read(options.profile)]));
      known.catch(() => {}); // thrown below
      const guest = timed("guest", timed("compile", around.modules.get("core", options)).then((module) => reactor(module, log)));
      guest.catch(() => {}); // thrown below
      const engine = await timed("sqlite", Engine.opfs(around.modules.get("sqlite", options), `${folder}/database`));
      let media!: OpfsMedia; // made by create
      profile = await timed("profile", Profile.create(engine, guest, log, (engine, catalogue) =>
        (media = new OpfsMedia(engine, catalogue, options.profile, `${folder}/media`)),
        new Zstd(() => around.modules.get("zstd", options)),
      ));
      profile.onCrash = (error) => around.post({ type: "crash", error: toFailure(error) });
      profile.transport = around.transport;
      const opened = await timed("open", openCollection(profile, options));
      const [account, mark] = await known;
      const evicted = await Evicted.check(options.profile, mark, (opened as { created: boolean }).created);
      const session = new Session(around, options, { evicted, profile, store, account, media });
      await timed("status", session.#refreshOffline());
      void session.#media.count();
      return session;
    } catch (e) {
      await profile?.drop();
      throw withHint(toSyncError(e));
    }
  }

  /** Runs one call of a tab. */
  async run(call: TabCall, signal: AbortSignal): Promise<unknown> {
    const run = this.#calls[call.name] as Run<TabCall["params"], unknown>;
    try {
      if (!Object.hasOwn(this.#calls, call.name)) throw otherVersion();
      const result = await once(this.#options.profile, call, async () => {
        const result = await run(call.params, signal, call.key);
        if (WRITING.has(call.name)) await this.#assureFiles();
        else if (performance.now() - this.#looked >= LOOK_EVERY) void this.#look();
        return result;
      });
      await (this.#after[call.name] as ((result: unknown) => Promise<void>) | undefined)?.(result);
      return result;
    } catch (e) {
      const error = (await this.#look()) ?? withHint(toSyncError(e));
      if (call.again && error.kind === "not_found" && REMOVING.has(call.name)) return null;
      this.#errors.add(call.name, error);
      throw error;
    }
  }

  /** A tab says how its page is; undefined: it has gone. The first one begins what happens by itself. */
  presence(tab: string, presence: Presence | undefined): void {
    const opened = this.#auto.presence(tab, presence);
    if (this.#begun) return;
    this.#begun = true;
    void opened.then(() => this.#begin());
  }

  /** Looks whether the files are still there. If not it ends the worker, as a crash does, and returns why: the next one opens the profile anew. */
  async #look(): Promise<SyncError | undefined> {
    this.#looked = performance.now();
    if (!(await this.#profile.isRemoved())) return undefined;
    const error = removedError();
    if (!this.#removed) this.#around.post({ type: "crash", error: toFailure(error) });
    this.#removed = true;
    return error;
  }

  async #assureFiles(): Promise<void> {
    const error = await this.#look();
    if (error) throw error;
  }

  /** Closes the profile. */
  async close(): Promise<void> {
    this.#removed = true; // which is not to be told any more
    this.#end.abort();
    await this.#auto.close();
    await this.#profile.close();
    await this.#files.ended();
  }

  readonly #calls: { [N in keyof Calls]: Run<Calls[N][0], Calls[N][1]> } = {
    open: () => Promise.reject(new SyncError("invalid_input", "the profile is open already")),
    login: (p, signal) => this.#login(p, either(signal, this.#out.signal)),
    signUp: (p, signal) => this.#signUp(p, either(signal, this.#out.signal)),
    backups: async () => ((await this.#profile.call("backups", {})) as { backups: Backup[] }).backups,
    restore: (p) => this.#profile.call("restore", p) as Promise<RestoreReport>,
    exportFile: (p, signal) => exportFile(this.#profile, this.#files, p, { signal }),
    importFile: (p, signal) => importFile(this.#profile, this.#files, p, { signal }),
    devices: (_, signal) => listDevices(this.#around.transport ?? fetch, this.#credentials(), signal),
    removeDevice: ({ id }, signal) => removeDevice(this.#around.transport ?? fetch, this.#credentials(), id, signal),
    serverContents: ({ since }, signal) => serverContents(this.#around.transport ?? fetch, this.#credentials(), since, signal),
    diagnostics: () => this.#diagnostics(),
    logout: () => this.#logout(),
    refresh: ({ offline }, signal) => this.#refresh(offline, signal),
    sync: (p, signal) => this.#syncBoth(p, signal),
    upload: ({ backup, ownBackup }, signal) =>
      this.#manual(async () => {
        if (await this.#mustFetch(signal)) throw this.#failed(refuseUpload());
        return this.#task("upload", { backup, own_backup: ownBackup }, signal);
      }),
    download: ({ backup }, signal) =>
      this.#manual(async () => {
        const done = await this.#task("download", { backup }, signal);
        await this.#evicted.over();
        return done;
      }),
    settings: (part) => this.#auto.settings(part),
    query: ({ sql, params }) => this.#profile.query(sql, params),
    edit: (params, signal, call) => this.#change("edit", { ...params, call }, signal) as Promise<EditReport>,
    undo: (_, signal, call) => this.#change("undo", { call }, signal) as Promise<UndoReport>,
    deckTree: (_, signal) => this.#profile.between("deckTree", {}, { signal }) as Promise<DeckTree>,
    nextCards: (params, signal) => this.#profile.between("nextCards", params, { signal }) as Promise<NextCards>,
    render: (p, signal) => this.#profile.between("render", p, { signal }) as Promise<never>,
    compareTyped: (p, signal) => this.#profile.between("compareTyped", p, { signal }) as Promise<never>,
    exec: async ({ sql }) => {
      await this.#profile.exec(sql);
      await this.#auto.edited();
      return null;
    },
    dump: () => this.#profile.dump(),
    memory: () => Promise.resolve({ ...this.#profile.memory(), parts: parts() }),
    load: async ({ collection }) => {
      await this.#profile.call("close", {});
      this.#profile.load(new Uint8Array(await collection.arrayBuffer()));
      await this.#profile.call("open", { client: this.#options.clientName, create: false });
      await this.#refreshOffline();
      return null;
    },
    advance: async ({ ms }) => {
      const now = Date.now;
      Date.now = () => now() + ms;
      await this.#auto.wake();
      return null;
    },
    close: () => Promise.reject(new SyncError("internal", "a leader closes its session itself")),
    mediaSync: (_, signal) => this.#syncMedia(signal),
    mediaGet: (p, signal) => this.#media.calls.mediaGet(p, signal),
    mediaAdd: (p, signal) => this.#media.calls.mediaAdd(p, signal),
    mediaRemove: (p, signal) => this.#media.calls.mediaRemove(p, signal),
    mediaCheck: (p, signal) => this.#media.calls.mediaCheck(p, signal),
    mediaState: (p, signal) => this.#media.calls.mediaState(p, signal),
  };

  /** What follows calls once they are recorded, as it may take long: done again, they would replace what other tabs have changed meanwhile. */
  readonly #after: { [N in CallName]?: (result: Calls[N][1]) => Promise<void> } = {
    restore: () => this.#replaced(),
    importFile: async (report) => {
      await indexMedia(this.#profile, report);
      await this.#replaced();
      await this.#media.count();
    },
  };

  /** Syncs the collection, then the media files, which do not hold up other calls. */
  async #syncBoth({ onConflict, media }: Calls["sync"][0], signal: AbortSignal): Promise<SyncReport> {
    const report: SyncReport = await this.#manual(() => this.#sync(onConflict, signal));
    if (!media) return { ...report, media: null };
    try {
      return together(report, await this.#syncMedia(signal, report.media_usn));
    } catch (e) {
      throw afterSync(report, toSyncError(e), onConflict === "download" && report.bytes !== undefined);
    }
  }

  #syncMedia(signal: AbortSignal, usn?: number): Promise<MediaReport> {
    return this.#auto.manual("mediaSync", () => this.#media.sync(signal, usn));
  }

  async #login(p: Calls["login"][0], signal: AbortSignal): Promise<AccountInfo> {
    const endpoint = p.endpoint ?? this.#account?.endpoint ?? this.#options.endpoint;
    const params = { endpoint, user: p.user, password: p.password, client: this.#options.clientName };
    const r = (await this.#profile.call("login", params, { signal })) as { endpoint: string; user: string; key: string };
    if (signal.aborted) throw new SyncError("cancelled", "cancelled");
    await this.#keep(() => ({ ...r, newEndpoint: "" }));
    this.#media.leave();
    await this.#refreshOffline();
    await this.#auto.account();
    return { user: r.user, endpoint: r.endpoint };
  }

  /** A name may have been taken by this very call, or an earlier one, whose answer was lost: then the password is right. */
  async #signUp(p: Calls["signUp"][0], signal: AbortSignal): Promise<AccountInfo> {
    const { endpoint } = this.#options;
    let taken: SyncError | undefined;
    await signUp(this.#around.transport ?? fetch, endpoint, p, signal).catch((e: unknown) => {
      taken = toSyncError(e);
      if (taken.details.reason !== "taken") throw e;
    });
    return this.#login({ ...p, endpoint }, signal).catch((e: unknown) => {
      throw taken && toSyncError(e).kind !== "cancelled" ? taken : e; // a login may be refused as there were too many, too
    });
  }

  /** A collection that the browser has removed is fetched again, or the status says why not. */
  #begin(): void {
    if (!this.#evicted.lost || !this.#account) return;
    this.#manual(async () => (await this.#rebuild(this.#end.signal), {})).catch(() => {}); // the status has told
  }

  /** Fetches the collection again if it was lost; only once at a time. */
  #rebuild(signal: AbortSignal): Promise<void> {
    this.#rebuilding ??= this.#fetchLost(signal).finally(() => (this.#rebuilding = undefined));
    return this.#rebuilding;
  }

  async #fetchLost(signal: AbortSignal): Promise<void> {
    try {
      if (!(await this.#mustFetch(signal))) return;
      await this.#task("download", { backup: true }, signal);
      await this.#evicted.over();
    } catch (e) {
      throw this.#failed(lostError(toSyncError(e)));
    }
  }

  /** Whether the collection was lost, nobody has begun another one here, and the server has one. */
  async #mustFetch(signal: AbortSignal): Promise<boolean> {
    if (!this.#evicted.lost || !this.#account) return false;
    const [rows] = await this.#profile.query("SELECT (SELECT count(*) FROM notes) + (SELECT count(*) FROM revlog) AS n", []);
    if (rows?.n === 0) {
      const { download_ok } = (await this.#task("status", { offline: false }, signal)) as StatusReport;
      if (download_ok) return true;
    }
    await this.#evicted.over();
    return false;
  }

  async #diagnostics(): Promise<string> {
    const [{ version }, rows, estimate, persisted] = await Promise.all([
      this.#profile.call("version", {}) as Promise<{ version: string }>,
      this.#profile.query(COUNTS, []),
      navigator.storage.estimate?.(),
      navigator.storage.persisted(),
    ]);
    const { user, newEndpoint = "", endpoint = "", key } = this.#account ?? {};
    const facts = {
      versions: { cardferry: VERSION, guest: version, sqlite: this.#profile.sqliteVersion, browser: navigator.userAgent },
      profile: this.#options.profile,
      endpoint: newEndpoint || endpoint,
      status: this.#status,
      settings: {
        client: this.#options.clientName,
        transport: this.#around.transport !== undefined,
        ...(await this.#auto.settings(null)),
      },
      counts: rows[0] as Record<string, number>,
      storage: { ...estimate, persisted },
      tabs: this.#around.tabs(),
      errors: this.#errors.lines(),
    };
    return report(facts, [key, user]);
  }

  async #logout(): Promise<null> {
    this.#out.abort();
    this.#out = new AbortController();
    await this.#keep(() => undefined);
    this.#media.leave();
    this.#set({});
    await this.#auto.account();
    return null;
  }

  #keep(change: (now: Account | undefined) => Account | undefined): Promise<void> {
    const kept = this.#changing.then(async () => {
      const account = change(this.#account);
      await (account ? this.#store.save(account) : this.#store.remove());
      this.#account = account;
    });
    this.#changing = kept.catch(() => {});
    return kept;
  }

  /** What the user has asked for: the scheduler is told. */
  #manual(run: () => Promise<object>): Promise<never> {
    return this.#auto.manual("sync", run) as Promise<never>;
  }

  /** What the scheduler has asked for. */
  #automatic(action: Action, signal: AbortSignal): Promise<object> {
    const running = action === "sync" ? this.#sync("ask", signal) : this.#media.sync(signal);
    return running.finally(() => this.#look());
  }

  async #sync(onConflict: string, signal: AbortSignal): Promise<object> {
    if (this.#evicted.lost) await this.#rebuild(signal);
    return this.#task("sync", { on_conflict: onConflict }, signal);
  }

  async #refresh(offline: boolean, signal: AbortSignal): Promise<StatusReport> {
    try {
      const report = (await this.#task("status", { offline }, signal)) as StatusReport;
      const asked = !offline && report.required !== "normal"; // where there are changes to send the server is not
      const status = statusOf(report);
      // A sync has asked it.
      if (!asked && this.#status.error?.kind === "one_way_needed") status.required = "full";
      this.#set(status);
      if (asked && this.#unanswered) {
        this.#unanswered = false;
        await this.#auto.wake(); // shows the error that there is without it
      }
      return { ...report, required: status.required };
    } catch (e) {
      const error = toFailure(e);
      if (error.kind !== "cancelled") {
        this.#unanswered = true;
        this.#set({ error });
      }
      throw e;
    }
  }

  /** Runs a method that talks to the server. */
  async #task(method: Method, params: object, signal: AbortSignal): Promise<object> {
    const key = this.#account?.key;
    try {
      const all = { ...params, account: this.#credentials() };
      const result = (await this.#profile.call(method, all, { signal, progress: this.#progress })) as StatusReport;
      if (result.new_endpoint) await this.#moved(key, result.new_endpoint);
      return result;
    } catch (e) {
      const error = withHint(toSyncError(e));
      const { new_endpoint: moved } = error.details;
      if (LOST.includes(error.kind)) await this.#moved(key, "");
      else if (typeof moved === "string") await this.#moved(key, moved);
      throw this.#failed(error);
    } finally {
      // At the end of a sync the scheduler does so; of what is fetched beside one it does not know.
      if (this.#status.progress && this.#status.activity !== "syncing") this.#set({ progress: undefined });
    }
  }

  /** Keeps an error for the status; the scheduler only knows its kind. */
  #failed(error: SyncError): SyncError {
    this.#failures.set(error.kind, toFailure(error));
    return error;
  }

  /** Changes the collection, also while it syncs. */
  async #change(method: Method, params: object, signal: AbortSignal): Promise<unknown> {
    const result = await this.#profile.between(method, params, { signal });
    await this.#auto.edited();
    return result;
  }

  /** The user has put another collection in the place of the one that was here. */
  async #replaced(): Promise<void> {
    await this.#evicted.over();
    await this.#refreshOffline();
    await this.#auto.edited();
  }

  /** Shows what the scheduler says. */
  #show({ activity, error, status }: AutoAnswer): void {
    const change: Partial<Status> = { ...(status && statusOf(status)), activity };
    if (activity !== "syncing") change.progress = undefined;
    const kind = error as Kind | "";
    change.error = kind === "" ? undefined : (this.#failures.get(kind) ?? toFailure(new SyncError(kind, kind)));
    if (kind === "one_way_needed" || (kind && this.#evicted.lost)) change.required = "full";
    if (this.#evicted.lost && !this.#account) {
      change.activity = "attention";
      change.error = toFailure(lostError());
    }
    const before = JSON.stringify(this.#status);
    if (JSON.stringify({ ...this.#status, ...change }) !== before) this.#set(change);
  }

  /** The account as the guest takes it; the server's own address comes before the one that the user has entered. */
  #credentials(): { endpoint: string; key: string } | null {
    const a = this.#account;
    return a ? { endpoint: a.newEndpoint || a.endpoint, key: a.key } : null;
  }

  /** The server of the account with a key has another address: nobody else's key may be sent there. */
  async #moved(key: string | undefined, newEndpoint: string): Promise<void> {
    if (newEndpoint === (this.#account?.newEndpoint ?? "")) return;
    await this.#keep((now) => (now && now.key === key ? { ...now, newEndpoint } : now));
  }

  async #refreshOffline(more: Partial<Status> = {}): Promise<void> {
    const params = { account: this.#credentials(), offline: true };
    const report = (await this.#profile.call("status", params)) as StatusReport;
    this.#set({ ...statusOf(report), ...more });
  }

  readonly #progress = (p: Progress): void => {
    const same = this.#status.progress?.stage === p.stage;
    this.#status = { ...this.#status, progress: p };
    if (!same && p.stage === "media_download") void this.#media.count(); // how many files there are is known now
    if (same && performance.now() - this.#reported < REPORT_EVERY && p.done !== p.total) return;
    this.#set({});
  };

  #set(change: Partial<Status>): void {
    this.#status = { ...this.#status, ...change };
    this.#reported = performance.now();
    const { user, newEndpoint, endpoint } = this.#account ?? {};
    const account = user === undefined ? null : { user, endpoint: newEndpoint || (endpoint ?? "") };
    this.#around.post({ type: "status", status: this.#status, account });
  }
}

/** The answer to a call that only a tab with a newer version of the app can know. */
function otherVersion(): SyncError {
  return new SyncError("busy", "another tab has the profile open with an older version of this app", {
    hint: "Load the other tabs again, or close them.",
  });
}

/** What these remove may have been removed when they were sent the first time, to a leader that died before it answered. */
const REMOVING: ReadonlySet<CallName> = new Set<CallName>(["mediaRemove", "removeDevice"]);

/** After these errors the server is looked for at the address that the user gave, which may redirect again. */
const LOST: readonly Kind[] = ["auth", "offline", "timeout", "proxy_auth", "server_error", "network", "damaged_download"];

const COUNTS = `SELECT (SELECT count(*) FROM notes) AS notes, (SELECT count(*) FROM cards) AS cards,
  (SELECT count(*) FROM revlog) AS revlog, (SELECT count(*) FROM decks) AS decks, (SELECT count(*) FROM notetypes) AS notetypes`;

/** Before the first sync only the server knows what is required, and the guest says "none" until it asks: what waits here is not in sync with it. */
function statusOf(r: StatusReport): Pick<Status, "required" | "lastSync" | "pending"> {
  const unasked = r.required === "none" && r.last_sync === 0 && r.pending > 0;
  return { required: unasked ? "normal" : r.required, lastSync: r.last_sync, pending: r.pending };
}
