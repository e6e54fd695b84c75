// The operations of Cardferry.edit, as core/edit takes them.

/** A JSON value, as the collection's config holds them. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Adds a note with its cards. The deck is that of the cards, unless a template has its own. */
export interface AddNote {
  op: "addNote";
  notetypeId: number;
  deckId: number;
  /** As many as the notetype has. */
  fields: readonly string[];
  tags?: readonly string[];
}

/** Changes a note. Cards that it should have now are added; none is removed. */
export interface UpdateNote {
  op: "updateNote";
  noteId: number;
  /** All fields. */
  fields?: readonly string[];
  /** All tags. */
  tags?: readonly string[];
  /** Tags beside those that it has. */
  addTags?: readonly string[];
  /** Tags to take away, in any spelling. */
  removeTags?: readonly string[];
}

/** Removes notes with their cards. */
export interface RemoveNotes {
  op: "removeNotes";
  noteIds: readonly number[];
}

/** Answers a card: its next due date, the review log, the day's counters, siblings. */
export interface AnswerCard {
  op: "answerCard";
  cardId: number;
  /** Again, hard, good, easy. */
  button: 1 | 2 | 3 | 4;
  /** How long it took. */
  takenMs?: number;
}

/** Changes cards; what is given of it happens in this order. */
export interface SetCards {
  op: "setCards";
  cardIds: readonly number[];
  /** Moves them into a deck, which must not be a filtered one. */
  deckId?: number;
  /** Makes them new again, at the end of the queue. */
  forget?: boolean;
  /** With forget: at the places that they had as new cards. */
  restorePosition?: boolean;
  /** With forget: their numbers of reviews and lapses become 0. */
  resetCounts?: boolean;
  /**
   * Makes them due in that many days: `3`, `"3"`, `"1-7"` for a random day of these, `"3!"` to make it their interval, too.
   */
  due?: number | string;
  /** Gives new cards places in the queue of new cards, from this one on; cards of one note share a place. */
  position?: number;
  /** With position: the distance between two places. Default 1. */
  step?: number;
  suspended?: boolean;
  /** Until tomorrow. Suspended cards stay suspended. */
  buried?: boolean;
  /** 0 for none. */
  flag?: 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;
}

/** Adds a deck, and those above it that are missing. A name that is taken gets a `+`. */
export interface AddDeck {
  op: "addDeck";
  /** With `::` between levels. */
  name: string;
}

/** Renames a deck, or moves it below another one, together with those below it. */
export interface RenameDeck {
  op: "renameDeck";
  deckId: number;
  name: string;
}

/** Removes a deck, those below it, and their cards with the notes that have no others. The default deck (1) is emptied only. */
export interface RemoveDeck {
  op: "removeDeck";
  deckId: number;
}

/** Sets a value of the collection's config. */
export interface SetConfig {
  op: "setConfig";
  key: string;
  /** null removes the key. */
  value: Json;
}

/**
 * Changes the texts of a card template, or the style of its notetype. Templates that could not be used are refused. Other devices
 * merge the change; no one-way sync follows.
 */
export interface SetTemplate {
  op: "setTemplate";
  notetypeId: number;
  /** Which template. Default 0, the first one. */
  ord?: number;
  front?: string;
  back?: string;
  css?: string;
}

/** One operation of {@link Cardferry.edit}. */
export type EditOp =
  | AddNote
  | UpdateNote
  | RemoveNotes
  | AnswerCard
  | SetCards
  | AddDeck
  | RenameDeck
  | RemoveDeck
  | SetConfig
  | SetTemplate;

/** The ids of what one operation has made. */
export interface EditResult {
  /** Of addNote. */
  noteId?: number;
  /** Of addNote: all its cards; of updateNote: those that were added. */
  cardIds?: number[];
  /** Of addDeck. */
  deckId?: number;
}

/** The result of {@link Cardferry.edit}. */
export interface EditReport {
  /** One for each operation. */
  results: EditResult[];
}

/** The result of {@link Cardferry.undo}. */
export interface UndoReport {
  /** What was taken back: the name of the edit's first operation. */
  undone: EditOp["op"];
}
