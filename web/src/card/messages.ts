// The messages between the app and the frame of a card. What comes from the frame may have been written by a card, so the
// app checks each (read), and no message does more than the card on the screen could ask of a person.

/** App to frame. */
export type ToFrame =
  | { type: "show"; side: Side; html: string; css: string; classes: string; labels: FrameLabels }
  | { type: "file"; name: string; state: "here"; blob: Blob }
  | { type: "file"; name: string; state: "coming" | "missing" }
  | { type: "mathjax"; script: Blob }
  | { type: "night"; on: boolean }
  | { type: "focus" };

/** Which side of a card. */
export type Side = "question" | "answer";

/** The words that are shown inside the frame. */
export interface FrameLabels {
  play: string;
  coming: string;
  missing: string;
  type: string;
  outside: string;
}

/** Frame to app. */
export type FromFrame =
  | { type: "need"; names: string[] }
  | { type: "mathjax" }
  | { type: "shown" }
  | { type: "key"; key: string; ctrl: boolean; shift: boolean }
  | { type: "typed"; text: string }
  | { type: "play"; side: "q" | "a"; index: number }
  | { type: "link"; url: string };

/** How many files one card may ask for. */
const MOST_FILES = 500;

/** Checks a message from the frame; undefined for anything else than it may be. */
export function read(data: unknown): FromFrame | undefined {
  if (typeof data !== "object" || data === null) return undefined;
  const m = data as Record<string, unknown>;
  switch (m.type) {
    case "need":
      if (!Array.isArray(m.names) || m.names.length > MOST_FILES || !m.names.every((n) => typeof n === "string")) return undefined;
      return { type: "need", names: m.names as string[] };
    case "mathjax":
    case "shown":
      return { type: m.type };
    case "key":
      return typeof m.key === "string" ? { type: "key", key: m.key, ctrl: m.ctrl === true, shift: m.shift === true } : undefined;
    case "typed":
      return typeof m.text === "string" && m.text.length < 10_000 ? { type: "typed", text: m.text } : undefined;
    case "play":
      return (m.side === "q" || m.side === "a") && typeof m.index === "number" ? { type: "play", side: m.side, index: m.index } : undefined;
    case "link":
      return typeof m.url === "string" && /^https?:\/\//i.test(m.url) ? { type: "link", url: m.url } : undefined;
  }
  return undefined;
}
