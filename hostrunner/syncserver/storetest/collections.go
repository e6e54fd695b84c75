package storetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// TestCollections is the contract of store.Collections. open returns an empty store.
func TestCollections(t *testing.T, open func(t *testing.T) store.Collections) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s store.Collections)
	}{
		{"installed files are opened", testInstall},
		{"staged files", testStaged},
		{"the replaced file is kept", testBackups},
		{"snapshots stay as they are", testSnapshot},
		{"media state", testMediaState},
		{"accounts are apart, and removed", testRemoveCollections},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, open(t))
		})
	}
}

// install makes a database with one value the account's collection.
func install(t *testing.T, s store.Collections, id store.AccountID, value int, keepAs time.Time) {
	t.Helper()
	f, err := s.Stage(t.Context(), id)
	coretest.Must(t, err)
	defer f.Discard()
	db, err := f.DB(t.Context(), host.Create)
	coretest.Must(t, err)
	_, err = rows.Exec(db, "CREATE TABLE t (v, filler)")
	coretest.Must(t, err)
	_, err = rows.Exec(db, "INSERT INTO t VALUES (?, zeroblob(20000))", value)
	coretest.Must(t, err)
	coretest.Must(t, db.Close())
	coretest.Must(t, f.Install(t.Context(), keepAs))
}

func wantValue(t *testing.T, open func() (host.DB, error), want int64) {
	t.Helper()
	db, err := open()
	coretest.Must(t, err)
	got, err := rows.IntOf(db, "SELECT v FROM t")
	if cerr := db.Close(); err == nil {
		err = cerr
	}
	if err != nil || got != want {
		t.Fatalf("got %d, want %d: %v", got, want, err)
	}
}

func opener(t *testing.T, s store.Collections, id store.AccountID) func() (host.DB, error) {
	return func() (host.DB, error) { return s.Open(t.Context(), id) }
}

func testInstall(t *testing.T, s store.Collections) {
	_, err := s.Open(t.Context(), "a1")
	coretest.WantKind(t, err, fault.NotFound)
	_, err = s.Snapshot(t.Context(), "a1")
	coretest.WantKind(t, err, fault.NotFound)
	install(t, s, "a1", 1, time.Time{})
	wantValue(t, opener(t, s, "a1"), 1)
	db, err := s.Open(t.Context(), "a1")
	coretest.Must(t, err)
	coretest.Must(t, rows.Transaction(db, func() error { return db.Exec("UPDATE t SET v = 2") }))
	coretest.Must(t, db.Exec("BEGIN; UPDATE t SET v = 3"))
	coretest.Must(t, db.Close()) // rolls back
	wantValue(t, opener(t, s, "a1"), 2)
	install(t, s, "a1", 4, time.Time{})
	wantValue(t, opener(t, s, "a1"), 4)
	if list, err := s.Backups(t.Context(), "a1"); err != nil || len(list) > 0 {
		t.Fatalf("backups that nobody asked for: %+v, %v", list, err)
	}
}

func testStaged(t *testing.T, s store.Collections) {
	install(t, s, "a1", 1, time.Time{})
	snapshot, err := s.Snapshot(t.Context(), "a1")
	coretest.Must(t, err)
	content := read(t, snapshot)

	f, err := s.Stage(t.Context(), "a1")
	coretest.Must(t, err)
	for rest := content; len(rest) > 0; {
		n := min(len(rest), 5000)
		_, err := f.Write(rest[:n])
		coretest.Must(t, err)
		rest = rest[n:]
	}
	wantValue(t, func() (host.DB, error) { return f.DB(t.Context(), host.ReadOnly) }, 1)
	_, err = f.Write([]byte("more"))
	coretest.WantKind(t, err, fault.Closed)
	db, err := f.DB(t.Context(), host.ReadWrite)
	coretest.Must(t, err)
	coretest.Must(t, db.Exec("UPDATE t SET v = 5"))
	coretest.Must(t, db.Close())
	wantValue(t, opener(t, s, "a1"), 1) // not yet
	coretest.Must(t, f.Install(t.Context(), time.Time{}))
	wantValue(t, opener(t, s, "a1"), 5)
	f.Discard()
	wantValue(t, opener(t, s, "a1"), 5)
	coretest.WantKind(t, f.Install(t.Context(), time.Time{}), fault.Closed)

	junk, err := s.Stage(t.Context(), "a1")
	coretest.Must(t, err)
	_, err = junk.Write([]byte("this is no database, however long one looks at it, and therefore nobody can open it, let alone install it"))
	coretest.Must(t, err)
	_, err = junk.DB(t.Context(), host.ReadOnly)
	coretest.WantKind(t, err, fault.DamagedFile)
	junk.Discard()
	_, err = junk.DB(t.Context(), host.ReadOnly)
	coretest.WantKind(t, err, fault.Closed)
	wantValue(t, opener(t, s, "a1"), 5)
}

func testBackups(t *testing.T, s store.Collections) {
	at := time.UnixMilli(1_800_000_000_123)
	install(t, s, "a1", 1, at) // replaces nothing
	install(t, s, "a1", 2, at.Add(2*time.Hour))
	install(t, s, "a1", 3, time.Time{})
	install(t, s, "a1", 4, at.Add(time.Hour)) // the clock went back
	list, err := s.Backups(t.Context(), "a1")
	coretest.Must(t, err)
	if len(list) != 2 || !list[0].Created.Equal(at.Add(time.Hour)) || !list[1].Created.Equal(at.Add(2*time.Hour)) {
		t.Fatalf("backups: %+v", list)
	}
	f, err := s.OpenBackup(t.Context(), "a1", list[1].ID)
	coretest.Must(t, err)
	content := read(t, f)
	if int64(len(content)) != list[1].Bytes {
		t.Errorf("%d bytes, announced were %d", len(content), list[1].Bytes)
	}
	again, err := s.Stage(t.Context(), "a1")
	coretest.Must(t, err)
	_, err = again.Write(content)
	coretest.Must(t, err)
	coretest.Must(t, again.Install(t.Context(), time.Time{}))
	wantValue(t, opener(t, s, "a1"), 1) // what the second replaced

	for _, name := range []string{"none", "", "../collection", "..", "a/b"} {
		if _, err := s.OpenBackup(t.Context(), "a1", name); err == nil {
			t.Errorf("backup %q was opened", name)
		}
	}
	coretest.Must(t, s.RemoveBackup(t.Context(), "a1", list[0].ID))
	coretest.Must(t, s.RemoveBackup(t.Context(), "a1", list[0].ID))
	if left, err := s.Backups(t.Context(), "a1"); err != nil || len(left) != 1 || left[0] != list[1] {
		t.Fatalf("left: %+v, %v", left, err)
	}
}

func testSnapshot(t *testing.T, s store.Collections) {
	install(t, s, "a1", 1, time.Time{})
	snapshot, err := s.Snapshot(t.Context(), "a1")
	coretest.Must(t, err)
	db, err := s.Open(t.Context(), "a1")
	coretest.Must(t, err)
	coretest.Must(t, db.Exec("UPDATE t SET v = 2"))
	coretest.Must(t, db.Close())
	install(t, s, "a1", 3, time.Time{})
	content := read(t, snapshot)
	f, err := s.Stage(context.WithoutCancel(t.Context()), "b1")
	coretest.Must(t, err)
	_, err = f.Write(content)
	coretest.Must(t, err)
	coretest.Must(t, f.Install(t.Context(), time.Time{}))
	wantValue(t, opener(t, s, "b1"), 1)
	wantValue(t, opener(t, s, "a1"), 3)
}

func testMediaState(t *testing.T, s store.Collections) {
	media := func() (host.DB, error) { return s.Media(t.Context(), "a1", host.ReadWrite) }
	_, err := media()
	coretest.WantKind(t, err, fault.NotFound)
	db, err := s.Media(t.Context(), "a1", host.Create)
	coretest.Must(t, err)
	coretest.Must(t, db.Exec("CREATE TABLE t (v); INSERT INTO t VALUES (7)"))
	coretest.Must(t, db.Close())
	install(t, s, "a1", 1, time.Time{})
	wantValue(t, media, 7)
	wantValue(t, opener(t, s, "a1"), 1)
}

// wantOwners fails unless something is kept of exactly these accounts.
func wantOwners(t *testing.T, s store.Collections, want ...store.AccountID) {
	t.Helper()
	list, err := s.Owners(t.Context())
	coretest.Must(t, err)
	slices.Sort(list)
	if !slices.Equal(list, want) {
		t.Errorf("owners %q, want %q", list, want)
	}
}

func testRemoveCollections(t *testing.T, s store.Collections) {
	for _, id := range []store.AccountID{"a1", "b1"} {
		install(t, s, id, 1, time.Now())
		install(t, s, id, 2, time.Now())
		db, err := s.Media(t.Context(), id, host.Create)
		coretest.Must(t, err)
		coretest.Must(t, db.Exec("CREATE TABLE t (v); INSERT INTO t VALUES (7)"))
		coretest.Must(t, db.Close())
	}
	wantOwners(t, s, "a1", "b1")
	coretest.Must(t, s.Remove(t.Context(), "a1"))
	coretest.Must(t, s.Remove(t.Context(), "a1"))
	wantOwners(t, s, "b1")
	_, err := s.Open(t.Context(), "a1")
	coretest.WantKind(t, err, fault.NotFound)
	if list, err := s.Backups(t.Context(), "a1"); err != nil || len(list) > 0 {
		t.Fatalf("backups: %+v, %v", list, err)
	}
	_, err = s.Media(t.Context(), "a1", host.ReadOnly)
	coretest.WantKind(t, err, fault.NotFound)
	db, err := s.Media(t.Context(), "a1", host.Create)
	coretest.Must(t, err)
	if n, err := rows.IntOf(db, "SELECT count(*) FROM sqlite_schema"); err != nil || n != 0 {
		t.Fatalf("the media state was not removed: %d, %v", n, err)
	}
	coretest.Must(t, db.Close())
	wantValue(t, opener(t, s, "b1"), 2)
}
