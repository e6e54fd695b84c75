// The service worker and installing. A new version waits until the person agrees: nothing changes under their hands.

import { signal } from "@preact/signals";
import { mayLeave } from "./router.ts";

interface InstallPrompt extends Event {
  prompt(): Promise<{ outcome: "accepted" | "dismissed" }>;
}

/** Set while the browser offers to install the app. */
export const installPrompt = signal<InstallPrompt | null>(null);
/** A worker with a newer version that waits. */
export const waitingWorker = signal<ServiceWorker | null>(null);

addEventListener("beforeinstallprompt", (e) => {
  e.preventDefault();
  installPrompt.value = e as InstallPrompt;
});
addEventListener("appinstalled", () => (installPrompt.value = null));

/** Has the browser ask whether to install the app, which it does once for each offer. */
export function install(): void {
  void installPrompt.value?.prompt();
  installPrompt.value = null;
}

/** Registers the service worker and watches for newer ones. */
export async function startServiceWorker(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  try {
    const registration = await navigator.serviceWorker.register("sw.js");
    const watch = (worker: ServiceWorker | null): void => {
      worker?.addEventListener("statechange", () => found(registration));
    };
    found(registration);
    watch(registration.installing);
    watch(registration.waiting); // another tab may change to it
    registration.addEventListener("updatefound", () => watch(registration.installing));
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") registration.update().catch(() => undefined); // offline: next time
    });
  } catch (e) {
    console.warn("cardferry: no service worker, so the app does not open offline", e);
  }
}

function found(registration: ServiceWorkerRegistration): void {
  // Without a controller this is the first version, and nobody waits for it.
  waitingWorker.value = navigator.serviceWorker.controller ? registration.waiting : null;
}

/** Changes to the version that waits, by loading the page again. What is being written is asked about first. */
export function update(): void {
  if (!mayLeave()) return;
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  waitingWorker.value?.postMessage("skipWaiting");
}
