package browsertest_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cardferry/cardferry/hostrunner/browsertest"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
)

// TestJoinedMediaSync cancels one of two calls that wait for the same media sync, in two tabs: the other one's goes on. When both have
// cancelled it ends, and the next call begins a new one.
func TestJoinedMediaSync(t *testing.T) {
	t.Parallel()
	server := ownServer(t)
	browser := browsertest.Start(t)
	first, second := browser.Open(t, server.URL), browser.Open(t, server.URL)
	login(t, first)
	second.Run(t, nil, `await open()`)
	first.Run(t, nil, `await ferry.upload(); await ferry.media.add("a.txt", new Blob(["a"]))`)
	asked, release, ended := make(chan bool), make(chan bool), make(chan bool, 1)
	server.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/msync/uploadChanges" {
			body, _ := io.ReadAll(r.Body) // only then the server notices that the page has gone
			r.Body = io.NopCloser(bytes.NewReader(body))
			asked <- true
			select {
			case <-release:
			case <-r.Context().Done():
				ended <- true
				return true
			}
		}
		return false
	})
	const begin = `
		window.end = new AbortController();
		window.syncing = ferry.media.sync({ signal: end.signal }).then((r) => "uploaded " + r.uploaded, (e) => e.kind)`
	const cancel = `end.abort(); return window.syncing`
	var got string
	first.Run(t, nil, begin)
	<-asked
	second.Run(t, nil, begin+`; await ferry.query("SELECT 1")`)
	if first.Run(t, &got, cancel); got != "cancelled" {
		t.Errorf("the one that was cancelled: %s", got)
	}
	release <- true
	if second.Run(t, &got, `return window.syncing`); got != "uploaded 1" {
		t.Errorf("the other one: %s", got)
	}

	first.Run(t, nil, `await ferry.media.add("b.txt", new Blob(["b"]))`)
	first.Run(t, nil, begin)
	<-asked
	second.Run(t, nil, begin+`; await ferry.query("SELECT 1")`)
	for name, page := range map[string]*browsertest.Page{"first": first, "second": second} {
		if page.Run(t, &got, cancel); got != "cancelled" {
			t.Errorf("%s of both: %s", name, got)
		}
	}
	second.Run(t, nil, begin)
	<-ended
	<-asked
	release <- true
	if second.Run(t, &got, `return window.syncing`); got != "uploaded 1" {
		t.Errorf("a new one: %s", got)
	}
}

// TestOneListenerTwice: each subscription has its own end, and nobody is called after his.
func TestOneListenerTwice(t *testing.T) {
	t.Parallel()
	page := browsertest.Start(t).Open(t, browsertest.NewServer(t, "").URL)
	var got []int
	page.Run(t, &got, until+`
		await open();
		const calls = { twice: 0, media: 0, late: 0 };
		const twice = () => calls.twice++, media = () => calls.media++;
		const ends = [ferry.subscribe(twice), ferry.subscribe(twice), ferry.media.subscribe(media), ferry.media.subscribe(media)];
		const first = ferry.subscribe(() => calls.twice > 2 && late());
		const late = ferry.subscribe(() => calls.late++);
		ends[0](); ends[0](); ends[2](); ends[2]();
		await ferry.media.add("a.txt", new Blob(["a"]));
		await until(() => calls.media > 0 && ferry.status.media.done === 1);
		const heard = calls.twice > 2;
		ends[1](); ends[3](); first();
		const before = { ...calls };
		await ferry.media.add("b.txt", new Blob(["b"]));
		await until(() => ferry.status.media.done === 2);
		return [heard ? 1 : 0, before.media, before.late, calls.twice - before.twice, calls.media - before.media, calls.late - before.late]`)
	if fmt.Sprint(got) != "[1 1 1 0 0 0]" {
		t.Errorf("heard, media, late, and each after its end: %v", got)
	}
}

// TestLostRemoval kills a leader whose answers to a sign-up and to a removal are lost: the next leader, which is asked again, finds both
// done, and says so.
func TestLostRemoval(t *testing.T) {
	t.Parallel()
	server := serverWith(t, &syncserver.Server{})
	browser := browsertest.Start(t)
	for _, c := range []struct{ name, call, done string }{
		{"sign-up", `ferry.signUp({ user: "new", password: "long password" }).then((a) => a.user)`, `ferry.account !== null`},
		{"removal", `ferry.media.remove("a.txt").then(() => "removed")`, `await ferry.media.state("a.txt") === "missing"`},
	} {
		first, second := browser.Open(t, server.URL), browser.Open(t, server.URL)
		first.Run(t, nil, `
			const code = "import '" + location.href + "dist/worker.js'; const post = BroadcastChannel.prototype.postMessage;" +
				"BroadcastChannel.prototype.postMessage = function (m) { if (m.type !== 'result' || m.result !== null && !m.result?.user) post.call(this, m); };";
			await open({ assets: { worker: script(code) } });
			await ferry.media.add("a.txt", new Blob(["a"]));`)
		second.Run(t, nil, until+`await open(); window.answer = `+c.call+`.catch((e) => e.kind + " " + e.message); await until(async () => `+c.done+`)`)
		first.Crash()
		var got string
		if second.Run(t, &got, `return window.answer`); got != "new" && got != "removed" {
			t.Errorf("%s: %s", c.name, got)
		}
		first.Close()
		second.Run(t, nil, `await ferry.close()`)
		second.Close()
	}
}

// withAnother returns a page whose server has the account "another" as well.
func withAnother(t *testing.T) (*browsertest.Server, *browsertest.Page) {
	t.Helper()
	s := &syncserver.Server{}
	if _, err := s.Users().Add(t.Context(), "another", ownPassword); err != nil {
		t.Fatal(err)
	}
	server := serverWith(t, s)
	return server, browsertest.Start(t).Open(t, server.URL)
}

// TestAccountChangesInSync changes the account while a sync waits for a server that has moved: the other account's key goes nowhere else.
func TestAccountChangesInSync(t *testing.T) {
	t.Parallel()
	server, page := withAnother(t)
	login(t, page)
	page.Run(t, nil, `await ferry.upload(); await exec("UPDATE col SET mod = mod + 1000")`)
	asked, release := make(chan bool, 1), make(chan bool)
	server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		switch r.URL.Path {
		case "/sync/meta":
			_, _ = io.Copy(io.Discard, r.Body)
			asked <- true
			<-release
			http.Redirect(w, r, server.URL+"sync/moved/", http.StatusPermanentRedirect)
		case "/sync/moved/":
			w.WriteHeader(http.StatusNotFound)
		default:
			r.URL.Path = strings.Replace(r.URL.Path, "/sync/moved/", "/", 1)
			return false
		}
		return true
	})
	page.Run(t, nil, `window.syncing = ferry.sync({ media: false }).then((r) => r.new_endpoint, (e) => e.kind)`)
	<-asked
	page.Run(t, nil, until+`
		await ferry.logout();
		window.entering = ferry.login({ user: "another", password: args[0] }); // it ends after the sync
		const db = await new Promise((ok) => { const r = indexedDB.open("cardferry"); r.onsuccess = () => ok(r.result); });
		const stored = () => new Promise((ok) => { const r = db.transaction("accounts").objectStore("accounts").get("default"); r.onsuccess = () => ok(r.result); });
		await until(async () => (await stored())?.user === "another");
		db.close()`, ownPassword)
	var got []string
	close(release)
	page.Run(t, &got, `const to = await window.syncing; await window.entering; return [to, ferry.account.user, ferry.account.endpoint]`)
	if len(got) != 3 || !strings.HasSuffix(got[0], "/sync/moved/") || got[1] != "another" || got[2] != server.URL {
		t.Errorf("the first account's server is %q", got)
	}
}

// TestAccountChangesInMediaSync changes the account while a media sync waits for the server: it ends, and is not joined. Otherwise what comes from
// the next account's server went to that of the one before.
func TestAccountChangesInMediaSync(t *testing.T) {
	t.Parallel()
	server, page := withAnother(t)
	page.Run(t, nil, `
		const theirs = await bridge.Cardferry.open({ profile: "theirs" });
		await theirs.settings.set({ autoSync: false });
		await theirs.login({ user: "another", password: args[0] });
		await theirs.media.add("theirs.txt", new Blob(["theirs"]));
		await theirs.media.sync();
		await theirs.close();`, ownPassword)
	login(t, page)
	asked := make(chan bool, 1)
	server.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/msync/uploadChanges" {
			return false
		}
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		asked <- true
		server.Intercept(nil)
		select {
		case <-r.Context().Done():
		case <-time.After(time.Minute): // it has not been ended, by what the next account does
		}
		return false
	})
	page.Run(t, nil, `
		await ferry.media.add("ours.txt", new Blob(["ours"]));
		window.syncing = ferry.media.sync().then((r) => r.uploaded, (e) => e.kind)`)
	<-asked
	var got []any
	page.Run(t, &got, `
		await ferry.login({ user: "another", password: args[0] });
		const next = ferry.media.sync();
		const text = await (await ferry.media.get("theirs.txt")).text();
		return [await window.syncing, text, (await next).uploaded]`, ownPassword)
	if fmt.Sprint(got) != "[cancelled theirs 1]" {
		t.Errorf("the first account's sync, the second one's file, what its sync has sent: %v", got)
	}
	page.Run(t, &got, `
		await ferry.close();
		await open({ profile: "another device" });
		await ferry.login({ user: args[0], password: args[1] });
		await ferry.media.sync();
		return (await ferry.media.check()).unused`, ownUser, ownPassword)
	if s := fmt.Sprint(got); s != "[]" && s != "[ours.txt]" {
		t.Errorf("the first account's server has %s", s)
	}
}

// TestLogoutDuringLogin: nobody is logged in after a logout, whatever a login that has begun before is waiting for.
func TestLogoutDuringLogin(t *testing.T) {
	t.Parallel()
	server := ownServer(t)
	page := browsertest.Start(t).Open(t, server.URL)
	const slowly = `import '" + location.href + "dist/worker.js'; const { encrypt } = SubtleCrypto.prototype;` +
		`SubtleCrypto.prototype.encrypt = async function (...args) { await fetch('" + location.href + "sync/sealing'); return encrypt.apply(this, args); };`
	for _, c := range []struct{ waits, call string }{{"/sync/hostKey", "login"}, {"/api/signup", "signUp"}, {"/sync/sealing", "login"}} {
		asked, release := make(chan bool), make(chan bool)
		server.Intercept(only(c.waits, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			asked <- true
			select {
			case <-release:
			case <-r.Context().Done():
			}
			server.PassOn(w, r)
		}))
		page.Run(t, nil, `
			await open({ assets: { worker: script("`+slowly+`") } });
			window.entering = ferry[args[0]]({ user: args[1], password: args[2] }).then((a) => a.user, (e) => e.kind)`, c.call, ownUser, ownPassword)
		<-asked
		page.Run(t, nil, `window.leaving = ferry.logout(); await ferry.query("SELECT 1")`)
		close(release)
		var got []any
		page.Run(t, &got, `
			const entered = await window.entering;
			await window.leaving;
			const after = [ferry.account];
			await ferry.close();
			await open();
			after.push(ferry.account);
			await ferry.close();
			return [entered, ...after]`)
		if want := map[bool]string{true: "[tester <nil> <nil>]", false: "[cancelled <nil> <nil>]"}[c.waits == "/sync/sealing"]; fmt.Sprint(got) != want {
			t.Errorf("%s at %s: %v, want %s", c.call, c.waits, got, want)
		}
	}
}

// TestNoRoomForRecords: a one-way sync is recorded, so that it is not done twice. Where there is no room for that, it was done all the same.
func TestNoRoomForRecords(t *testing.T) {
	t.Parallel()
	page := browsertest.Start(t).Open(t, ownServer(t).URL)
	var got []any
	page.Run(t, &got, `
		const without = (...full) => {
			const code = "import '" + location.origin + "/dist/worker.js';" + "(" + ((full) => {
				const { put } = IDBObjectStore.prototype;
				IDBObjectStore.prototype.put = function (...args) {
					if (full.includes(this.name)) throw new DOMException("full", "QuotaExceededError");
					return put.apply(this, args);
				};
			}) + ")(" + JSON.stringify(full) + ");";
			return { assets: { worker: script(code) } };
		};
		await open(without("finished"));
		await ferry.login({ user: args[0], password: args[1] });
		await ferry.edit([{ op: "addDeck", name: "New" }]);
		const { bytes } = await ferry.upload();
		const done = [bytes > 0, ferry.status.required, (await ferry.download()).bytes > 0];

		// The mark of a collection that the browser has removed cannot be taken away.
		await ferry.close();
		const db = await new Promise((resolve) => { const r = indexedDB.open("cardferry"); r.onsuccess = () => resolve(r.result); });
		const marks = db.transaction("profiles", "readwrite").objectStore("profiles");
		const [profile] = await new Promise((resolve) => { const r = marks.getAllKeys(); r.onsuccess = () => resolve(r.result); });
		await new Promise((resolve) => { marks.put({ lost: true }, profile).onsuccess = resolve; });
		db.close();
		await open(without("finished", "profiles"));
		const fetched = new Promise((resolve) => {
			const look = ({ activity }) => activity !== "syncing" && resolve(activity);
			look(ferry.status);
			ferry.subscribe(look);
		});
		done.push(await fetched, ferry.status.error?.kind ?? "none", (await ferry.download()).bytes > 0);
		return done`, ownUser, ownPassword)
	if fmt.Sprint(got) != "[true none true idle none true]" {
		t.Errorf("uploaded, required, downloaded; then, fetched again, error, downloaded: %v", got)
	}
}

// TestFrames opens the profile in a frame of the app as well, which shares it, and hands what comes from there, as a file that was chosen in the
// frame, to the profile of the page: other windows have classes of their own.
func TestFrames(t *testing.T) {
	t.Parallel()
	page := browsertest.Start(t).Open(t, browsertest.NewServer(t, "").URL)
	var got []any
	page.Run(t, &got, until+`
		await open({ media: (name) => name === "given.txt" ? new w.Blob(["given"]) : null });
		const frame = document.createElement("iframe");
		frame.src = "/";
		document.body.append(frame);
		const w = frame.contentWindow;
		await until(() => w.ready);
		await w.eval("open()");
		await w.ferry.edit([{ op: "addDeck", name: "of the frame" }]);
		await ferry.media.add("blob.txt", new w.Blob(["blob"]));
		await ferry.media.add("file.txt", new w.File(["file"], "any"));
		await (await bridge.Cardferry.open({ profile: "other", endpoint: new w.URL("/", location.href) })).close();
		const texts = await Promise.all(["blob.txt", "file.txt"].map(async (name) => (await w.fetch(await w.ferry.media.url(name))).text()));
		texts.push(await (await ferry.media.get("given.txt")).text());
		texts.push(await ferry.importFile(new w.File(["x"], "some.apkg")).catch((e) => e.kind));
		await ferry.close(); // the frame leads
		return [...texts, (await w.ferry.query("SELECT count(*) AS n FROM decks"))[0].n]`)
	if want := "[blob file given unsupported_file 2]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
}
