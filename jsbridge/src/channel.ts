// What the workers of several tabs with one profile say to each other. On the common channel everybody hears everything;
// each tab also has a channel of its own with the leader, so that calls and results are not copied into every tab. No
// key of an account is ever sent.

import type { Failure } from "./errors.ts";
import type { ModuleMessage } from "./modules.ts";
import type { Presence } from "./presence.ts";
import type { CallName, Calls, ToPage } from "./protocol.ts";
import type { TransportRequest } from "./transport.ts";

/** What a worker tells its page without being asked. */
export type Notice = Exclude<ToPage, { type: "result" | "error" | "crash" } | TransportRequest | ModuleMessage>;

/** On the common channel. */
export type Shout =
  /** A worker has become leader: every tab answers with `hello`. */
  | { type: "leader" }
  /** The leader closes the profile: calls wait for the next one. */
  | { type: "bye"; leader: string }
  /** A tab asks for the leader, who answers `welcome` on the tab's channel. */
  | { type: "hello"; tab: string }
  /** The worker with the lock is opening the profile, or closing it: it is to be waited for. */
  | { type: "opening" }
  /** The worker with the lock cannot have the files: one that has lost the lock still holds them. */
  | { type: "busy"; error: Failure }
  /** For all pages. */
  | { type: "notice"; notice: Notice };

/** A call on its way to the leader. Its key is the same however often it is sent. */
export type TabCall = {
  [N in CallName]: { key: string; name: N; params: Calls[N][0]; again: boolean };
}[CallName];

/** A tab to the leader. */
export type ToLeader =
  | { type: "call"; leader: string; call: TabCall }
  | { type: "cancel"; leader: string; key: string }
  /** How the tab's page is. A new leader is told as well. */
  | { type: "presence"; leader: string; presence: Presence };

/** The leader to a tab. */
export type ToTab =
  /** Who the leader is, and what a new page must know. Sent again for each `hello`, as a sign of life. */
  | { type: "welcome"; leader: string; notices: Notice[] }
  /** A call has arrived. */
  | { type: "started"; key: string }
  | { type: "result"; key: string; result: unknown }
  | { type: "error"; key: string; error: Failure };

const common = (profile: string): string => `cardferry:${profile}`;
const own = (profile: string, tab: string): string => `cardferry:${profile}:${tab}`;

/** One end of a channel: sends S, receives R. */
export class Channel<S, R> {
  readonly #channel: BroadcastChannel;

  private constructor(name: string, receive: (message: R) => void) {
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = ({ data }: MessageEvent<R>) => receive(data);
  }

  /** The common channel of a profile. */
  static common(profile: string, receive: (message: Shout) => void): Channel<Shout, Shout> {
    return new Channel(common(profile), receive);
  }

  /** A tab's own channel, the tab's end. */
  static toLeader(profile: string, tab: string, receive: (message: ToTab) => void): Channel<ToLeader, ToTab> {
    return new Channel(own(profile, tab), receive);
  }

  /** A tab's own channel, the leader's end. */
  static toTab(profile: string, tab: string, receive: (message: ToLeader) => void): Channel<ToTab, ToLeader> {
    return new Channel(own(profile, tab), receive);
  }

  /** Sends a message. */
  send(message: S): void {
    this.#channel.postMessage(message);
  }

  /** Sends and receives nothing any more. */
  close(): void {
    this.#channel.onmessage = null;
    this.#channel.close();
  }
}
