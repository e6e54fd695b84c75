// Syncing by itself: tells the scheduler (core/autosync) what happens in all tabs, and does what it says. It runs in the
// leader, so there is one for each profile.

import { SyncError, toSyncError } from "./errors.ts";
import { Live, type Change } from "./live.ts";
import type { Network, Presence } from "./presence.ts";
import type { Status, StatusReport } from "./protocol.ts";
import type { Settings } from "./settings.ts";

/** What the scheduler can start. */
export type Action = "sync" | "mediaSync";

/** What the scheduler answers (core/service: AutoResult). */
export interface AutoAnswer {
  do: Action | "";
  live: boolean;
  activity: Status["activity"];
  /** The kind of the failure that is not over yet, "" if there is none. */
  error: string;
  wake_ms: number;
  settings: Settings;
  /** After an edit. */
  status?: StatusReport;
}

/** What the session does for it. */
export interface AutoHost {
  /** Calls the method `auto`, beside running calls. */
  ask(event: object): Promise<AutoAnswer>;
  /** Runs a sync to its end and returns its report. */
  run(action: Action, signal: AbortSignal): Promise<object>;
  /** Shows activity, error and status in all tabs. */
  show(answer: AutoAnswer): void;
  /** Whom to listen to; null without an account. */
  account(): { endpoint: string; key: string } | null;
  /** Whether anything waits to be sent. */
  pending(): boolean;
}

/** How long closing waits for a last sync, in milliseconds. */
const LAST_SYNC = 8000;

interface Run {
  what: Action;
  controller: AbortController;
  end: Promise<void>;
}

/** The scheduler's hands. */
export class Auto {
  readonly #host: AutoHost;
  readonly #live: Live;
  readonly #runs = new Set<Run>();
  /** Which tabs there are, and whether somebody sees them. */
  readonly #tabs = new Map<string, boolean>();
  #network: Network = "unmetered";
  #visible = true;
  #opened: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ended = false;

  /** transport makes the requests, if the embedding app makes them. */
  constructor(host: AutoHost, transport: typeof fetch | undefined) {
    this.#host = host;
    const listener = {
      listening: () => void this.#tell({ event: "listening" }),
      changed: (change: Change) => void this.#tell({ event: "changed", ...change }),
      deaf: () => void this.#tell({ event: "deaf" }),
    };
    this.#live = new Live(listener, transport ?? ((url, init) => fetch(url, init)));
  }

  /** A tab says how it is; undefined: it has gone. The first one opens the scheduler; the promise is kept when it is open. */
  presence(tab: string, presence: Presence | undefined): Promise<void> {
    if (presence) this.#tabs.set(tab, presence.visible);
    else this.#tabs.delete(tab);
    const network = presence?.network ?? this.#network;
    const visible = [...this.#tabs.values()].some(Boolean);
    const before = { network: this.#network, visible: this.#visible };
    this.#network = network;
    this.#visible = visible;
    if (!this.#opened) {
      const logged_in = this.#host.account() !== null;
      this.#opened = this.#tell({ event: "opened", network, hidden: !visible, logged_in, pending: this.#host.pending() });
      return this.#opened;
    }
    if (network !== before.network) void this.#tell({ event: "network", network });
    if (visible !== before.visible) void this.#tell({ event: visible ? "visible" : "hidden" });
    return this.#opened;
  }

  /** The collection, or a media file, was changed here. */
  edited(media = false): Promise<void> {
    return this.#tell({ event: "edited", media });
  }

  /** There is another account, or none any more. */
  account(): Promise<void> {
    this.#live.stop();
    return this.#tell({ event: "account", logged_in: this.#host.account() !== null });
  }

  /** Runs what the user has asked for. */
  async manual<T extends object>(what: Action, run: () => Promise<T>): Promise<T> {
    await this.#tell({ event: "began", what });
    try {
      const report = await run();
      await this.#tell({ event: "finished", what, manual: true, report });
      return report;
    } catch (e) {
      const { kind } = toSyncError(e);
      // What was joined ends as well: nobody wants it now. The scheduler is told of the person's wish first.
      const joined = kind === "cancelled" ? [...this.#runs].filter((run) => run.what === what) : [];
      await this.#tell({ event: "finished", what, manual: true, error: kind });
      for (const run of joined) run.controller.abort();
      throw e;
    }
  }

  /** Changes settings, if there are any to change, and returns all. Errors: `invalid_input`. */
  async settings(part: Partial<Settings> | null): Promise<Settings> {
    await this.#opened;
    const answer = await this.#host.ask(part ? { event: "settings", settings: part } : { event: "wake" });
    this.#act(answer);
    return answer.settings;
  }

  /** Looks again what is due, and shows what there is to show. */
  wake(): Promise<void> {
    return this.#tell({ event: "wake" });
  }

  /** Ends everything. The last tab sends what waits to be sent, if that does not take long; other tabs go on anyway. */
  async close(): Promise<void> {
    if (this.#tabs.size <= 1) await this.#tell({ event: "closing" });
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#live.stop();
    const runs = [...this.#runs];
    if (this.#tabs.size > 1) for (const run of runs) run.controller.abort();
    const late = setTimeout(() => runs.forEach((run) => run.controller.abort()), LAST_SYNC);
    await Promise.all(runs.map((run) => run.end));
    clearTimeout(late);
  }

  /** Tells the scheduler what has happened, and does what it says. */
  async #tell(event: object): Promise<void> {
    if (this.#ended) return;
    try {
      this.#act(await this.#host.ask(event));
    } catch (e) {
      // A guest that has crashed has told everybody; what comes here otherwise is a defect.
      console.info(`cardferry: the scheduler: ${toSyncError(e).message}`);
    }
  }

  #act(answer: AutoAnswer): void {
    if (this.#ended) return;
    clearTimeout(this.#timer);
    if (answer.wake_ms > 0) this.#timer = setTimeout(() => void this.wake(), answer.wake_ms);
    const account = answer.live ? this.#host.account() : null;
    if (account) this.#live.listen(account.endpoint, account.key);
    else this.#live.stop();
    this.#host.show(answer);
    if (answer.do) this.#start(answer.do);
  }

  #start(what: Action): void {
    const controller = new AbortController();
    const run: Run = { what, controller, end: this.#run(what, controller.signal) };
    this.#runs.add(run);
    void run.end.then(() => this.#runs.delete(run));
  }

  async #run(what: Action, signal: AbortSignal): Promise<void> {
    let end: object;
    try {
      end = { report: await this.#host.run(what, signal) };
    } catch (e) {
      const error: SyncError = toSyncError(e);
      end = { error: error.kind };
    }
    await this.#tell({ event: "finished", what, ...end });
  }
}
