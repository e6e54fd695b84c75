// How values cross between a page in a webview and its native app: as JSON, in which bytes are base64 (WEBVIEW.md).

/** The number of the channel's version; another one is refused. */
export const CHANNEL_VERSION = 1;
/** Contents cross in pieces of this many bytes, so that neither side has to hold a whole one. */
export const PIECE = 256 << 10;

/** What the app may call, and which argument takes the signal that ends the call early. */
export const METHODS: Readonly<Record<string, number | undefined>> = {
  status: undefined, account: undefined, login: 0, signUp: 0, logout: undefined, refresh: 0, serverContents: 0, sync: 0, upload: 0, download: 0,
  render: undefined, compareTyped: undefined, query: undefined, edit: undefined, undo: undefined, deckTree: undefined,
  nextCards: undefined, exportFile: 0, importFile: 1, diagnostics: undefined, close: undefined, storage: undefined,
  "storage.request": undefined, "backups.list": undefined, "backups.restore": undefined, "settings.get": undefined,
  "settings.set": undefined, "media.sync": 0, "media.get": 1, "media.add": undefined, "media.remove": undefined,
  "media.check": 0, "media.state": undefined, "devices.list": undefined, "devices.remove": undefined,
};

/** A content that is read in pieces: by `read` of this number, until that answers null, or `end`. */
export interface Stream {
  $stream: number | string;
  size?: number;
  type?: string;
}

/** An error in a message. */
export interface HostFailure {
  kind: string;
  message?: string;
  hint?: string;
  changed?: boolean;
  details?: Record<string, unknown>;
}

/** What is said on the channel, by either side. */
export type HostMessage =
  | { id: number | string; method: string; args?: unknown }
  | { id: number | string; result: unknown }
  | { id: number | string; error: HostFailure }
  | { event: string; [field: string]: unknown };

/** Reads a message; undefined if it is none. */
export function parse(data: unknown): HostMessage | undefined {
  let message = data;
  try {
    if (typeof data === "string") message = JSON.parse(data);
  } catch {
    return undefined;
  }
  if (!isObject(message)) return undefined;
  if (typeof message.event === "string") return message as HostMessage;
  if (typeof message.id !== "number" && typeof message.id !== "string") return undefined;
  if (typeof message.method === "string" || "result" in message || isObject(message.error)) return message as HostMessage;
  return undefined;
}

/** Whether v is an object with fields. */
export function isObject(v: unknown): v is Record<string, unknown> {
  return typeof v === "object" && v !== null && !Array.isArray(v);
}

/** Turns a value into what JSON can say. offer keeps a content that is to be read in pieces, and gives it a number. */
export function encode(v: unknown, offer: (content: Blob) => number): unknown {
  if (typeof v === "bigint") return { $int: String(v) };
  if (v instanceof Blob) return { $stream: offer(v), size: v.size, type: v.type };
  if (v instanceof Uint8Array) return { $bytes: toBase64(v) };
  if (Array.isArray(v)) return v.map((x) => encode(x, offer));
  if (!isObject(v)) return v;
  return Object.fromEntries(Object.entries(v).map(([key, x]) => [key, encode(x, offer)]));
}

/** Turns what a message has into a value; bytes that have a type are a Blob. fetch reads a content of the other side. Errors: of fetch; a TypeError for what is no base64. */
export async function decode(v: unknown, fetch: (s: Stream) => Promise<Blob>): Promise<unknown> {
  if (Array.isArray(v)) return Promise.all(v.map((x) => decode(x, fetch)));
  if (!isObject(v)) return v;
  if (typeof v.$bytes === "string") {
    const bytes = fromBase64(v.$bytes);
    return typeof v.type === "string" ? new Blob([bytes], { type: v.type }) : bytes;
  }
  if (typeof v.$int === "string") return integer(v.$int);
  if (isStream(v)) return fetch(v);
  const entries = Object.entries(v).map(async ([key, x]) => [key, await decode(x, fetch)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

/** Whether v stands for a content that is read in pieces. */
export function isStream(v: unknown): v is Stream & Record<string, unknown> {
  return isObject(v) && (typeof v.$stream === "number" || typeof v.$stream === "string");
}

/** The pieces of a content. */
export async function* pieces(content: Blob): AsyncGenerator<Uint8Array<ArrayBuffer>, undefined> {
  for (let at = 0; at < content.size; at += PIECE) {
    yield new Uint8Array(await content.slice(at, at + PIECE).arrayBuffer());
  }
}

/** Reads base64. Errors: a TypeError for a text that is none. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    throw new TypeError("the bytes of a message are no base64");
  }
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** Writes base64. */
export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  // So many arguments a call can have everywhere.
  for (let at = 0; at < bytes.length; at += 0x2000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x2000));
  return btoa(binary);
}

function integer(text: string): bigint {
  if (!/^-?\d{1,19}$/.test(text)) throw new TypeError("the integer of a message is none");
  return BigInt(text);
}
