// What the leader of the tabs runs: one open profile with its account and status.

import type { TabCall } from "./channel.ts";
import type { EditReport, UndoReport } from "./edit.ts";
import { SyncError, toFailure, toSyncError, type Kind } from "./errors.ts";
import { reactor } from "./guest.ts";
import { Profile } from "./profile.ts";
import type { Method } from "./protocol.gen.ts";
import type { AccountInfo, Calls, OpenRequest, Progress, Status, StatusReport, ToPage } from "./protocol.ts";
import { Engine } from "./sqlite.ts";
import { IndexedAccounts, type Account, type AccountStore } from "./store.ts";

/** Reports of one stage go to the page at most this often, in milliseconds; the last one always does. */
const REPORT_EVERY = 100;
/** After these a later try may succeed by itself. */
const PASSING: ReadonlySet<Kind> = new Set<Kind>(["offline", "timeout", "network", "server_error"]);

/** An open profile. */
export class Session {
  readonly #post: (message: ToPage) => void;
  readonly #options: OpenRequest;
  readonly #profile: Profile;
  readonly #store: AccountStore;
  #account: Account | undefined;
  #status: Status = { required: "none", activity: "idle", lastSync: 0, pending: 0 };
  #reported = 0;

  private constructor(
    post: (message: ToPage) => void,
    options: OpenRequest,
    parts: { profile: Profile; store: AccountStore; account: Account | undefined },
  ) {
    this.#post = post;
    this.#options = options;
    this.#profile = parts.profile;
    this.#store = parts.store;
    this.#account = parts.account;
  }

  /** Opens a profile, whose lock the caller has; a missing collection is made, empty. Errors: `busy`, `unsupported_browser`, `damaged_file`, … */
  static async open(options: OpenRequest, post: (message: ToPage) => void): Promise<Session> {
    const store = new IndexedAccounts(options.profile);
    let profile: Profile | undefined;
    try {
      const folder = `cardferry/${encodeURIComponent(options.profile)}/database`;
      const [engine, module, account] = await Promise.all([
        Engine.opfs(options.sqlite, folder),
        compile(options.core),
        store.load(),
      ]);
      const log = (line: string): void => console.info(`cardferry: ${line}`);
      profile = await Profile.create(engine, (memory) => reactor(module, memory, log), log);
      profile.onCrash = (error) => post({ type: "crash", error: toFailure(error) });
      await profile.call("open", { client: options.clientName, create: true });
      const session = new Session(post, options, { profile, store, account });
      await session.#refreshOffline();
      return session;
    } catch (e) {
      profile?.drop();
      throw e;
    }
  }

  /** Runs one call of a tab. */
  async run({ name, params }: TabCall, signal: AbortSignal): Promise<unknown> {
    const run = this.#calls[name] as (params: TabCall["params"], signal: AbortSignal) => Promise<unknown>;
    return await run(params, signal);
  }

  /** Closes the profile. */
  close(): Promise<void> {
    return this.#profile.close();
  }

  readonly #calls: { [N in keyof Calls]: (params: Calls[N][0], signal: AbortSignal) => Promise<Calls[N][1]> } = {
    open: () => Promise.reject(new SyncError("invalid_input", "the profile is open already")),
    login: (p, signal) => this.#login(p, signal),
    logout: () => this.#logout(),
    refresh: ({ offline }, signal) => this.#task("status", { offline }, signal, false) as Promise<StatusReport>,
    sync: ({ onConflict }, signal) => this.#task("sync", { on_conflict: onConflict }, signal) as Promise<never>,
    upload: ({ backup }, signal) => this.#task("upload", { backup }, signal) as Promise<never>,
    download: ({ backup }, signal) => this.#task("download", { backup }, signal) as Promise<never>,
    query: ({ sql, params }) => this.#profile.query(sql, params),
    edit: (params, signal) => this.#change("edit", params, signal) as Promise<EditReport>,
    undo: (_, signal) => this.#change("undo", {}, signal) as Promise<UndoReport>,
    exec: async ({ sql }) => (await this.#profile.exec(sql), null),
    dump: () => this.#profile.dump(),
    memory: () => Promise.resolve(this.#profile.memory()),
    load: async ({ collection }) => {
      await this.#profile.call("close", {});
      this.#profile.load(new Uint8Array(await collection.arrayBuffer()));
      await this.#profile.call("open", { client: this.#options.clientName, create: false });
      await this.#refreshOffline();
      return null;
    },
    close: () => Promise.reject(new SyncError("internal", "a leader closes its session itself")),
  };

  async #login(p: Calls["login"][0], signal: AbortSignal): Promise<AccountInfo> {
    const endpoint = p.endpoint ?? this.#account?.endpoint ?? this.#options.endpoint;
    const params = { endpoint, user: p.user, password: p.password, client: this.#options.clientName };
    const r = (await this.#profile.call("login", params, { signal })) as { endpoint: string; user: string; key: string };
    await this.#keep({ ...r, newEndpoint: "" });
    await this.#refreshOffline();
    return { user: r.user, endpoint: r.endpoint };
  }

  async #logout(): Promise<null> {
    await this.#store.remove();
    this.#account = undefined;
    this.#set({});
    return null;
  }

  async #keep(account: Account): Promise<void> {
    await this.#store.save(account);
    this.#account = account;
  }

  /** Runs a method that talks to the server, and keeps the status up to date. */
  async #task(method: Method, params: object, signal: AbortSignal, busy = true): Promise<unknown> {
    if (busy) this.#set({ activity: "syncing", error: undefined });
    try {
      const all = { ...params, account: this.#credentials() };
      const result = (await this.#profile.call(method, all, { signal, progress: this.#progress })) as StatusReport;
      await this.#moved(result.new_endpoint);
      if (method === "status") this.#set(statusOf(result));
      else await this.#refreshOffline({ activity: "idle", progress: undefined });
      return result;
    } catch (e) {
      await this.#failed(toSyncError(e));
      throw e;
    }
  }

  /** Changes the collection, also while it syncs; a sync tells at its end what is pending then. */
  async #change(method: Method, params: object, signal: AbortSignal): Promise<unknown> {
    const result = await this.#profile.between(method, params, { signal });
    if (this.#status.activity !== "syncing") void this.#refreshOffline().catch(() => {}); // it tells the next time
    return result;
  }

  async #failed(error: SyncError): Promise<void> {
    if (error.kind === "auth" && this.#account?.newEndpoint) await this.#keep({ ...this.#account, newEndpoint: "" });
    const activity = error.kind === "cancelled" ? "idle" : PASSING.has(error.kind) ? "offline" : "attention";
    const state: Partial<Status> = { activity, progress: undefined };
    if (error.kind !== "cancelled") state.error = toFailure(error);
    await this.#refreshOffline(state).catch(() => this.#set(state)); // the first error is the one to tell
    if (error.kind === "one_way_needed") this.#set({ required: "full" });
  }

  /** The account as the guest takes it; the server's own address comes before the one that the user has entered. */
  #credentials(): { endpoint: string; key: string } | null {
    const a = this.#account;
    return a ? { endpoint: a.newEndpoint || a.endpoint, key: a.key } : null;
  }

  async #moved(newEndpoint: string): Promise<void> {
    if (newEndpoint && this.#account) await this.#keep({ ...this.#account, newEndpoint });
  }

  async #refreshOffline(more: Partial<Status> = {}): Promise<void> {
    const params = { account: this.#credentials(), offline: true };
    const report = (await this.#profile.call("status", params)) as StatusReport;
    this.#set({ ...statusOf(report), ...more });
  }

  readonly #progress = (p: Progress): void => {
    const same = this.#status.progress?.stage === p.stage;
    this.#status = { ...this.#status, progress: p };
    if (same && Date.now() - this.#reported < REPORT_EVERY && p.done !== p.total) return;
    this.#set({});
  };

  #set(change: Partial<Status>): void {
    this.#status = { ...this.#status, ...change };
    this.#reported = Date.now();
    const { user, newEndpoint, endpoint } = this.#account ?? {};
    const account = user === undefined ? null : { user, endpoint: newEndpoint || (endpoint ?? "") };
    this.#post({ type: "status", status: this.#status, account });
  }
}

function statusOf(r: StatusReport): Partial<Status> {
  return { required: r.required, lastSync: r.last_sync, pending: r.pending };
}

async function compile(core: string | WebAssembly.Module): Promise<WebAssembly.Module> {
  if (typeof core !== "string") return core;
  const response = await fetch(core);
  if (!response.ok) {
    throw new SyncError("internal", `core.wasm cannot be loaded from ${core} (${response.status})`, {
      hint: "Serve it beside the worker, or pass its address as assets.core.",
    });
  }
  // A server that does not know the type of .wasm files must not be the reason for a failure.
  if (response.headers.get("content-type") !== "application/wasm") return WebAssembly.compile(await response.arrayBuffer());
  return WebAssembly.compileStreaming(response);
}
