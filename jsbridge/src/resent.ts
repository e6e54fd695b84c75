// A browser sends a request again by itself if a connection that was in use before ends without an answer, and tells nobody. Some requests must
// not come twice (core/remote, Once). Our server and gateway know a second one; with another server behind an address of the page's own origin,
// the timings tell of most: a connection was opened though as many as had requests at once were open, and the server had not closed one. Over
// HTTP/2 all that were under way come again over the next connection, and the timing of only one of them, which may be of media, has its beginning.

import { ONCE } from "./protocol.gen.ts";

/** The most connections that a browser has to one server, before HTTP/2. */
const MOST = 6;

/** How often in a row an answer is not taken: a server that now and then closes a connection without a word must not keep a sync from its end. */
const TRIES = 3;

/** How long, in ms, a request may wait before it is sent; one that comes again has waited for its first answer and for a connection. */
const WAIT = 30;

/** The connections of a sync, which begins with `meta`. */
export class Connections {
  readonly #observer: PerformanceObserver | undefined;
  readonly #urls = new Set<string>();
  #underWay = 0;
  /** How many of them are of media: they may take longer than a sync. */
  #media = 0;
  /** How many requests were under way at once. */
  #most = 0;
  #ended = 0;
  #seen = 0;
  #open = 0;
  /** Answers after which the server has closed the connection, as it has said. */
  #closed = 0;
  /** Whether a connection was used again: a server that keeps none, or a proxy before it, gets no request twice. */
  #kept = false;
  #resent = false;
  /**
   * Whether connections are opened in less time than the clock of the browser tells apart: then one that was opened looks as one that was used
   * again. Firefox and WebKit count in ms, and WebKitGTK opens one for each POST.
   */
  #blurred = false;
  /** When connections were opened after one had been used, over HTTP/2. */
  #openings: number[] = [];
  /** The requests that must not come twice. */
  #once: PerformanceResourceTiming[] = [];
  /** The shortest time, in ms, from a request to its answer. */
  #shortest = Infinity;
  /** How many syncs in a row have begun again because of it. */
  #again = 0;

  constructor() {
    // No other program repeats requests.
    if (!("WorkerGlobalScope" in globalThis) || !("PerformanceObserver" in globalThis)) return;
    this.#observer = new PerformanceObserver((list) => this.#take(list.getEntries()));
    this.#observer.observe({ type: "resource" });
  }

  /** Ends the observation. */
  close(): void {
    this.#observer?.disconnect();
  }

  /** A request is about to be sent. */
  begin(url: string): void {
    if (url.endsWith("/sync/meta")) {
      this.#again = this.#resent ? this.#again + 1 : 0;
      this.#most = this.#ended = this.#seen = this.#open = this.#closed = 0;
      this.#kept = this.#resent = false;
      this.#openings = [];
      this.#once = [];
      this.#shortest = Infinity;
    }
    this.#urls.add(new URL(url).href); // as timings have it
    this.#underWay++;
    if (ofMedia(url)) this.#media++;
    this.#most = Math.max(this.#most, this.#underWay);
  }

  /** A request has ended. */
  end(url: string): void {
    this.#underWay--;
    if (ofMedia(url)) this.#media--;
    this.#ended++;
  }

  /** Whether the answer to a request that has ended, and was to be sent once, may be that to a second one. */
  async resent(url: string, headers: Record<string, string>): Promise<boolean> {
    if (/\bclose\b/i.test(headers.connection ?? "")) this.#closed++;
    if (!this.#observer || !once(url)) return false;
    this.#take(this.#observer.takeRecords());
    for (let i = 0; i < 5 && this.#seen < this.#ended; i++) { // a timing is there with the end of the answer, or soon after
      await new Promise((resolve) => setTimeout(resolve));
      this.#take(this.#observer.takeRecords());
    }
    return this.#resent && !this.#blurred && this.#again < TRIES;
  }

  #take(entries: PerformanceEntryList): void {
    for (const e of entries as PerformanceResourceTiming[]) {
      if (!this.#urls.has(e.name)) continue;
      this.#seen++;
      if (e.requestStart === 0) continue; // of another origin, which does not let us see it
      const opened = e.connectStart > e.fetchStart;
      this.#open = opened ? this.#open + 1 : Math.max(this.#open, 1);
      this.#kept ||= e.connectEnd <= e.fetchStart;
      this.#blurred ||= e.connectEnd > e.fetchStart && e.connectEnd - e.fetchStart < 1.5 && inWholeMs(e);
      const shared = !e.nextHopProtocol.startsWith("http/1");
      if (shared && this.#kept) this.#look(e, opened);
      const most = this.#closed + (shared ? 1 : Math.min(this.#most, MOST));
      if (this.#open <= most) continue;
      this.#open = most; // a server may close a connection at any time: of every other request that is all it means
      this.#resent ||= this.#kept && once(e.name);
    }
  }

  /** Looks whether a request has waited for a connection that another one has opened. One of media may not have ended yet: then only the wait tells. */
  #look(e: PerformanceResourceTiming, opened: boolean): void {
    if (opened) this.#openings.push(e.connectStart);
    if (once(e.name)) {
      this.#once.push(e);
      this.#resent ||= this.#media > 0 && e.requestStart - e.fetchStart > Math.max(WAIT, 2 * this.#shortest);
    }
    this.#shortest = Math.min(this.#shortest, e.responseStart - e.requestStart);
    this.#resent ||= this.#once.some((o) => this.#openings.some((at) => o.fetchStart < at && at <= o.requestStart));
  }
}

/** Whether the clock of the timings knows nothing below a ms. */
function inWholeMs({ fetchStart, connectEnd, requestStart, responseStart, responseEnd }: PerformanceResourceTiming): boolean {
  return [fetchStart, connectEnd, requestStart, responseStart, responseEnd].every((at) => Math.abs(at - Math.round(at)) < 0.01);
}

function ofMedia(url: string): boolean {
  return url.includes("/msync/");
}

function once(url: string): boolean {
  return ONCE.some((method) => url.endsWith(`/sync/${method}`));
}
