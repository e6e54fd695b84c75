// Syncs that a person starts, and what became of them.

import { signal } from "@preact/signals";
import type { SyncReport, TransferReport } from "cardferry";
import { changed, complain, ferry, replacing, say, toError } from "./ferry.ts";
import { go, href } from "./router.ts";
import { texts } from "./texts.ts";

/** One sync of this visit. */
export interface Past {
  at: number;
  text: string;
  ok: boolean;
}

const KEEP = 10;

/** The last syncs, newest first. */
export const history = signal<Past[]>(load());
let running: AbortController | null = null;

const KEY = "cardferry.syncs";

function load(): Past[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem("cardferry.syncs") ?? "[]");
    return Array.isArray(stored) ? (stored as Past[]).slice(0, KEEP) : [];
  } catch {
    return [];
  }
}

function note(text: string, ok: boolean): void {
  history.value = [{ at: Date.now(), text, ok }, ...history.value].slice(0, KEEP);
  localStorage.setItem(KEY, JSON.stringify(history.value));
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

/** Replaces one side by the other. Nothing says "in sync" before the media, too, are there. */
export async function oneWay(direction: "upload" | "download"): Promise<boolean> {
  if (running) return false;
  replacing.value = true;
  const done = await run(async (signal) => {
    const report: TransferReport = direction === "upload" ? await ferry().upload({ signal, backup: "here" }) : await ferry().download({ signal });
    const size = texts.bytes(report.bytes);
    return direction === "upload" ? texts.sync.uploaded(size) : texts.sync.downloaded(size);
  });
  void (done ? mediaAfter() : Promise.resolve()).finally(() => (replacing.value = false));
  return done;
}

/** Pictures and sounds follow the cards, unless the settings say otherwise; the app is usable meanwhile. */
async function mediaAfter(): Promise<void> {
  try {
    if ((await ferry().settings.get()).syncMedia) await ferry().media.sync();
  } catch (e) {
    complain(e);
  }
}

async function run(work: (signal: AbortSignal) => Promise<string>): Promise<boolean> {
  if (running) return false;
  running = new AbortController();
  try {
    note(await work(running.signal), true);
    changed();
    return true;
  } catch (e) {
    const error = toError(e);
    if (error.kind === "one_way_needed") {
      go(href("choose"));
    } else if (error.kind !== "cancelled") {
      note(texts.error(error.kind).what, false);
      say(texts.error(error.kind).what);
    }
    return false;
  } finally {
    running = null;
  }
}

/** Ends the sync that was started here. */
export function stop(): void {
  running?.abort();
}
