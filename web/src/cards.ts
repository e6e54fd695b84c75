// Reading cards, notes and note types with SQL, for the views that list and edit them.

import { num, text } from "./api.ts";
import { day, type Day } from "./day.ts";
import { ferry } from "./ferry.ts";
import { condition } from "./search.ts";

/** A card type or a field's name. */
export interface NoteType {
  id: number;
  name: string;
  cloze: boolean;
  fields: string[];
  templates: string[];
}

/** A note as it is edited. */
export interface Note {
  id: number;
  typeId: number;
  fields: string[];
  tags: string[];
  deckId: number;
}

/** One row of Browse. */
export interface Hit {
  id: number;
  noteId: number;
  first: string;
  deck: string;
  type: number;
  queue: number;
  due: number;
}

/** The found cards; rows are read when they come into view. */
export interface Found {
  ids: number[];
  day: Day;
}

const FIELD_SEPARATOR = "\x1f";

/** All note types with their fields. */
export async function noteTypes(): Promise<NoteType[]> {
  const q = (sql: string) => ferry().query(sql);
  const [types, fields, templates] = await Promise.all([
    q("SELECT id, name, config FROM notetypes ORDER BY name"),
    q("SELECT ntid, name FROM fields ORDER BY ntid, ord"),
    q("SELECT ntid, name FROM templates ORDER BY ntid, ord"),
  ]);
  const names = (rows: typeof fields, id: number): string[] => rows.filter((r) => num(r, "ntid") === id).map((r) => text(r, "name"));
  return types.map((t) => {
    const id = num(t, "id");
    return { id, name: text(t, "name"), cloze: isCloze(t.config), fields: names(fields, id), templates: names(templates, id) };
  });
}

/** The kind is the first member of the message, and is left out for normal types. */
function isCloze(config: unknown): boolean {
  return config instanceof Uint8Array && config[0] === 0x08 && config[1] === 1;
}

/** A note, undefined if it does not exist. */
export async function readNote(id: number): Promise<Note | undefined> {
  const [row] = await ferry().query(
    "SELECT mid, flds, tags, (SELECT CASE odid WHEN 0 THEN did ELSE odid END FROM cards WHERE nid = notes.id ORDER BY ord LIMIT 1) AS did FROM notes WHERE id = ?", [id]);
  if (!row) return undefined;
  return {
    id, typeId: num(row, "mid"), deckId: num(row, "did"),
    fields: text(row, "flds").split(FIELD_SEPARATOR), tags: text(row, "tags").split(" ").filter(Boolean),
  };
}

/** Whether another note of the type begins with the same text. */
export async function isDuplicate(typeId: number, first: string, id: number): Promise<boolean> {
  if (first.trim() === "") return false;
  const rows = await ferry().query("SELECT 1 FROM notes WHERE mid = ? AND id <> ? AND substr(flds, 1, length(?) + 1) = ? || char(31) LIMIT 1", [typeId, id, first, first]);
  return rows.length > 0;
}

/** The decks that cards can be put into, by name. */
export async function deckNames(): Promise<{ id: number; name: string }[]> {
  // A deck's kind is one message: member 1 is a normal deck, member 2 a filtered one.
  const rows = await ferry().query("SELECT id, name FROM decks WHERE substr(hex(kind), 1, 2) = '0A' ORDER BY name");
  return rows.map((r) => ({ id: num(r, "id"), name: text(r, "name").replaceAll("\x1f", "::") }));
}

/** Which deck and type the last note went to; the first ones before that. */
export async function lastChoice(): Promise<{ typeId: number; deckId: number }> {
  const rows = await ferry().query("SELECT key, CAST(val AS TEXT) AS val FROM config WHERE key IN ('curModel', 'curDeck')");
  const value = (key: string): number => Number(rows.find((r) => r.key === key)?.val ?? 0);
  return { typeId: value("curModel"), deckId: value("curDeck") };
}

/** All tags, for suggestions. */
export async function allTags(): Promise<string[]> {
  return (await ferry().query("SELECT tag FROM tags ORDER BY tag")).map((r) => text(r, "tag"));
}

/** Finds cards. */
export async function find(search: string): Promise<Found> {
  const d = await day();
  const { sql, params } = condition(search, d.number);
  const rows = await ferry().query(
    `SELECT c.id FROM cards c JOIN notes n ON n.id = c.nid WHERE ${sql} ORDER BY n.sfld, c.ord`, params);
  return { ids: rows.map((r) => num(r, "id")), day: d };
}

/** Reads the rows of some cards, in their order. */
export async function hits(ids: readonly number[]): Promise<Hit[]> {
  if (ids.length === 0) return [];
  const rows = await ferry().query(
    `SELECT c.id, c.nid, c.type, c.queue, CASE WHEN c.odid <> 0 AND c.odue <> 0 THEN c.odue ELSE c.due END AS due, substr(n.sfld, 1, 400) AS sfld, substr(n.flds, 1, 400) AS flds, d.name AS deck FROM cards c JOIN notes n ON n.id = c.nid LEFT JOIN decks d ON d.id = c.did WHERE c.id IN (${ids.map(() => "?").join(",")})`, ids);
  const byId = new Map(rows.map((r) => [num(r, "id"), r]));
  return ids.flatMap((id) => {
    const r = byId.get(id);
    if (!r) return [];
    return [{
      id, noteId: num(r, "nid"), first: unmarked(text(r, "sfld")).trim() /* no HTML: what looks like it was an entity */ || plain(text(r, "flds").replaceAll(FIELD_SEPARATOR, " ")),
      deck: text(r, "deck").replaceAll("\x1f", "::"), type: num(r, "type"), queue: num(r, "queue"), due: num(r, "due"),
    }];
  });
}

/** What a browser would complain of, although nothing in a template is loaded, run or applied: styles and handlers, by their names. */
const COMPLAINTS = /\b(?=(?:style|on\w+)\s*=)/gi;
const HIDDEN = "\u200b";

/** A text without the marks that sounds and clozes are written with. */
function unmarked(text: string): string {
  return text.replace(/\[sound:[^\]]*\]/g, "♪").replace(/\{\{c\d[\d,]*::(.*?)(::[^}]*)?\}\}/g, "$1");
}

/** The text of some HTML, for a line of a list. */
export function plain(html: string): string {
  const template = document.createElement("template");
  template.innerHTML = unmarked(html)
    .replace(/<(\/?)(?:script|style)\b/gi, "<$1template") // of which there is no text
    .replace(COMPLAINTS, HIDDEN);
  for (const image of template.content.querySelectorAll("img")) image.replaceWith(image.alt);
  for (const e of template.content.querySelectorAll("br, hr, div, p, li, tr, td, th, h1, h2, h3, h4, h5, h6")) e.after(" ");
  return (template.content.textContent ?? "").replaceAll(HIDDEN, "").replace(/\s+/g, " ").trim();
}

/** What a screen reader says of a side: of an answer only what comes after the question. */
export function spoken(html: string): string {
  return plain(html.replace(/^.*<\w[^<>]*\sid=["']?answer["']?[^<>]*>/is, "").replace(/\[anki:play:[qa]:\d+\]/g, ""));
}
