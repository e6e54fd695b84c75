// What Cardferry.deckTree and Cardferry.nextCards return, as core/study has it.

/** A deck with those below it. Numbers are of cards. */
export interface DeckNode {
  id: number;
  /** The last part of the name; more of it where decks above this one are missing. */
  name: string;
  /** 1 at the top. */
  level: number;
  collapsed: boolean;
  /** It borrows its cards from other decks, by a search. */
  filtered: boolean;
  /** To be shown today in the deck and those below it, within the limits; so are the next two. */
  new: number;
  /** Learning steps that end within the learn-ahead limit, and learning cards that are due by their day. */
  learn: number;
  review: number;
  /** In the deck alone, without limits, as the next three: learning steps that end within the learn-ahead limit. */
  intraday: number;
  /** Learning cards that are due by their day. */
  interday: number;
  new_all: number;
  review_all: number;
  /** All cards of the deck alone. */
  total: number;
  /** All cards of the deck and those below it. */
  total_all: number;
  children: DeckNode[];
}

/** The result of {@link Cardferry.deckTree}. */
export interface DeckTree {
  decks: DeckNode[];
  /** What was studied today: answers, and the milliseconds that they took. */
  studied: { cards: number; ms: number };
  /** The number of the day. */
  today: number;
  /** When the next day begins, in milliseconds since 1970. */
  next_day: number;
}

/** What a card is in, or would be in after an answer. */
export interface CardState {
  kind: "new" | "learning" | "review" | "relearning" | "preview";
  /** Of a learning step or a preview; a preview without any has ended. */
  seconds: number;
  /** Of a review. */
  days: number;
  /** The answer makes the card a leech. */
  leech: boolean;
}

/** A card to be shown. */
export interface NextCard {
  card_id: number;
  note_id: number;
  /** Where the card is, which may be a filtered deck. */
  deck_id: number;
  /** The template, or one less than the number of the cloze. */
  ord: number;
  /** The count to which the card belongs. */
  kind: "new" | "learn" | "review";
  /** 0 for none. */
  flag: number;
  reps: number;
  /** Seconds since the last answer, -1 if none is known. */
  elapsed: number;
  state: CardState;
  /** What Again, Hard, Good and Easy lead to. */
  answers: [CardState, CardState, CardState, CardState];
  /** What their buttons say, in English: `<10m`, `3d`, `1.1mo`. */
  labels: [string, string, string, string];
}

/** What there is in a deck although nothing is to be studied now. */
export interface Finished {
  /** Learning cards that come later, also after today. */
  learning: number;
  /** New cards and reviews that the day's limits keep back. */
  new: number;
  review: number;
  suspended: number;
  /** Buried as siblings of others. */
  buried: number;
  /** Buried by the user. */
  user_buried: number;
  /** The deck is a filtered one. */
  filtered: boolean;
}

/** The result of {@link Cardferry.nextCards}. */
export interface NextCards {
  /** How many cards are left today. */
  counts: { new: number; learn: number; review: number };
  /** The next card first. */
  cards: NextCard[];
  /** When the next learning card falls due that is not yet, in milliseconds since 1970; 0 if there is none today. */
  learn_at: number;
  /** Only if there is nothing to be studied now. */
  finished?: Finished;
}
