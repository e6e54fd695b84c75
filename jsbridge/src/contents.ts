// What a server of ours says of the account's collection (contract §5), for people who choose which side replaces the other.
// The leader asks, as the key must not reach a page.

import { ask, refused, type Owner } from "./devices.ts";

/** What the server's collection has. */
export interface ServerContents {
  cards: number;
  notes: number;
  reviews: number;
  /** Of the last change, in Unix milliseconds. */
  modified: number;
  /** What came after the time that was asked about; examples are the first fields of the notes that were changed last, as HTML. */
  newer: { notes: number; reviews: number; examples: string[] };
}

/** The call about it: parameters and result. */
export interface ContentsCalls {
  serverContents: [{ since: number }, ServerContents];
}

/** Asks the server. */
export async function serverContents(send: typeof fetch, owner: Owner | null, since: number, signal: AbortSignal): Promise<ServerContents> {
  const { status, text } = await ask(send, owner, "GET", `api/collection?since=${Math.max(0, Math.trunc(since))}`, signal);
  if (status === 200) {
    const contents = contentsIn(text);
    if (contents) return contents;
  }
  throw refused(status, "nothing to say about its collection");
}

/** The contents in an answer; undefined if it is of another kind, as from a server that is none of ours. */
function contentsIn(text: string): ServerContents | undefined {
  try {
    const { cards, notes, reviews, modified, newer } = JSON.parse(text) as ServerContents;
    const numbers = [cards, notes, reviews, modified, newer.notes, newer.reviews];
    if (!numbers.every(Number.isFinite)) return undefined;
    return { cards, notes, reviews, modified, newer: { notes: newer.notes, reviews: newer.reviews, examples: newer.examples.map(String) } };
  } catch {
    return undefined;
  }
}
