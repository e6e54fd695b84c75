package mediasync

import (
	"context"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/medianame"
	"github.com/cardferry/cardferry/core/mediawire"
	"github.com/cardferry/cardferry/core/rows"
)

const (
	// scanPage is how many rows of the index are compared at a time.
	scanPage = 1000
	// commitFiles is how many rows are stored in one transaction.
	commitFiles = 100
)

// entry is one file of the folder's listing.
type entry struct {
	name    string
	file    host.MediaFile
	regular bool
}

// listing reads the folder's listing.
type listing struct {
	scan host.MediaScan
	buf  []byte
	rest []byte
	row  rows.Row
	done bool
}

// next returns the next file; ok is false at the end.
func (l *listing) next() (e entry, ok bool, err error) {
	for len(l.rest) == 0 {
		if l.done {
			return e, false, nil
		}
		if l.buf, l.done, err = l.scan.Next(l.buf[:0]); err != nil {
			return e, false, err
		}
		l.rest = l.buf
	}
	if l.row, l.rest, err = rows.Decode(l.rest, l.row); err != nil {
		return e, false, err
	}
	e = entry{l.row[0].String(), host.MediaFile{Size: l.row[1].Int(), Modified: l.row[2].Int()}, l.row[3].Int() != 0}
	return e, true, nil
}

// scanner compares the folder with the index, both in the order of their names. Only files whose size or time has changed
// are read.
type scanner struct {
	run     *syncRun
	listing listing
	head    entry // of the listing, if more
	more    bool
	missed  string   // temporary table of names that are not here any more
	absent  []string // that are not in it yet
	fresh   []entry  // to be looked at
	checked int64
}

// scan looks for what has changed here, and judges what is missing. Files that are new or changed are stored as they are
// read; what is missing is stored in one step with the judgement about it, so that no killed scan leaves half of it.
func (r *syncRun) scan(ctx context.Context) (err error) {
	s := &scanner{run: r}
	if s.missed, err = r.index.tempTable("(name TEXT PRIMARY KEY) WITHOUT ROWID"); err != nil {
		return err
	}
	defer r.index.drop(s.missed)
	scan, err := r.Host.Media.Scan(ctx)
	switch fault.KindOf(err) {
	case 0:
		defer scan.Close()
		s.listing.scan = scan
	case fault.NotFound: // no folder is an empty folder; the brake looks at it
		s.listing.done = true
	default:
		return r.scanFailed(err)
	}
	if s.head, s.more, err = s.listing.next(); err != nil {
		return r.scanFailed(err)
	}
	if err := s.compare(ctx); err != nil {
		return err
	}
	return r.storeMissed(s.missed)
}

// scanFailed makes a folder that may not be read the user's decision: nothing is known about it, so nothing is done.
func (r *syncRun) scanFailed(err error) error {
	if fault.KindOf(err) != fault.NotWritable {
		return fault.Step("look at the media folder", err)
	}
	n, cerr := r.index.count("here IS NOT NULL")
	if cerr != nil {
		return cerr
	}
	r.report.Held = n
	return &fault.Error{
		Kind: fault.NeedsDecision, Message: "the media folder cannot be read; nothing was synced", Err: err,
		Hint: "Make the folder readable, or move it away to fetch all files again, then sync.",
	}
}

// known is what the index has about one name, as far as a scan needs it.
type known struct {
	name   string
	file   host.MediaFile
	here   bool
	marked bool // something is to be looked at anew even if the file is the same
}

// compare goes through the index page by page, then through what is left of the listing.
func (s *scanner) compare(ctx context.Context) error {
	query, err := s.run.index.db.Prepare("SELECT name, here IS NOT NULL, size, modified, why + aside FROM media WHERE name >= ? ORDER BY name LIMIT 1000")
	if err != nil {
		return err
	}
	defer query.Close()
	page := make([]known, 0, scanPage)
	for last := ""; ; last = after(page[len(page)-1].name) {
		page = page[:0]
		for v, err := range rows.Each(query, rows.Pack(nil, last)) {
			if err != nil {
				return err
			}
			page = append(page, known{v[0].String(), host.MediaFile{Size: v[2].Int(), Modified: v[3].Int()}, v[1].Int() != 0, v[4].Int() != 0})
		}
		for i := range page {
			if err := s.until(ctx, &page[i]); err != nil {
				return err
			}
		}
		if err := s.flush(ctx); err != nil {
			return err
		}
		if len(page) < scanPage {
			break
		}
	}
	if err := s.until(ctx, nil); err != nil {
		return err
	}
	return s.storeAbsent(ctx)
}

func (s *scanner) step() (err error) {
	s.head, s.more, err = s.listing.next()
	if err != nil {
		return s.run.scanFailed(err)
	}
	return nil
}

// until takes the listing up to a row of the index, or to its end, and compares the two.
func (s *scanner) until(ctx context.Context, k *known) error {
	for s.more && (k == nil || s.head.name < k.name) {
		if err := s.add(ctx, s.head); err != nil {
			return err
		}
		if err := s.step(); err != nil {
			return err
		}
	}
	switch {
	case k == nil:
		return s.flush(ctx)
	case !s.more || s.head.name != k.name:
		if k.here {
			s.absent = append(s.absent, k.name)
		}
		return nil
	case k.here && !k.marked && s.head.regular && s.head.file == k.file:
		s.checked++
		return s.step()
	}
	if err := s.add(ctx, s.head); err != nil {
		return err
	}
	return s.step()
}

// add notes a file that has to be looked at.
func (s *scanner) add(ctx context.Context, e entry) error {
	s.checked++
	switch {
	case medianame.IsSystem(e.name):
	case !medianame.Normalized(s.run.Host.Text, e.name):
		s.run.setAside[e.name] = badName
	default:
		s.fresh = append(s.fresh, e)
	}
	if len(s.fresh) >= scanPage {
		return s.flush(ctx)
	}
	return nil
}

// syncable reports whether a file of this name can be synced.
func syncable(t host.Text, name string) bool {
	return medianame.Normalized(t, name) && !medianame.IsSystem(name)
}

// flush looks at the files that were noted and stores what it finds.
func (s *scanner) flush(ctx context.Context) error {
	r := s.run
	var list []row
	for i, e := range s.fresh {
		x, err := r.observe(ctx, e)
		if err != nil {
			return err
		}
		if list = append(list, x); len(list) == commitFiles || i == len(s.fresh)-1 {
			if err := r.index.store(false, list...); err != nil {
				return err
			}
			list = list[:0]
			r.progress(host.StageMediaIndex, s.checked-int64(len(s.fresh)-1-i), 0)
			if err := r.Host.Yield.Tick(ctx); err != nil {
				return err
			}
		}
	}
	s.fresh = s.fresh[:0]
	r.checked = s.checked
	r.progress(host.StageMediaIndex, s.checked, 0)
	if len(s.absent) >= scanPage {
		if err := s.storeAbsent(ctx); err != nil {
			return err
		}
	}
	return r.Host.Yield.Tick(ctx)
}

// storeAbsent notes names that are not in the listing. Another task may have installed a file since it was made.
func (s *scanner) storeAbsent(ctx context.Context) error {
	var names []byte
	for _, name := range s.absent {
		_, err := s.run.Host.Media.Stat(name)
		switch fault.KindOf(err) {
		case 0:
			if _, err := s.run.look(ctx, name); err != nil {
				return err
			}
		case fault.NotFound:
			names = rows.Pack(names, name)
		default:
			return s.run.scanFailed(err)
		}
	}
	s.absent = s.absent[:0]
	if names == nil {
		return nil
	}
	_, err := run(s.run.index.db, "INSERT OR IGNORE INTO "+s.missed+" VALUES (?)", names)
	return err
}

// observe returns the row of a file of the listing as it is now.
func (r *syncRun) observe(ctx context.Context, e entry) (row, error) {
	x, err := r.index.row(e.name)
	if err != nil {
		return x, err
	}
	problem := reason(0)
	switch {
	case !e.regular:
		problem = notRegular
	case e.file.Size == 0:
		problem = empty
	case e.file.Size > mediawire.MaxFile:
		problem = tooLarge
	case x.here.known() && x.file == e.file: // only the mark of an absence was wrong
		x.why = unjudged
		return x, nil
	}
	if problem != 0 {
		x.found(opaque, e.file, 0, problem)
		return x, nil
	}
	return x, r.hash(ctx, &x)
}

// found notes what is here.
func (x *row) found(c content, f host.MediaFile, crc uint32, problem reason) {
	if c != x.here {
		x.came = 0
	}
	x.here, x.file, x.crc, x.aside, x.why = c, f, crc, problem, unjudged
	if c.known() && c == x.server && x.offered == nothing { // at once, so that a deletion of it is known as one
		x.agreed = c
	}
}

// hash reads a file and notes what it finds.
func (r *syncRun) hash(ctx context.Context, x *row) error {
	f, sum, err := r.Host.Media.Hash(ctx, x.name)
	switch fault.KindOf(err) {
	case 0:
		switch {
		case f.Size == 0:
			x.found(opaque, f, 0, empty)
		case f.Size > mediawire.MaxFile:
			x.found(opaque, f, 0, tooLarge)
		default:
			x.found(content(sum.SHA1[:]), f, sum.CRC, 0)
		}
	case fault.NotFound:
		x.missing() // whether that is a deletion the next scan judges
	case fault.NotWritable, fault.Busy, fault.Other:
		x.found(opaque, x.file, 0, unreadable)
	default:
		return fault.Step("read a media file", err)
	}
	return nil
}

// look observes one name anew, stores what it finds and returns it.
func (r *syncRun) look(ctx context.Context, name string) (row, error) {
	x, err := r.index.row(name)
	if err == nil {
		err = r.hash(ctx, &x)
	}
	if err == nil {
		err = r.index.store(false, x)
	}
	return x, err
}
