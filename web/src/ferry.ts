// The one door to the package cardferry: opens it, keeps what views watch as signals, and says when cards have changed.

import { computed, signal } from "@preact/signals";
import { Cardferry, SyncError, type AccountInfo, type Status } from "cardferry";
import { recall, remember } from "./remembered.ts";
import { texts } from "./texts.ts";

/** What went wrong while the profile was opened. */
export const openError = signal<SyncError | null>(null);
/** The open profile; null until it is. */
export const opened = signal<Cardferry | null>(null);
export const status = signal<Status>({ required: "none", activity: "idle", lastSync: 0, pending: 0, media: { done: 0, total: 0 } });
export const account = signal<AccountInfo | null>(null);
/** One side is being replaced by the other: cards first, media after them, and a moment in between when nothing runs. */
export const replacing = signal(false);
/** Counts what may have changed cards: edits here, and syncs. Views read again when it moves. */
export const version = signal(0);
/** What is shown for a moment and read out. */
export interface Said {
  text: string;
  /** Takes back what the sentence tells. */
  undo?: (() => void) | undefined;
}

export const toast = signal<Said>({ text: "" });
export const online = signal(navigator.onLine);

addEventListener("online", () => (online.value = true));
addEventListener("offline", () => (online.value = false));

/** The open profile, for code that only runs when there is one. */
export function ferry(): Cardferry {
  if (!opened.value) throw new SyncError("closed", "the profile is not open");
  return opened.value;
}

function asset(name: string): URL {
  return new URL(name, document.baseURI);
}

/** The server that the page comes from: where the page is, its server is as well, also below a path of another site. */
export const HOME = asset("./").href;

/** Opens the profile. With setAside a damaged collection is kept among the backups, and the server's copy is fetched. */
export async function start(setAside = false): Promise<void> {
  openError.value = null;
  try {
    const profile = await Cardferry.open({
      endpoint: HOME,
      clientName: "cardferry-web/0.1",
      setAside,
      assets: { core: asset(__ASSETS__.core), sqlite: asset(__ASSETS__.sqlite), zstd: asset(__ASSETS__.zstd), worker: asset(__ASSETS__.worker) },
    });
    profile.subscribe((s) => {
      const before = status.value;
      status.value = s;
      account.value = profile.account;
      if (before.activity === "syncing" && before.lastSync !== s.lastSync) remember(SYNCED_WITH, who());
      // A sync has ended, or another tab has changed something.
      if ((before.activity === "syncing" && s.activity !== "syncing") || before.pending !== s.pending) changed();
    });
    opened.value = profile;
  } catch (e) {
    openError.value = toError(e);
  }
}

const SYNCED_WITH = "cardferry.synced-with";
const who = (): string => `${account.value?.user} ${account.value?.endpoint}`;

/** Whether the last sync was with the account that is signed in now, as far as is known. */
export function syncedWithThis(): boolean {
  return (recall(SYNCED_WITH) ?? who()) === who();
}

/** Says that cards may have changed. */
export function changed(): void {
  version.value++;
}

const tabs = new BroadcastChannel("cardferry-changed");
tabs.onmessage = edited;

/** Somebody has changed something: what could be taken back until now is not the last change any more. */
function edited(): void {
  if (toast.value.undo) say("");
  changed();
}

/** Says so in all tabs: the status does not tell when what waits to be sent is changed once more. */
export function changedHere(): void {
  edited();
  tabs.postMessage(null);
}

/** Turns anything thrown into a SyncError, as the package does. */
export function toError(e: unknown): SyncError {
  return e instanceof SyncError ? e : new SyncError("internal", e instanceof Error ? `${e.name}: ${e.message}` : String(e));
}

let hide: ReturnType<typeof setTimeout> | undefined;
let saidAt = 0;

const SHORT = 5000; // milliseconds
const LONG = 10_000; // with something to tap

/** Shows a sentence for a few seconds, with a button if what it tells can be taken back. */
export function say(text: string, undo?: () => void): void {
  clearTimeout(hide);
  toast.value = { text, undo };
  saidAt = performance.now();
  hide = setTimeout(() => (toast.value = { text: "" }), undo ? LONG : SHORT);
}

// What was said at another place a while ago is not needed at the next one.
addEventListener("hashchange", () => {
  if (performance.now() - saidAt > 1000) toast.value = { text: "" };
});

/** Says what went wrong. */
export function complain(e: unknown): void {
  const error = toError(e);
  if (error.kind !== "cancelled") say(texts.error(error.kind).what);
}

/** The six states of the sync button. */
export type SyncState = "none" | "normal" | "full" | "syncing" | "offline" | "attention" | "signedOut";

export const syncState = computed<SyncState>(() => {
  const s = status.value;
  if (s.activity === "syncing" || replacing.value) return "syncing";
  if (!account.value) return "signedOut";
  if (s.required === "full") return "full";
  if (s.activity === "attention") return "attention";
  if (s.activity === "offline" || !online.value) return "offline";
  return s.required;
});
