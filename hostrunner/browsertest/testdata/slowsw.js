// The service worker on a device that takes long to install it: until a page says so.
self.addEventListener("install", (event) => event.waitUntil(new Promise((go) => (new BroadcastChannel("install").onmessage = go))));
importScripts("/serviceWorker.js");
