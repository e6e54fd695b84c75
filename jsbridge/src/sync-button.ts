// The element <cardferry-sync-button> (cardferry/sync-button): what the sync does now, as icon, word and colour, and a click
// that syncs. Importing this file defines the element.

import type { Cardferry, Kind, Status, SyncError, SyncReport } from "./index.ts";

/** The looks of the button. */
export type SyncButtonState = "synced" | "pending" | "choice" | "syncing" | "offline" | "attention";

/** The texts of the button; `{n}` is the number of rows that wait. */
export interface SyncButtonWords {
  synced: string;
  /** There is something to sync. */
  pending: string;
  /** The same where the number is 0, as the server has something. */
  pending_here: string;
  /** One side must replace the other, and the user must say which. */
  choice: string;
  syncing: string;
  /** `{n}` is a percentage here. */
  progress: string;
  offline: string;
  offline_pending: string;
  attention: string;
}

/** The events of the button, by name. They bubble. */
export interface SyncButtonEvents {
  /** A click found that one side must replace the other; error has what each choice would lose, if a sync has said so. */
  "cardferry-choice": CustomEvent<{ error: SyncError | Status["error"] | null }>;
  /** A click found that the user must act, as after a refused key. */
  "cardferry-attention": CustomEvent<{ error: SyncError | Status["error"] | null }>;
  /** A sync that a click began has ended well. */
  "cardferry-synced": CustomEvent<{ report: SyncReport }>;
  /** A sync that a click began has failed in a way that passes, such as for want of a network. */
  "cardferry-error": CustomEvent<{ error: SyncError }>;
}

const WORDS: SyncButtonWords = {
  synced: "In sync",
  pending: "Sync ({n})",
  pending_here: "Sync",
  choice: "Choose a side",
  syncing: "Syncing",
  progress: "Syncing {n} %",
  offline: "Offline",
  offline_pending: "Offline, {n} waiting",
  attention: "Needs you",
};

/** Strokes of the icons, 24 by 24. */
const ICONS: Record<SyncButtonState, string> = {
  synced: "M4 12.5l5 5L20 6.5",
  pending: "M20 11a8 8 0 0 0-14.3-4L4 9m0-5v5h5M4 13a8 8 0 0 0 14.3 4l1.7-2m0 5v-5h-5",
  choice: "M12 21V11m0 0L5 4m7 7l7-7M5 9V4h5m4 0h5v5",
  syncing: "M12 3a9 9 0 1 1-9 9",
  offline: "M3 3l18 18M7 8.4A5 5 0 0 0 7.5 18H17m3-1.5A4 4 0 0 0 17.5 10 6 6 0 0 0 10.300 6.3",
  attention: "M12 4L2.500 20h19zM12 10v4m0 3v.01",
};

const STYLE = `:host{display:inline-block;--g:var(--cardferry-grey,#5f6873);--b:var(--cardferry-blue,#1a5fc4);--r:var(--cardferry-red,#b83227);--s:var(--cardferry-surface,#fff);--l:var(--cardferry-line,#e2dfd8);--f:var(--cardferry-focus,#0f5fa8)}
:host([hidden]){display:none}
@media(prefers-color-scheme:dark){:host{--g:var(--cardferry-grey,#9aa5b1);--b:var(--cardferry-blue,#77aeff);--r:var(--cardferry-red,#ff8a7d);--s:var(--cardferry-surface,#1a2129);--l:var(--cardferry-line,#2d3742);--f:var(--cardferry-focus,#6fb1f2)}}
button{font:inherit;font-variant-numeric:tabular-nums;display:inline-flex;align-items:center;gap:8px;min-height:44px;padding:4px 16px;border:1px solid var(--l);border-radius:999px;background:var(--s);color:var(--g);cursor:pointer}
button[data-state=pending],button[data-state=syncing]{color:var(--b)}
button[data-state=choice],button[data-state=attention]{color:var(--r)}
button[aria-disabled=true]{cursor:default}
button:focus-visible{outline:2px solid var(--f);outline-offset:2px}
svg{width:1.25em;height:1.25em;flex:none;fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
[data-state=syncing] svg{animation:t 1s linear infinite}
@keyframes t{to{transform:rotate(1turn)}}
@media(prefers-reduced-motion:reduce){[data-state=syncing] svg{animation:none}}
[role=status]{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}`;

// A server that renders pages has no elements; there the class is never made.
const Base = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement;

/**
 * The element. Set its property {@link ferry}; it may be placed before there is one. With the attribute `no-media` a click
 * syncs the collection alone. Colours are the CSS custom properties `--cardferry-grey`, `-blue`, `-red`, `-surface`, `-line` and
 * `-focus`; the button and its word can be styled as `::part(button)` and `::part(word)`.
 */
export class CardferrySyncButton extends Base {
  #ferry: Cardferry | null = null;
  #end: (() => void) | undefined;
  #words = WORDS;
  #clicked = false;
  #button: HTMLButtonElement | undefined;

  /** The profile whose status is shown and that a click syncs. */
  get ferry(): Cardferry | null {
    return this.#ferry;
  }

  set ferry(ferry: Cardferry | null) {
    this.#ferry = ferry;
    this.#watch();
  }

  /** The texts; setting some of them leaves the others. */
  get words(): Partial<SyncButtonWords> {
    return this.#words;
  }

  set words(words: Partial<SyncButtonWords>) {
    this.#words = { ...this.#words, ...words };
    this.#show();
  }

  /** What the button looks like. */
  get state(): SyncButtonState {
    return stateOf(this.#ferry?.status, this.#clicked);
  }

  /** Called by the browser. */
  connectedCallback(): void {
    if (!this.#button) {
      const root = this.attachShadow({ mode: "open", delegatesFocus: true });
      root.innerHTML = `<style>${STYLE}</style><button type="button" part="button"><svg viewBox="0 0 24 24" aria-hidden="true"><path/></svg><span part="word"></span></button><span role="status" aria-live="polite"></span>`;
      this.#button = root.querySelector("button")!;
      this.#button.onclick = () => void this.#click();
    }
    // A framework may have set them before the element was defined.
    for (const name of ["words", "ferry"] as const) {
      if (!Object.hasOwn(this, name)) continue;
      const { [name]: value } = this;
      delete (this as Partial<Pick<this, typeof name>>)[name];
      Object.assign(this, { [name]: value });
    }
    this.#watch();
  }

  /** Called by the browser. */
  disconnectedCallback(): void {
    this.#end?.();
    this.#end = undefined;
  }

  #watch(): void {
    this.#end?.();
    this.#end = undefined;
    if (this.isConnected && this.#ferry) this.#end = this.#ferry.subscribe(() => this.#show());
    else this.#show();
  }

  #show(): void {
    const button = this.#button;
    if (!button) return;
    const { state } = this;
    const word = wordOf(state, this.#ferry?.status, this.#words);
    button.querySelector("span")!.textContent = word;
    button.setAttribute("aria-disabled", String(!this.#ferry || state === "syncing"));
    if (button.dataset.state === state) return;
    const first = button.dataset.state === undefined;
    button.dataset.state = state;
    button.querySelector("path")!.setAttribute("d", ICONS[state]);
    // Said once for each change of state, without the numbers that move.
    if (!first) button.nextElementSibling!.textContent = state === "syncing" ? this.#words.syncing : word;
  }

  async #click(): Promise<void> {
    const ferry = this.#ferry;
    const { state } = this;
    if (!ferry || state === "syncing") return;
    const error = ferry.status.error ?? null;
    if (state === "choice" || state === "attention") return this.#tell(`cardferry-${state}`, { error });
    this.#clicked = true;
    this.#show();
    try {
      this.#tell("cardferry-synced", { report: await ferry.sync({ media: !this.hasAttribute("no-media") }) });
    } catch (e) {
      const { kind } = e as SyncError;
      this.#tell(kind === "one_way_needed" ? "cardferry-choice" : PASSING.has(kind) ? "cardferry-error" : "cardferry-attention", { error: e });
    } finally {
      this.#clicked = false;
      this.#show();
    }
  }

  #tell(name: string, detail: object): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

/** The kinds of what passes by itself. */
const PASSING = new Set<Kind>(["offline", "timeout", "network", "server_error", "conflict", "busy", "cancelled", "closed"]);

/** What a status looks like; syncing: a sync has been asked for that the status does not show yet. */
function stateOf(s: Status | undefined, syncing: boolean): SyncButtonState {
  if (syncing || s?.activity === "syncing") return "syncing";
  if (s?.required === "full") return "choice";
  if (s?.activity === "attention") return "attention";
  if (s?.activity === "offline") return "offline";
  return s?.required === "normal" ? "pending" : "synced";
}

function wordOf(state: SyncButtonState, s: Status | undefined, words: SyncButtonWords): string {
  const say = (text: string, n: number): string => text.replace("{n}", n.toLocaleString());
  if (state === "syncing") {
    const { done = 0, total = 0 } = s?.progress ?? {};
    return total > 0 ? say(words.progress, Math.floor((100 * Math.min(done, total)) / total)) : words.syncing;
  }
  const n = s?.pending ?? 0;
  if (state === "offline") return n ? say(words.offline_pending, n) : words.offline;
  if (state === "pending") return n ? say(words.pending, n) : words.pending_here;
  return words[state];
}

globalThis.customElements?.get("cardferry-sync-button") ?? globalThis.customElements?.define("cardferry-sync-button", CardferrySyncButton);

declare global {
  interface GlobalEventHandlersEventMap extends SyncButtonEvents {} // they bubble, so any element above, document and window may listen
  interface HTMLElementTagNameMap {
    "cardferry-sync-button": CardferrySyncButton;
  }
}
