// Packed rows (core/rows has the byte picture): the form in which values cross the boundary.

import { TAGS } from "./protocol.gen.ts";

/** One value of a packed row. Integers are bigint. */
export type Value = null | bigint | number | string | Uint8Array;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: false });

/** Encodes one row: bigint as INTEGER, number as REAL, string as TEXT, Uint8Array as BLOB. */
export function encodeRow(values: readonly Value[]): Uint8Array<ArrayBuffer> {
  const parts = values.map((v) => (typeof v === "string" ? encoder.encode(v) : v));
  let size = 2;
  for (const p of parts) size += p === null ? 1 : p instanceof Uint8Array ? 5 + p.length : 9;
  const out = new Uint8Array(size);
  const view = new DataView(out.buffer);
  view.setUint16(0, values.length, true);
  let at = 2;
  for (const [i, p] of parts.entries()) {
    if (p === null) {
      out[at++] = TAGS.null;
    } else if (p instanceof Uint8Array) {
      out[at] = typeof values[i] === "string" ? TAGS.text : TAGS.blob;
      view.setUint32(at + 1, p.length, true);
      out.set(p, at + 5);
      at += 5 + p.length;
    } else {
      out[at] = typeof p === "bigint" ? TAGS.integer : TAGS.real;
      if (typeof p === "bigint") view.setBigInt64(at + 1, p, true);
      else view.setFloat64(at + 1, p, true);
      at += 9;
    }
  }
  return out;
}

/** Decodes exactly one row. BLOBs point into b. Truncated input, unknown tags and bytes after the row throw. */
export function decodeRow(b: Uint8Array): Value[] {
  const { values, end } = decodeAt(b, 0);
  if (end !== b.length) throw new RangeError(`packed row: ${b.length - end} bytes after it`);
  return values;
}

/** Decodes any number of rows, as decodeRow does. */
export function decodeRows(b: Uint8Array): Value[][] {
  const rows: Value[][] = [];
  for (let at = 0; at < b.length; ) {
    const { values, end } = decodeAt(b, at);
    rows.push(values);
    at = end;
  }
  return rows;
}

function decodeAt(b: Uint8Array, at: number): { values: Value[]; end: number } {
  const view = new DataView(b.buffer, b.byteOffset, b.byteLength);
  const values: Value[] = [];
  let n = view.getUint16(at, true);
  at += 2;
  for (; n > 0; n--) {
    const tag = view.getUint8(at++);
    switch (tag) {
      case TAGS.null:
        values.push(null);
        break;
      case TAGS.integer:
        values.push(view.getBigInt64(at, true));
        at += 8;
        break;
      case TAGS.real:
        values.push(view.getFloat64(at, true));
        at += 8;
        break;
      case TAGS.text:
      case TAGS.blob: {
        const end = at + 4 + view.getUint32(at, true);
        if (end > b.length) throw new RangeError("packed row: truncated");
        const bytes = b.subarray(at + 4, end);
        values.push(tag === TAGS.text ? decoder.decode(bytes) : bytes);
        at = end;
        break;
      }
      default:
        throw new RangeError(`packed row: unknown tag ${tag}`);
    }
  }
  return { values, end: at };
}
