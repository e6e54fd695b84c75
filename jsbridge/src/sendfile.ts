// Sends a large body with XMLHttpRequest, which tells how much has been sent.

import { SyncError } from "./errors.ts";
import type { Answer, Request } from "./http.ts";

/** Reports of the progress of a body are at least this far apart, in milliseconds. */
const REPORT_EVERY = 100;

/**
 * Sends r with the body and returns its answer; undefined where there is no XMLHttpRequest. sent is told how many
 * bytes have left, at most ten times a second. Errors: as of fetch, a TypeError for a failed connection.
 */
export function sendFile(
  r: Request,
  body: Blob | Uint8Array<ArrayBuffer>,
  headers: Record<string, string>,
  signal: AbortSignal,
  sent: (bytes: number) => void,
): Promise<Answer> | undefined {
  if (typeof XMLHttpRequest === "undefined") return undefined;
  signal.throwIfAborted();
  const x = new XMLHttpRequest();
  x.open(r.method, r.url);
  x.responseType = "arraybuffer";
  for (const [name, value] of Object.entries(headers)) x.setRequestHeader(name, value);
  let reported = -Infinity;
  x.upload.onprogress = (e) => {
    if (performance.now() - reported < REPORT_EVERY && e.loaded < e.total) return;
    reported = performance.now();
    sent(e.loaded);
  };
  const limit = r.limit;
  return new Promise((resolve, reject) => {
    const abort = (): void => x.abort();
    signal.addEventListener("abort", abort, { once: true });
    x.onprogress = (e) => {
      if (limit > 0 && e.loaded > limit) x.abort();
    };
    x.onload = () => resolve(answerOf(x, r.url));
    x.onerror = () => reject(new TypeError("the request failed"));
    x.onabort = () => reject(new SyncError("damaged_download", `the answer is longer than ${limit} bytes`));
    x.onloadend = () => signal.removeEventListener("abort", abort);
    x.send(body);
  });
}

function answerOf(x: XMLHttpRequest, url: string): Answer {
  const headers: Record<string, string> = {};
  for (const line of x.getAllResponseHeaders().trim().split("\r\n")) {
    const at = line.indexOf(": ");
    if (at > 0) headers[line.slice(0, at).toLowerCase()] = line.slice(at + 2);
  }
  const body = new Uint8Array(x.response as ArrayBuffer);
  if (x.responseURL === new URL(url, x.responseURL).href) return { status: x.status, headers, body };
  return { status: 308, headers: { ...headers, location: x.responseURL }, body };
}
