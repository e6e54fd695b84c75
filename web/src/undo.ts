// Taking back what was just done.

import { undo } from "./api.ts";
import { complain, say, toError } from "./ferry.ts";
import { texts } from "./texts.ts";

/** Takes the last change back, and says so. */
export async function takeBack(): Promise<void> {
  try {
    const what = await undo();
    say(what === "answerCard" ? texts.study.undone.answerCard : texts.study.undone.other);
  } catch (e) {
    if (toError(e).kind !== "not_found") throw e;
    say(texts.study.nothingToUndo);
  }
}

/** Says what was done, with a way back. */
export function done(text: string): void {
  say(text, () => void takeBack().catch(complain));
}
