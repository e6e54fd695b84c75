// The study day: it begins some hours after midnight. The core knows it exactly and decides what is due; this is for
// what the app shows around it (when a card is due, reviews per day).

import { changed, ferry, opened } from "./ferry.ts";

/** The study day now. */
export interface Day {
  /** Its number since the collection was made. */
  number: number;
  /** When it ends, in Unix milliseconds. */
  end: number;
}

const DAY = 86_400_000;

/** Reads when days begin and which one it is. */
export async function day(now = new Date()): Promise<Day> {
  const rows = await ferry().query("SELECT key, CAST(val AS TEXT) AS val FROM config WHERE key IN ('rollover', 'creationOffset')");
  const config = new Map(rows.map((r) => [String(r.key), Number(r.val)]));
  const [col] = await ferry().query("SELECT crt FROM col");
  const rollover = Math.min(config.get("rollover") ?? 4, 23);
  const start = new Date(now);
  start.setHours(rollover, 0, 0, 0);
  const passed = start <= now;
  const west = config.get("creationOffset") ?? now.getTimezoneOffset();
  const created = Math.floor((Number(col?.crt ?? 0) * 1000 - west * 60_000) / DAY);
  const local = Math.floor((now.getTime() - now.getTimezoneOffset() * 60_000) / DAY);
  const end = new Date(start);
  if (passed) end.setDate(end.getDate() + 1);
  return { number: Math.max(0, local - created - (passed ? 0 : 1)), end: end.getTime() };
}

let seen: number | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Has the views read again when a study day begins: other cards are due then, though nobody has changed anything. */
export function followDays(): void {
  const look = (): void => void lookAtDay().catch(() => undefined); // who can read no cards says so elsewhere
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && look()); // timers sleep with the device
  requestAnimationFrame(() => setTimeout(look)); // what is on the screen first
}

async function lookAtDay(): Promise<void> {
  if (!opened.value) return;
  const { today, next_day } = await ferry().deckTree();
  if (seen !== undefined && seen !== today) changed();
  seen = today;
  clearTimeout(timer);
  timer = setTimeout(() => void lookAtDay().catch(() => undefined), Math.max(1000, next_day - Date.now() + 1000));
}
