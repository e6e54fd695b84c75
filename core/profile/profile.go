// Package profile opens and keeps one profile: the collection, the core's small state beside it, and backups.
//
// Whatever is opened is checked first, read only, so that a file we refuse stays byte for byte as it was. The whole
// integrity check runs only on files that another program has changed since our last clean close: it costs more than
// a daily sync (design.md §3).
package profile

import (
	"context"
	"strings"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/jsontext"
	"github.com/cardferry/cardferry/core/rows"
)

// OfferedCopy is the collection that an upload has offered to the server, while its answer is not known.
const OfferedCopy = "cardferry.offered.anki2"

// Profile is an open profile. It is used by one task at a time.
type Profile struct {
	host    *host.Host
	db      host.DB
	state   *state
	writing bool // see Transaction
	// changed is set by everything that changes the collection; see TakeChanged.
	changed bool
}

// Opened says what Open had to do.
type Opened struct {
	Created  bool `json:"created"`
	Upgraded bool `json:"upgraded"`
}

// AppendJSON appends o as JSON.
func (o Opened) AppendJSON(dst []byte) []byte {
	return append(jsontext.PutBool(jsontext.PutBool(append(dst, '{'), "created", o.Created), "upgraded", o.Upgraded), '}')
}

// Open opens the profile's collection; with create, a missing one is made, empty. A collection of schema 11 or 14
// to 17 is upgraded, after a backup.
// Errors: fault.NotFound, fault.DamagedFile, fault.UnsupportedFile, fault.Busy, fault.NotWritable, fault.StorageFull.
func Open(ctx context.Context, h *host.Host, create bool) (*Profile, Opened, error) {
	p := &Profile{host: h}
	var o Opened
	if err := p.clearStaging(); err != nil {
		return nil, o, err
	}
	info, err := h.Files.Stat(host.Collection)
	switch {
	case fault.KindOf(err) == fault.NotFound && create:
		if err := p.create(ctx); err != nil {
			return nil, o, fault.Step("make an empty collection", err)
		}
		o.Created, p.changed = true, true
	case fault.KindOf(err) == fault.NotFound:
		return nil, o, fault.New(fault.NotFound, "there is no collection yet").
			WithHint("Sync or download to get one.")
	case err != nil:
		return nil, o, err
	case info.Size == 0:
		return nil, o, fault.New(fault.DamagedFile, "the collection file is empty (0 bytes)").
			WithHint("Restore a backup, or move the file away and download the collection from the server.")
	}
	if p.state, err = openState(ctx, h); err != nil {
		return nil, o, err
	}
	if o.Upgraded, err = p.openCollection(ctx, o.Created); err != nil {
		p.state.close()
		return nil, o, err
	}
	return p, o, nil
}

// DB returns the open collection.
func (p *Profile) DB() host.DB { return p.db }

// Transaction runs do in a transaction in which other calls may get their turn (host.Yielder): they can tell by InTransaction.
func (p *Profile) Transaction(do func() error) error {
	p.writing = true
	defer func() { p.writing = false }()
	return rows.Transaction(p.db, do)
}

// InTransaction reports whether a Transaction runs. Who writes, or reads, meanwhile would do it inside that.
func (p *Profile) InTransaction() bool { return p.writing }

// Changed records that the collection was changed.
func (p *Profile) Changed() { p.changed = true }

// TakeChanged reports whether the collection was changed since the last call.
func (p *Profile) TakeChanged() bool {
	c := p.changed
	p.changed = false
	return c
}

// create makes an empty collection aside and puts it in place in one step.
func (p *Profile) create(ctx context.Context) error {
	const staged = host.Staging + "new.anki2"
	db, err := p.OpenStaged(ctx, staged, host.Create)
	if err != nil {
		return err
	}
	err = collection.New(db, p.host.Clock, p.host.Random)
	if cerr := db.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return p.host.Files.Replace(staged, host.Collection)
}

// openCollection checks the collection and opens it for writing.
func (p *Profile) openCollection(ctx context.Context, created bool) (upgraded bool, err error) {
	ver := 18
	if !created {
		if ver, err = p.check(ctx, host.Collection, !p.cleanlyClosed()); err != nil {
			return false, err
		}
	}
	if ver != 18 {
		if err := p.tryUpgrade(ctx); err != nil {
			return false, fault.Step("upgrade the collection", err)
		}
	}
	p.state.setClean(nil)
	if p.db, err = p.host.SQL.Open(ctx, host.Collection, host.ReadWrite); err != nil {
		return false, err
	}
	if ver == 18 {
		return false, nil
	}
	if upgraded, err = p.upgrade(ctx); err != nil {
		p.db.Close()
		return false, fault.Step("upgrade the collection", err)
	}
	return upgraded, nil
}

// tryUpgrade upgrades a copy. A collection that cannot be upgraded stays byte for byte as it is, and there is no backup of it for each try.
func (p *Profile) tryUpgrade(ctx context.Context) error {
	const staged = host.Staging + "upgrade.anki2"
	db, err := p.host.SQL.Open(ctx, host.Collection, host.ReadOnly)
	if err != nil {
		return err
	}
	defer p.host.Files.Remove(staged)
	err = db.CopyInto(staged, true)
	if cerr := db.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		db, err = p.OpenStaged(ctx, staged, host.ReadWrite)
	}
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = collection.Upgrade(db, p.host.Clock, p.host.Random, p.host.Text)
	return err
}

// upgrade brings an older schema to 18. The backup serves people who go back to an old program.
func (p *Profile) upgrade(ctx context.Context) (bool, error) {
	if _, err := p.Backup(ctx, "upgrade"); err != nil {
		return false, err
	}
	upgraded, err := collection.Upgrade(p.db, p.host.Clock, p.host.Random, p.host.Text)
	p.changed = p.changed || upgraded
	return upgraded, err
}

// check looks at a database file without changing it and returns its schema version.
func (p *Profile) check(ctx context.Context, name string, whole bool) (ver int, err error) {
	db, err := p.host.SQL.Open(ctx, name, host.ReadOnly)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	return p.CheckDB(db, whole)
}

// CheckDB checks that an open database is a collection we can use and returns its schema version; whole adds the
// integrity check. Errors: fault.DamagedFile, fault.UnsupportedFile.
func (p *Profile) CheckDB(db host.DB, whole bool) (ver int, err error) {
	if ver, err = collection.CheckHeader(db); err != nil {
		return 0, err
	}
	if err := collection.CheckStructure(db); err != nil {
		return 0, err
	}
	if whole {
		p.host.Events.Progress(host.Progress{Stage: host.StageCheck})
		if err := collection.CheckIntegrity(db); err != nil {
			return 0, err
		}
	}
	return ver, nil
}

// OpenStaged opens a database that is not part of the profile yet. Its writes are not flushed one by one: Files.Replace
// makes the whole file durable when it is put in place.
func (p *Profile) OpenStaged(ctx context.Context, name string, mode host.OpenMode) (host.DB, error) {
	db, err := p.host.SQL.Open(ctx, name, mode)
	if err != nil {
		return nil, err
	}
	if err := db.Exec("PRAGMA synchronous = OFF"); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// Close closes the collection and remembers its state on disk, so that the next Open need not check it.
func (p *Profile) Close() error {
	err := p.db.Close()
	if err == nil {
		p.rememberClean()
	}
	p.state.close()
	return err
}

// clearStaging removes what a killed run left. The copy of an upload whose answer is unknown is kept, and so is what the
// host has in folders of its own, which another call may be using.
func (p *Profile) clearStaging() error {
	files, err := p.host.Files.List(host.Staging)
	if err != nil {
		return err
	}
	for _, f := range files {
		if strings.Contains(strings.TrimPrefix(f.Name, host.Staging), "/") {
			continue
		}
		if err := p.host.Files.Remove(f.Name); err != nil {
			return err
		}
	}
	return nil
}
