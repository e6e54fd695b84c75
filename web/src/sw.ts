// The service worker: keeps the app's files, so that it opens without a network, and lets the package serve media files.
// Everything else passes untouched: the sync protocol above all.

import { handleMedia } from "cardferry/sw";

const worker = self as unknown as ServiceWorkerGlobalScope;

const CACHE = `cardferry-app-${__VERSION__}`;
const PREFIX = "cardferry-app-";
/** Files whose name says what is in them: of this version or of one before. */
const HASHED = /-[A-Za-z0-9]{8,10}\.(js|css|wasm)$/;

worker.addEventListener("install", (e) => {
  e.waitUntil(
    caches.open(CACHE).then((cache) => cache.addAll(__FILES__.map((name) => new Request(address(name), { cache: "no-cache" })))),
  );
});

worker.addEventListener("activate", (e) => {
  e.waitUntil(
    (async () => {
      // The version before stays: other tabs may still run it, and load parts of it later.
      const older = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
      for (const name of older.slice(0, -1)) await caches.delete(name);
      await worker.clients.claim();
    })(),
  );
});

worker.addEventListener("message", (e) => {
  if (e.data === "skipWaiting") void worker.skipWaiting();
});

worker.addEventListener("fetch", (e) => {
  if (handleMedia(e)) return;
  const { request } = e;
  if (request.method !== "GET") return;
  const url = new URL(request.url);
  const name = ours(url);
  if (name !== undefined) e.respondWith(serve(name, request));
  else if (HASHED.test(url.pathname)) e.respondWith(caches.match(request).then((kept) => kept ?? fetch(request)));
});

function address(name: string): string {
  return new URL(name || "./", worker.registration.scope).href;
}

/** The name of one of our files, "" for the page. */
function ours(url: URL): string | undefined {
  const { href } = new URL(worker.registration.scope);
  const plain = url.origin + url.pathname;
  if (!plain.startsWith(href)) return undefined;
  const name = plain.slice(href.length);
  return __FILES__.includes(name) ? name : undefined;
}

async function serve(name: string, request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  return (await cache.match(address(name))) ?? fetch(request);
}
