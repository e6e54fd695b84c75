// What a page knows that its worker does not: whether somebody sees it, and what kind of network there is.

/** The kinds of network. */
export type Network = "unmetered" | "metered" | "offline";

/** The state of one page. */
export interface Presence {
  visible: boolean;
  network: Network;
}

/** How often a network function of the application is asked while nothing else happens, in milliseconds. */
const ASK_EVERY = 30_000;

/** The part of the Network Information API that is of use here; not every browser has it. */
interface Connection extends EventTarget {
  saveData?: boolean;
  type?: string;
  metered?: boolean;
}

function connection(): Connection | undefined {
  return (navigator as { connection?: Connection }).connection;
}

/** The network as the application, or else the browser, describes it. */
export function networkNow(ask?: () => Network): Network {
  const said = asked(ask);
  if (said === "unmetered" || said === "metered" || said === "offline") return said;
  if (!navigator.onLine) return "offline";
  const c = connection();
  return c?.saveData || c?.metered || c?.type === "cellular" ? "metered" : "unmetered";
}

/** What the application says; nothing if its function fails. */
function asked(ask: (() => Network) | undefined): Network | undefined {
  try {
    return ask?.();
  } catch (e) {
    reportError(e);
    return undefined;
  }
}

/** Calls tell at once and after every change; returns what ends that. */
export function watchPresence(tell: (presence: Presence) => void, ask?: () => Network): () => void {
  const end = new AbortController();
  let last = "";
  const look = (): void => {
    const presence = { visible: document.visibilityState === "visible", network: networkNow(ask) };
    const now = JSON.stringify(presence);
    if (now === last) return;
    last = now;
    tell(presence);
  };
  const { signal } = end;
  document.addEventListener("visibilitychange", look, { signal });
  for (const name of ["online", "offline", "pageshow"]) window.addEventListener(name, look, { signal });
  connection()?.addEventListener?.("change", look, { signal });
  if (ask) {
    const timer = setInterval(look, ASK_EVERY);
    signal.addEventListener("abort", () => clearInterval(timer));
  }
  look();
  return () => end.abort();
}
