// Places have addresses: what follows # in the URL, as in #/browse?q=tag:verb. So the whole app is one file for the
// server, the cache and the service worker, wherever it is served, and Back does what people expect.

import { signal } from "@preact/signals";

/** Where the app is. */
export interface Route {
  /** The first part of the path; "" is the list of decks. */
  place: string;
  /** The rest of it. */
  rest: readonly string[];
  params: URLSearchParams;
}

/** The address of a place. */
export function href(place: string, rest: readonly (string | number)[] = [], params: Record<string, string> = {}): string {
  const path = [place, ...rest].map((part) => encodeURIComponent(part)).join("/");
  const query = new URLSearchParams(params).toString();
  return `#/${path}${query ? `?${query}` : ""}`;
}

function read(): Route {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
  const [place = "", ...rest] = path.split("/").map(decode);
  return { place, rest, params: new URLSearchParams(query) };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // typed by hand
  }
}

/** The current route. */
export const route = signal<Route>(read());

/** What must be asked before the place is left; null lets it be. */
let guard: (() => boolean) | null = null;
let here = location.hash;

addEventListener("hashchange", () => {
  if (location.hash === here) return;
  if (!mayLeave()) {
    // Back to it, whether it was left for a new entry or for one before or behind it: written over that one, it would be there twice.
    history.go(history.state === null || history.state > entry ? -1 : 1);
    return;
  }
  here = location.hash;
  const path = (): string => [route.value.place, ...route.value.rest].join("/");
  const before = path();
  route.value = read();
  arrive();
  if (path() !== before) document.getElementById("main")?.focus({ preventScroll: true }); // else it is a search that somebody types
});

// Whoever goes back finds a place as far down as it was left. The browser cannot do that itself: what is there is read first.
history.scrollRestoration = "manual";
let entries = Math.round(performance.timeOrigin); // numbers of entries in the history, which outlives the page
let entry = ++entries;
const left = new Map<unknown, number>(); // how far down, by entry
if (history.state === null) history.replaceState(entry, "");
else entry = history.state as number; // the page was loaded again
addEventListener("scroll", () => left.set(entry, scrollY), { passive: true });

/** For how long a place may grow until it is as long as it was, in milliseconds. */
const GROWING = 1000;
let growing = 0;
for (const type of ["wheel", "touchstart", "keydown", "mousedown"]) addEventListener(type, () => (growing = 0), { passive: true });

/** Scrolls to where a place was left, or to its beginning. */
function arrive(): void {
  const y = left.get(history.state) ?? 0;
  if (history.state === null) history.replaceState(++entries, "");
  const mine = (entry = history.state as number);
  left.set(mine, y);
  scrollTo(0, y);
  growing = y > 0 ? performance.now() + GROWING : 0;
  const follow = (): void => {
    if (entry !== mine || performance.now() > growing) return;
    if (scrollY !== y) scrollTo(0, y);
    requestAnimationFrame(follow);
  };
  follow();
}

/** Goes to an address; replace leaves no way back to the present one. */
export function go(to: string, options: { replace?: boolean } = {}): void {
  if (!options.replace) return void (location.hash = to);
  location.replace(to);
  left.delete(entry);
  history.replaceState(entry, ""); // it is the same entry still
}

/** Goes back, or to the list of decks if the app was opened here. */
export function back(): void {
  if (history.length > 1) history.back();
  else go("#/", { replace: true });
}

/** Asks f before this place is left. */
export function guardLeaving(f: (() => boolean) | null): void {
  guard = f;
}

/** Whether this place may be left now; asks, if there is something to lose. */
export function mayLeave(): boolean {
  if (guard && !guard()) return false;
  guard = null;
  return true;
}

addEventListener("beforeunload", (e) => {
  if (guard) e.preventDefault();
});
