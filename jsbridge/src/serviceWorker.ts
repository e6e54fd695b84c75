// The service worker as a file: registered alone, or imported by that of an app, which goes on with what is not ours.

import { handleMedia, type FetchEventLike } from "./sw.ts";

const scope = globalThis as unknown as {
  location: Location;
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
  addEventListener(type: string, listener: (event: FetchEventLike & ExtendableEventLike) => void): void;
};

interface ExtendableEventLike extends Event {
  waitUntil(done: Promise<unknown>): void;
}

scope.addEventListener("fetch", (event) => {
  if (handleMedia(event)) event.stopImmediatePropagation();
});

// Registered by the page itself (swclient.ts) it serves that page at once. An app decides about its own.
if (new URLSearchParams(scope.location.search).get("cardferry") === "alone") {
  scope.addEventListener("install", (event) => event.waitUntil(scope.skipWaiting()));
  scope.addEventListener("activate", (event) => event.waitUntil(scope.clients.claim()));
  scope.addEventListener("message", (event) => event.waitUntil(scope.clients.claim())); // a page asks (swclient.ts)
}
