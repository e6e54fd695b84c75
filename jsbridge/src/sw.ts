// Media files for <img>, <audio> and <video>: what a service worker does about requests for
// <scope>media/<profile>/<name>. It reads OPFS directly, so files are served while no page has the profile open. Only a
// file that it does not find is asked for at the page, which fetches it if the server has it.
//
// An app with a service worker of its own calls handleMedia in its fetch listener, or imports serviceWorker.js, which
// does that, before it adds a listener.

import { openFolder } from "./handles.ts";
import { Mirror } from "./mediamirror.ts";
import { nameOf } from "./mediapacks.ts";
import { typeOf } from "./mediatype.ts";
import type { MediaFound, MediaWanted } from "./swclient.ts";

/** How long a request waits for a file that is still to come, in milliseconds. */
const PATIENCE = 30_000;

/** What is used of a fetch event. */
export interface FetchEventLike {
  readonly request: Request;
  readonly clientId?: string;
  respondWith(response: Response | Promise<Response>): void;
}

interface Clients {
  get(id: string): Promise<Page | undefined>;
  matchAll(options: { type: "window"; includeUncontrolled: boolean }): Promise<Page[]>;
}
interface Page {
  readonly id: string;
  postMessage(message: MediaWanted, transfer: Transferable[]): void;
}
const scope = globalThis as unknown as { registration: { scope: string }; clients: Clients };

const mirrors = new Map<string, Mirror>();

/** Answers a request for a media file. It returns false, and does nothing, if the request is for something else. */
export function handleMedia(event: FetchEventLike): boolean {
  const { request } = event;
  const [, profile, name] = /^media\/([^/]*)\/([^/]*)$/.exec(pathOf(request.url) ?? "") ?? [];
  if (profile === undefined || !name !== !profile || !/^(GET|HEAD)$/.test(request.method)) return false;
  if (!name) event.respondWith(new Response(null, { status: 204, headers: { "cardferry-media": "1" } })); // a page asks: swclient.ts
  else event.respondWith(answer(decode(profile), decode(name).normalize("NFC"), request).catch(failed));
  return true;
}

function pathOf(url: string): string | undefined {
  const base = scope.registration.scope;
  return url.startsWith(base) ? url.slice(base.length).replace(/[?#].*$/s, "") : undefined;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

function failed(e: unknown): Response {
  return new Response(String(e), { status: 500, headers: { "content-type": "text/plain" } });
}

async function answer(profile: string, name: string, request: Request): Promise<Response> {
  const here = await stored(profile, name).catch(() => undefined);
  if (!here && !(await exists(profile))) return fetch(request).catch(() => Response.error());
  const content = here ?? (await wanted(profile, name));
  if (!content) return new Response(null, { status: 404, headers: { "cache-control": "no-store" } });
  return respond(name, content, request);
}

/** Whether there is such a profile. If not the request is for something of the app, which may have a folder media/ as well. */
function exists(profile: string): Promise<boolean> {
  return openFolder(`cardferry/${encodeURIComponent(profile)}`, false).then(() => true, () => false);
}

/** The file as OPFS has it; undefined if it is not known, or gone. */
async function stored(profile: string, name: string): Promise<Blob | undefined> {
  let mirror = mirrors.get(profile);
  if (!mirror) mirrors.set(profile, (mirror = new Mirror(profile)));
  const at = await mirror.find(name);
  if (!at) return undefined;
  const folder = await openFolder(`cardferry/${encodeURIComponent(profile)}/media`, false);
  const pack = await (await folder.getFileHandle(nameOf(at.pack))).getFile();
  return pack.size < at.at + at.size ? undefined : pack.slice(at.at, at.at + at.size);
}

/**
 * Asks the pages for a file. The first that has the profile open speaks for all, as they share it, unless it cannot say.
 * Pages with another profile, or none, say nothing.
 */
async function wanted(profile: string, name: string): Promise<Blob | undefined> {
  const pages = await scope.clients.matchAll({ type: "window", includeUncontrolled: true });
  return new Promise((resolve) => {
    let open = pages.length;
    const timer = setTimeout(() => resolve(undefined), open > 0 ? PATIENCE : 0);
    for (const page of pages) {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = ({ data }: MessageEvent<MediaFound>) => {
        port1.close();
        open--;
        if ("error" in data && /^(closed|cancelled|busy|internal)$/.test(data.error.kind) && open > 0) return;
        clearTimeout(timer);
        resolve("content" in data ? data.content : undefined);
      };
      page.postMessage({ type: "cardferry:media", profile, name }, [port2]);
    }
  });
}

/** The answer with the content or the range of it that is asked for. */
export function respond(name: string, content: Blob, request: Pick<Request, "headers" | "method">): Response {
  const type = typeOf(name);
  const headers: Record<string, string> = {
    "content-type": type,
    "accept-ranges": "bytes",
    "cache-control": "no-cache",
    "x-content-type-options": "nosniff",
  };
  // What could run scripts must not run them as the app: a file comes from whoever has shared a deck.
  if (!/^(audio|font|image\/(?!svg)|text\/css|video)/.test(type)) headers["content-security-policy"] = "sandbox; script-src 'none'";
  // If-Range is about a version of the content, of which an answer has never said one: then it is another one.
  const whole = request.method === "HEAD" || request.headers.has("if-range");
  const range = whole ? undefined : rangeOf(request.headers.get("range"), content.size);
  if (range === "unsatisfiable") {
    return new Response(null, { status: 416, headers: { ...headers, "content-range": `bytes */${content.size}` } });
  }
  const part = range ? content.slice(range.first, range.last + 1) : content;
  headers["content-length"] = String(part.size);
  if (range) headers["content-range"] = `bytes ${range.first}-${range.last}/${content.size}`;
  return new Response(request.method === "HEAD" ? null : part.slice(0, part.size, type), { status: range ? 206 : 200, headers });
}

/** Reads a Range header; undefined if it asks for everything, or for something that may be ignored (RFC 9110 §14.2). */
export function rangeOf(header: string | null, size: number): { first: number; last: number } | "unsatisfiable" | undefined {
  const [, from = "", to = ""] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? "") ?? [];
  if (from === "" && to === "") return undefined;
  if (from === "") {
    if (Number(to) === 0 || size === 0) return "unsatisfiable";
    return { first: Math.max(0, size - Number(to)), last: size - 1 };
  }
  const first = Number(from);
  const last = to === "" ? size - 1 : Math.min(Number(to), size - 1);
  if (to !== "" && Number(to) < first) return undefined;
  return first >= size ? "unsatisfiable" : { first, last };
}
