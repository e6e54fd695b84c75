// The texts of card templates, out of the messages in which the collection keeps them.

import { num, text } from "./api.ts";
import { ferry } from "./ferry.ts";

/** A card template. */
export interface Template {
  notetype: string;
  name: string;
  ord: number;
  front: string;
  back: string;
}

const FRONT = 1, BACK = 2, BYTES = 2; // numbers of members, and the wire type of a text

/** Reads the templates of a note type. */
export async function readTemplates(notetypeId: number): Promise<Template[]> {
  const rows = await ferry().query(
    "SELECT n.name AS notetype, t.name, t.ord, t.config FROM templates t JOIN notetypes n ON n.id = t.ntid WHERE t.ntid = ? ORDER BY t.ord", [notetypeId]);
  return rows.map((r) => {
    const members = r.config instanceof Uint8Array ? texts(r.config) : new Map<number, string>();
    return { notetype: text(r, "notetype"), name: text(r, "name"), ord: num(r, "ord"), front: members.get(FRONT) ?? "", back: members.get(BACK) ?? "" };
  });
}

/** The texts of a message by their number; other members are passed over. What does not parse ends the reading. */
function texts(bytes: Uint8Array): Map<number, string> {
  const found = new Map<number, string>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; at < bytes.length; scale *= 128) {
      const b = bytes[at++] ?? 0;
      value += (b & 127) * scale;
      if (b < 128) break;
    }
    return value;
  };
  while (at < bytes.length) {
    const tag = varint();
    const wire = tag % 8;
    if (wire === BYTES) {
      const length = varint();
      found.set(Math.floor(tag / 8), new TextDecoder().decode(bytes.subarray(at, at + length)));
      at += length;
    } else if (wire === 0) varint();
    else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else break;
  }
  return found;
}
