// The texts of card templates, out of the messages in which the collection keeps them.

import { num, text } from "./api.ts";
import { ferry } from "./ferry.ts";
import { members } from "./message.ts";

/** A card template. */
export interface Template {
  notetype: string;
  name: string;
  ord: number;
  front: string;
  back: string;
}

const FRONT = 1, BACK = 2; // numbers of members

/** Reads the templates of a note type. */
export async function readTemplates(notetypeId: number): Promise<Template[]> {
  const rows = await ferry().query(
    "SELECT n.name AS notetype, t.name, t.ord, t.config FROM templates t JOIN notetypes n ON n.id = t.ntid WHERE t.ntid = ? ORDER BY t.ord", [notetypeId]);
  return rows.map((r) => {
    const config = members(r.config);
    const side = (member: number): string => {
      const v = config.get(member);
      return v instanceof Uint8Array ? new TextDecoder().decode(v) : "";
    };
    return { notetype: text(r, "notetype"), name: text(r, "name"), ord: num(r, "ord"), front: side(FRONT), back: side(BACK) };
  });
}
