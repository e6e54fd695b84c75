// What callers of the page API give, checked before it goes anywhere: an app that is written in JavaScript has no compiler to
// tell it, and a mistake must come as every other error does.

import { SyncError } from "./errors.ts";

/** What a field may be. A content is a Blob, an address a text or URL. */
type Type = "boolean" | "function" | "number" | "object" | "string" | "address" | "content";
/** The fields that are looked at; with a question mark they may be missing. */
type Shape<T> = { readonly [K in keyof T]?: Type | `${Type}?` };

/** Returns what was given, {} if that is nothing. Errors: `invalid_input` for anything but an object with fields of that shape; call names it. */
export function check<T extends object>(call: string, given: T | null | undefined, shape: Shape<T>): T {
  const fields = given ?? ({} as T);
  if (typeof fields !== "object") throw wrong(call, `${typeof given} in the place of an object`);
  try {
    void { ...fields, signal: (fields as { signal?: unknown }).signal }; // all that is read later, by a copy to the worker too
    for (const [name, type] of Object.entries(shape) as [keyof T & string, string][]) {
      checkValue(call, fields[name], name, type as Type | `${Type}?`);
    }
  } catch (e) {
    throw e instanceof SyncError ? e : wrong(call, `what was given cannot be read: ${String(e)}`); // by a getter of the app
  }
  return fields;
}

/** Checks one value. Errors: `invalid_input`. */
export function checkValue(call: string, value: unknown, name: string, type: Type | `${Type}?`): void {
  if (type.endsWith("?") && (value === undefined || value === null)) return;
  const wanted = type.replace("?", "") as Type;
  if (!is(value, wanted)) throw wrong(call, `${name} must be ${articles[wanted]}, not ${nameOf(value)}`);
}

const articles: Record<Type, string> = {
  boolean: "true or false", function: "a function", number: "a number", object: "an object", string: "a text",
  address: "an address", content: "a Blob",
};

function is(value: unknown, type: Type): boolean {
  if (type === "content") return isBlob(value);
  if (type === "address") return typeof value === "string" || kindOf(value) === "URL";
  if (type === "number") return Number.isFinite(value); // JSON has no others
  return typeof value === type && value !== null;
}

/** The name of an object's class, also if it comes from a frame or another window of the app, which have classes of their own. */
function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}

/** Whether a value is a Blob, of which a File is one. */
export function isBlob(value: unknown): value is Blob {
  return /^(Blob|File)$/.test(kindOf(value));
}

/** What a value is, without what it says: that may be a password. */
function nameOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return Array.isArray(value) ? "a list" : typeof value;
}

/** An address relative to the page. Errors: `invalid_input`. */
export function absolute(call: string, url: string | URL, name: string): string {
  checkValue(call, url, name, "address");
  try {
    return new URL(url, location.href).href;
  } catch {
    throw wrong(call, `${name} is no address`);
  }
}

/** So long may a name of a folder be in every browser. */
const LONGEST = 200;

/** Checks the name of a profile, which becomes that of a folder. Errors: `invalid_input`. */
export function checkProfile(profile: string): void {
  let folder = "";
  try {
    folder = encodeURIComponent(profile);
  } catch {
    // Half of a surrogate pair: no folder can have the name.
  }
  if (folder === "" || folder === "." || folder === ".." || folder.length > LONGEST) {
    throw wrong("open", `a profile cannot have the name ${JSON.stringify(profile.slice(0, 40))}`);
  }
}

function wrong(call: string, message: string): SyncError {
  return new SyncError("invalid_input", `${call}: ${message}`);
}
