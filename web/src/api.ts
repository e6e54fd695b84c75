// What the app asks of its cards, in the app's own words. Views use these; only this file knows the page API's shapes.

import type { DeckNode, EditOp, EditResult, MediaState, PlayItem, RenderedCard, RenderRequest, Row } from "cardferry";
import { account, changedHere, ferry, status, toError } from "./ferry.ts";
import { members } from "./message.ts";
import { readTemplates } from "./template.ts";
import { texts } from "./texts.ts";

/** A deck of the tree. */
export interface Deck {
  id: number;
  /** The last part of the name. */
  name: string;
  fullName: string;
  collapsed: boolean;
  filtered: boolean;
  /** All its cards, with those of the decks below. */
  total: number;
  new: number;
  learn: number;
  review: number;
  children: Deck[];
}

/** What is left of a deck today. */
export interface Remaining {
  new: number;
  learn: number;
  review: number;
}

/** The card to study now. */
export interface NextCard {
  id: number;
  kind: keyof Remaining;
  /** The four buttons' intervals. */
  labels: readonly string[];
  /** Again makes it a leech, which may suspend it. */
  leech: boolean;
}

/** The head of a queue. */
export interface Queue {
  counts: Remaining;
  card: NextCard | undefined;
  /** When the next learning card falls due, in Unix milliseconds. */
  laterAt: number | undefined;
  /** What there is in the deck although nothing is to be studied now. */
  finished: { kept: number; buried: number; filtered: boolean } | undefined;
}

/** A sound of a side: a file, or a text to speak. */
export type Sound = { file: string } | { text: string; lang: string };

/** Both sides of a card. */
export interface Rendered {
  /** What keeps the card from being shown as it should, in a sentence. */
  problem: string | undefined;
  question: string;
  /** Whether the question has a box to type the answer into. */
  typed: boolean;
  /** The answer, with what was typed compared to what was expected. */
  answer(typed: string): Promise<string>;
  /** The number of the template, or of the cloze, from 0. */
  ord: number;
  css: string;
  questionSounds: Sound[];
  answerSounds: Sound[];
}

/** What was studied today, and how long a card takes. */
export interface Today {
  reviews: number;
  right: number;
  seconds: number;
  secondsEach: number;
}

/** What a study screen knows of a card besides its faces. */
export interface CardFacts {
  id: number;
  noteId: number;
  ord: number;
  flag: number;
  deck: string;
  notetype: string;
  template: string;
  interval: number;
  reps: number;
  lapses: number;
  /** Whether its sounds play by themselves. */
  autoplay: boolean;
  /** Another one when the card, its note or its note type is not what it was. */
  mark: string;
}

/** A line of a card template that names a file. */
export interface TemplateLine {
  notetypeId: number;
  notetype: string;
  template: string;
  ord: number;
  side: "front" | "back";
  name: string;
  line: string;
  textWithout: string;
}

const DEFAULT_DECK = 1;

/** Runs operations as one transaction, and says that cards have changed. */
export async function edit(...ops: EditOp[]): Promise<EditResult[]> {
  const { results } = await ferry().edit(ops);
  changedHere();
  return results;
}

/** Takes the last change back; its name. Error: `not_found` if there is none. */
export async function undo(): Promise<EditOp["op"]> {
  const { undone } = await ferry().undo();
  changedHere();
  return undone;
}

/** The decks with what is to be studied today. */
export async function deckTree(): Promise<Deck[]> {
  const { decks } = await ferry().deckTree();
  const make = (d: DeckNode, above: string): Deck => {
    const fullName = above ? `${above}::${d.name}` : d.name;
    return { ...d, fullName, total: d.total_all, children: d.children.map((c) => make(c, fullName)) };
  };
  // The default deck is only shown when it has something, or when there is no other.
  return decks.filter((d) => d.id !== DEFAULT_DECK || d.total_all > 0 || d.children.length > 0 || decks.length === 1).map((d) => make(d, ""));
}

/** What was studied today. A card takes as long as the last hundred did, or ten seconds. */
export async function today(): Promise<Today> {
  const { next_day } = await ferry().deckTree();
  const from = next_day - 86_400_000;
  const [row] = await ferry().query(`SELECT count() AS n, coalesce(sum(ease > 1), 0) AS r, coalesce(sum(time), 0) AS ms,
    (SELECT avg(time) FROM (SELECT time FROM revlog WHERE ease > 0 ORDER BY id DESC LIMIT 100)) AS each FROM revlog WHERE id >= ? AND ease > 0`, [from]);
  return { reviews: num(row, "n"), right: num(row, "r"), seconds: num(row, "ms") / 1000, secondsEach: (num(row, "each") || 10_000) / 1000 };
}

/** Both sides of a stored card. */
export async function rendered(cardId: number): Promise<Rendered> {
  return sides(await ferry().render({ cardId }));
}

/** Both sides of a card that an editor has not stored yet. */
export async function preview(notetypeId: number, ord: number, fields: string[], tags: string[]): Promise<Rendered> {
  return sides(await ferry().render({ notetypeId, ord, fields, tags } satisfies RenderRequest));
}

function sound(item: PlayItem): Sound {
  return item.speech ? { text: item.speech.text, lang: item.speech.lang } : { file: item.sound };
}

/** Reads a card's place in the collection. */
export async function cardOf(id: number): Promise<CardFacts> {
  const [r] = await ferry().query(
    `SELECT c.id, c.nid, c.ord, c.flags & 7 AS flag, c.ivl, c.reps, c.lapses, printf('%d %d %d %d %d %d', c.did, c.queue, c.due, c.reps, n.mod, t.mtime_secs) AS mark, d.name AS deck, t.name AS notetype,
      (SELECT kind FROM decks WHERE id = iif(c.odid, c.odid, c.did)) AS home,
      (SELECT name FROM templates WHERE ntid = n.mid AND ord IN (c.ord, 0) ORDER BY ord DESC LIMIT 1) AS template
      FROM cards c JOIN notes n ON n.id = c.nid LEFT JOIN decks d ON d.id = c.did LEFT JOIN notetypes t ON t.id = n.mid WHERE c.id = ?`, [id]);
  return {
    id, noteId: num(r, "nid"), ord: num(r, "ord"), flag: num(r, "flag"), deck: text(r, "deck").replaceAll("\x1f", "::"),
    notetype: text(r, "notetype"), template: text(r, "template"), interval: num(r, "ivl"), reps: num(r, "reps"), lapses: num(r, "lapses"),
    autoplay: await autoplays(r?.home), mark: text(r, "mark"),
  };
}

const NORMAL = 1, OPTIONS = 1, SILENT = 23; // numbers of members: in the kind of a deck, in a normal deck, in options

/** Whether the sounds of cards of a deck play by themselves: its options say so. A card in a filtered deck has those of its own one. */
async function autoplays(kind: unknown): Promise<boolean> {
  const which = members(members(kind).get(NORMAL)).get(OPTIONS);
  if (typeof which !== "number") return true;
  const [options] = await ferry().query("SELECT config FROM deck_config WHERE id = ?", [which]);
  return members(options?.config).get(SILENT) !== 1;
}

/** The number of a flag. */
export type Flag = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;

/** Flags cards; 0 takes the flag away. */
export async function setFlag(cardIds: number[], flag: Flag): Promise<void> {
  await edit({ op: "setCards", cardIds, flag });
}

/** Adds a note; the number of its cards. */
export async function addNote(notetypeId: number, deckId: number, fields: string[], tags: string[]): Promise<number> {
  const [result] = await edit({ op: "addNote", notetypeId, deckId, fields, tags });
  return result?.cardIds?.length ?? 0;
}

/** Makes an account and signs in. */
export async function signUp(user: string, password: string): Promise<void> {
  await ferry().signUp({ user, password });
}

/** Where a media file is. Before the files of the account were first looked at, nobody can say that one is missing. */
export async function mediaState(name: string): Promise<MediaState> {
  const state = await ferry().media.state(name);
  return state === "missing" && account.value && status.value.media.total === 0 ? "coming" : state;
}

/** A media file; one that is still coming is fetched at once. */
export async function mediaFile(name: string): Promise<Blob> {
  return ferry().media.get(name);
}

/** Where a media file is, after a look at the server for one that may come. */
export async function lookForMedia(name: string): Promise<MediaState> {
  const state = await mediaState(name);
  if (state !== "coming") return state;
  return mediaFile(name).then(() => "here", (e: unknown) => (toError(e).kind === "not_found" ? "missing" : "coming"));
}

/** Keeps a file that was pasted, photographed or chosen; the name that it has got. */
export async function addMedia(file: File): Promise<string> {
  return ferry().media.add(nameOf(file), file);
}

/** What a camera and a clipboard call their files is the same every time, so the time is in the name. */
function nameOf(file: File): string {
  const ext = /\.[a-z0-9]{1,5}$/i.exec(file.name)?.[0] ?? `.${file.type.split("/")[1] ?? "bin"}`;
  return /^(image|blob)?\.[a-z]+$/i.test(file.name) || !file.name ? `paste-${Date.now()}${ext}` : file.name;
}

/** How many pictures and sounds are here, of all that the collection has. */
export function mediaCounts(): { done: number; total: number } {
  return status.value.media;
}

/** The lines of a note type's templates that name one of these files. */
export async function templateLines(notetypeId: number, names: readonly string[]): Promise<TemplateLine[]> {
  const lines: TemplateLine[] = [];
  for (const t of await readTemplates(notetypeId)) {
    for (const side of ["front", "back"] as const) {
      for (const name of names) {
        const line = t[side].split("\n").find((l) => l.includes(name));
        if (line === undefined) continue;
        const textWithout = t[side].split("\n").filter((l) => l !== line).join("\n");
        lines.push({ notetypeId, notetype: t.notetype, template: t.name, ord: t.ord, side, name, line: line.trim(), textWithout });
      }
    }
  }
  return lines;
}

/** Remembers a choice of the editor as the collection does. */
export async function setCurrent(key: "curModel", id: number): Promise<void> {
  await edit({ op: "setConfig", key, value: id });
}

/** A number of a row. */
export function num(row: Row | undefined, column: string): number {
  return Number(row?.[column] ?? 0);
}

/** A text of a row. */
export function text(row: Row | undefined, column: string): string {
  const v = row?.[column];
  return typeof v === "string" ? v : v == null ? "" : String(v);
}

/** The head of a deck's queue. */
export async function queue(deckId: number): Promise<Queue> {
  const r = await ferry().nextCards(deckId);
  const [card] = r.cards;
  return {
    counts: r.counts,
    card: card && { id: card.card_id, kind: card.kind, labels: card.labels, leech: card.answers[0].leech },
    laterAt: r.learn_at || undefined,
    finished: r.finished && { kept: r.finished.new + r.finished.review, buried: r.finished.buried + r.finished.user_buried, filtered: r.finished.filtered },
  };
}

let ahead = false;

/**
 * Looks at a deck's first card in advance, once: what it takes from the collection is read then, and the code for it compiled, so that the
 * first card comes as fast as those after it.
 */
export async function lookAhead(deckId: number): Promise<void> {
  if (ahead) return;
  ahead = true;
  const { card } = await queue(deckId);
  if (card) await rendered(card.id);
  performance.mark("cardferry-ahead");
}

/** Answers a card. */
export async function answer(cardId: number, button: 1 | 2 | 3 | 4, takenMs: number): Promise<void> {
  await edit({ op: "answerCard", cardId, button, takenMs: Math.round(takenMs) });
}

const INPUT = '<input id="typeans" type="text">';

function sides(raw: RenderedCard): Rendered {
  const problem = raw.error ? texts.template(raw.error) : raw.empty ? texts.emptyCard[raw.empty] : undefined;
  const { typed } = raw;
  return {
    problem,
    typed: typed !== undefined,
    question: typed ? raw.question.replace(typed.marker, () => INPUT) : raw.question,
    answer: async (text) => {
      if (!typed) return raw.answer;
      const compared = await ferry().compareTyped({ typed: text, expected: typed.expected, nc: typed.nc });
      return raw.answer.replaceAll(typed.marker, compared.replaceAll("$", "$$$$"));
    },
    css: raw.css, ord: raw.ord, questionSounds: raw.av.question.map(sound), answerSounds: raw.av.answer.map(sound),
  };
}
