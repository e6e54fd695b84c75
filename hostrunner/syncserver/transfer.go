package syncserver

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// The answers to an upload (§13.2). Clients compare with OK, and show any other text.
const (
	uploadOK       = "OK"
	uploadTooLarge = "collection exceeds size limit"
	uploadCorrupt  = "Your upload was corrupt. Please use Check Database, or restore from backup."
)

// upload replaces the collection by the one that is sent (§13). It goes to a file of its own, where it is checked; the account is
// locked only to put it in place. An upload that comes while another one of the account is under way ends that: its client has
// given it up.
func upload(ctx context.Context, c *call) (answer, error) {
	t := c.tenant
	ctx, done, err := t.takeUpload(ctx)
	if err != nil {
		return answer{}, err
	}
	defer done()
	staged, err := c.server.Collections.Stage(ctx, t.id)
	if err != nil {
		return answer{}, fault.Step("upload", err)
	}
	defer staged.Discard()
	text, err := c.receive(ctx, staged)
	if err != nil {
		return answer{}, fault.Step("upload", err)
	}
	ctx, cancel := c.work(ctx)
	defer cancel()
	err = t.with(ctx, func() error {
		if err := c.stillAllowed(ctx); err != nil {
			return err
		}
		t.endSession()
		return nil
	})
	if err == nil && text == "" {
		if text, err = checkUpload(ctx, staged, c.server.Now(), c.server.tenants.others(t)); err == nil && text == uploadOK {
			err = c.install(ctx, staged)
		}
	}
	if err != nil && statusOf(err) == http.StatusServiceUnavailable && errors.Is(context.Cause(ctx), errSuperseded) {
		err = errSuperseded // which shows as an interruption
	}
	if err != nil {
		return answer{}, fault.Step("upload", err)
	}
	if text == uploadOK {
		c.server.changed(Change{Account: c.account.ID, Device: c.device.ID, USN: -1, MediaUSN: -1, Replaced: true})
	}
	return answer{message: []byte(text)}, nil
}

// receive writes the body's payload to the file. text is the answer if it cannot be a collection.
func (c *call) receive(ctx context.Context, staged store.Staged) (text string, err error) {
	defer context.AfterFunc(ctx, c.body.interrupt)()
	z, err := wire.NewReader(c.body)
	if err != nil {
		return "", err
	}
	defer z.Close()
	text, err = c.copyCollection(z, staged)
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if text != "" {
		_, _ = io.Copy(io.Discard, c.body) // clients look for the answer when they have sent everything
	}
	return text, err
}

// copyCollection copies a payload up to the limit. What is no database is not worth the disk, nor much time: a few bytes can stand for
// gigabytes. It is checked like an empty file.
func (c *call) copyCollection(from io.Reader, to io.Writer) (text string, err error) {
	most := c.server.Limits.Collection
	limit := most
	r := bufio.NewReader(io.LimitReader(from, limit))
	if head, _ := r.Peek(databaseHead); !isDatabase(head) {
		to, limit = io.Discard, min(limit, maxUpload)
	}
	n, err := io.CopyBuffer(onlyWriter{to}, io.LimitReader(onlyReader{r}, limit), make([]byte, 256<<10))
	switch {
	case err != nil || n < limit:
		return "", err
	case limit < most:
		return uploadCorrupt, nil
	}
	return uploadTooLarge, nil
}

// databaseHead is how many bytes isDatabase needs.
const databaseHead = 48

// isDatabase reports whether a file begins like an SQLite database, of a format that can be written: with a version of the file
// (offset 18) above 2 it can only be read, with one of the schema (44) above 4 it cannot be opened.
func isDatabase(head []byte) bool {
	return len(head) == databaseHead && string(head[:16]) == "SQLite format 3\x00" && head[18] <= 2 &&
		binary.BigEndian.Uint32(head[44:]) <= 4
}

// errSuperseded ends an upload.
var errSuperseded = unavailable("another upload of this account has begun")

// takeUpload makes this the account's upload, ending the one before. done must be called at the end.
func (t *tenant) takeUpload(ctx context.Context) (_ context.Context, done func(), err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	t.uploading.Lock()
	before := t.upload
	own := &transfer{cancel: cancel, ended: make(chan struct{})}
	t.upload = own
	t.uploading.Unlock()
	done = func() {
		cancel(nil)
		close(own.ended)
	}
	if before != nil {
		before.cancel(errSuperseded)
		select {
		case <-before.ended:
		case <-ctx.Done():
			done()
			return nil, nil, context.Cause(ctx)
		}
	}
	return ctx, done, nil
}

// transfer is an upload under way.
type transfer struct {
	cancel context.CancelCauseFunc
	ended  chan struct{}
}

// checkUpload looks whether the file is a collection that a server can keep, and makes it one: of the present schema, with nothing
// pending. What is wrong with it is the text of the answer; an error is ours. If there are others it leaves a processor to them.
func checkUpload(ctx context.Context, staged store.Staged, now time.Time, others bool) (text string, err error) {
	work, err := inspect(ctx, staged, others)
	if err == nil && work {
		err = improve(ctx, staged, now)
	}
	switch fault.KindOf(err) {
	case 0:
		return uploadOK, nil
	case fault.DamagedFile, fault.UnsupportedFile, fault.DamagedDownload, fault.InvalidInput:
		return uploadCorrupt, nil
	}
	if errors.Is(err, errCheckFailed) {
		return uploadCorrupt, nil
	}
	return "", err
}

// errCheckFailed marks errors that a damaged file causes, whatever SQLite calls them.
var errCheckFailed = errors.New("the file cannot be read")

// inspect checks the file as it came. work says that it has to be changed.
func inspect(ctx context.Context, staged store.Staged, others bool) (work bool, err error) {
	db, err := staged.DB(ctx, host.ReadOnly)
	if err != nil {
		return false, err
	}
	defer db.Close()
	if db, ok := db.(interface{ Alone() }); ok && others {
		db.Alone()
	}
	if err := harden(db); err != nil {
		return false, err
	}
	limitTo(ctx, db)
	ver, err := collection.CheckHeader(db)
	if err == nil {
		err = collection.CheckStructure(db)
	}
	if err == nil {
		err = collection.CheckTaken(db)
	}
	if err == nil {
		err = collection.CheckIntegrity(db)
	}
	if err != nil || ver < collection.Schema {
		return true, err
	}
	if missing, err := collection.MissingIndexes(db); err != nil || missing {
		return true, asCheck(err)
	}
	work, err = collection.AnyPending(db)
	return work, asCheck(err)
}

// asCheck marks an error of a query on an uploaded file.
func asCheck(err error) error {
	if fault.KindOf(err) == fault.Other {
		return errors.Join(errCheckFailed, err)
	}
	return err
}

// improve upgrades the file, adds what is missing, and settles rows that a client has left pending: with them no later sync would
// pass the sanity check (trap 36).
func improve(ctx context.Context, staged store.Staged, now time.Time) error {
	db, err := staged.DB(ctx, host.ReadWrite)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := harden(db); err != nil {
		return err
	}
	limitTo(ctx, db)
	if _, err := collection.Upgrade(db, utc{func() time.Time { return now }}, random{}, text{}); err != nil {
		return asCheck(err)
	}
	err = rows.Transaction(db, func() error {
		if err := collection.CreateIndexes(db); err != nil {
			return err
		}
		return collection.SettlePending(db, 0)
	})
	if err != nil {
		return asCheck(err)
	}
	return db.Close()
}

// limitTo lets ctx interrupt the statements of a database.
func limitTo(ctx context.Context, db host.DB) {
	if db, ok := db.(interruptible); ok {
		db.SetContext(ctx)
	}
}

// install puts a checked file in the place of the collection, which is kept as a backup unless it is empty. The check may have taken minutes:
// the device must still be one of the account.
func (c *call) install(ctx context.Context, staged store.Staged) error {
	t := c.tenant
	return t.with(ctx, func() error {
		if err := c.stillAllowed(ctx); err != nil {
			return err
		}
		var keepAs time.Time
		db, err := t.open(ctx)
		if err == nil {
			var empty bool
			empty, err = collection.Empty(db)
			if err = asCheck(err); !empty {
				keepAs = t.server.Now()
			}
		}
		// A collection that cannot be read any more is kept, too; nothing else than an upload would help.
		if kind := fault.KindOf(err); err != nil && kind != fault.DamagedFile && kind != fault.UnsupportedFile && !errors.Is(err, errCheckFailed) {
			return err
		} else if err != nil {
			keepAs = t.server.Now()
		}
		t.closeCollection()
		if err := staged.Install(ctx, keepAs); err != nil {
			return err
		}
		t.forget(c.header.session)
		t.expireBackups(ctx)
		return nil
	})
}

// expireBackups removes backups that are older than they need be. That it fails harms nobody now.
func (t *tenant) expireBackups(ctx context.Context) {
	limits, now := &t.server.Limits, t.server.Now()
	list, err := t.server.Collections.Backups(ctx, t.id)
	// What is of later than now was made before the clock was set back: what was replaced just now must not be the first to go.
	later := slices.IndexFunc(list, func(b store.Backup) bool { return b.Created.After(now) })
	if later >= 0 {
		list = slices.Concat(list[later:], list[:later])
	}
	for i := 0; i < len(list)-limits.Backups && err == nil; i++ {
		if now.Sub(list[i].Created) >= limits.BackupAge || len(list)-i > limits.MaxBackups {
			err = t.server.Collections.RemoveBackup(ctx, t.id, list[i].ID)
		}
	}
	if err != nil {
		t.server.Log.Error("remove old backups", "account", string(t.id), "error", err.Error())
	}
}

// download sends the collection's file, as it is after a change of its own (§14.2): the other devices sync next.
func download(ctx context.Context, c *call, payload []byte) (a answer, err error) {
	if err := wire.ParseNoRequest(payload); err != nil {
		return a, err
	}
	t := c.tenant
	err = t.with(ctx, func() error {
		t.endSession()
		db, err := t.open(ctx)
		if err != nil {
			return err
		}
		if err := bump(db, c.server.Now()); err != nil {
			return err
		}
		t.closeCollection() // brings the log into the file
		a.file, err = c.server.Collections.Snapshot(ctx, t.id)
		return err
	})
	if err != nil {
		return a, fault.Step("download", err)
	}
	return a, nil
}

func bump(db host.DB, now time.Time) error {
	return rows.Transaction(db, func() error {
		col, err := collection.ReadCol(db)
		if err != nil {
			return err
		}
		col.USN = min(col.USN+1, math.MaxInt32) // beyond, nobody could read it any more
		col.Mod = max(now.UnixMilli(), col.Mod+1)
		return collection.WriteCol(db, col)
	})
}
