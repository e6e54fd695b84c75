// The leader of a profile's tabs: it has the database and the guest, and runs the calls of all tabs.

import { Channel, type Notice, type Shout, type TabCall, type ToLeader, type ToTab } from "./channel.ts";
import { SyncError, toFailure } from "./errors.ts";
import { aliveLock, watchLock } from "./lock.ts";
import type { Modules } from "./modules.ts";
import type { Presence } from "./presence.ts";
import type { OpenRequest, ToPage } from "./protocol.ts";
import { Session } from "./session.ts";

/** One run of a call. */
interface Run {
  controller: AbortController;
  answer: Promise<unknown>;
}

/** What a leader needs of its worker. */
export interface Surroundings {
  /** This worker's name among the tabs. */
  tab: string;
  /** The common channel. */
  channel: Channel<Shout, Shout>;
  /** Tells this worker's own page. */
  post(message: ToPage): void;
  /** Makes the page do requests. */
  transport: typeof fetch;
  /** The compiled files. */
  modules: Modules;
}

/** An open profile that serves all tabs. */
export class Leader {
  readonly #options: OpenRequest;
  readonly #around: Surroundings;
  readonly #followers = new Map<string, Channel<ToTab, ToLeader>>();
  readonly #runs = new Map<string, Run>();
  readonly #notices = new Map<Notice["type"], Notice>();
  readonly #end = new AbortController();
  #crashed = false;
  #session!: Session; // set by open

  private constructor(options: OpenRequest, around: Surroundings) {
    this.#options = options;
    this.#around = around;
  }

  /** Opens the profile. The caller has its lock. Errors: those of {@link Session.open}. */
  static async open(options: OpenRequest, around: Surroundings): Promise<Leader> {
    const leader = new Leader(options, around);
    leader.#session = await Session.open(options, {
      post: (message) => leader.#post(message),
      transport: options.transport ? around.transport : undefined,
      modules: around.modules,
      tabs: () => leader.#followers.size + 1,
    });
    around.channel.send({ type: "leader" });
    return leader;
  }

  /** Runs a call of any tab. One that is running already is not run twice: a tab that has lost its worker asks again. */
  run(call: TabCall): Promise<unknown> {
    const running = this.#runs.get(call.key);
    if (running && !running.controller.signal.aborted) return running.answer;
    const controller = new AbortController();
    const before = running?.answer.catch(() => {}) ?? Promise.resolve();
    const answer = before.then(() => this.#session.run(call, controller.signal));
    const run = { controller, answer };
    this.#runs.set(call.key, run);
    const done = (): void => {
      if (this.#runs.get(call.key) === run) this.#runs.delete(call.key);
    };
    answer.then(done, done);
    return answer;
  }

  /** Cancels a call. */
  cancel(key: string): void {
    this.#runs.get(key)?.controller.abort();
  }

  /** A tab's page says how it is. */
  presence(tab: string, presence: Presence): void {
    this.#session.presence(tab, presence);
  }

  /** Whether it has begun to close: nothing is to be asked of it any more. */
  get closing(): boolean {
    return this.#end.signal.aborted;
  }

  /** A tab is there. */
  hello(tab: string): void {
    let channel = this.#followers.get(tab);
    if (!channel) {
      channel = Channel.toTab(this.#options.profile, tab, (message) => this.#receive(tab, message));
      this.#followers.set(tab, channel);
      watchLock(aliveLock(this.#options.profile, tab), () => this.#gone(tab), this.#end.signal);
    }
    channel.send({ type: "welcome", leader: this.#around.tab, notices: [...this.#notices.values()] });
  }

  /** Ends all calls and closes the profile. Other tabs hear nothing of their calls, and send them to the next leader. */
  async close(): Promise<void> {
    this.#around.channel.send({ type: "bye", leader: this.#around.tab });
    this.#end.abort();
    for (const channel of this.#followers.values()) channel.close();
    this.#followers.clear();
    for (const { controller } of this.#runs.values()) controller.abort();
    await this.#session.close();
  }

  #receive(tab: string, message: ToLeader): void {
    if (message.leader !== this.#around.tab) return; // meant for an earlier leader
    if (this.#crashed) return; // the next leader gets what comes now: the page is about to end this worker
    if (message.type === "cancel") this.cancel(message.key);
    else if (message.type === "presence") this.presence(tab, message.presence);
    else void this.#serve(tab, message.call);
  }

  async #serve(tab: string, call: TabCall): Promise<void> {
    this.#followers.get(tab)?.send({ type: "started", key: call.key });
    let answer: ToTab;
    try {
      answer = { type: "result", key: call.key, result: await this.run(call) };
    } catch (e) {
      answer = { type: "error", key: call.key, error: toFailure(e) };
    }
    try {
      this.#followers.get(tab)?.send(answer);
    } catch (e) {
      const error = toFailure(new SyncError("internal", `the result cannot be sent to another tab: ${String(e)}`));
      this.#followers.get(tab)?.send({ type: "error", key: call.key, error });
    }
  }

  /** What the tab has begun goes on: a sync that a closing tab has started should end well. */
  #gone(tab: string): void {
    this.#followers.get(tab)?.close();
    this.#followers.delete(tab);
    this.#session.presence(tab, undefined);
  }

  #post(message: Notice | Extract<ToPage, { type: "crash" }>): void {
    this.#around.post(message);
    if (message.type === "crash") {
      this.#crashed = true;
      return;
    }
    if (message.type === "status") this.#notices.set(message.type, message); // the others tell of a moment
    this.#around.channel.send({ type: "notice", notice: message });
  }
}
