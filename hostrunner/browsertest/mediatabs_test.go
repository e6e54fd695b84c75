package browsertest_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// another opens the profile in a second tab.
func (l *learner) another(t *testing.T) *browsertest.Page {
	t.Helper()
	page := l.browser.Open(t, l.server.URL)
	page.Run(t, nil, openWithMedia)
	return page
}

// TestMediaTakeOver ends the leader at requests of a media sync that another tab has asked for: that tab leads, and its call ends well.
func TestMediaTakeOver(t *testing.T) {
	t.Parallel()
	l := newLearner(t)
	total := 0
	for round, path := range []string{"/msync/begin", "/msync/downloadFiles", "/msync/uploadChanges", "/msync/mediaSanity"} {
		for i := range 20 {
			l.desktop.PutMedia(t, fmt.Sprint("theirs ", round, " ", i, ".txt"), []byte(strings.Repeat("x", 5000+i)))
		}
		l.syncDesktop(t)
		second := l.another(t)
		second.Run(t, nil, `for (let i = 0; i < 5; i++) await ferry.media.add("ours" + args[0] + i + ".txt", new Blob([args[0] + "/" + i]))`, round)
		total += 25
		asked := neverAnswer(l.server, path)
		second.Run(t, nil, `window.syncing = ferry.media.sync(); window.here = ferry.media.get(args[0]).then((b) => b.size)`, fmt.Sprint("theirs ", round, " 7.txt"))
		<-asked
		l.server.Intercept(nil)
		l.page.Crash()
		var got []any
		second.Run(t, &got, `return [typeof (await window.syncing).uploaded, await window.here]`)
		if fmt.Sprint(got) != "[number 5007]" {
			t.Errorf("after %s: %v", path, got)
		}
		l.page.Close()
		l.page = second
		l.syncDesktop(t)
		l.wantSame(t, path, total)
	}
}

// TestImportDuringMediaSync imports a package while a media sync waits for the server, and while it stores files: neither harms the
// other.
func TestImportDuringMediaSync(t *testing.T) {
	t.Parallel()
	l := newLearner(t)
	l.page.Run(t, nil, `
		for (let i = 0; i < 20; i++) await ferry.media.add("packed" + i + ".txt", new Blob(["packed " + i]));
		await ferry.edit([{ op: "addDeck", name: "packed" }]);
		window.packed = await ferry.exportFile();
		for (let i = 0; i < 20; i++) await ferry.media.remove("packed" + i + ".txt");
		await ferry.media.sync();`)
	const n = 40
	for i := range n {
		l.desktop.PutMedia(t, fmt.Sprintf("theirs%02d.txt", i), []byte(strings.Repeat(fmt.Sprint(i), 3000)))
	}
	l.desktop.PutMedia(t, "packed3.txt", []byte("another one"))
	l.syncDesktop(t)
	var held atomic.Bool
	asked, release := make(chan struct{}), make(chan struct{})
	l.server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/msync/downloadFiles" && held.CompareAndSwap(false, true) {
			close(asked)
			<-release
		}
		return false
	})
	l.page.Run(t, nil, `window.syncing = ferry.media.sync()`)
	<-asked
	l.page.Run(t, nil, `window.importing = ferry.importFile(window.packed)`)
	l.page.Run(t, nil, `await ferry.query("SELECT 1")`)
	close(release)
	var got struct {
		Media, Decks int
		Here         int
		Sound        string
	}
	l.page.Run(t, &got, `
		const [{ media }, report] = await Promise.all([window.importing, window.syncing]);
		const [{ decks }] = await ferry.query("SELECT count(*) AS decks FROM decks WHERE name = 'packed'");
		const [{ integrity_check: sound }] = await ferry.query("PRAGMA integrity_check");
		let here = 0;
		for (let i = 0; i < 20; i++) if (await ferry.media.state("packed" + i + ".txt") === "here") here++;
		return { media, decks, sound, here }`)
	if got.Media < 19 || got.Decks != 1 || got.Sound != "ok" || got.Here != 20 {
		t.Errorf("%+v", got)
	}
	l.server.Intercept(nil)
	l.sync(t)
	l.syncDesktop(t)
	l.sync(t)
	l.syncDesktop(t)
	l.wantSame(t, "after both", n+20)
}

// TestMediaNames adds files with every kind of odd name: each is found, read and shown under the name that it got.
func TestMediaNames(t *testing.T) {
	t.Parallel()
	l := newLearner(t)
	var got [][]any
	l.page.Run(t, &got, `
		const names = [
			"e\u0301a\u0300.PNG", "\u{1F469}\u200D\u{1F4BB}\u{1F3FD}.png", "\u05E9\u05DC\u05D5\u05DD.png", "\u202Eright to left.png", "\u1E9B\u0323.png", "\uFF21\uFF22.png",
			"\u110B\u1165\u11A8.png", "a\u0000b.png", "a/b\\c:d*e?f.png", "..", "../../up.png", " lead and trail . ", "CON.png", "%2e%2e%2f.png", "#&=+;?.png", "\u0130\u0131.png",
			"\u{10FFFF}.png", "x".repeat(300) + ".png", "\u{1F408}".repeat(60) + ".png", "no extension", "_underscore.png", "tab\tnew\nline.png", "\uFEFFbom.png", "SS\u00DF\u1E9E.png",
		];
		const got = [];
		for (const [i, wanted] of names.entries()) {
			const name = await ferry.media.add(wanted, new Blob(["content " + i])).catch((e) => e.kind);
			if (name === "invalid_input") { got.push([wanted, name, true]); continue; }
			const text = await (await ferry.media.get(name)).text();
			const shown = await (await fetch(await ferry.media.url(name))).text();
			got.push([wanted, name, name === name.normalize("NFC") && await ferry.media.state(name) === "here" && text === "content " + i && shown === text]);
		}
		return got`)
	seen := map[string]bool{}
	stored := 0
	for _, g := range got {
		wanted, name, ok := g[0].(string), g[1].(string), g[2].(bool)
		if !ok || len(name) > 120 || name != "invalid_input" && seen[strings.ToLower(name)] {
			t.Errorf("%q became %q: %v", wanted, name, ok)
		}
		seen[strings.ToLower(name)] = true
		if name != "invalid_input" {
			stored++
		}
	}
	t.Logf("names: %q", got)
	if r := l.sync(t); r.Uploaded != stored || len(r.SetAside) > 0 {
		t.Errorf("%+v, stored %d", r, stored)
	}
	l.syncDesktop(t)
	l.wantSame(t, "after a sync", stored)
}

// TestManyAtOnce makes more calls at the same time than there are files in the pool.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	page := browsertest.Start(t).Open(t, browsertest.NewServer(t, "").URL)
	var got []int
	page.Run(t, &got, until+`
		await open();
		const add = (i) => ferry.media.add("picture " + i % 40 + ".png", new Blob(["picture " + i]));
		const names = await Promise.all(Array.from({ length: 60 }, (_, i) => add(i)));
		const texts = await Promise.all(names.map(async (name) => (await ferry.media.get(name)).text()));
		const right = texts.filter((text, i) => text === "picture " + i).length;
		const packages = await Promise.all(Array.from({ length: 8 }, () => ferry.exportFile()));
		await until(() => ferry.status.media.done === 60);
		return [new Set(names).size, right, packages.filter((p) => p.size > 1000).length]`)
	if fmt.Sprint(got) != "[60 60 8]" {
		t.Errorf("names, contents, packages: %v", got)
	}
}

// TestClearedWhileOpen removes everything that the site has stored while the profile is open in two tabs, as a user does in the browser's
// settings: calls say what has happened, nothing of it reaches the server, and the profile is opened anew and has everything back.
func TestClearedWhileOpen(t *testing.T) {
	t.Parallel()
	server := ownServer(t)
	browser := browsertest.Start(t)
	page := browser.Open(t, server.URL)
	login(t, page)
	addNote(t, page, "precious")
	page.Run(t, nil, `await ferry.media.add("kept.txt", new Blob(["kept"])); await ferry.upload(); await ferry.media.sync()`)
	other := browser.Open(t, server.URL)
	other.Run(t, nil, `await open()`)
	page.ClearFiles(t)
	var uploads atomic.Int32
	server.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/upload") || strings.HasSuffix(r.URL.Path, "/applyGraves") || strings.HasSuffix(r.URL.Path, "/uploadChanges") {
			uploads.Add(1)
			_, _ = io.Copy(io.Discard, r.Body)
		}
		return false
	})
	var kinds []string
	page.Run(t, &kinds, `
		const kinds = [];
		for (const call of [() => ferry.edit([{ op: "setConfig", key: "after", value: 1 }]), () => ferry.query("SELECT count(*) FROM notes"), () => ferry.sync(), () => ferry.media.sync()]) {
			kinds.push(await call().then(() => "done", (e) => e instanceof bridge.SyncError ? e.kind : String(e)));
		}
		return kinds`)
	t.Logf("calls afterwards: %v", kinds)
	if kinds[0] == "done" {
		t.Error("an edit in vain is said to be done")
	}
	for _, kind := range kinds {
		if kind != "done" && fault.ParseKind(kind) == fault.Other && kind != "other" {
			t.Errorf("after the files were removed: %v", kinds)
		}
	}
	const isBack = until + `
		const notes = async () => (await ferry.query("SELECT count(*) AS n FROM notes"))[0].n;
		await until(() => notes().then((n) => n === 1, () => false));
		return (await ferry.media.get("kept.txt")).text()`
	for i, p := range []*browsertest.Page{other, page} {
		var text string
		if p.Run(t, &text, isBack); text != "kept" {
			t.Errorf("tab %d: the media file is %q", i, text)
		}
	}
	if uploads.Load() > 0 {
		t.Errorf("%d requests would have emptied the server", uploads.Load())
	}
	other.Run(t, nil, `for (let i = 0; i < 3; i++) await ferry.media.add("later" + i + ".txt", new Blob([String(i), new Uint8Array(2 << 20)]))`)
	page.Load(t, server.URL)
	var state string
	if page.Run(t, &state, `await open(); return ferry.media.state("later2.txt")`); state != "here" {
		t.Errorf("a file that was added later is %s", state)
	}
	// Files that were read to be sent are closed a second later, all others by close; Chromium never comes back from closing one of these.
	server.Intercept(nil)
	page.Run(t, nil, `await ferry.media.sync()`)
	other.Close()
	page.ClearFiles(t)
	page.Run(t, nil, `
		await new Promise((resolve) => setTimeout(resolve, 1500));
		await ferry.close()`)
	page.Load(t, server.URL)
	var text string
	if page.Run(t, &text, `await open();`+isBack); text != "kept" {
		t.Errorf("loaded again: the media file is %q", text)
	}
}
