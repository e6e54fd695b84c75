// MathJax is large and seldom needed, so it is fetched when a card asks for it, and handed into the frame, which cannot
// fetch anything.

import type { FrameHandle } from "./Frame.tsx";

/** Sends MathJax into the frame. Without it formulas stay as they are written. */
export async function sendMathJax(frame: { current: FrameHandle | null }): Promise<void> {
  const response = await fetch(new URL(__ASSETS__.mathjax, document.baseURI)).catch(() => null);
  const script = response?.ok ? await response.text() : "";
  frame.current?.send({ type: "mathjax", script: new Blob([script], { type: "text/javascript" }) });
}
