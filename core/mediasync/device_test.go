package mediasync_test

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/mediasync"
	"github.com/cardferry/cardferry/core/remote"
	"github.com/cardferry/cardferry/hostrunner/filehost"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

var account = remote.Account{Endpoint: "http://server/", Key: "k"}

// device is one device with its folder and index.
type device struct {
	t      testing.TB
	dir    string
	server *server
	media  *coretest.Media
	clock  *coretest.Clock
	http   *coretest.HTTP
	events *coretest.Events
	syncer *mediasync.Syncer
}

func newDevice(t testing.TB, s *server) *device {
	clock := coretest.NewClock(time.UnixMilli(1_800_000_000_000), 0)
	d := &device{t: t, dir: t.TempDir(), server: s, clock: clock, media: coretest.NewMedia(clock)}
	d.start()
	return d
}

// start begins a new process on the device.
func (d *device) start() {
	d.http = &coretest.HTTP{Answer: d.server.handle, Media: d.media}
	d.events = &coretest.Events{}
	d.syncer = &mediasync.Syncer{Client: "test", Host: &host.Host{
		SQL: sqlitehost.New(d.dir), Files: filehost.New(d.dir, nil), HTTP: d.http, Media: d.media, Text: coretest.Text{},
		Clock: d.clock, Random: coretest.NewRandom(1), Events: d.events, Yield: coretest.Yield{},
	}}
}

// try syncs.
func (d *device) try(o mediasync.Options) (mediasync.Report, error) {
	return d.syncer.Sync(d.t.Context(), account, o)
}

// sync syncs and returns the report; it has to succeed.
func (d *device) sync() mediasync.Report {
	d.t.Helper()
	r, err := d.try(mediasync.Options{})
	if err != nil {
		d.t.Fatalf("sync: %v, %+v", err, r)
	}
	return r
}

// syncKind syncs and has to fail with the kind.
func (d *device) syncKind(o mediasync.Options, kind fault.Kind) (mediasync.Report, *fault.Error) {
	d.t.Helper()
	r, err := d.try(o)
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || e.Kind != kind {
		d.t.Fatalf("sync: %v, want %v", err, kind)
	}
	return r, e
}

// files returns the folder.
func (d *device) files() map[string]string {
	all := map[string]string{}
	for _, name := range d.media.Names() {
		all[name] = string(d.media.Get(name))
	}
	return all
}

// want compares the folder.
func (d *device) want(files map[string]string) {
	d.t.Helper()
	sameFiles(d.t, "the folder", d.files(), files)
}

// wantServer compares the server.
func (d *device) wantServer(files map[string]string) {
	d.t.Helper()
	sameFiles(d.t, "the server", d.server.files(), files)
}

func sameFiles(t testing.TB, what string, got, want map[string]string) {
	t.Helper()
	if maps.Equal(got, want) {
		return
	}
	for name, content := range want {
		if g, ok := got[name]; !ok || g != content {
			t.Errorf("%s: %q is %.60q (%v), want %.60q", what, name, g, ok, content)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s has %q", what, name)
		}
	}
}

func (d *device) put(name, content string) { d.media.Put(name, []byte(content)) }

func (d *device) get(ctx context.Context, name string) (mediasync.File, error) {
	return d.syncer.Get(ctx, account, name)
}
