// What the policy of the frame does not cover: WebRTC reaches the network past every Content-Security-Policy. So it is
// taken out of the frame before a card's scripts run, together with the ways to get a fresh copy: frames inside the
// frame (removed before they can load), and the calls that build documents or shadow trees where they would not be seen.
//
// Functions are taken aside first: scripts of a card may replace them, but not these.

const apply = Reflect.apply;
const remove = Element.prototype.remove;

const HIDDEN = ["RTCPeerConnection", "webkitRTCPeerConnection", "RTCDataChannel", "WebTransport", "WebSocketStream"];
const FRAMES = ["iframe", "frame", "object", "embed", "fencedframe", "portal"];

/** Takes these things away. */
export function guard(): void {
  const global = window as unknown as Record<string, unknown>;
  for (const name of HIDDEN) delete global[name];
  const builders: [object, string[]][] = [
    [Document.prototype, ["open", "write", "writeln"]],
    [Element.prototype, ["attachShadow", "setHTMLUnsafe"]],
    [Document, ["parseHTMLUnsafe"]],
    [window, ["open"]],
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
