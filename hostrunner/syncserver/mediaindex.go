package syncserver

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/mediawire"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// mediaIndex is an account's media state: what there is under each name, and which change that was. It has a lock of its
// own, so that media and collection do not wait for each other; who holds the account's lock may take it, not the other way round.
type mediaIndex struct {
	tenant *tenant
	// lock: who has put an element into it may use what follows.
	lock       chan struct{}
	db         host.DB // nil: closed
	statements map[string]host.Stmt
	fresh      bool         // it was opened for this use
	storing    int          // uploads that have content which no row refers to yet
	orphans    []store.SHA1 // content of uploads that have failed
	marked     bool         // the database says that there may be content which no row refers to
	leftovers  bool         // and somebody before has left it so

	last atomic.Int64 // the number of the last change, -1 if it was not read yet
	// receiving has a lock of its own.
	receiving receiving
}

// mediaSchema: usn is the key, so no two changes can have the same, and they are listed in its order. A deletion has size 0. The
// number of files is counted when it is asked for, so it cannot drift. unused is content that was replaced or deleted, and
// has not been removed yet. storing says that uploads store content: if it still says so when the database is opened, a crash may have left
// content that no row refers to.
const mediaSchema = `
CREATE TABLE media (
	usn INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, size INTEGER NOT NULL, sum BLOB NOT NULL, crc INTEGER NOT NULL, mtime INTEGER NOT NULL
);
CREATE INDEX media_live ON media (sum) WHERE size > 0;
CREATE TABLE unused (sum BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE state (last INTEGER NOT NULL, storing INTEGER NOT NULL);
INSERT INTO state VALUES (0, 0);
PRAGMA user_version = 2;`

// mediaUpgrade is from version 1, which had no storing.
const mediaUpgrade = `
ALTER TABLE state ADD COLUMN storing INTEGER NOT NULL DEFAULT 1;
PRAGMA user_version = 2;`

// mediaCacheKiB is the page cache of an open media state. It grows to this only with use.
const mediaCacheKiB = 500

func (x *mediaIndex) init(t *tenant) {
	x.tenant = t
	x.lock = make(chan struct{}, 1)
	x.receiving.init()
	x.last.Store(-1)
}

// with runs do while nobody else uses the media state. What does not exist yet is empty: then do is not called, unless mode
// is host.Create. A panic in do closes the database: nobody knows what state it was in.
func (x *mediaIndex) with(ctx context.Context, mode host.OpenMode, do func() error) error {
	select {
	case x.lock <- struct{}{}:
	case <-ctx.Done():
		return unavailable("the account's media are busy")
	}
	sound := false
	defer func() {
		if !sound {
			x.closeDB()
		}
		<-x.lock
	}()
	if x.tenant.lost() {
		return &store.Elsewhere{}
	}
	if x.fresh = x.db == nil; x.fresh {
		if err := x.open(ctx, mode); err != nil {
			if fault.KindOf(err) == fault.NotFound && mode != host.Create {
				x.last.Store(0)
				err = nil
			}
			sound = true
			return err
		}
	}
	limitTo(ctx, x.db)
	if x.leftovers {
		if err := x.cleanLeftovers(ctx); err != nil { // harms nobody now
			x.tenant.server.Log.Error("remove media content that a crash has left", "account", string(x.tenant.id), "error", err.Error())
		}
	}
	err := do()
	sound = true
	return err
}

func (x *mediaIndex) open(ctx context.Context, mode host.OpenMode) (err error) {
	t := x.tenant
	if err := t.registry.slot(ctx, t.registry.mediaSlots, (*tenant).mediaIsOpen); err != nil {
		return err
	}
	x.db, err = t.server.Collections.Media(ctx, t.id, mode)
	if err == nil {
		x.statements = map[string]host.Stmt{}
		if err = x.prepare(); err == nil {
			return nil
		}
		x.db.Close()
	}
	x.db = nil
	<-t.registry.mediaSlots
	return fault.Step("open the media state", err)
}

// prepare makes the tables, if the database is new, and reads the number of the last change.
func (x *mediaIndex) prepare() error {
	if err := x.db.Exec(fmt.Sprintf("PRAGMA cache_size = -%d", mediaCacheKiB)); err != nil {
		return err
	}
	version, err := rows.IntOf(x.db, "PRAGMA user_version")
	switch {
	case err != nil:
		return err
	case version > 2:
		return fault.New(fault.UnsupportedFile, "the media state was written by a newer program")
	case version < 2:
		sql := mediaSchema
		if version == 1 {
			sql = mediaUpgrade
		}
		if err := rows.Transaction(x.db, func() error { return x.db.Exec(sql) }); err != nil {
			return err
		}
	}
	return x.each(func(row rows.Row) {
		x.last.Store(row[0].Int())
		x.marked = row[1].Int() != 0
		x.leftovers = x.marked
	}, "SELECT last, storing FROM state")
}

// mediaIsOpen reports whether the media state is open; nobody uses the account.
func (t *tenant) mediaIsOpen() bool { return t.media.db != nil }

// close closes the media state; nobody uses the account.
func (x *mediaIndex) close() {
	if x.db != nil {
		x.closeDB()
	}
}

// whileClosed runs do with the media state closed.
func (x *mediaIndex) whileClosed(ctx context.Context, do func() error) error {
	select {
	case x.lock <- struct{}{}:
	case <-ctx.Done():
		return unavailable("the account's media are busy")
	}
	defer func() { <-x.lock }()
	x.closeDB()
	return do()
}

// closeDB closes the database, which rolls back what was begun. The lock is held, or nobody uses the account.
func (x *mediaIndex) closeDB() {
	if x.db == nil {
		return
	}
	limitTo(context.Background(), x.db)
	_ = x.db.Rollback() // closing does it, too
	if x.marked && !x.leftovers && x.storing == 0 && len(x.orphans) == 0 {
		_ = x.mark(false) // else the next one looks in vain
	}
	x.marked, x.leftovers = false, false
	if err := x.db.Close(); err != nil {
		x.tenant.server.Log.Error("close a media state", "account", string(x.tenant.id), "error", err.Error())
	}
	x.db, x.statements = nil, nil
	x.last.Store(-1)
	<-x.tenant.registry.mediaSlots
}

// number returns the number of the last change. Unless keep says so, the database is left as open as it was: most requests that
// ask for the number are about the collection.
func (x *mediaIndex) number(ctx context.Context, keep bool) (int32, error) {
	last := x.last.Load()
	if last >= 0 {
		return int32(last), nil
	}
	last = 0
	err := x.with(ctx, host.ReadWrite, func() error {
		last = x.last.Load()
		if x.fresh && !keep {
			x.closeDB()
			x.last.Store(last)
		}
		return nil
	})
	return int32(last), err
}

// statement returns the prepared form of sql.
func (x *mediaIndex) statement(sql string) (st host.Stmt, err error) {
	if st = x.statements[sql]; st != nil {
		return st, nil
	}
	if st, err = x.db.Prepare(sql); err == nil {
		x.statements[sql] = st
	}
	return st, err
}

// run executes a statement.
func (x *mediaIndex) run(sql string, args ...any) error {
	st, err := x.statement(sql)
	if err == nil {
		_, err = st.Run(packed(args))
	}
	return err
}

// each calls do with every row of a query.
func (x *mediaIndex) each(do func(rows.Row), sql string, args ...any) error {
	st, err := x.statement(sql)
	if err != nil {
		return err
	}
	for row, err := range rows.Each(st, packed(args)) {
		if err != nil {
			return err
		}
		do(row)
	}
	return nil
}

func packed(args []any) []byte {
	if len(args) == 0 {
		return nil
	}
	return rows.Pack(nil, args...)
}

// mediaRow is what there is under a name.
type mediaRow struct {
	usn  int64
	size int64 // 0: deleted
	sum  store.SHA1
	crc  uint32
}

// row returns what there is under a name; ok is false if there never was anything, or it was lost.
func (x *mediaIndex) row(name string) (r mediaRow, ok bool, err error) {
	err = x.each(func(row rows.Row) {
		r, ok = mediaRow{usn: row[0].Int(), size: row[1].Int(), crc: uint32(row[3].Int())}, true
		copy(r.sum[:], row[2].Bytes)
	}, "SELECT usn, size, sum, crc FROM media WHERE name = ?", name)
	return r, ok, err
}

// put records what there is under a name from now on, as change usn; before is the row that there was, with the number 0 if there
// was none.
func (x *mediaIndex) put(name string, before, now mediaRow, mtime int64) error {
	if before.usn != 0 {
		if err := x.run("DELETE FROM media WHERE usn = ?", before.usn); err != nil {
			return err
		}
		if before.size > 0 && before.sum != now.sum {
			if err := x.unused(before.sum); err != nil {
				return err
			}
		}
	}
	sum := []byte{}
	if now.size > 0 {
		sum = now.sum[:]
	}
	return x.run("INSERT INTO media (usn, name, size, sum, crc, mtime) VALUES (?, ?, ?, ?, ?, ?)",
		now.usn, name, now.size, sum, int64(now.crc), mtime)
}

// unused lists content that perhaps no row refers to any more.
func (x *mediaIndex) unused(sum store.SHA1) error {
	return x.run("INSERT INTO unused (sum) VALUES (?) ON CONFLICT DO NOTHING", sum[:])
}

// forget drops a row whose content is lost: there is no file, and no deletion of it (§9.4). A device that still has it finds out
// by counting, and sends it again.
func (x *mediaIndex) forget(r mediaRow) error { return x.run("DELETE FROM media WHERE usn = ?", r.usn) }

// changes returns up to limit rows after a change, in order. The plus hides the limit from SQLite, which would compile the statement again for it.
func (x *mediaIndex) changes(after int32, limit int) (list []mediawire.Change, err error) {
	err = x.each(func(row rows.Row) {
		c := mediawire.Change{Name: row[0].String(), USN: int32(row[1].Int())}
		if row[2].Int() > 0 {
			c.SHA1 = string(row[3].Bytes)
		}
		list = append(list, c)
	}, "SELECT name, usn, size, sum FROM media WHERE usn > ? ORDER BY usn LIMIT +?", int64(after), int64(limit))
	return list, err
}

// files returns how many files there are.
func (x *mediaIndex) files() (n int64, err error) {
	err = x.each(func(row rows.Row) { n = row[0].Int() }, "SELECT count(*) FROM media WHERE size > 0")
	return n, err
}

// next returns the number of the next change after last.
func next(last int64) (int64, error) {
	if last >= math.MaxInt32 {
		return 0, fault.New(fault.DamagedFile, "the media state's number of changes has reached its end")
	}
	return last + 1, nil
}
