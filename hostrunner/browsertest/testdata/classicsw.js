// An app's service worker, as a classic script: what it imports answers for media files before its own listener hears of them.
importScripts("/serviceWorker.js");
self.addEventListener("install", (event) => event.waitUntil(self.skipWaiting()));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  if (new URL(event.request.url).pathname.startsWith("/media/")) event.respondWith(new Response("not ours", { status: 500 }));
  if (new URL(event.request.url).pathname === "/of-the-app") event.respondWith(new Response("classic"));
});
