// What a page asks for to show a card, and what it gets (study.md §2 names the marks).

/** A card to render: a stored one, or one of a note that is not stored, for the preview of an editor. */
export type RenderRequest =
  | { cardId: number }
  | {
    notetypeId: number;
    /** The index of the template, or the number of the cloze minus 1. Default 0. */
    ord?: number;
    /** As many as the notetype has. */
    fields: readonly string[];
    tags?: readonly string[];
  };

/** What a card plays: a file of this name, or a text that is to be spoken; `sound` is "" then. */
export interface PlayItem {
  sound: string;
  speech?: { text: string; lang: string; voices?: string[]; speed: number; other?: string[] };
}

/** What a card shows. All of it comes from strangers: show it in a frame that has no access to the app. */
export interface RenderedCard {
  /** HTML. `[anki:play:q:0]` stands for a button that plays `av.question[0]`, and so on. */
  question: string;
  /** HTML, likewise with `[anki:play:a:0]`; it may have the marks of the question as well. */
  answer: string;
  /** The style that goes in front of each side. */
  css: string;
  /** The body has the classes `card` and `card<ord + 1>`. */
  ord: number;
  av: { question: PlayItem[]; answer: PlayItem[] };
  /** What is to be typed in: marker stands for the input in the question, and for the comparison in the answer. */
  typed?: { marker: string; field: string; expected: string; nc: boolean };
  /** Why there is nothing to ask: the question is then what there is of it, and the answer is empty. */
  empty?: "blank_front" | "no_number";
  /** The mistake in the template that keeps the card from being shown: both sides are empty then. */
  error?: {
    side: "front" | "back";
    problem: "unknown_field" | "not_closed" | "wrong_end" | "not_opened" | "too_long";
    tag: string;
    field: string;
  };
}

/** A typed answer to compare: with what the card expects, or with `typed` of a rendered one. */
export type TypedAnswer = { typed: string } & ({ cardId: number } | { expected: string; nc?: boolean });
