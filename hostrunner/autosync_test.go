package hostrunner_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/autosync"
	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
)

// autoDevice is a profile that syncs by itself, with timers that the test lets run out.
type autoDevice struct {
	*hostrunner.AutoSync
	profile *hostrunner.Profile
	dir     string
	account *colsync.Account
	clock   *coretest.Clock
	shown   chan hostrunner.AutoStatus

	mu   sync.Mutex
	wait time.Duration
	wake func() // nil: no timer runs
}

func (d *autoDevice) after(wait time.Duration, f func()) func() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wait, d.wake = wait, f
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.wake = nil
	}
}

// pass lets the time of the timer pass, which must be as long.
func (d *autoDevice) pass(t *testing.T, want time.Duration) {
	t.Helper()
	d.wakeAfter(t, want, want)
}

func (d *autoDevice) wakeAfter(t *testing.T, least, most time.Duration) {
	t.Helper()
	d.mu.Lock()
	wait, wake := d.wait, d.wake
	d.wake = nil
	d.mu.Unlock()
	if wake == nil || wait < least || wait > most {
		t.Fatalf("a timer of %v (%v), want %v to %v", wait, wake != nil, least, most)
	}
	d.clock.Advance(wait)
	wake()
}

// until waits for a status.
func (d *autoDevice) until(t *testing.T, what string, is func(hostrunner.AutoStatus) bool) hostrunner.AutoStatus {
	t.Helper()
	for {
		select {
		case s := <-d.shown:
			if is(s) {
				return s
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("no status: %s", what)
		}
	}
}

func idle(s hostrunner.AutoStatus) bool { return s.Activity == autosync.Idling }

func attention(s hostrunner.AutoStatus) bool { return s.Activity == autosync.Attention }

// autoServer is a sync server with one account.
func autoServer(t *testing.T) (*syncserver.Server, *httptest.Server) {
	s := &syncserver.Server{}
	if _, err := s.Users().Add(t.Context(), "ada", "correct horse"); err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s)
	t.Cleanup(func() {
		h.CloseClientConnections()
		h.Close()
		_ = s.Close(context.Background())
	})
	return s, h
}

// newAutoDevice logs a new profile in.
func newAutoDevice(t *testing.T, url string) *autoDevice {
	t.Helper()
	d := &autoDevice{dir: t.TempDir(), clock: coretest.NewClock(time.Now(), 0), shown: make(chan hostrunner.AutoStatus, 1000)}
	rt, err := hostrunner.New(t.Context(), hostrunner.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rt.Close(context.Background()) })
	d.profile, err = rt.Open(t.Context(), hostrunner.OpenOptions{
		Dir: d.dir, Create: true, Engine: hostrunner.Native,
		Wrap: func(h host.Host) host.Host {
			h.Clock = d.clock
			return h
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.profile.Close() })
	l, err := d.profile.Login(t.Context(), service.LoginParams{Endpoint: url, User: "ada", Password: "correct horse"})
	if err != nil {
		t.Fatal(err)
	}
	d.account = &colsync.Account{Endpoint: l.Endpoint, Key: l.Key}
	return d
}

// start begins without media, so that there is one sync at the beginning and one when the server is listened to.
func (d *autoDevice) start(t *testing.T) {
	t.Helper()
	set := autosync.Defaults()
	set.SyncMedia = false
	a, err := d.profile.AutoSync(t.Context(), hostrunner.AutoOptions{
		Account: d.account, Settings: &set, After: d.after, Status: func(s hostrunner.AutoStatus) { d.shown <- s },
	})
	if err != nil {
		t.Fatal(err)
	}
	d.AutoSync = a
	t.Cleanup(func() { a.Close(context.Background()) })
}

func (d *autoDevice) upload(t *testing.T) {
	t.Helper()
	if _, err := d.profile.Upload(t.Context(), service.TransferParams{Account: d.account}); err != nil {
		t.Fatal(err)
	}
}

// edit adds a tag, as a program of which the profile knows nothing would.
func (d *autoDevice) edit(t *testing.T, tag string) {
	t.Helper()
	sql := sqlitehost.New(d.dir)
	sql.SetContext(t.Context())
	db, err := sql.Open(t.Context(), host.Collection, host.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	now := d.clock.Now().UnixMilli()
	err = db.Exec(fmt.Sprintf("BEGIN; INSERT INTO tags VALUES ('%s', -1, 0, NULL); UPDATE col SET mod = max(mod + 1, %d); COMMIT", tag, now))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Edited(); err != nil {
		t.Fatal(err)
	}
}

func (d *autoDevice) tags(t *testing.T) int {
	t.Helper()
	_, rows, err := d.profile.Query(t.Context(), "SELECT tag FROM tags")
	if err != nil {
		t.Fatal(err)
	}
	return len(rows)
}

// TestAutoSync: two devices with one account. What one edits is on the other at once, without a timer there.
func TestAutoSync(t *testing.T) {
	t.Parallel()
	server, h := autoServer(t)
	a, b := newAutoDevice(t, h.URL), newAutoDevice(t, h.URL)
	a.upload(t)
	if _, err := b.profile.Download(t.Context(), service.TransferParams{Account: b.account}); err != nil {
		t.Fatal(err)
	}
	for _, d := range []*autoDevice{a, b} { // one after the other: each has a sync to make, as the download has changed the server
		d.start(t)
		d.until(t, "synced", idle)
		d.until(t, "listening", func(s hostrunner.AutoStatus) bool { return s.Activity == autosync.Syncing })
		d.until(t, "synced again", idle)
	}
	for server.Listeners() < 2 {
		runtime.Gosched() // it counts a listener a moment after it has answered
	}
	a.edit(t, "from a")
	a.until(t, "an edit", func(s hostrunner.AutoStatus) bool {
		return idle(s) && s.Pending == 1 && s.Required == colsync.RequiredNormal
	})
	a.pass(t, autosync.Idle)
	a.until(t, "sent", func(s hostrunner.AutoStatus) bool { return s.Pending == 0 })
	b.until(t, "received", func(s hostrunner.AutoStatus) bool { return idle(s) && b.tags(t) == 1 })
	b.edit(t, "from b")
	if err := b.Hidden(); err != nil {
		t.Fatal(err)
	}
	a.until(t, "received from a hidden one", func(s hostrunner.AutoStatus) bool { return idle(s) && a.tags(t) == 2 })

	// What was edited last is sent before the end.
	a.edit(t, "at the end")
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, err := a.profile.Status(t.Context(), service.StatusParams{Offline: true}); err != nil || status.Pending != 0 {
		t.Errorf("%+v, %v", status, err)
	}
	if err := a.Edited(); fault.KindOf(err) != fault.Closed {
		t.Errorf("after the end: %v", err)
	}
}

// TestAutoSyncSignedOut: a profile that listens learns that it was signed out, although it has nothing to send.
func TestAutoSyncSignedOut(t *testing.T) {
	t.Parallel()
	server, h := autoServer(t)
	d := newAutoDevice(t, h.URL)
	d.upload(t)
	d.start(t)
	d.until(t, "synced", idle)
	for server.Listeners() < 1 {
		runtime.Gosched()
	}
	d.until(t, "synced again", idle)
	if err := server.RemoveUser(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	for waits := false; !waits; {
		d.mu.Lock()
		waits = d.wake != nil && d.wait <= autosync.FirstRetry
		d.mu.Unlock()
	}
	d.wakeAfter(t, autosync.FirstRetry/2, autosync.FirstRetry)
	if s := d.until(t, "signed out", attention); fault.KindOf(s.Err) != fault.Auth {
		t.Errorf("error %v", s.Err)
	}
}

// TestAutoSyncFailures: a server that is not there is tried again, a key that it refuses is not, until there is another one.
func TestAutoSyncFailures(t *testing.T) {
	t.Parallel()
	_, h := autoServer(t)
	d := newAutoDevice(t, h.URL)
	d.upload(t)
	good, gone := *d.account, httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	d.account = &colsync.Account{Endpoint: gone.URL, Key: "k"}
	d.start(t)
	s := d.until(t, "offline", func(s hostrunner.AutoStatus) bool { return s.Activity == autosync.IsOffline })
	if k := fault.KindOf(s.Err); k != fault.Network || s.Err == error(k) { // the error itself, not only its kind
		t.Errorf("error %v, %v", k, s.Err)
	}
	d.wakeAfter(t, autosync.FirstRetry/2, autosync.FirstRetry)
	d.until(t, "trying again", func(s hostrunner.AutoStatus) bool { return s.Activity == autosync.Syncing })
	d.until(t, "offline again", func(s hostrunner.AutoStatus) bool { return s.Activity == autosync.IsOffline })
	if err := d.SetAccount(&colsync.Account{Endpoint: good.Endpoint, Key: "wrong"}); err != nil {
		t.Fatal(err)
	}
	d.pass(t, autosync.AfterLogin)
	s = d.until(t, "refused", func(s hostrunner.AutoStatus) bool { return s.Activity == autosync.Attention })
	if fault.KindOf(s.Err) != fault.Auth {
		t.Errorf("error %v", s.Err)
	}
	err := d.Sync(autosync.Sync, func() (any, error) {
		return d.profile.Sync(t.Context(), service.SyncParams{Account: &good})
	})
	if err != nil {
		t.Fatal(err)
	}
	d.until(t, "idle", idle)
	set := autosync.Defaults()
	set.Metered = "never"
	if err := d.SetSettings(set); fault.KindOf(err) != fault.InvalidInput {
		t.Errorf("wrong settings: %v", err)
	}
	set.Metered = autosync.MeteredNone
	if err := d.SetSettings(set); err != nil {
		t.Fatal(err)
	}
	if err := d.SetNetwork(autosync.Metered); err != nil {
		t.Fatal(err)
	}
	d.edit(t, "not over a metered network")
	if err := d.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, err := d.profile.Status(t.Context(), service.StatusParams{Offline: true}); err != nil || status.Pending != 1 {
		t.Errorf("%+v, %v", status, err)
	}
}

// TestAutoSyncReplaced: a device that listens notices that another one has replaced the collection, also if the new one has counted as far.
func TestAutoSyncReplaced(t *testing.T) {
	t.Parallel()
	server, h := autoServer(t)
	a, b := newAutoDevice(t, h.URL), newAutoDevice(t, h.URL)
	b.start(t)
	b.until(t, "synced", idle)
	b.until(t, "listening", func(s hostrunner.AutoStatus) bool { return s.Activity == autosync.Syncing })
	b.until(t, "synced again", idle)
	for server.Listeners() < 1 {
		runtime.Gosched()
	}
	a.upload(t)
	b.until(t, "the first upload", attention)
	err := b.Sync(autosync.Sync, func() (any, error) {
		return b.profile.Sync(t.Context(), service.SyncParams{Account: b.account, OnConflict: colsync.Download})
	})
	if err != nil {
		t.Fatal(err)
	}
	b.until(t, "downloaded", idle)
	a.upload(t) // it was one behind
	b.until(t, "the second upload", attention)
}

// TestAutoSyncRefused: what cannot begin is not left running, without anything to end it by.
func TestAutoSyncRefused(t *testing.T) {
	eachEngine(t, func(t *testing.T, o hostrunner.OpenOptions) {
		told := 0
		options := hostrunner.AutoOptions{
			Settings: &autosync.Settings{Metered: "odd"}, Status: func(hostrunner.AutoStatus) { told++ },
		}
		a, err := open(t, o).AutoSync(t.Context(), options)
		wantKind(t, err, fault.InvalidInput)
		if a != nil || told > 0 {
			t.Errorf("got %v, told %d times", a, told)
		}
	})
}
