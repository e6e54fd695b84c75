// A text that a user can send to whoever helps. It has no key or password, no user name and no card content: of errors that
// can quote a card or a query only the kind is kept.

import type { SyncError } from "./errors.ts";
import type { CallName, Status } from "./protocol.ts";

/** How many errors are kept. */
const KEPT = 20;

/** The calls whose messages speak of server, network and files only. */
const SPEAKING: ReadonlySet<CallName> = new Set<CallName>(["open", "refresh", "sync", "upload", "download"]);

interface Entry {
  at: number;
  call: CallName;
  kind: string;
  message: string;
}

/** The last errors of a session. */
export class Errors {
  readonly #entries: Entry[] = [];

  /** Notes an error of a call. */
  add(call: CallName, error: SyncError): void {
    if (error.kind === "cancelled") return;
    const message = SPEAKING.has(call) ? error.message : "";
    this.#entries.push({ at: Date.now(), call, kind: error.kind, message });
    if (this.#entries.length > KEPT) this.#entries.shift();
  }

  /** A line for each, the newest first. */
  lines(): string[] {
    return this.#entries
      .toReversed()
      .map(({ at, call, kind, message }) => `${time(at)} ${call}: ${kind}${message ? `, ${message}` : ""}`);
  }
}

/** What a report is made of. */
export interface Facts {
  versions: Record<string, string>;
  profile: string;
  /** The server's address; "" if nobody is logged in. */
  endpoint: string;
  status: Status;
  settings: Record<string, unknown>;
  /** Numbers of rows. */
  counts: Record<string, number>;
  storage: { usage?: number; quota?: number; persisted: boolean };
  tabs: number;
  errors: string[];
}

/** Writes the report; secrets are taken out wherever they might have got to. */
export function report(facts: Facts, secrets: readonly (string | undefined)[]): string {
  const { status, storage } = facts;
  const lines = [
    ...Object.entries(facts.versions).map(([name, version]) => `${name}: ${version}`),
    `profile: ${facts.profile}`,
    `server: ${facts.endpoint ? withoutSecrets(facts.endpoint) : "not logged in"}`,
    `status: ${status.activity}, required ${status.required}, pending ${status.pending}, ` +
      `last sync ${status.lastSync ? time(status.lastSync) : "never"}${status.error ? `, error ${status.error.kind}` : ""}`,
    `settings: ${JSON.stringify(facts.settings)}`,
    `rows: ${Object.entries(facts.counts).map(([name, n]) => `${name} ${n}`).join(", ")}`,
    `storage: ${storage.usage ?? "?"} of ${storage.quota ?? "?"} bytes, ${storage.persisted ? "kept" : "may be removed by the browser"}`,
    `tabs: ${facts.tabs}`,
    "last errors:",
    ...(facts.errors.length ? facts.errors.map((line) => `  ${line}`) : ["  none"]),
  ];
  let text = `${lines.join("\n")}\n`;
  // One or two letters would only make the text unreadable.
  for (const secret of secrets) if (secret && secret.length > 2) text = text.replaceAll(secret, "…");
  return text;
}

/** An address without a password or query in it. */
function withoutSecrets(address: string): string {
  try {
    const { origin, pathname } = new URL(address);
    return origin + pathname;
  } catch {
    return "an address that is none";
  }
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
