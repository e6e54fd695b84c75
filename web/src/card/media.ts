// The media files of the card on the screen: hands them to the frame as they come, and says which are still syncing or
// missing.

import { signal } from "@preact/signals";
import { mediaFile, mediaState } from "../api.ts";
import { status } from "../ferry.ts";
import type { ToFrame } from "./messages.ts";

/** What the files of one card do. */
export class CardMedia {
  /** How many are on their way. */
  readonly coming = signal(0);
  /** The names of those that nobody has. */
  readonly missing = signal<string[]>([]);
  readonly #send: (m: ToFrame) => void;
  readonly #asked = new Set<string>();
  #ended = false;

  constructor(send: (m: ToFrame) => void) {
    this.#send = send;
  }

  /** Finds files and sends them to the frame. */
  async need(names: readonly string[]): Promise<void> {
    await Promise.all(names.filter((n) => !this.#asked.has(n)).map((name) => this.#fetch(name)));
  }

  async #fetch(name: string): Promise<void> {
    this.#asked.add(name);
    const state = await mediaState(name);
    if (state === "missing") return this.#lacks(name);
    const wait = state === "coming";
    if (wait) {
      this.coming.value++;
      this.#put({ type: "file", name, state: "coming" });
    }
    try {
      // A file that is still coming is fetched at once, before all others.
      this.#put({ type: "file", name, state: "here", blob: await mediaFile(name) });
    } catch {
      if (wait && status.value.activity === "offline") return; // it stays "still syncing": another look when we are online
      this.#lacks(name);
    } finally {
      if (wait) this.coming.value--;
    }
  }

  #lacks(name: string): void {
    this.missing.value = [...this.missing.value, name];
    this.#put({ type: "file", name, state: "missing" });
  }

  #put(m: ToFrame): void {
    if (!this.#ended) this.#send(m);
  }

  /** The card has gone. */
  end(): void {
    this.#ended = true;
  }
}
