package mediasync_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/mediasync"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

// newCollection returns a collection with one note of these fields.
func newCollection(t *testing.T, fields string) host.DB {
	t.Helper()
	db, err := sqlitehost.OpenFile(t.TempDir()+"/c.anki2", host.Create)
	if err == nil {
		t.Cleanup(func() { db.Close() })
		err = collection.New(db, coretest.NewClock(time.UnixMilli(1_800_000_000_000), 0), coretest.NewRandom(1))
	}
	if err == nil {
		_, err = rows.Exec(db, "INSERT INTO notes VALUES (1, 'g', (SELECT min(id) FROM notetypes), 0, 0, '', ?, '', 0, 0, '')", fields)
	}
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func (d *device) check(db host.DB, o mediasync.CheckOptions) mediasync.CheckReport {
	d.t.Helper()
	r, err := d.syncer.Check(d.t.Context(), db, o)
	if err != nil {
		d.t.Fatal(err)
	}
	return r
}

func TestCheck(t *testing.T) {
	t.Parallel()
	s := newServer()
	d := newDevice(t, s)
	db := newCollection(t, `<img src="here.png"><img src="missing.png"><img src="coming.png">[sound:theirs.mp3]`)
	for i := range 40 {
		d.put(fmt.Sprintf("unused%02d.png", i), fmt.Sprint(i))
	}
	d.put("here.png", "here")
	d.put("_kept.png", "kept")
	d.sync()
	s.put("coming.png", []byte("coming"))
	s.put("theirs.mp3", []byte("theirs"))
	s.put("extra.png", []byte("not used by a note that is here"))
	if r := d.check(db, mediasync.CheckOptions{}); !slices.Equal(r.Missing, []string{"coming.png", "missing.png", "theirs.mp3"}) { // not listed yet
		t.Errorf("%+v", r)
	}
	s.answerDownloads(func(names []string) *host.Response { // only some come
		return okBody(downloadZip([][2]string{{"extra.png", string(s.rows["extra.png"].data)}}[:strings.Count(strings.Join(names, " "), "extra.png")]))
	})
	d.sync()
	s.before = nil
	r := d.check(db, mediasync.CheckOptions{})
	if !slices.Equal(r.Missing, []string{"missing.png"}) || len(r.Unused) != 41 || r.Unused[0] != "extra.png" || r.Trashed+r.Kept != 0 || len(d.files()) != 43 {
		t.Errorf("%+v", r)
	}
	// Deletions by the user do not meet the brake, not even of nearly all files.
	r = d.check(db, mediasync.CheckOptions{Apply: true, Synced: true, NotesUSN: 42})
	if r.Trashed != 40 || r.Kept != 1 || len(d.files()) != 3 || len(d.media.Trashed()) != 40 {
		t.Errorf("%+v", r)
	}
	if r := d.sync(); r.DeletedRemote != 40 || r.Downloaded != 2 || r.Held != 0 {
		t.Errorf("%+v", r)
	}
	want := map[string]string{
		"here.png": "here", "_kept.png": "kept", "coming.png": "coming", "theirs.mp3": "theirs", "extra.png": "not used by a note that is here",
	}
	d.want(want)
	d.wantServer(want)
	if r := d.check(db, mediasync.CheckOptions{Apply: true, Synced: true, NotesUSN: 45}); r.Trashed != 1 || r.Kept != 0 { // the notes are here now
		t.Errorf("%+v", r)
	}
}

// TestCheckWithoutSync: before the collection was ever synced nothing that the server has is unused.
func TestCheckWithoutSync(t *testing.T) {
	t.Parallel()
	d, want := full(t, 5)
	db := newCollection(t, "")
	d.put("ours.txt", "ours")
	if r := d.check(db, mediasync.CheckOptions{Apply: true}); r.Trashed != 1 || r.Kept != 5 {
		t.Errorf("%+v", r)
	}
	d.want(want)
	if r := d.sync(); r.RoundTrips != 1 {
		t.Errorf("%+v", r)
	}
}

// TestCheckKilled: killed anywhere, the next check and sync finish the work, and the brake still holds what no one asked for.
func TestCheckKilled(t *testing.T) {
	t.Parallel()
	for step := 0; ; step++ {
		d, _ := full(t, 30)
		db := newCollection(t, `<img src="f000.txt">`)
		fail, reached := coretest.FailAt(step, fault.Other)
		d.media.Fail = fail
		_, err := d.syncer.Check(t.Context(), db, mediasync.CheckOptions{Apply: true, Synced: true})
		d.media.Fail = nil
		if !reached() {
			if err != nil {
				t.Error(err)
			}
			break
		}
		d.media.PowerCut(nil)
		d.start()
		d.try(mediasync.Options{})
		d.check(db, mediasync.CheckOptions{Apply: true, Synced: true})
		if r := d.sync(); r.Held != 0 {
			t.Errorf("step %d: %+v", step, r)
		}
		d.want(map[string]string{"f000.txt": "content of f000.txt"})
		d.wantServer(d.files())
	}
}

func TestCheckAndSync(t *testing.T) {
	t.Parallel()
	d, _ := full(t, 3)
	db := newCollection(t, "")
	d.server.before = func(string, []byte) (*host.Response, error) {
		_, err := d.syncer.Check(t.Context(), db, mediasync.CheckOptions{})
		wantKind(t, err, fault.Busy)
		return nil, nil
	}
	d.sync()
	d.media.Lock(true)
	_, err := d.syncer.Check(t.Context(), db, mediasync.CheckOptions{})
	wantKind(t, err, fault.NotWritable)
}

// TestOrder: files of cards that are due come first.
func TestOrder(t *testing.T) {
	t.Parallel()
	s := newServer()
	d := newDevice(t, s)
	days := map[string]int{}
	for i := range 200 {
		name := fmt.Sprintf("f%03d.txt", i)
		s.put(name, []byte(name))
		if i%3 > 0 {
			days[name] = (i * 7) % 50
		}
	}
	var asked []string
	s.answerDownloads(func(names []string) *host.Response {
		asked = append(asked, names...)
		return nil
	})
	order := func(_ context.Context, yield func(string, int) error) error {
		for name, day := range days {
			for _, x := range []int{day + 3, day, day + 5} { // the lowest counts
				if err := yield(name, x); err != nil {
					return err
				}
			}
			if err := yield("other "+name, 0); err != nil {
				return err
			}
		}
		return nil
	}
	if r, err := d.try(mediasync.Options{Order: order}); err != nil || r.Downloaded != 200 {
		t.Errorf("%+v, %v", r, err)
	}
	day := func(name string) int {
		if n, ok := days[name]; ok {
			return n
		}
		return 1 << 30
	}
	if !slices.IsSortedFunc(asked, func(a, b string) int { return day(a) - day(b) }) {
		t.Errorf("%q", asked)
	}
	for kind, failed := range map[fault.Kind]error{0: fault.New(fault.Busy, "busy"), fault.Cancelled: context.Canceled} {
		d := newDevice(t, s)
		_, err := d.try(mediasync.Options{Order: func(context.Context, func(string, int) error) error { return failed }})
		wantKind(t, err, kind)
	}
}
