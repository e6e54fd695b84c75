// The frame of a card. A card is a stranger's HTML, so it lives in a sandbox: an iframe without the app's origin, inside
// frame.html, an empty document of our own whose policy lets scripts run and nothing be loaded. Two frames, because a
// frame from srcdoc inherits the policy of the document around it, and the app's own policy lets no inline script run;
// and because the service worker can serve frame.html offline, but never sees a sandboxed frame.

import { useEffect, useRef } from "preact/hooks";
import type { Signal } from "@preact/signals";
import { texts } from "../texts.ts";
import { read, type FromFrame, type Side, type ToFrame } from "./messages.ts";

/** What a frame shows. */
export interface Face {
  /** Another key is another card, with a frame of its own. */
  key: string | number;
  side: Side;
  html: string;
  css: string;
  /** The number of the template, from 0. */
  ord: number;
}

/** What the app can say to the frame on the screen. */
export interface FrameHandle {
  send(message: ToFrame): void;
  focus(): void;
}

const POLICY =
  "default-src 'none'; script-src 'unsafe-inline' blob:; worker-src 'none'; style-src 'unsafe-inline' blob:; img-src blob: data:; media-src blob: data:; font-src blob: data:; base-uri 'none'; form-action 'none'";

const BASE = `
html { overflow-wrap: anywhere; -webkit-text-size-adjust: 100%; }
body { margin: 0; padding: 20px; min-height: 100%; box-sizing: border-box; font: 20px/1.45 system-ui, sans-serif; color: #1B2430; }
img, video { max-width: 100%; height: auto; }
.cardferry-absent { display: inline-block; min-width: 120px; min-height: 64px; padding: 12px; box-sizing: border-box; border: 1px dashed #8A6A2B; border-radius: 8px; font: 13px/1.4 system-ui, sans-serif; color: #566170; background: rgb(138 83 0 / .08); }
.nightMode .cardferry-absent { color: #E7B25C; border-color: #E7B25C; }
.replay-button { display: inline-flex; width: 44px; height: 44px; margin: 3px; vertical-align: middle; }
.replay-button svg { width: 100%; height: 100%; }
.replay-button circle { fill: none; stroke: currentColor; stroke-width: 3; }
.replay-button path { fill: currentColor; }
#typeans { width: 100%; box-sizing: border-box; font: inherit; padding: 8px; }
code#typeans { display: block; font-family: ui-monospace, Menlo, Consolas, monospace; padding: 8px 0; border: 0; }
.typeGood { background: #AEE6C0; color: #0B3A20; } .typeBad { background: #F6B8B1; color: #5B120B; } .typeMissed { background: #D8DCE1; color: #1B2430; }
.cloze { font-weight: 700; color: #1A5FC4; } .nightMode .cloze { color: #77AEFF; }
#image-occlusion-container { position: relative; }
#image-occlusion-container:not(.cardferry-covered) img:not(.cardferry-absent) { visibility: hidden; }
#image-occlusion-container img { display: block; margin: 0 auto; max-height: calc(100vh - 40px); }
#image-occlusion-canvas { position: absolute; pointer-events: none; }
button#toggle { min-height: 44px; padding: 0 16px; margin: 12px 0; font: inherit; font-size: 15px; }
hr { border: 0; border-top: 1px solid #C9C5BC; margin: 20px 0; } .nightMode hr { border-color: #2D3742; }
`;

const DOCUMENT = `<!doctype html><html lang=""><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}; require-trusted-types-for 'script'">` +
  `<meta name="viewport" content="width=device-width, initial-scale=1"><title>${texts.study.card}</title><style>${BASE}</style>` +
  `<script>${__FRAME_SCRIPT__.replaceAll("</", "<\\/")}</script></head><body tabindex="-1"></body></html>`;

const LABELS = { play: texts.study.replay, coming: texts.media.placeholder, missing: texts.media.placeholderMissing, type: texts.study.typeAnswer, outside: texts.media.outside };

interface Inner {
  frame: HTMLIFrameElement;
  port: MessagePort;
}

/** Shows a face of a card; what the card asks for goes to onMessage. */
export function CardFrame(p: { face: Face; night: Signal<boolean>; handle?: { current: FrameHandle | null }; onMessage: (m: FromFrame) => void }) {
  const outer = useRef<HTMLIFrameElement>(null);
  const inner = useRef<Inner | null>(null);
  const shownKey = useRef<string | number | null>(null);
  const latest = useRef(p);
  latest.current = p;

  const put = (): void => {
    const around = outer.current?.contentDocument;
    if (!around?.body || around.URL === "about:blank") return; // not loaded yet; onLoad comes back
    const { face, night } = latest.current;
    if (shownKey.current !== face.key || !inner.current) {
      if (!inner.current) around.body.replaceChildren();
      shownKey.current = face.key;
      inner.current = open(around, inner.current, night.value, (m) => latest.current.onMessage(m), () => (inner.current = null));
    }
    inner.current.port.postMessage(showing(face));
  };
  useEffect(put, [p.face.key, p.face.side, p.face.html, p.face.css]);
  useEffect(() => inner.current?.port.postMessage({ type: "night", on: p.night.value } satisfies ToFrame), [p.night.value]);
  useEffect(() => {
    if (p.handle) {
      p.handle.current = {
        send: (m) => inner.current?.port.postMessage(m),
        focus: () => {
          inner.current?.frame.focus();
          inner.current?.port.postMessage({ type: "focus" } satisfies ToFrame);
        },
      };
    }
    return () => {
      inner.current?.port.close();
      if (p.handle) p.handle.current = null;
    };
  }, []);
  return <iframe ref={outer} src="frame.html" title={texts.study.frame(p.face.side)} onLoad={put} />;
}

function showing(face: Face): ToFrame {
  return { type: "show", side: face.side, html: face.html, css: face.css, classes: `card card${face.ord + 1}`, labels: LABELS };
}

/** Makes the sandbox of a card in place of the last one's, which stays on the screen until the new one shows something. */
function open(around: Document, old: Inner | null, night: boolean, onMessage: (m: FromFrame) => void, onGone: () => void): Inner {
  const frame = around.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts");
  frame.setAttribute("title", texts.study.card);
  const { port1, port2 } = new MessageChannel();
  frame.style.cssText = old ? "position:absolute;inset:0;visibility:hidden" : "";
  frame.srcdoc = DOCUMENT;
  let loaded = false;
  frame.addEventListener("load", () => {
    if (loaded) {
      // The card has tried to go elsewhere, which the policy has stopped. The next side gets a new frame.
      onGone();
      return;
    }
    loaded = true;
    frame.contentWindow?.postMessage("port", "*", [port2]);
  });
  const swap = (): void => {
    frame.style.cssText = "";
    old?.frame.remove();
    old?.port.close();
    old = null;
  };
  port1.onmessage = (e) => {
    const m = read(e.data);
    if (!m) return;
    if (m.type === "shown") swap();
    onMessage(m);
  };
  port1.postMessage({ type: "night", on: night } satisfies ToFrame);
  setTimeout(swap, 400); // a card whose scripts never end is shown as it is
  around.body.append(frame);
  return { frame, port: port1 };
}
