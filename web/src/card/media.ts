// The media files of the card on the screen: hands them to the frame as they come, also those that come later, and says which are still
// syncing or missing.

import { signal } from "@preact/signals";
import { mediaFile, mediaState } from "../api.ts";
import { ferry, toError } from "../ferry.ts";
import type { ToFrame } from "./messages.ts";

/** How soon a file that could not be fetched is asked for again while its card is on the screen, in milliseconds. */
const AGAIN = 10_000;

/** What the files of one card do. */
export class CardMedia {
  /** The names of those on their way. */
  readonly coming = signal<readonly string[]>([]);
  /** The names of those that nobody has. */
  readonly missing = signal<readonly string[]>([]);
  readonly #send: (m: ToFrame) => void;
  readonly #failed = new Set<string>();
  #stop: (() => void) | undefined;
  #ended = false;

  constructor(send: (m: ToFrame) => void) {
    this.#send = send;
  }

  /** Finds files and sends them to the frame, which may be another one than that which has asked for them before. */
  async need(names: readonly string[]): Promise<void> {
    if (this.#ended) return;
    this.#stop ??= this.#watch();
    const lacking = (["coming", "missing"] as const).flatMap((state) => this[state].value.map((name) => [name, state] as const));
    for (const [name, state] of lacking) if (names.includes(name)) this.#put({ type: "file", name, state });
    await Promise.all(names.filter((n) => !lacking.some(([name]) => name === n)).map((name) => this.#fetch(name)));
  }

  /** Swaps in what a sync brings, and what can be fetched when the network is back. */
  #watch(): () => void {
    const unsubscribe = ferry().media.subscribe((changes) => {
      const lacking = [...this.coming.value, ...this.missing.value];
      for (const { name, state } of changes) if (state === "here" && lacking.includes(name)) void this.#fetch(name);
    });
    const again = (): void => this.#failed.forEach((name) => void this.#fetch(name));
    const timer = setInterval(again, AGAIN);
    addEventListener("online", again);
    return () => {
      unsubscribe();
      clearInterval(timer);
      removeEventListener("online", again);
    };
  }

  async #fetch(name: string): Promise<void> {
    this.#failed.delete(name);
    const state = await mediaState(name).catch(() => "missing" as const);
    if (state === "coming") this.#lacks(name, state);
    try {
      // A file that is still coming is fetched at once, before all others. One that seems to be missing may have come to the server just now.
      const blob = await mediaFile(name);
      this.#lacks(name, null);
      this.#put({ type: "file", name, state: "here", blob });
    } catch (e) {
      // Without a network it stays "still syncing", as does one that is here and cannot be had now, such as while another tab holds the profile.
      const gone = state === "missing" || ["not_found", "auth"].includes(toError(e).kind);
      if (!gone) this.#failed.add(name);
      this.#lacks(name, gone ? "missing" : "coming");
    }
  }

  #lacks(name: string, state: "coming" | "missing" | null): void {
    for (const which of ["coming", "missing"] as const) {
      const others = this[which].value.filter((n) => n !== name);
      this[which].value = which === state ? [...others, name] : others;
    }
    if (state) this.#put({ type: "file", name, state });
  }

  #put(m: ToFrame): void {
    if (!this.#ended) this.#send(m);
  }

  /** The card has gone. */
  end(): void {
    this.#ended = true;
    this.#stop?.();
  }
}
