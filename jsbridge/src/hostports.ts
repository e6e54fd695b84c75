// The ways in which a page in a webview and its native app pass texts to each other (WEBVIEW.md).

/** One end of a channel that carries texts. A MessagePort is one. */
export interface HostPort {
  postMessage(text: string): void;
  /** Set by connectHost: takes what the app sends. Its data is a text of JSON, or what that stands for. */
  onmessage: ((event: MessageEvent) => void) | null;
  /** Begins to deliver, where what comes before is kept. */
  start?(): void;
}

/** A port whose app calls a global function with each text; what comes before somebody listens is kept. */
function called(name: string, postMessage: (text: string) => void): HostPort {
  let listener: HostPort["onmessage"] = null;
  const early: MessageEvent[] = [];
  (globalThis as Record<string, unknown>)[name] = (data: unknown) => {
    const event = new MessageEvent("message", { data });
    if (listener) listener(event);
    else early.push(event);
  };
  return {
    postMessage,
    get onmessage() {
      return listener;
    },
    set onmessage(f) {
      listener = f;
      if (f) early.splice(0).forEach(f);
    },
  };
}

/**
 * WKWebView: texts go to the script message handler of that name, and come as calls of `cardferryReceive(text)` with
 * `evaluateJavaScript`.
 */
export function webkitPort(name = "cardferry"): HostPort {
  const { webkit } = globalThis as unknown as {
    webkit?: { messageHandlers?: Record<string, { postMessage(message: unknown): void }> };
  };
  const handler = webkit?.messageHandlers?.[name];
  if (!handler) throw new TypeError(`the app has no script message handler ${name}`);
  return called("cardferryReceive", (text) => handler.postMessage(text));
}

/** React Native: texts go to `onMessage` of the WebView, and come as calls of `cardferryReceive(text)` with `injectJavaScript`. */
export function reactNativePort(): HostPort {
  const { ReactNativeWebView: view } = globalThis as unknown as { ReactNativeWebView?: { postMessage(text: string): void } };
  if (!view) throw new TypeError("the page is not in a WebView of React Native");
  return called("cardferryReceive", (text) => view.postMessage(text));
}

/** Android: the port that the app sends with a message `cardferry` (`postWebMessage`), once it has. Call it before the page is loaded. */
export function androidPort(): Promise<HostPort> {
  return new Promise((resolve) => {
    addEventListener("message", function take({ data, ports: [port] }: MessageEvent) {
      if (data !== "cardferry" || !port) return;
      removeEventListener("message", take);
      resolve(port);
    });
  });
}
