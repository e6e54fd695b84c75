// An app's service worker, as a module.
import { handleMedia } from "/dist/sw.js";

self.addEventListener("install", (event) => event.waitUntil(self.skipWaiting()));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  if (handleMedia(event)) return;
  if (new URL(event.request.url).pathname === "/of-the-app") event.respondWith(new Response("module"));
});
