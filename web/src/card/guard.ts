// What the policy of the frame does not cover. WebRTC reaches the network past every Content-Security-Policy, and so do
// links with rel=preconnect and rel=dns-prefetch, as far as a connection and a name. So both are taken out of the frame
// before a card's scripts run, together with the ways to get a fresh copy: frames inside the frame (removed before they can
// load), calls that build documents or shadow trees where they would not be seen, and HTML that becomes elements (which
// passes here where the browser has trusted types; the frame's own policy asks for them).
//
// Functions are taken aside first: scripts of a card may replace them, but not these.

const apply = Reflect.apply;
const remove = Element.prototype.remove;

const HIDDEN = ["RTCPeerConnection", "webkitRTCPeerConnection", "RTCDataChannel", "WebTransport", "WebSocketStream"];
const FRAMES = ["iframe", "frame", "object", "embed", "fencedframe", "portal"];

/** Takes these things away. */
export function guard(): void {
  const global = window as unknown as Record<string, unknown>;
  withoutLinks();
  for (const name of HIDDEN) delete global[name];
  const builders: [object, string[]][] = [
    [Document.prototype, ["open", "write", "writeln"]],
    [Element.prototype, ["attachShadow", "setHTMLUnsafe"]],
    [Document, ["parseHTMLUnsafe"]],
    [window, ["open", "XSLTProcessor"]],
  ];
  for (const [owner, names] of builders) {
    for (const name of names) Object.defineProperty(owner, name, { value: undefined, writable: false, configurable: false });
  }
  const lists = FRAMES.map((name) => document.getElementsByTagName(name)); // they follow the document
  new MutationObserver(() => {
    for (let i = 0; i < lists.length; i++) {
      for (let e = lists[i]?.[0]; e !== undefined; e = lists[i]?.[0]) apply(remove, e, []);
    }
  }).observe(document, { childList: true, subtree: true });
}

interface TrustedTypes {
  createPolicy(name: string, rules: Record<string, (text: string, type: string, sink: string) => string>): unknown;
}

const { indexOf, charCodeAt, slice, toLowerCase } = String.prototype;

/** Whether text has link at a place, in any case, and then what ends a name. */
function linkAt(text: string, at: number): boolean {
  for (let i = 0; i < 4; i++) if ((apply(charCodeAt, text, [at + i]) | 32) !== apply(charCodeAt, "link", [i])) return false;
  const after = apply(charCodeAt, text, [at + 4]);
  return !(after > 47 || after === 45) || after === 62; // no letter, digit or hyphen
}

/** What stands for a link: it is empty as well, and does nothing. */
const NOTHING = "param";

/** The HTML without link elements. */
function renamed(html: string): string {
  let done = "", from = 0;
  for (let at: number; (at = apply(indexOf, html, ["<", from])) >= 0; from = at + 1) {
    done += apply(slice, html, [from, at + 1]);
    if (!linkAt(html, at + 1)) continue;
    done += NOTHING;
    at += 4;
  }
  return done + apply(slice, html, [from]);
}

/** A name for an element as it was asked for, but for link. It is read once: an object could say something else the second time. */
function elementName(name: unknown): string {
  const text = `${name}`;
  const local = apply(slice, text, [apply(indexOf, text, [":"]) + 1]);
  return apply(toLowerCase, local, []) === "link" ? NOTHING : text;
}

/** Lets no link element come into being. */
function withoutLinks(): void {
  (window as unknown as { trustedTypes?: TrustedTypes }).trustedTypes?.createPolicy("default", {
    createHTML: renamed,
    // A javascript: address whose value is a text would be a new document, with everything in it.
    createScript: (code, _, sink) => (apply(indexOf, sink, ["href"]) >= 0 ? `${code}\n;void 0` : code),
    createScriptURL: (url) => url,
  });
  const { parseFromString } = DOMParser.prototype;
  const { createElement, createElementNS } = Document.prototype;
  const { define } = CustomElementRegistry.prototype;
  const own = (owner: object, name: string, value: unknown): void => void Object.defineProperty(owner, name, { value, writable: false, configurable: false });
  own(Document.prototype, "createElement", function (this: Document, name: unknown) {
    return apply(createElement, this, [elementName(name)]);
  });
  own(Document.prototype, "createElementNS", function (this: Document, space: unknown, name: unknown) {
    return apply(createElementNS, this, [space, elementName(name)]);
  });
  own(DOMParser.prototype, "parseFromString", function (this: DOMParser, html: unknown) {
    return apply(parseFromString, this, [html, "text/html"]); // in XML names are written in more ways
  });
  own(CustomElementRegistry.prototype, "define", function (this: CustomElementRegistry, name: string, maker: CustomElementConstructor) {
    return apply(define, this, [name, maker]); // none that extends an element of the browser's
  });
}
