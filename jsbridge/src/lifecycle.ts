// The life of a page: one that is frozen, or kept for the back button, lets go of the profile.

import type { Client } from "./client.ts";

/**
 * Ends the worker while the page cannot run, and starts it again afterwards; returns what ends that.
 *
 * Why is the worker ended and not asked to close? A page has no time to wait for it: once the event is over, neither may
 * run. Being ended is safe, as it is for a killed tab, and lets go of lock and files at once.
 */
export function watchPage(client: Client): () => void {
  const end = new AbortController();
  const { signal } = end;
  const suspend = (): void => client.suspend();
  const resume = (): void => client.resume();
  document.addEventListener("freeze", suspend, { signal });
  document.addEventListener("resume", resume, { signal });
  window.addEventListener("pagehide", suspend, { signal });
  window.addEventListener("pageshow", resume, { signal });
  return () => end.abort();
}
