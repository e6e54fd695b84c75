// Syncs that a person starts, and what became of them.

import { computed, signal } from "@preact/signals";
import type { SyncReport, TransferReport } from "cardferry";
import { changed, ferry, replacing, say, status, syncState, toError } from "./ferry.ts";
import { recall, remember } from "./remembered.ts";
import { go, href, route } from "./router.ts";
import { texts } from "./texts.ts";

/** One sync of this visit. */
export interface Past {
  at: number;
  text: string;
  ok: boolean;
}

const KEEP = 10;
const KEY = "cardferry.syncs";

/** The last syncs, newest first. */
export const history = signal<Past[]>(load());
const running = signal<AbortController | null>(null);
/** Whether stop would end something: not what the worker does by itself, or another tab. */
export const stoppable = computed(() => running.value !== null);

function load(): Past[] {
  try {
    const stored: unknown = JSON.parse(recall(KEY) ?? "[]");
    return Array.isArray(stored) ? (stored as Past[]).slice(0, KEEP) : [];
  } catch {
    return [];
  }
}

function note(text: string, ok: boolean): void {
  history.value = [{ at: Date.now(), text, ok }, ...history.value].slice(0, KEEP);
  remember(KEY, JSON.stringify(history.value));
}

function sum(counts: object): number {
  return Object.values(counts).reduce((a: number, b: number) => a + b, 0);
}

/** Syncs. Where one side must replace the other, goes to the choice. */
export async function act(): Promise<void> {
  await run(async (signal) => {
    const report: SyncReport = await ferry().sync({ signal });
    if (report.message) say(report.message);
    return texts.sync.done(sum(report.sent), sum(report.received));
  });
}

/** Replaces one side by the other; the media follow, unless the settings say otherwise. Nothing says "in sync" before the media, too, are there. */
export async function oneWay(direction: "upload" | "download"): Promise<boolean> {
  if (running.value) return false;
  replacing.value = true;
  let media = false;
  const done = await run(async (signal) => {
    media = (await ferry().settings.get()).syncMedia;
    const report: TransferReport = direction === "upload" ? await ferry().upload({ signal, backup: "here" }) : await ferry().download({ signal });
    const size = texts.bytes(report.bytes);
    return direction === "upload" ? texts.sync.uploaded(size) : texts.sync.downloaded(size);
  });
  void (done && media ? mediaAfter() : Promise.resolve()).finally(() => (replacing.value = false));
  return done;
}

/** Pictures and sounds follow the cards; the app is usable meanwhile. */
async function mediaAfter(): Promise<void> {
  await begun((signal) => ferry().media.sync({ signal })).catch((e: unknown) => tell(toError(e)));
}

/** Does what stop can end meanwhile. */
async function begun<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const own = new AbortController();
  running.value = own;
  try {
    return await work(own.signal);
  } finally {
    if (running.value === own) running.value = null;
  }
}

async function run(work: (signal: AbortSignal) => Promise<string>): Promise<boolean> {
  if (running.value) return false;
  try {
    note(await begun(work), true);
    changed();
    return true;
  } catch (e) {
    const error = toError(e);
    if (error.kind === "one_way_needed") {
      go(href("choose"));
    } else {
      if (error.kind !== "cancelled") note(texts.error(error.kind).what, false);
      tell(error);
    }
    return false;
  }
}

/** Says what went wrong, where the place on the screen does not do so itself. */
function tell(error: ReturnType<typeof toError>): void {
  if (error.kind === "cancelled") return;
  const { place } = route.value;
  const seen = status.value.error?.kind === error.kind && (place === "sync" || (place === "" && syncState.value === "attention"));
  if (!seen) say(texts.error(error.kind).what);
}

/** Ends the sync that was started here. */
export function stop(): void {
  running.value?.abort();
}
