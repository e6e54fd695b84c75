// Links on cards.

import { texts } from "../texts.ts";

/** Opens the address of a link in a window of its own, if the person wants to go there. */
export function openLink(url: string): void {
  if (confirm(texts.study.openLink(url))) window.open(url, "_blank", "noopener,noreferrer");
}
