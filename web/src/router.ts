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
    history.replaceState(history.state, "", here || "#/");
    return;
  }
  here = location.hash;
  route.value = read();
  scrollTo(0, 0);
  document.getElementById("main")?.focus({ preventScroll: true });
});

/** Goes to an address; replace leaves no way back to the present one. */
export function go(to: string, options: { replace?: boolean } = {}): void {
  if (options.replace) location.replace(to);
  else location.hash = to;
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
