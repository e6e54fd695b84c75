package browsertest_test

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// requests runs do and returns the methods of the protocol that it calls, in order.
func (l *learner) requests(t *testing.T, do string) (methods []string) {
	t.Helper()
	seen := make(chan string, 200)
	l.server.Intercept(func(_ http.ResponseWriter, r *http.Request) bool { seen <- r.URL.Path; return false })
	l.page.Run(t, nil, do)
	l.server.Intercept(nil)
	for len(seen) > 0 {
		path := <-seen
		methods = append(methods, path[strings.LastIndexByte(path, '/')+1:])
	}
	return methods
}

// kill ends the page's process at the nth request of do: before the server has it, or after its answer, of which the page never
// hears.
func (l *learner) kill(t *testing.T, do string, nth int, after bool) {
	t.Helper()
	var seen atomic.Int32
	reached, release := make(chan struct{}), make(chan struct{})
	l.server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if seen.Add(1) != int32(nth) {
			return false
		}
		if after {
			l.server.PassOn(httptest.NewRecorder(), r)
		}
		close(reached)
		<-release
		panic(http.ErrAbortHandler)
	})
	l.page.Run(t, nil, `void (async () => {`+do+`})().catch(() => {})`)
	select {
	case <-reached:
	case <-time.After(time.Minute):
		t.Fatalf("no request %d", nth)
	}
	l.page.Crash()
	l.server.Intercept(nil)
	close(release)
	l.reopen(t)
	var sound string
	if l.page.Run(t, &sound, `return (await ferry.query("PRAGMA integrity_check"))[0].integrity_check`); sound != "ok" {
		t.Fatalf("after the kill: %s", sound)
	}
}

// eachKill makes changes on both sides, and ends the page at each request of do: before the server has it or after it has answered, or
// one time each if all cases are to run. Then both sides must come together. The methods wanted are among the requests.
func eachKill(t *testing.T, do string, want []string, change func(t *testing.T, l *learner, round int), together func(t *testing.T, l *learner, round int)) {
	t.Helper()
	l := newLearner(t)
	apply(t, l.desktop.Client, base)
	l.desktop.full(t, true)
	l.page.Run(t, nil, `await ferry.download()`)
	change(t, l, 0)
	methods := l.requests(t, do)
	for _, m := range want {
		if !slices.Contains(methods, m) {
			t.Fatalf("the requests are %v, without %s", methods, m)
		}
	}
	together(t, l, 0)
	round := 0
	for i := range methods {
		for _, after := range []bool{false, true} {
			if after == (i%2 == 0) && os.Getenv("CARDFERRY_FULL") == "" {
				continue
			}
			round++
			change(t, l, round)
			l.kill(t, do, i+1, after)
			together(t, l, round)
			if t.Failed() {
				t.Fatalf("killed at request %d of %v, after its answer: %v", i+1, methods, after)
			}
		}
	}
	t.Logf("killed at each of %v", methods)
	l.page.Run(t, nil, `await ferry.close()`)
}

// TestKilledInSync ends the page at each request of a sync of the collection, and of both one-way syncs.
func TestKilledInSync(t *testing.T) {
	t.Parallel()
	change := func(t *testing.T, l *learner, round int) {
		t.Helper()
		text := fmt.Sprint("round ", round)
		apply(t, l.desktop.Client, []edit{note("theirs "+text, "Basic", "Other", text, ""), do("set_config", "key", "theirs", "value", round)})
		l.desktop.sync(t)
		l.page.Run(t, nil, `
			const [{ id }] = await ferry.query("SELECT id FROM notetypes WHERE name = 'Basic'");
			await ferry.edit([
				{ op: "addNote", notetypeId: id, deckId: 1, fields: ["ours " + args[0], "x".repeat(3000)], tags: ["ours"] },
				{ op: "setConfig", key: "ours", value: args[0] }, { op: "addDeck", name: "Ours::" + args[0] },
			]);
			const { results: [{ noteId }] } = await ferry.edit([{ op: "addNote", notetypeId: id, deckId: 1, fields: ["gone " + args[0], ""] }]);
			await ferry.edit([{ op: "removeNotes", noteIds: [noteId] }]);`, text)
	}
	together := func(t *testing.T, l *learner, round int) {
		t.Helper()
		l.page.Run(t, nil, `await ferry.sync({ media: false })`)
		l.desktop.sync(t)
		l.desktop.wantSame(t, "together", exported(t, l.page))
		var n int
		if l.page.Run(t, &n, `return (await ferry.query("SELECT count(*) AS n FROM notes"))[0].n`); n != len(base)-2+2*(round+1) {
			t.Errorf("round %d: %d notes", round, n)
		}
	}
	t.Run("sync", func(t *testing.T) {
		t.Parallel()
		want := []string{"meta", "start", "applyGraves", "applyChanges", "chunk", "applyChunk", "sanityCheck2", "finish"}
		eachKill(t, `await ferry.sync({ media: false })`, want, change, together)
	})
	t.Run("upload", func(t *testing.T) {
		t.Parallel()
		var names []string
		change := func(t *testing.T, l *learner, round int) {
			t.Helper()
			names = append(names, fmt.Sprint("deck ", round))
			l.page.Run(t, nil, `await ferry.edit([{ op: "addDeck", name: args[0] }])`, names[round])
		}
		together := func(t *testing.T, l *learner, _ int) {
			t.Helper()
			l.page.Run(t, nil, `await ferry.upload({ backup: false })`)
			l.desktop.full(t, false)
			l.desktop.wantSame(t, "together", exported(t, l.page))
			var n int
			if l.page.Run(t, &n, `return (await ferry.query("SELECT count(*) AS n FROM decks WHERE name LIKE 'deck %'"))[0].n`); n != len(names) {
				t.Errorf("%d decks of %q", n, names)
			}
		}
		eachKill(t, `await ferry.upload()`, []string{"meta", "upload"}, change, together)
	})
	t.Run("download", func(t *testing.T) {
		t.Parallel()
		change := func(t *testing.T, l *learner, round int) {
			t.Helper()
			apply(t, l.desktop.Client, []edit{note(fmt.Sprint("theirs ", round), "Basic", "Other", "text", "")})
			l.desktop.full(t, true)
		}
		together := func(t *testing.T, l *learner, _ int) {
			t.Helper()
			l.page.Run(t, nil, `await ferry.download({ backup: false })`)
			l.desktop.wantSame(t, "together", exported(t, l.page))
		}
		eachKill(t, `await ferry.download()`, []string{"meta", "download"}, change, together)
	})
}

func exported(t *testing.T, page *browsertest.Page) string {
	t.Helper()
	path := t.TempDir() + "/collection.anki2"
	page.ExportCollection(t, path)
	return path
}

// TestMediaKilledEverywhere ends the page at each request of a media sync that sends, fetches and deletes in both directions.
func TestMediaKilledEverywhere(t *testing.T) {
	t.Parallel()
	n := 0
	change := func(t *testing.T, l *learner, round int) {
		t.Helper()
		if round > 0 {
			l.page.Run(t, nil, `await ferry.media.remove(args[0])`, fmt.Sprint("ours ", round-1, ".txt"))
			l.desktop.TrashMedia(t, fmt.Sprint("theirs ", round-1, ".txt"))
			n -= 2
		}
		l.desktop.PutMedia(t, fmt.Sprint("theirs ", round, ".txt"), []byte(fmt.Sprint("theirs ", round)))
		l.desktop.PutMedia(t, fmt.Sprint("theirs ", round, " stays.txt"), []byte(fmt.Sprint("stays ", round)))
		l.syncDesktop(t)
		l.page.Run(t, nil, `for (const name of [args[0] + ".txt", args[0] + " stays.txt"]) await ferry.media.add(name, new Blob([name]))`, fmt.Sprint("ours ", round))
		n += 4
	}
	together := func(t *testing.T, l *learner, _ int) {
		t.Helper()
		l.sync(t)
		l.syncDesktop(t)
		l.wantSame(t, "together", n)
	}
	eachKill(t, `await ferry.media.sync()`, []string{"begin", "mediaChanges", "downloadFiles", "uploadChanges", "mediaSanity"}, change, together)
}

// openCounting opens the profile with a worker that stops at the nth write to a file after it was told so, and asks the server for
// /sync/stopped then.
const openCounting = `
	const code = "import '" + location.origin + "/dist/worker.js';" + "(" + (() => {
		let left = -1;
		const write = FileSystemSyncAccessHandle.prototype.write;
		FileSystemSyncAccessHandle.prototype.write = function (...args) {
			if (left > 0 && --left === 0) {
				const request = new XMLHttpRequest();
				request.open("GET", ORIGIN + "/sync/stopped", false);
				try { request.send(); } catch {}
			}
			return write.apply(this, args);
		};
		addEventListener("message", ({ data }) => { left = data.writes ?? left; });
	}).toString().replace("ORIGIN", JSON.stringify(location.origin)) + ")();";
	await open({ assets: { worker: script(code) } });
`

// TestKilledInImport ends the page at many writes of an import: the collection is then the one before, or the package's, and whole.
func TestKilledInImport(t *testing.T) {
	t.Parallel()
	c, files := packaged(t)
	apply(t, c, []edit{do("add_notes", "prefix", "many", "count", 400, "deck", "Many")})
	content := base64.StdEncoding.EncodeToString(read(t, packageOf(t, c)))
	server, browser := ownServer(t), browsertest.Start(t)
	stopped := make(chan struct{}, 1)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	server.Intercept(only("/sync/stopped", func(http.ResponseWriter, *http.Request) { stopped <- struct{}{}; <-release }))
	page := browser.Open(t, server.URL)
	killed := 0
	for nth := 1; ; nth *= 2 {
		page.Run(t, nil, openCounting+`
			await ferry.edit([{ op: "addDeck", name: "own " + args[0] }]);
			window.ended = false;
			window.importing = ferry.importFile(new Blob([Uint8Array.from(atob(args[1]), (c) => c.charCodeAt(0))])).finally(() => { window.ended = true; });
			workers.at(-1).postMessage({ writes: args[0] });`, nth, content)
		ended := false
		for !ended && len(stopped) == 0 {
			page.Run(t, &ended, `await new Promise((go) => setTimeout(go, 20)); return window.ended`)
		}
		if ended {
			break
		}
		<-stopped
		killed++
		page.Crash()
		page.Close()
		page = browser.Open(t, server.URL)
		var got struct {
			Own, Notes, Cards int
			Sound             string
		}
		page.Run(t, &got, `
			await open();
			const [{ own }] = await ferry.query("SELECT count(*) AS own FROM decks WHERE name = 'own ' || ?", [args[0]]);
			const [{ notes }] = await ferry.query("SELECT count(*) AS notes FROM notes");
			const [{ cards }] = await ferry.query("SELECT count(*) AS cards FROM cards");
			const [{ integrity_check: sound }] = await ferry.query("PRAGMA integrity_check");
			await ferry.close();
			return { own, notes, cards, sound }`, nth)
		before := got.Own == 1
		if got.Sound != "ok" || (!before && got.Notes < 400) || got.Cards < got.Notes {
			t.Fatalf("killed at write %d: %+v", nth, got)
		}
	}
	if killed < 6 {
		t.Errorf("killed only %d times", killed)
	}
	var report struct{ Here []string }
	page.Run(t, &report, `
		await window.importing;
		const names = args[0], here = [];
		for (const name of names) if (await ferry.media.state(name) === "here") here.push(name);
		return { here }`, slices.Collect(maps.Keys(files)))
	if len(report.Here) != len(files) {
		t.Errorf("of %d files %q are here", len(files), report.Here)
	}
	if found, err := agent(t).Check(exported(t, page)); found != "" || err != nil {
		t.Errorf("the database check: %s %v", found, err)
	}
	t.Logf("killed at %d writes", killed)
}
