package browsertest_test

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
)

// autoDevice is a page whose profile syncs by itself: a device of its own.
type autoDevice struct {
	*browsertest.Page
	profile string
}

// openAuto opens a profile that has no media to sync, so that a test can tell one sync from the next.
func openAuto(t testing.TB, b *browsertest.Browser, server *browsertest.Server, profile string) autoDevice {
	t.Helper()
	d := autoDevice{b.Open(t, server.URL), profile}
	d.open(t)
	return d
}

func (d autoDevice) open(t testing.TB) {
	t.Helper()
	d.Run(t, nil, `
		window.net = undefined;
		await open({ profile: args[0], auto: true, network: () => window.net });
		await ferry.settings.set({ syncMedia: false });
		if (!ferry.account) await ferry.login({ user: args[1], password: args[2] })`, d.profile, ownUser, ownPassword)
}

// edit adds a tag, as an app's edit would, and returns the status just after.
func (d autoDevice) edit(t testing.TB, tag string) (status string) {
	t.Helper()
	d.Run(t, &status, "await exec(`BEGIN; INSERT INTO tags VALUES ('${args[0]}', -1, 0, NULL); UPDATE col SET mod = max(mod + 1, ${Date.now()}); COMMIT`);"+`
		return ferry.status.required + " " + ferry.status.pending`, tag)
	return status
}

// wantTags waits until the device has so many tags.
func (d autoDevice) wantTags(t testing.TB, n int) {
	t.Helper()
	d.Run(t, nil, until+`await until(async () => `+countTags+` === args[0])`, n)
}

// wantStatus waits for an activity, and the kind of an error that comes with it.
func (d autoDevice) wantStatus(t testing.TB, activity, kind string) {
	t.Helper()
	d.Run(t, nil, until+`await until(() => ferry.status.activity === args[0] && (ferry.status.error?.kind ?? "") === args[1])`, activity, kind)
}

// wantSent waits until nothing waits to be sent.
func (d autoDevice) wantSent(t testing.TB) {
	t.Helper()
	d.Run(t, nil, until+`await until(() => ferry.status.pending === 0 && ferry.status.activity === "idle")`)
}

// advance lets seconds pass for the scheduler. More than 300 of them would be an error of the clock.
func (d autoDevice) advance(t testing.TB, seconds int) {
	t.Helper()
	d.Run(t, nil, `await advance(args[0])`, seconds)
}

// autoPair are two devices with one account that listen to their server.
func autoPair(t *testing.T) (s *syncserver.Server, server *browsertest.Server, b *browsertest.Browser, first, second autoDevice) {
	t.Helper()
	s = &syncserver.Server{}
	server = serverWith(t, s)
	b = browsertest.Start(t)
	first = openAuto(t, b, server, "first")
	first.Run(t, nil, `await ferry.upload()`)
	first.wantListeners(t, s, 1)
	first.wantSent(t)
	second = openAuto(t, b, server, "second")
	second.Run(t, nil, `await ferry.download()`)
	second.wantListeners(t, s, 2)
	second.wantSent(t)
	return s, server, b, first, second
}

// wantListeners waits until so many connections listen to the server.
func (d autoDevice) wantListeners(t testing.TB, s *syncserver.Server, n int) {
	t.Helper()
	for s.Listeners() != n {
		d.Run(t, nil, `await new Promise((go) => setTimeout(go, 20))`)
	}
}

// TestAuto: what one device edits is on the other a moment later, and nobody calls sync.
func TestAuto(t *testing.T) {
	t.Parallel()
	s, _, _, first, second := autoPair(t)
	if status := first.edit(t, "quiet"); status != "normal 1" {
		t.Errorf("after an edit: %s", status)
	}
	first.advance(t, 20)
	first.wantSent(t)
	var ms float64
	second.Run(t, &ms, until+`
		const start = performance.now();
		await until(async () => `+countTags+` === 1);
		return performance.now() - start`)
	t.Logf("on the other device %.0f ms later", ms)
	second.wantSent(t)

	second.edit(t, "hidden")
	second.Run(t, nil, `see(false)`)
	first.wantTags(t, 2)
	second.wantListeners(t, s, 1) // a hidden page does not listen
	first.edit(t, "missed")
	first.advance(t, 60)
	first.wantSent(t)
	second.wantTags(t, 2)
	second.Run(t, nil, `see(true)`)
	second.wantTags(t, 3)
	second.wantListeners(t, s, 2)
	second.wantSent(t)

	// Closing sends what waits, opening fetches what has come.
	second.edit(t, "closed")
	second.Run(t, nil, `await ferry.close()`)
	first.wantTags(t, 4)
	first.wantListeners(t, s, 1)
	first.edit(t, "while the other one was closed")
	first.advance(t, 60)
	first.wantSent(t)
	second.open(t)
	second.wantTags(t, 5)
}

// TestNeverSynced: before the first sync only the server knows what is required; what waits here is told all the same, and is there after a reload.
func TestNeverSynced(t *testing.T) {
	t.Parallel()
	d := openAuto(t, browsertest.Start(t), serverWith(t, &syncserver.Server{}), "first")
	d.Run(t, nil, `await ferry.settings.set({ autoSync: false })`)
	if status := d.edit(t, "never sent"); status != "normal 1" {
		t.Errorf("after an edit: %s", status)
	}
	d.Run(t, nil, `await ferry.close()`)
	d.open(t)
	var status string
	if d.Run(t, &status, `return ferry.status.required + " " + ferry.status.pending`); status != "normal 1" {
		t.Errorf("opened again: %s", status)
	}
	wantKind(t, d.Try(t, nil, `await ferry.sync()`), fault.OneWayNeeded)
	if d.Run(t, &status, `return ferry.status.required`); status != "full" {
		t.Errorf("after the server was asked: %s", status)
	}
	const both = `const { required } = await ferry.refresh({ offline: true }); return required + " " + ferry.status.required`
	if d.Run(t, &status, both); status != "full full" {
		t.Errorf("looked at again: %s", status)
	}
	if d.Run(t, &status, `await ferry.logout();`+both); status != "normal normal" {
		t.Errorf("logged out: %s", status)
	}
}

// TestAutoRetry: a server that fails is tried again, and one that refuses the key is not.
func TestAutoRetry(t *testing.T) {
	t.Parallel()
	s, server, _, first, second := autoPair(t)
	second.Run(t, nil, `await ferry.close()`)
	var requests atomic.Int32
	server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		requests.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	first.edit(t, "waiting")
	first.advance(t, 20)
	first.wantStatus(t, "offline", "server_error")
	first.advance(t, 5)
	first.Run(t, nil, until+`await until(() => ferry.status.activity === "offline")`)
	server.Intercept(nil)
	first.advance(t, 10)
	first.wantSent(t)
	first.wantStatus(t, "idle", "")
	if n := requests.Load(); n < 2 {
		t.Errorf("%d requests to a server that fails", n)
	}

	if err := s.Users().SetPassword(t.Context(), ownUser, ownPassword+"2", ""); err != nil {
		t.Fatal(err)
	}
	first.edit(t, "refused")
	first.advance(t, 60)
	first.wantStatus(t, "attention", "auth")
	requests.Store(0)
	server.Intercept(func(http.ResponseWriter, *http.Request) bool {
		requests.Add(1)
		return false
	})
	first.edit(t, "refused as well")
	first.advance(t, 120)
	first.wantStatus(t, "attention", "auth")
	if n := requests.Load(); n != 0 {
		t.Errorf("%d requests with a key that is refused", n)
	}
	first.Run(t, nil, `await ferry.login({ user: args[0], password: args[1] })`, ownUser, ownPassword+"2")
	first.advance(t, 2)
	first.wantSent(t)
	first.wantStatus(t, "idle", "")
}

// TestAutoSignedOut: a device that listens learns soon that it was signed out elsewhere, although it has nothing to send; it tells so in all tabs,
// and asks no more.
func TestAutoSignedOut(t *testing.T) {
	t.Parallel()
	s, server, b, first, second := autoPair(t)
	tab := openAuto(t, b, server, "first")
	var requests atomic.Int32
	server.Intercept(func(http.ResponseWriter, *http.Request) bool {
		requests.Add(1)
		return false
	})
	wantAuth := func(when string, devices ...autoDevice) {
		t.Helper()
		for _, d := range devices {
			d.advance(t, 10)
			d.wantStatus(t, "attention", "auth")
			d.Run(t, nil, `if (!ferry.status.error.hint) throw new Error("no hint")`)
		}
		requests.Store(0)
		for range 5 {
			devices[0].advance(t, 50)
			devices[0].wantStatus(t, "attention", "auth")
		}
		if n := requests.Load(); n != 0 {
			t.Errorf("%s: %d requests with a key that is refused", when, n)
		}
	}
	second.Run(t, nil, `for (const d of await ferry.devices.list()) if (!d.current) await ferry.devices.remove(d.id)`)
	wantAuth("signed out", first, tab)
	second.wantStatus(t, "idle", "")
	if err := s.RemoveUser(t.Context(), ownUser); err != nil {
		t.Fatal(err)
	}
	wantAuth("removed", second)
}

// TestAutoTabs: the tabs of a profile show the same and listen together; when one goes, another one listens.
func TestAutoTabs(t *testing.T) {
	t.Parallel()
	s, server, b, first, other := autoPair(t)
	second := openAuto(t, b, server, "first")
	first.Run(t, nil, `see(false)`) // the other tab is seen
	if status := second.edit(t, "a"); status != "normal 1" {
		t.Errorf("after an edit: %s", status)
	}
	first.Run(t, nil, until+`await until(() => ferry.status.pending === 1)`)
	second.advance(t, 20)
	second.wantSent(t)
	other.wantTags(t, 1)
	var statuses [2]string
	for i, d := range []autoDevice{first, second} {
		d.wantSent(t)
		d.Run(t, &statuses[i], `return JSON.stringify([ferry.status, ferry.account, await ferry.settings.get()])`)
	}
	if statuses[0] != statuses[1] {
		t.Errorf("two tabs: %q", statuses)
	}
	if n := s.Listeners(); n != 2 {
		t.Errorf("%d connections listen for two profiles", n)
	}
	first.Close()
	second.Run(t, nil, `await ferry.query("SELECT 1")`)
	second.wantListeners(t, s, 2)
	other.edit(t, "b")
	other.advance(t, 60)
	second.wantTags(t, 2)
}

// TestAutoMetered: what a metered network keeps from being sent is sent over the next one.
func TestAutoMetered(t *testing.T) {
	t.Parallel()
	_, server, _, first, second := autoPair(t)
	second.Run(t, nil, `await ferry.close()`)
	first.Run(t, nil, `
		await ferry.settings.set({ metered: "none" });
		window.net = "metered";
		dispatchEvent(new Event("online"))`)
	var requests atomic.Int32
	server.Intercept(func(http.ResponseWriter, *http.Request) bool {
		requests.Add(1)
		return false
	})
	if status := first.edit(t, "dear"); status != "normal 1" {
		t.Errorf("after an edit: %s", status)
	}
	first.advance(t, 120)
	first.Run(t, nil, `see(false); see(true); await ferry.settings.get()`)
	if n := requests.Load(); n != 0 {
		t.Errorf("%d requests over a metered network", n)
	}
	first.Run(t, nil, `window.net = "unmetered"; dispatchEvent(new Event("online"))`)
	first.wantSent(t)
	first.Run(t, nil, `window.net = "offline"; dispatchEvent(new Event("offline"))`)
	first.wantStatus(t, "offline", "")
}

// TestSettings: settings are checked, and kept with the profile.
func TestSettings(t *testing.T) {
	t.Parallel()
	server := browsertest.NewServer(t, "")
	b := browsertest.Start(t)
	page, beside := b.Open(t, server.URL), b.Open(t, server.URL)
	var got string
	page.Run(t, &got, `await open({ auto: true }); return JSON.stringify(await ferry.settings.get())`)
	if want := `{"autoSync":true,"live":true,"syncMedia":true,"mediaInterval":15,"metered":"collection"}`; got != want {
		t.Errorf("at first %s", got)
	}
	beside.Run(t, nil, `await open({ auto: true })`)
	const want = `{"autoSync":true,"live":false,"syncMedia":true,"mediaInterval":0.5,"metered":"all"}`
	page.Run(t, &got, `return JSON.stringify(await ferry.settings.set({ live: false, mediaInterval: 0.5, metered: "all" }))`)
	if got != want {
		t.Errorf("set %s", got)
	}
	for _, wrong := range []string{
		`{ live: 1 }`, `{ live: true, other: 1 }`, `{ metered: "some" }`, `{ mediaInterval: -1 }`, `{ mediaInterval: "5" }`, `{ mediaInterval: 1e9 }`,
	} {
		wantKind(t, page.Try(t, nil, `await ferry.settings.set(`+wrong+`)`), fault.InvalidInput)
	}
	if beside.Run(t, &got, `return JSON.stringify(await ferry.settings.get())`); got != want {
		t.Errorf("in the other tab %s", got)
	}
	page.Run(t, nil, `await ferry.close()`)
	beside.Run(t, nil, `await ferry.close()`)
	if page.Run(t, &got, `await open({ auto: true }); return JSON.stringify(await ferry.settings.get())`); got != want {
		t.Errorf("opened again %s", got)
	}
}

// TestAutoReplaced: a collection that the user has put in the place of the one here is looked at as after an edit: only the user can say now
// which side is to be kept.
func TestAutoReplaced(t *testing.T) {
	t.Parallel()
	d := openAuto(t, browsertest.Start(t), serverWith(t, &syncserver.Server{}), "first")
	d.Run(t, nil, `await ferry.edit([{ op: "addDeck", name: "Mine" }]); window.packed = await ferry.exportFile()`)
	for _, replace := range []string{`window.report = await ferry.importFile(window.packed)`, `await ferry.backups.restore(window.report.backup)`} {
		d.Run(t, nil, `await ferry.upload()`)
		d.wantSent(t)
		d.advance(t, 60) // the quiet syncs are as far apart
		d.wantSent(t)
		d.Run(t, nil, replace)
		d.wantStatus(t, "idle", "")
		d.advance(t, 20)
		d.wantStatus(t, "attention", "one_way_needed")
	}
}
