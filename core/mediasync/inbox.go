package mediasync

import (
	"context"
	"io"
	"slices"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/mediawire"
	"github.com/cardferry/cardferry/core/rows"
)

// inbox puts received files in place. They are written beside the folder, checked, and moved in; the index says that
// they are here only after they are durable, since a file that is in the index and not in the folder is one that the
// user has deleted.
type inbox struct {
	run       *syncRun
	asked     bool // the user asks for the file, deleted or not
	archive   mediawire.Archive
	buf       []byte
	installed []row // in place, not in the index yet
	expected  bool  // since the last commit, what the index says is durable
	committed time.Time
	// Of the last answer: files that are in place, or need not be any more; files with another content than the list says;
	// bytes of both.
	got   map[string]bool
	wrong []string
	bytes int64
}

const (
	// storeEvery is how long what was received or taken may wait to be stored, which takes about as long for many files as for one.
	storeEvery = time.Second
	// storeFiles is how many may wait.
	storeFiles = 500
)

// due reports whether it is time to store so many files, when some were last stored then.
func (r *syncRun) due(n int, last time.Time) bool {
	return n >= storeFiles || r.Host.Clock.Now().Sub(last) >= storeEvery
}

func (r *syncRun) newInbox() *inbox {
	return &inbox{run: r, buf: make([]byte, 64<<10), committed: r.Host.Clock.Now()}
}

func (b *inbox) reset() { b.got, b.wrong, b.bytes = map[string]bool{}, nil, 0 }

// rest returns the names that did not come.
func (b *inbox) rest(names []string) (rest []string) {
	for _, name := range names {
		if !b.got[name] && !slices.Contains(b.wrong, name) {
			rest = append(rest, name)
		}
	}
	return rest
}

// member is a received file whose name is not known yet.
type member struct {
	entry string
	draft host.MediaDraft
	sum   host.MediaSum
	size  int64
}

// receive reads the archive that answers a request for names. Members that were not asked for are ignored; of two of the
// same name the last counts (§5).
func (b *inbox) receive(ctx context.Context, call host.Call, names []string) error {
	body, _, err := b.run.server.Stream(ctx, mediawire.DownloadFiles, call)
	if err != nil {
		return err
	}
	defer body.Close()
	var members []member
	defer func() {
		for _, m := range members {
			m.draft.Discard()
		}
	}()
	archive := &b.archive
	archive.Reset(body, len(names))
	for {
		entry, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		m, err := b.write(archive)
		if err != nil {
			return err
		}
		m.entry = entry
		members = append(members, m)
		if err := b.run.Host.Yield.Tick(ctx); err != nil {
			return err
		}
	}
	named, err := archive.Names()
	if err != nil {
		return err
	}
	archive.Drain()
	if err := b.expect(names...); err != nil {
		return err
	}
	for i := len(members) - 1; i >= 0; i-- { // of two of one name the last counts
		m := members[i]
		name, ok := named[m.entry]
		if !ok || !slices.Contains(names, name) || b.got[name] {
			continue
		}
		delete(named, m.entry)
		if err := b.install(ctx, name, m); err != nil {
			return err
		}
	}
	return b.commitDue(ctx)
}

// commitDue commits if it is time.
func (b *inbox) commitDue(ctx context.Context) error {
	if !b.run.due(len(b.installed), b.committed) {
		return nil
	}
	return b.commit(ctx)
}

// write writes one member to a draft.
func (b *inbox) write(archive *mediawire.Archive) (m member, err error) {
	if m.draft, err = b.run.Host.Media.Create(); err != nil {
		return m, fault.Step("store a media file", err)
	}
	for {
		n, rerr := archive.Read(b.buf)
		if n > 0 {
			_, err = m.draft.Write(b.buf[:n])
		}
		if err == nil && rerr == io.EOF {
			m.size, m.sum, err = m.draft.Sum()
			if err == nil && m.sum.CRC != archive.CRC() {
				err = fault.New(fault.DamagedDownload, "a received media file does not match its checksum").WithHint("Try again.")
			}
			break
		}
		if err == nil {
			err = rerr
		}
		if err != nil {
			break
		}
	}
	if err != nil {
		m.draft.Discard()
	}
	return m, err
}

// install puts a received file in place, if it is what the server lists. What is here is compared with what was seen: an
// edit made meanwhile is looked at, and decided about, first.
func (b *inbox) install(ctx context.Context, name string, m member) error {
	r := b.run
	b.bytes += m.size
	const tries = 3
	for range tries {
		x, err := r.index.row(name)
		if err != nil {
			return err
		}
		if !b.needs(&x) {
			b.got[name] = true // not needed any more
			return nil
		}
		if x.server != content(m.sum.SHA1[:]) {
			b.wrong = append(b.wrong, name)
			return nil
		}
		var seen *host.MediaFile
		if x.here != nothing {
			seen = &x.file
		} else if err := b.expect(name); err != nil {
			return err
		}
		now, changed, err := m.draft.Install(name, seen)
		if fault.KindOf(err) == fault.InvalidInput { // a name that this store cannot hold
			break
		}
		if err != nil {
			return fault.Step("store a media file", err)
		}
		if !changed {
			x.here, x.file, x.crc, x.came = x.server, now, m.sum.CRC, x.usn
			b.installed = append(b.installed, x)
			b.got[name] = true
			r.report.Downloaded++
			return nil
		}
		if _, err := r.look(ctx, name); err != nil {
			return err
		}
	}
	// Something is in the way that is no file of this name, such as a file whose name differs in case only.
	r.setAside[name], b.got[name] = badName, true
	return nil
}

// needs reports whether a file is still to be put in place: the user may have deleted it since it was asked for.
func (b *inbox) needs(x *row) bool {
	return x.server.known() && (b.run.next(x) == download || b.asked && x.here == nothing)
}

// expect makes it durable, before files are installed where none is, that nothing is agreed on under their names: a power cut may leave empty
// files of them, and take back what the index has learnt, and the user has not emptied what was agreed on (row.action).
func (b *inbox) expect(names ...string) error {
	var list []row
	for _, name := range names {
		x, err := b.run.index.row(name)
		if err != nil {
			return err
		}
		if x.here != nothing || b.expected && x.agreed == nothing && x.offered == nothing || !b.needs(&x) {
			continue
		}
		b.expected, x.agreed, x.offered, x.why = true, nothing, nothing, unjudged
		list = append(list, x)
	}
	return b.run.index.store(true, list...)
}

// commit makes the installed files durable and stores that they are here, unless the user has deleted them since. What the index has learnt of
// the server meanwhile stays.
func (b *inbox) commit(ctx context.Context) error {
	if len(b.installed) == 0 {
		return nil
	}
	list := b.installed
	b.installed, b.expected, b.committed = b.installed[:0], false, b.run.Host.Clock.Now()
	if err := b.run.harden(ctx); err != nil {
		return err
	}
	var params []byte
	for i := range list {
		x := &list[i]
		params = rows.Pack(params, []byte(x.here), x.file.Size, x.file.Modified, int64(x.crc), x.came, x.name)
	}
	db := b.run.index.db
	return rows.Transaction(db, func() error {
		_, err := run(db, "UPDATE media SET agreed = ?1, offered = NULL WHERE name = ?6 AND why = 3", params)
		if err == nil {
			_, err = run(db, "UPDATE media SET here = ?1, agreed = ?1, size = ?2, modified = ?3, crc = ?4, came = ?5, offered = NULL, aside = 0, why = 0 "+
				"WHERE name = ?6 AND why <> 3", params)
		}
		return err
	})
}

// copy spares a download of a content that is here under another name.
func (d *downloader) copy(ctx context.Context, x *row) (done bool, err error) {
	other, err := d.run.index.holder(x.server)
	if err != nil || other.name == "" {
		return false, err
	}
	draft, changed, err := d.run.Host.Media.Copy(other.name, other.file)
	switch {
	case fault.KindOf(err) == fault.StorageFull:
		return false, fault.Step("store a media file", err)
	case err != nil || changed:
		_, err = d.run.look(ctx, other.name)
		return false, err
	}
	defer draft.Discard()
	m := member{draft: draft}
	if m.size, m.sum, err = draft.Sum(); err != nil {
		return false, fault.Step("store a media file", err)
	}
	if content(m.sum.SHA1[:]) != x.server {
		return false, nil
	}
	d.inbox.reset()
	if err := d.inbox.install(ctx, x.name, m); err != nil || !d.inbox.got[x.name] {
		return false, err
	}
	d.advance(1)
	return true, d.inbox.commitDue(ctx)
}
