package syncserver

import (
	"context"
	"hash/crc32"
	"io"
	"strings"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/medianame"
	"github.com/cardferry/cardferry/core/mediawire"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// uploadChanges stores files and deletions (§4.4). Its archive is checked to its end before anything of it counts; then its content
// is made durable, and only then the media state says that it is there.
func uploadChanges(ctx context.Context, c *call) (a answer, err error) {
	u := mediaUpload{call: c, index: &c.tenant.media, members: map[string]*received{}}
	defer u.discard()
	if err := u.receive(ctx); err != nil {
		return a, fault.Step("media upload", err)
	}
	ctx, cancel := c.work(ctx)
	defer cancel()
	if err := c.stillAllowed(ctx); err != nil {
		return a, err
	}
	usn, changed, err := u.store(ctx)
	if err != nil {
		return a, fault.Step("media upload", err)
	}
	if changed {
		c.server.changed(Change{Account: c.account.ID, Device: c.device.ID, USN: -1, MediaUSN: usn})
	}
	return answer{message: mediawire.AppendUpload(nil, len(u.entries), int32(usn))}, nil
}

// mediaUpload is an upload under way.
type mediaUpload struct {
	call    *call
	index   *mediaIndex
	members map[string]*received
	entries []mediawire.Sent
}

// received is the content of a member.
type received struct {
	draft store.Draft
	size  int64
	crc   uint32
	sum   store.SHA1 // once it is stored
}

// discard drops what was not stored.
func (u *mediaUpload) discard() {
	for _, m := range u.members {
		m.draft.Discard()
	}
}

// receive reads and checks the body. Nothing of it counts yet.
func (u *mediaUpload) receive(ctx context.Context) error {
	if err := u.index.receiving.enter(u.call); err != nil {
		return err
	}
	defer u.index.receiving.leave(u.call)
	z, err := wire.NewReader(u.call.body)
	if err != nil {
		return err
	}
	defer z.Close()
	archive := mediawire.NewReceived(z, min(maxUpload, u.call.server.Limits.Collection))
	buf := make([]byte, 64<<10)
	for {
		name, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if err := u.member(ctx, archive, name, buf); err != nil {
			return err
		}
	}
	if u.entries, err = archive.Entries(); err != nil {
		return err
	}
	return u.checkNames()
}

// maxUpload bounds what is in the archive of an upload, as the reference does by default (§2). Clients send no more than
// mediawire.BatchBytes and one file.
const maxUpload = 300 << 20

// member receives one member. Sizes are counted, not believed.
func (u *mediaUpload) member(ctx context.Context, archive *mediawire.Received, name string, buf []byte) error {
	draft, err := u.call.server.Blobs.Create(ctx, u.call.tenant.id)
	if err != nil {
		return err
	}
	m := &received{draft: draft}
	u.members[name] = m
	sum := crc32.NewIEEE()
	if m.size, err = io.CopyBuffer(io.MultiWriter(onlyWriter{draft}, sum), onlyReader{archive}, buf); err != nil {
		return err
	}
	m.crc = sum.Sum32()
	switch {
	case m.size == 0:
		return fault.New(fault.InvalidInput, "a file of the archive is empty")
	case m.crc != archive.CRC():
		return fault.New(fault.InvalidInput, "a checksum in the archive is wrong")
	}
	return nil
}

// onlyReader hides that a reader can write by itself.
type onlyReader struct{ io.Reader }

// checkNames checks the names of the entries. The reference takes the same name twice, and some that its own clients cannot
// keep, and fails with a few (§5.1); no client sends any of them. Errors are in the log, so they tell what is wrong with a name, and not the name.
func (u *mediaUpload) checkNames() error {
	seen := map[string]bool{}
	for i, e := range u.entries {
		check := medianame.CheckTaken
		if e.Delete {
			check = medianame.CheckDeleted
		}
		if err := check(text{}, e.Name); err != nil {
			why := err.Error()
			return fault.New(fault.InvalidInput, "entry %d has no name of a file: %s", i, why[strings.LastIndex(why, `": `)+len(`": `):])
		}
		if seen[e.Name] {
			return fault.New(fault.InvalidInput, "entry %d has the name of one before", i)
		}
		seen[e.Name] = true
	}
	return nil
}

// store makes the content durable and then records the changes. Content that another file has already is stored once.
func (u *mediaUpload) store(ctx context.Context) (usn int64, changed bool, err error) {
	x := u.index
	if err := x.with(ctx, host.Create, x.beginStoring); err != nil {
		return 0, false, err
	}
	stored := false
	defer func() {
		if !stored {
			u.giveUp(ctx)
		}
	}()
	for _, m := range u.members {
		if m.sum, m.size, err = m.draft.Commit(ctx); err != nil {
			return 0, false, err
		}
	}
	if len(u.members) > 0 {
		if err := x.tenant.server.Blobs.Flush(ctx, x.tenant.id); err != nil {
			return 0, false, err
		}
	}
	err = x.with(ctx, host.Create, func() (err error) {
		if usn, changed, err = u.record(); err != nil {
			return err
		}
		stored = true
		x.storing--
		u.clean(ctx)
		return nil
	})
	return usn, changed, err
}

// record applies the entries in their order (§9.3). Each that changes something has a number of its own.
func (u *mediaUpload) record() (last int64, changed bool, err error) {
	x := u.index
	last = x.last.Load()
	before, mtime := last, u.call.server.Now().Unix()
	err = rows.Transaction(x.db, func() error {
		for _, e := range u.entries {
			was, _, err := x.row(e.Name)
			if err != nil {
				return err
			}
			now := mediaRow{}
			if !e.Delete {
				m := u.members[e.Member]
				now = mediaRow{size: m.size, sum: m.sum, crc: m.crc}
			}
			if was.size == now.size && (now.size == 0 || was.sum == now.sum) {
				continue
			}
			if last, err = next(last); err != nil {
				return err
			}
			now.usn = last
			if err := x.put(e.Name, was, now, mtime); err != nil {
				return err
			}
		}
		if last == before {
			return nil
		}
		return x.run("UPDATE state SET last = ?", last)
	})
	if err != nil {
		return 0, false, err
	}
	x.last.Store(last)
	return last, last != before, nil
}

// giveUp ends an upload whose content is not to be used: what no row refers to is to be removed.
func (u *mediaUpload) giveUp(ctx context.Context) {
	x := u.index
	x.lock <- struct{}{} // for a moment: nobody holds it while waiting for anything
	defer func() { <-x.lock }()
	x.storing--
	for _, m := range u.members {
		if m.sum != (store.SHA1{}) {
			x.orphans = append(x.orphans, m.sum)
		}
	}
	if x.db != nil {
		limitTo(ctx, x.db)
		u.clean(ctx)
	}
}

// clean removes what is not used any more. That it fails harms nobody now.
func (u *mediaUpload) clean(ctx context.Context) {
	if err := u.index.clean(ctx); err != nil {
		u.call.server.Log.Error("remove media content", "account", string(u.call.tenant.id), "error", err.Error())
	}
}
