// One tab among those that have a profile open. Its worker either leads, or sends its page's calls to the worker that
// does, and waits to be the next leader. A call stays here until it is answered, so one that a leader has taken with it
// is sent to the next.

import { Channel, type Notice, type Shout, type TabCall, type ToLeader, type ToTab } from "./channel.ts";
import { SyncError, toFailure, toSyncError } from "./errors.ts";
import { Leader, type Surroundings } from "./leader.ts";
import { aliveLock, ownerLock, takeLock } from "./lock.ts";
import type { Presence } from "./presence.ts";
import type { CallName, OpenRequest } from "./protocol.ts";

/** How often a tab with an open call asks whether the leader is still there, in milliseconds. */
const ASK_EVERY = 500;
/**
 * How often it asks a leader that has never answered it: one that is frozen with its files in hand. What is counted is questions, and not the
 * time, which goes on while the device sleeps, and may be set.
 */
const ASKS_LEADER = 12;
/** How often it asks one that has: a worker inside one long SQLite statement says nothing either. */
const ASKS_ANSWER = 120;

interface Pending {
  call: TabCall;
  /** Whom it was sent to. */
  leader: string | undefined;
  /** Whether it has arrived there. */
  started: boolean;
  /** Nobody wants it any more: if its leader does not answer to that, the next one is not asked. */
  cancelled?: boolean;
  resolve(result: unknown): void;
  reject(error: SyncError): void;
}

/** For tests only: these cannot be repeated, and nothing records that they are done. */
const ONCE: ReadonlySet<CallName> = new Set<CallName>(["exec", "load"]);

/** What a tab's worker has of its page. */
export type TabPage = Omit<Surroundings, "tab" | "channel">;

/** One tab's worker. */
export class Tab {
  readonly #id = crypto.randomUUID();
  readonly #options: OpenRequest;
  readonly #page: TabPage;
  readonly #common: Channel<Shout, Shout>;
  readonly #own: Channel<ToLeader, ToTab>;
  readonly #pending = new Map<string, Pending>();
  readonly #end = new AbortController();
  #lead: Leader | undefined;
  /** The leader's name, if it is another tab. */
  #leader: string | undefined;
  #presence: Presence | undefined;
  #opening = false;
  #queued = false;
  /** How often it has asked in vain. */
  #asked = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  private constructor(options: OpenRequest, page: TabPage) {
    this.#options = options;
    this.#page = page;
    this.#common = Channel.common(options.profile, (message) => this.#hear(message));
    this.#own = Channel.toLeader(options.profile, this.#id, (message) => this.#receive(message));
  }

  /** Joins the tabs of a profile. It has to be opened by a call of `open`. */
  static async join(options: OpenRequest, page: TabPage): Promise<Tab> {
    const tab = new Tab(options, page);
    // Kept until the worker ends; the leader sees by it that this tab is there.
    const release = await takeLock(aliveLock(options.profile, tab.#id));
    tab.#end.signal.addEventListener("abort", release);
    return tab;
  }

  /** Makes a call of the page; `open` is answered once there is a leader. */
  call<N extends CallName>(id: number, name: N, params: unknown, again: boolean): Promise<unknown> {
    const key = this.#key(id);
    return new Promise((resolve, reject) => {
      const call = { key, name, params, again } as TabCall;
      this.#pending.set(key, { call, leader: undefined, started: false, resolve, reject });
      this.#watch();
      this.#send(this.#pending.get(key)!);
    });
  }

  /** Cancels a call of the page. */
  cancel(id: number): void {
    const p = this.#pending.get(this.#key(id));
    if (!p) return;
    if (this.#lead) return this.#lead.cancel(p.call.key);
    if (p.leader && p.leader === this.#leader) {
      p.cancelled = true;
      return this.#own.send({ type: "cancel", leader: p.leader, key: p.call.key });
    }
    this.#settle(p.call.key)?.reject(new SyncError("cancelled", "cancelled"));
  }

  /** The page says how it is; the leader is told, now and whenever it is another one. */
  presence(presence: Presence | undefined = this.#presence): void {
    if (!presence) return;
    this.#presence = presence;
    if (this.#lead) this.#lead.presence(this.#id, presence);
    else if (this.#leader) this.#own.send({ type: "presence", leader: this.#leader, presence });
  }

  /** Leaves. A leader closes the profile first; the other tabs go on. */
  async close(): Promise<void> {
    for (const key of [...this.#pending.keys()]) {
      this.#settle(key)?.reject(new SyncError("cancelled", "the profile was closed meanwhile"));
    }
    try {
      await this.#lead?.close();
    } finally {
      this.#end.abort();
      this.#common.close();
      this.#own.close();
    }
  }

  #key(id: number): string {
    return `${this.#options.tab}:${id}`;
  }

  #send(p: Pending): void {
    if (p.cancelled) return this.#settle(p.call.key)?.reject(new SyncError("cancelled", "cancelled"));
    if (p.call.name === "open" && (this.#lead || this.#leader)) return this.#settle(p.call.key)?.resolve(null);
    if (this.#lead) {
      const { key } = p.call;
      this.#mark(p, this.#id);
      this.#lead.run(p.call).then(
        (result) => this.#settle(key)?.resolve(result),
        (e: unknown) => this.#settle(key)?.reject(toSyncError(e)),
      );
    } else if (this.#leader) {
      if (!this.#mark(p, this.#leader)) return;
      this.#own.send({ type: "call", leader: this.#leader, call: p.call });
    } else {
      void this.#stand();
    }
  }

  /** Notes whom a call is sent to; one that must not be repeated is rejected instead. */
  #mark(p: Pending, leader: string): boolean {
    if (p.started && ONCE.has(p.call.name)) {
      this.#settle(p.call.key)?.reject(new SyncError("internal", "the tab that ran this has ended"));
      return false;
    }
    p.call.again ||= p.leader !== undefined;
    p.leader = leader;
    return true;
  }

  #sendAll(): void {
    for (const p of [...this.#pending.values()]) {
      if (p.leader !== (this.#lead ? this.#id : this.#leader)) this.#send(p);
    }
  }

  /** Waits for the lock of the profile, once, and asks for the tab that has it. */
  async #stand(): Promise<void> {
    this.#common.send({ type: "hello", tab: this.#id });
    if (this.#queued) return;
    this.#queued = true;
    try {
      const release = await takeLock(ownerLock(this.#options.profile), this.#end.signal);
      await this.#take(release);
    } catch (e) {
      if (!this.#end.signal.aborted) this.#failAll(toSyncError(e));
    } finally {
      this.#queued = false;
    }
  }

  async #take(release: () => void): Promise<void> {
    this.#opening = true;
    this.#leader = undefined;
    try {
      const around = { ...this.#page, tab: this.#id, channel: this.#common };
      const lead = await Leader.open(this.#options, around);
      if (this.#end.signal.aborted) return await lead.close().finally(release); // left meanwhile
      this.#end.signal.addEventListener("abort", release);
      this.#lead = lead;
      this.presence();
    } catch (e) {
      release();
      const error = toFailure(e);
      if (error.kind === "busy" && !this.#end.signal.aborted) this.#common.send({ type: "busy", error });
      throw e;
    } finally {
      this.#opening = false;
    }
    this.#sendAll();
  }

  #hear(message: Shout): void {
    switch (message.type) {
      case "hello":
        if (this.#lead && !this.#lead.closing) this.#lead.hello(message.tab);
        else if (this.#lead || this.#opening) this.#common.send({ type: "opening" });
        return;
      case "leader":
        return this.#common.send({ type: "hello", tab: this.#id });
      case "bye":
        if (this.#leader === message.leader) this.#leader = undefined;
        return;
      case "opening":
        this.#asked = 0;
        return;
      case "busy":
        if (!this.#lead && !this.#leader) this.#failAll(SyncError.from(message.error));
        return;
      case "notice":
        if (!this.#lead) this.#notice(message.notice);
    }
  }

  #receive(message: ToTab): void {
    this.#asked = 0;
    switch (message.type) {
      case "welcome":
        return this.#welcome(message.leader, message.notices);
      case "started": {
        const p = this.#pending.get(message.key);
        if (p) p.started = true;
        return;
      }
      case "result":
        return this.#settle(message.key)?.resolve(message.result);
      case "error":
        return this.#settle(message.key)?.reject(SyncError.from(message.error));
    }
  }

  #welcome(leader: string, notices: Notice[]): void {
    if (this.#lead || this.#opening || leader === this.#leader) return;
    this.#leader = leader;
    this.presence();
    for (const notice of notices) this.#notice(notice);
    void this.#stand();
    this.#sendAll();
  }

  #notice(notice: Notice): void {
    this.#page.post(notice);
  }

  /** Looks after the leader while anything is open: one that is frozen says nothing, and keeps its lock. */
  #watch(): void {
    if (this.#timer !== undefined) return;
    this.#asked = 0;
    this.#timer = setInterval(() => {
      if (this.#lead || this.#opening || this.#pending.size === 0) {
        clearInterval(this.#timer);
        this.#timer = undefined;
        return;
      }
      if (++this.#asked > (this.#leader ? ASKS_ANSWER : ASKS_LEADER)) {
        this.#failAll(
          new SyncError("busy", "another tab has the profile open and does not answer", {
            hint: "Close the other tab, or use it.",
          }),
        );
      } else {
        this.#common.send({ type: "hello", tab: this.#id });
      }
    }, ASK_EVERY);
  }

  #settle(key: string): Pending | undefined {
    const p = this.#pending.get(key);
    this.#pending.delete(key);
    return p;
  }

  #failAll(error: SyncError): void {
    for (const key of [...this.#pending.keys()]) this.#settle(key)?.reject(error);
  }
}
