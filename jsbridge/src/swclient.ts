// The page's side of the service worker: finding one that serves media files, and fetching what it asks for.

import { toFailure, type Failure } from "./errors.ts";

/** How long a page waits until a new service worker controls it, in milliseconds. On a slow phone one may come later. */
const CONTROL_PATIENCE = 5000;
/** What the address of a service worker has that is not the app's own (serviceWorker.ts). */
const ALONE = ["cardferry", "alone"] as const;

/** The service worker asks for a file; the answer goes to the port that comes with it. */
export interface MediaWanted {
  type: "cardferry:media";
  profile: string;
  name: string;
}

/** The page's answer. */
export type MediaFound = { content: Blob } | { error: Failure };

/** The path of a profile's files below the scope of the service worker. */
export function mediaPath(profile: string): string {
  return `media/${encodeURIComponent(profile)}/`;
}

/**
 * Finds the service worker that serves media files to this page, and returns its scope; null if there is none. One that
 * the page has already is asked if it does (see sw.ts); where there is none, that at url is registered, as it is in the place of
 * our own of another version, whose file has another address and may be gone. It takes as long as that takes: see {@link meanwhile}.
 */
export async function findServiceWorker(url: URL | undefined): Promise<string | null> {
  const container = globalThis.navigator?.serviceWorker as ServiceWorkerContainer | undefined;
  if (!container) return null;
  try {
    const existing = await container.getRegistration();
    const script = url && alone(url);
    const renew = !existing || isAlone(existing.active) && existing.active.scriptURL !== script?.href;
    // Offline, the one that there is goes on.
    const renewed = renew && script ? await register(container, script).catch(() => undefined) : undefined;
    const registration = renewed ?? existing;
    if (!registration) return null;
    await controlled(container, registration, renewed && script);
    const answer = await fetch(`${registration.scope}${mediaPath("")}`);
    return answer.headers.has("cardferry-media") ? registration.scope : null;
  } catch {
    return null; // no service worker is no failure: there are blob URLs
  }
}

/** The address of the service worker that tells it that it is not the app's own. */
function alone(url: URL): URL {
  const script = new URL(url);
  script.searchParams.set(...ALONE);
  return script;
}

function isAlone(worker: ServiceWorker | null): worker is ServiceWorker {
  return worker !== null && new URL(worker.scriptURL).searchParams.get(ALONE[0]) === ALONE[1];
}

/** Registers the service worker for the page's folder, if it may serve that, or for its own if the page is in it. */
async function register(container: ServiceWorkerContainer, script: URL): Promise<ServiceWorkerRegistration> {
  const scope = new URL("./", location.href).href;
  try {
    return await container.register(script, { scope });
  } catch (e) {
    if (!scope.startsWith(new URL("./", script).href)) throw e;
    return container.register(script);
  }
}

/** Ends, with null, when a page that no service worker controls has waited long enough for one, and goes on without until it comes. */
export function meanwhile(): Promise<null> {
  return new Promise((resolve) => {
    if (!globalThis.navigator?.serviceWorker?.controller) setTimeout(resolve, CONTROL_PATIENCE, null);
  });
}

/** Ends when a service worker controls this page: that at an address, if there is one, or else, in a moment, the one before it. */
async function controlled(container: ServiceWorkerContainer, { active }: ServiceWorkerRegistration, by: URL | undefined): Promise<void> {
  const { controller } = container;
  if (controller && (!by || controller.scriptURL === by.href)) return;
  // Loaded with Shift held down, a page has none until it is claimed. One that is to be replaced is left alone: it has to have nothing to do.
  if (!by && isAlone(active)) active.postMessage(null);
  return new Promise((resolve) => {
    if (controller) setTimeout(resolve, CONTROL_PATIENCE);
    container.addEventListener("controllerchange", () => resolve(), { once: true });
  });
}

/** Answers the service worker's questions for files of a profile; returns what ends that. */
export function answerServiceWorker(profile: string, get: (name: string) => Promise<Blob>): () => void {
  const container = globalThis.navigator?.serviceWorker as ServiceWorkerContainer | undefined;
  if (!container) return () => {};
  const answer = async ({ data, ports: [port] }: MessageEvent<Partial<MediaWanted> | null>): Promise<void> => {
    if (data?.type !== "cardferry:media" || data.profile !== profile || data.name === undefined || !port) return;
    let found: MediaFound;
    try {
      found = { content: await get(data.name) };
    } catch (e) {
      found = { error: toFailure(e) };
    }
    port.postMessage(found);
  };
  container.addEventListener("message", answer);
  container.startMessages();
  return () => container.removeEventListener("message", answer);
}
