package browsertest_test

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// learner is a page with a profile that is logged in, and a desktop with the same account.
type learner struct {
	server  *browsertest.Server
	browser *browsertest.Browser
	page    *browsertest.Page
	desktop *desktop
}

const openWithMedia = `await open({assets: {serviceWorker: "/serviceWorker.js"}});`

func newLearner(t *testing.T) *learner {
	t.Helper()
	return newLearnerWith(t, openWithMedia)
}

func newLearnerWith(t *testing.T, open string) *learner {
	t.Helper()
	endpoint, acc := account(t)
	l := &learner{server: browsertest.NewServer(t, endpoint), browser: browsertest.Start(t), desktop: newDesktop(t, endpoint, acc)}
	l.page = l.browser.Open(t, l.server.URL)
	l.page.Run(t, nil, open+`await ferry.settings.set({autoSync: false, syncMedia: false, live: false}); await ferry.login({user: args[0], password: args[1]});`, acc.User, anki.Password)
	return l
}

// reopen opens the page again after a crash.
func (l *learner) reopen(t *testing.T) {
	t.Helper()
	l.page.Close()
	l.page = l.browser.Open(t, l.server.URL)
	l.page.Run(t, nil, openWithMedia)
}

func (l *learner) syncDesktop(t *testing.T) {
	t.Helper()
	if _, err := l.desktop.SyncMedia(l.desktop.endpoint, l.desktop.Key); err != nil {
		t.Fatal(err)
	}
}

type mediaReport struct {
	Held, Downloaded, Uploaded int
	DeletedLocal               int `json:"deleted_local"`
	DeletedRemote              int `json:"deleted_remote"`
	SetAside                   []struct{ Name, Reason string }
}

func (l *learner) sync(t *testing.T) (r mediaReport) {
	t.Helper()
	l.page.Run(t, &r, `const r = await ferry.media.sync(); step("media " + JSON.stringify(r)); return r`)
	return r
}

// wantSame compares the page's files with the desktop's, and what the page says about them.
func (l *learner) wantSame(t *testing.T, when string, n int) {
	t.Helper()
	want := l.desktop.Client.Media(t)
	var got struct {
		Sums  map[string]string
		Media struct{ Done, Total int }
	}
	l.page.Run(t, &got, `
		const sums = {};
		for (const name of args[0]) {
			if (await ferry.media.state(name) !== "here") continue;
			const sum = await crypto.subtle.digest("SHA-1", await (await ferry.media.get(name)).arrayBuffer());
			sums[name] = [...new Uint8Array(sum)].map((b) => b.toString(16).padStart(2, "0")).join("");
		}
		return {sums, media: ferry.status.media};
	`, slices.Collect(maps.Keys(want)))
	if differences := anki.CompareMedia(got.Sums, want); len(differences) > 0 || len(want) != n {
		t.Fatalf("%s: %d files on the desktop, %v", when, len(want), differences)
	}
	if got.Media.Done != n || got.Media.Total != n {
		t.Errorf("%s: the page says %+v, want %d", when, got.Media, n)
	}
}

// dot is a PNG of one pixel.
const dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="

func dotPNG(t *testing.T) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(dot)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// helpers are functions that the tests' JavaScript uses.
const helpers = `
	/** A sound of one second. */
	const sound = () => {
		const rate = 8000, b = new DataView(new ArrayBuffer(44 + rate));
		const text = (at, s) => [...s].forEach((c, i) => b.setUint8(at + i, c.charCodeAt(0)));
		text(0, "RIFF"); b.setUint32(4, 36 + rate, true); text(8, "WAVEfmt "); b.setUint32(16, 16, true); b.setUint16(20, 1, true);
		b.setUint16(22, 1, true); b.setUint32(24, rate, true); b.setUint32(28, rate, true); b.setUint16(32, 1, true); b.setUint16(34, 8, true);
		text(36, "data"); b.setUint32(40, rate, true);
		for (let i = 0; i < rate; i++) b.setUint8(44 + i, 128 + 100 * Math.sin(i / 5));
		return new Blob([b.buffer], {type: "audio/wav"});
	};
	/** The width of a picture that is shown. */
	const show = async (src) => {
		const img = new Image();
		img.src = src;
		document.body.append(img);
		await img.decode();
		return img.naturalWidth;
	};
	const event = (target, type) => new Promise((resolve, reject) => {
		target.addEventListener(type, resolve, {once: true});
		target.addEventListener("error", () => reject(new Error("failed: " + target.src)), {once: true});
	});
`

// TestMedia exchanges files between a page and the real client, and shows them through the service worker.
func TestMedia(t *testing.T) {
	t.Parallel()
	l := newLearner(t)
	l.desktop.AddMedia(t, "theirs.png", dotPNG(t))
	l.syncDesktop(t)
	var changes []map[string]string
	l.page.Run(t, nil, `window.changes = []; ferry.media.subscribe((list) => changes.push(...list))`)
	if r := l.sync(t); r.Downloaded != 1 {
		t.Errorf("%+v", r)
	}
	if l.page.Run(t, &changes, `return changes`); len(changes) != 1 || changes[0]["name"] != "theirs.png" || changes[0]["state"] != "here" {
		t.Errorf("changes: %v", changes)
	}
	l.wantSame(t, "after the desktop's file", 1)

	var names []string
	l.page.Run(t, &names, helpers+`
		const names = [];
		names.push(await ferry.media.add("Cafe\u0301.WAV", sound()));
		names.push(await ferry.media.add("theirs.png", new Blob(["something else"])));
		names.push(await ferry.media.add("theirs.png", await ferry.media.get("theirs.png")));
		return names;
	`)
	if names[0] != "café.wav" || !strings.HasPrefix(names[1], "theirs-") || names[2] != "theirs.png" {
		t.Errorf("added as %q", names)
	}
	if r := l.sync(t); r.Uploaded != 2 {
		t.Errorf("%+v", r)
	}
	l.syncDesktop(t)
	l.wantSame(t, "after the page's files", 3)

	t.Run("service worker", func(t *testing.T) { l.testServiceWorker(t) })

	l.page.Run(t, nil, `await ferry.media.remove(args[0])`, names[1])
	l.desktop.TrashMedia(t, "theirs.png")
	l.syncDesktop(t)
	if r := l.sync(t); r.DeletedRemote != 1 || r.DeletedLocal != 1 {
		t.Errorf("%+v", r)
	}
	l.syncDesktop(t)
	l.wantSame(t, "after removals on both sides", 1)
	var check struct{ Unused, Missing []string }
	if l.page.Run(t, &check, `return ferry.media.check()`); len(check.Unused) != 1 || len(check.Missing) != 0 {
		t.Errorf("%+v", check)
	}
	err := l.page.Try(t, nil, `await ferry.media.get("none.png")`)
	wantKind(t, err, fault.NotFound)
	l.page.Run(t, nil, `await ferry.close()`)
}

func (l *learner) testServiceWorker(t *testing.T) {
	var got struct {
		Base          string
		Width, Coming int
		State         string
		Duration      float64
		Parts         [][]any
		Missing       int
		Closed        int
	}
	l.desktop.AddMedia(t, "coming.png", dotPNG(t))
	l.syncDesktop(t)
	l.page.Run(t, &got, helpers+`
		const got = {base: await ferry.media.base(), parts: []};
		got.width = await show(await ferry.media.url("theirs.png"));
		const wav = await ferry.media.url("cafe\u0301.wav".normalize());
		const audio = new Audio();
		audio.preload = "auto";
		audio.src = wav;
		await event(audio, "loadedmetadata");
		audio.currentTime = 0.5;
		await event(audio, "seeked");
		got.duration = audio.duration;
		for (const range of ["bytes=0-3", "bytes=8-11", "bytes=-2", "bytes=99999-", undefined]) {
			const r = await fetch(wav, range ? {headers: {range}} : {});
			const b = await r.arrayBuffer();
			got.parts.push([r.status, r.headers.get("content-range"), b.byteLength, new TextDecoder("latin1").decode(b.slice(0, 4)), r.headers.get("content-type")]);
		}
		got.coming = await show(await ferry.media.url("coming.png"));
		got.state = await ferry.media.state("coming.png");
		got.missing = (await fetch(await ferry.media.url("none.png"))).status;
		return got;
	`)
	if got.Base != l.server.URL+"media/default/" || got.Width != 1 || got.Coming != 1 || got.State != "here" || got.Duration != 1 || got.Missing != 404 {
		t.Errorf("%+v", got)
	}
	want := [][]any{
		{206.0, "bytes 0-3/8044", 4.0, "RIFF", "audio/wav"}, {206.0, "bytes 8-11/8044", 4.0, "WAVE", "audio/wav"},
		{206.0, "bytes 8042-8043/8044", 2.0, got.Parts[2][3], "audio/wav"}, {416.0, "bytes */8044", 0.0, "", "audio/wav"}, {200.0, nil, 8044.0, "RIFF", "audio/wav"},
	}
	if fmt.Sprint(got.Parts) != fmt.Sprint(want) {
		t.Errorf("ranges: %v\nwant %v", got.Parts, want)
	}
	// In a tab that has no profile open, which the page's worker is not asked for.
	other := l.browser.Open(t, l.server.URL)
	other.Run(t, &got.Closed, helpers+`
		await navigator.serviceWorker.ready;
		if (!navigator.serviceWorker.controller) await event(navigator.serviceWorker, "controllerchange");
		return show("/media/default/coming.png")`)
	if got.Closed != 1 {
		t.Errorf("without an open profile: %d", got.Closed)
	}
	// Which it is, and says nothing, when a file is asked for that nobody has.
	l.page.Run(t, &got.Missing, `return (await fetch(await ferry.media.url("nobody has.png"), { signal: AbortSignal.timeout(15_000) })).status`)
	if got.Missing != 404 {
		t.Errorf("beside such a tab: %d", got.Missing)
	}
	l.desktop.TrashMedia(t, "coming.png")
	l.syncDesktop(t)
	if r := l.sync(t); r.DeletedLocal != 1 {
		t.Errorf("%+v", r)
	}
}

// TestMediaWithoutServiceWorker: addresses are blob URLs then.
func TestMediaWithoutServiceWorker(t *testing.T) {
	t.Parallel()
	page := browsertest.Start(t).Open(t, browsertest.NewServer(t, "").URL)
	var got []any
	page.Run(t, &got, helpers+`
		await open();
		const name = await ferry.media.add("dot.png", new Blob([Uint8Array.from(atob(args[0]), (c) => c.charCodeAt(0))]));
		const url = await ferry.media.url(name);
		const width = await show(url);
		const same = url === await ferry.media.url(name);
		await ferry.media.remove(name);
		const gone = await fetch(url).then(() => false, () => true);
		return [await ferry.media.base(), url.startsWith("blob:"), width, same, gone, await ferry.media.state(name), ferry.status.media.total];
	`, dot)
	if fmt.Sprint(got) != "[<nil> true 1 true true missing 0]" {
		t.Errorf("got %v", got)
	}
	err := page.Try(t, nil, `await ferry.media.get("none.png")`)
	wantKind(t, err, fault.Auth)
	wantKind(t, page.Try(t, nil, `await ferry.media.add("empty.png", new Blob([]))`), fault.InvalidInput)
	page.Run(t, nil, `await ferry.close()`)
}

// TestComingWithoutServiceWorker: the address of a file that has to be fetched first is of use, although the file has come since it was asked for.
func TestComingWithoutServiceWorker(t *testing.T) {
	t.Parallel()
	page := browsertest.Start(t).Open(t, ownServer(t).URL)
	login(t, page)
	page.Run(t, nil, `await ferry.upload(); await ferry.media.add("a.txt", new Blob(["x"])); await ferry.media.sync(); await ferry.close()`)
	var got []string
	page.Run(t, &got, `
		await open({ profile: "other" });
		await ferry.settings.set({ autoSync: false, syncMedia: false, live: false });
		await ferry.login({ user: args[0], password: args[1] });
		const urls = await Promise.all([ferry.media.url("a.txt"), ferry.media.url("a.txt")]);
		const texts = urls.map((url) => fetch(url).then((r) => r.text(), () => "gone"));
		return [urls[0].slice(0, 5), ...await Promise.all(texts)]`, ownUser, ownPassword)
	if fmt.Sprint(got) != "[blob: x x]" {
		t.Errorf("got %v", got)
	}
	page.Run(t, nil, `await ferry.close()`)
}

// TestDecomposedNames: a decomposed name is that of the composed one, for every call.
func TestDecomposedNames(t *testing.T) {
	t.Parallel()
	page := browsertest.Start(t).Open(t, browsertest.NewServer(t, "").URL)
	var got []any
	page.Run(t, &got, `
		await open();
		const name = "e\u0301.txt", media = ferry.media;
		const added = await media.add(name, new Blob(["content"]));
		const got = [added === "\u00e9.txt", await media.state(name), await (await media.get(name)).text()];
		got.push(await media.url(name) === await media.url(added));
		await media.remove(name);
		got.push(await media.state(added));
		await ferry.close();
		return got;`)
	if fmt.Sprint(got) != "[true here content true missing]" {
		t.Errorf("got %v", got)
	}
}

// TestMediaKilled ends the page's process at requests of a media sync: nothing is lost, nothing is deleted, and the next
// sync goes on to the end.
func TestMediaKilled(t *testing.T) {
	t.Parallel()
	l := newLearner(t)
	const n = 120
	for i := range n {
		l.desktop.PutMedia(t, fmt.Sprintf("theirs%03d.txt", i), []byte(strings.Repeat(fmt.Sprint(i), 3000)))
	}
	l.syncDesktop(t)
	l.page.Run(t, nil, `for (let i = 0; i < 60; i++) await ferry.media.add("ours" + i + ".txt", new Blob(["ours " + i]))`)
	for _, at := range []struct {
		path  string
		nth   int32
		after bool // the server answers before the page dies, which never hears of it
	}{{"/msync/begin", 1, false}, {"/msync/uploadChanges", 1, false}, {"/msync/uploadChanges", 1, true}, {"/msync/downloadFiles", 3, false}, {"/msync/mediaSanity", 1, false}} {
		var seen atomic.Int32
		reached := make(chan struct{})
		release := make(chan struct{})
		l.server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != at.path || seen.Add(1) != at.nth {
				return false
			}
			if at.after {
				l.server.PassOn(httptest.NewRecorder(), r)
			}
			close(reached)
			<-release
			return true
		})
		l.page.Run(t, nil, `void ferry.media.sync().catch(() => {})`)
		select {
		case <-reached:
		case <-time.After(time.Minute):
			t.Fatalf("no request %d to %s", at.nth, at.path)
		}
		l.page.Crash()
		close(release)
		l.server.Intercept(nil)
		l.reopen(t)
	}
	l.sync(t)
	l.syncDesktop(t)
	l.wantSame(t, "after all kills", n+60)
	if r := l.sync(t); r.Downloaded+r.Uploaded+r.DeletedLocal+r.DeletedRemote+r.Held != 0 {
		t.Errorf("%+v", r)
	}
	l.page.Run(t, nil, `await ferry.close()`)
}

// TestMediaFull fills the page's storage during a sync: it says so, keeps what it has, deletes nothing, and goes on when
// there is room again.
func TestMediaFull(t *testing.T) {
	t.Parallel()
	l := newLearner(t)
	const n = 40
	for i := range n {
		l.desktop.PutMedia(t, fmt.Sprintf("file%02d.bin", i), []byte(strings.Repeat(fmt.Sprintf("%09d ", i), 50_000)))
	}
	l.syncDesktop(t)
	var used float64
	l.page.Run(t, &used, `await ferry.media.state("x"); return (await navigator.storage.estimate()).usage`)
	l.page.Quota(t, used+9<<20)
	wantKind(t, l.page.Try(t, nil, `await ferry.media.sync()`), fault.StorageFull)
	l.page.Quota(t, 0)
	if r := l.sync(t); r.DeletedRemote != 0 || r.Held != 0 {
		t.Errorf("%+v", r)
	}
	l.syncDesktop(t)
	l.wantSame(t, "with room again", n)
	l.page.Run(t, nil, `await ferry.close()`)
}

// TestMediaEvicted removes what the browser may remove: the files come again, and none is deleted on the server.
func TestMediaEvicted(t *testing.T) {
	t.Parallel()
	l := newLearner(t)
	const n = 30
	for i := range n {
		l.desktop.PutMedia(t, fmt.Sprintf("file%02d.txt", i), []byte(fmt.Sprint("content ", i)))
	}
	l.syncDesktop(t)
	l.sync(t)
	const evict = `
		const root = await navigator.storage.getDirectory();
		let media = await (await root.getDirectoryHandle("cardferry")).getDirectoryHandle("default");
		media = await media.getDirectoryHandle("media");
		for (const name of await Array.fromAsync(media.keys())) {
			if ((await (await media.getFileHandle(name)).getFile()).size > 0) await media.removeEntry(name);
		}
	`
	l.page.Run(t, nil, evict)
	if r := l.sync(t); r.Downloaded != n || r.DeletedRemote != 0 {
		t.Errorf("while open: %+v", r)
	}
	l.wantSame(t, "while open", n)
	l.page.Run(t, nil, `await ferry.close();`+evict+openWithMedia)
	var size int
	if l.page.Run(t, &size, `return (await ferry.media.get("file07.txt")).size`); size != len("content 7") {
		t.Errorf("one file has %d bytes", size)
	}
	if r := l.sync(t); r.Downloaded != n-1 || r.DeletedRemote != 0 {
		t.Errorf("while closed: %+v", r)
	}
	l.wantSame(t, "while closed", n)
	l.syncDesktop(t)
	l.wantSame(t, "at last", n)
	l.page.Run(t, nil, `await ferry.close()`)
}
