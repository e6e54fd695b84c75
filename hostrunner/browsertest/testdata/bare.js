// Takes away what a webview may lack: requests, other than for the files of the package, service workers, SharedWorker.
const { fetch } = globalThis;
globalThis.fetch = (url, ...rest) =>
  new URL(url, location.href).pathname.startsWith("/dist/") ? fetch(url, ...rest) : Promise.reject(new TypeError("fetch was taken away"));
for (const name of ["XMLHttpRequest", "SharedWorker", "EventSource", "WebSocket"]) delete globalThis[name];
if (globalThis.Navigator) delete Navigator.prototype.serviceWorker;
