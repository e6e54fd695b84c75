// Listens to the server's events (contract §5): it tells when another device has synced. Whether to listen, and when to try
// again, is decided by the scheduler (core/autosync).

import { below } from "./http.ts";

/** What the server says has changed; a number is null if it does not know it at once. */
export interface Change {
  usn: number | null;
  media_usn: number | null;
  /** The other device has only fetched something. */
  empty?: boolean;
}

/** Who is told. */
export interface Listener {
  listening(): void;
  changed(change: Change): void;
  /** The server cannot be listened to, or not any longer. */
  deaf(): void;
}

/** Makes requests, as the global fetch does. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;
/** Calls f after some milliseconds, unless what it returns is called before. */
export type After = (ms: number, f: () => void) => () => void;

/** A server that says nothing for so long is gone; its heartbeats come every 25 seconds. */
const SILENCE = 70_000;
/** No event is nearly as long. */
const LONGEST = 64 << 10;

const afterTimeout: After = (ms, f) => {
  const timer = setTimeout(f, ms);
  return () => clearTimeout(timer);
};

/** At most one connection to a server's events. */
export class Live {
  readonly #listener: Listener;
  readonly #fetch: Fetch;
  readonly #after: After;
  #connection: AbortController | undefined;

  constructor(listener: Listener, fetch: Fetch, after: After = afterTimeout) {
    this.#listener = listener;
    this.#fetch = fetch;
    this.#after = after;
  }

  /** Listens, unless it does already. */
  listen(endpoint: string, key: string): void {
    if (this.#connection) return;
    const connection = new AbortController();
    this.#connection = connection;
    void this.#run(endpoint, key, connection).catch(() => {}).then(() => {
      connection.abort();
      if (this.#connection !== connection) return; // stopped
      this.#connection = undefined;
      this.#listener.deaf();
    });
  }

  /** Ends the connection, without a word. */
  stop(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.abort();
  }

  async #run(endpoint: string, key: string, connection: AbortController): Promise<void> {
    const dead = (): void => connection.abort();
    let cancel = this.#after(SILENCE, dead);
    try {
      const response = await this.#fetch(below(endpoint, "api/events"), {
        headers: { authorization: `Bearer ${key}` },
        signal: connection.signal,
        cache: "no-store",
        credentials: "omit",
        // A key must not follow a redirect to somewhere else.
        redirect: "error",
      });
      // What the key still is good for, a sync tells: without one nobody would hear of it before there is something to send.
      if (response.status === 401 && this.#connection === connection) this.#listener.changed({ usn: null, media_usn: null });
      const type = response.headers.get("content-type") ?? "";
      if (!response.ok || !response.body || !type.startsWith("text/event-stream")) return;
      this.#listener.listening();
      const parser = new EventParser((change) => {
        if (this.#connection === connection) this.#listener.changed(change);
      });
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done || !parser.feed(value)) return;
        cancel();
        cancel = this.#after(SILENCE, dead);
      }
    } finally {
      cancel();
    }
  }
}

/** Reads a stream of server-sent events, of which `changed` is the only one known; others and comments are passed over. */
export class EventParser {
  readonly #changed: (change: Change) => void;
  #rest = "";
  #event = "";
  #data: string[] = [];

  constructor(changed: (change: Change) => void) {
    this.#changed = changed;
  }

  /** Takes the next piece; false if this is no stream of events. */
  feed(text: string): boolean {
    // A piece may end between the two characters of a line's end.
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?=[^])/);
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#line(line);
    return this.#rest.length <= LONGEST && this.#data.length <= LONGEST;
  }

  #line(line: string): void {
    if (line === "") return this.#dispatch();
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (field === "event") this.#event = value ?? "";
    else if (field === "data") this.#data.push(value ?? "");
  }

  #dispatch(): void {
    const [event, data] = [this.#event, this.#data.join("\n")];
    this.#event = "";
    this.#data = [];
    if (event !== "changed") return;
    try {
      const { usn, media_usn, empty, replaced } = JSON.parse(data) as Record<string, unknown>;
      // The number of another collection says nothing: it may be the one that we know.
      this.#changed({ usn: replaced === true ? null : number(usn), media_usn: number(media_usn), empty: empty === true });
    } catch {
      this.#changed({ usn: null, media_usn: null }); // something has changed
    }
  }
}

function number(v: unknown): number | null {
  return Number.isSafeInteger(v) ? (v as number) : null;
}
