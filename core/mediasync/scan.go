package mediasync

import (
	"context"
	"strings"

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

// scanner compares the folder with the index, both in the order of their names. Only files whose size or time has changed
// are read.
type scanner struct {
	run     *syncRun
	listing listing
	missed  string   // temporary table of names that are not here any more
	absent  []string // that are not in it yet
	fresh   []entry  // to be looked at; their names are copies
	page    []byte   // packed rows of the index
	row     rows.Row // one of them
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
	if err := s.compare(ctx); err != nil {
		return err
	}
	if err := s.confirm(ctx); err != nil {
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

// known is what the index has about one name, as far as a scan needs it. The name shares memory with the scanner's page.
type known struct {
	name   string
	file   host.MediaFile
	here   bool
	marked bool // something is to be looked at anew even if the file is the same
}

// compare goes through the index page by page, then through what is left of the listing.
func (s *scanner) compare(ctx context.Context) error {
	query, err := s.run.index.db.Prepare("SELECT name, size, modified, why + aside = 0 FROM media WHERE name >= ? ORDER BY name LIMIT 1000")
	if err != nil {
		return err
	}
	defer query.Close()
	for from, n := "", scanPage; n == scanPage; {
		if err := s.read(query, from); err != nil {
			return err
		}
		var last []byte
		if n, last, err = s.comparePage(ctx); err != nil {
			return err
		}
		if err := s.flush(ctx); err != nil {
			return err
		}
		if n == scanPage {
			if s.row, _, err = rows.Decode(last, s.row); err != nil {
				return err
			}
			from = after(s.row[0].String())
		}
	}
	if err := s.until(ctx, nil); err != nil {
		return err
	}
	return s.storeAbsent()
}

// read fills the page with rows of the index. It ends the query, since rows are stored while the page is compared.
func (s *scanner) read(query host.Stmt, from string) error {
	err := query.Query(rows.Pack(nil, from))
	s.page = s.page[:0]
	for done := false; !done && err == nil; {
		s.page, done, err = query.Next(s.page)
	}
	return err
}

// comparePage compares the page with the listing and returns the number of its rows and the last one.
func (s *scanner) comparePage(ctx context.Context) (n int, last []byte, err error) {
	for rest := s.page; ; n++ {
		same, unchanged, next := s.listing.passUnchanged(rest)
		if same > 0 {
			n, last, rest = n+same, unchanged, next
			s.checked += int64(same)
		}
		if len(rest) == 0 {
			return n, last, nil
		}
		if s.row, next, err = rows.Decode(rest, s.row); err != nil {
			return n, nil, err
		}
		last, rest = rest, next
		v := s.row
		k := known{v[0].Shared(), host.MediaFile{Size: v[1].Int(), Modified: v[2].Int()}, v[1].Tag != rows.TagNull, v[3].Int() == 0}
		if err := s.until(ctx, &k); err != nil {
			return n, nil, err
		}
	}
}

// until takes the listing up to and including a row of the index, or to its end, and compares the two.
func (s *scanner) until(ctx context.Context, k *known) error {
	for {
		e, more, err := s.listing.head()
		switch {
		case err != nil:
			return s.run.scanFailed(err)
		case k == nil && !more:
			return s.flush(ctx)
		case !more || k != nil && e.name > k.name:
			if k.here {
				s.absent = append(s.absent, strings.Clone(k.name))
			}
			return nil
		}
		s.listing.pass()
		this := k != nil && e.name == k.name
		if this && k.here && !k.marked && e.regular && e.file == k.file {
			s.checked++
			return nil
		}
		if err := s.add(ctx, e); err != nil || this {
			return err
		}
	}
}

// add notes a file that has to be looked at.
func (s *scanner) add(ctx context.Context, e entry) error {
	s.checked++
	switch {
	case medianame.IsSystem(e.name):
	case !medianame.Normalized(s.run.Host.Text, e.name):
		s.run.setAside[strings.Clone(e.name)] = badName
	default:
		e.name = strings.Clone(e.name)
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
	if len(s.fresh) > 0 {
		if err := r.harden(ctx); err != nil {
			return err
		}
	}
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
		if err := s.storeAbsent(); err != nil {
			return err
		}
	}
	return r.Host.Yield.Tick(ctx)
}

// storeAbsent notes names that are not in the listing.
func (s *scanner) storeAbsent() error {
	var names []byte
	for _, name := range s.absent {
		names = rows.Pack(names, name)
	}
	s.absent = s.absent[:0]
	_, err := run(s.run.index.db, "INSERT OR IGNORE INTO "+s.missed+" VALUES (?)", names)
	return err
}

// confirm takes out what is there after all: another task may have installed a file since the listing was made, also since its name was noted.
// Nothing else gets its turn before what was missed is stored.
func (s *scanner) confirm(ctx context.Context) error {
	x := s.run.index
	var there []string
	for row, err := range rows.Query(x.db, "SELECT name FROM "+s.missed) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		name := row[0].String()
		switch _, err := s.run.Host.Media.Stat(name); fault.KindOf(err) {
		case 0:
			there = append(there, name)
		case fault.NotFound:
		default:
			return s.run.scanFailed(err)
		}
	}
	var names []byte
	for _, name := range there {
		if _, err := s.run.look(ctx, name); err != nil {
			return err
		}
		names = rows.Pack(names, name)
	}
	_, err := run(x.db, "DELETE FROM "+s.missed+" WHERE name = ?", names)
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
		if _, err := r.Host.Media.Stat(e.name); err == nil { // the listing has both as one
			problem = unreadable
		}
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
	was := x
	if err == nil {
		err = r.hash(ctx, &x)
	}
	if err == nil && x.here.known() && (x.here != was.here || x.file != was.file) {
		err = r.harden(ctx)
	}
	if err == nil {
		err = r.index.store(false, x)
	}
	return x, err
}

// harden makes durable what is in the folder, before the index says so: what a power cut takes away would else look like something that the
// user has deleted. Who has written it may not have done so, as a sync that was killed, or another program.
func (r *syncRun) harden(ctx context.Context) error {
	return fault.Step("store media files", r.Host.Media.Flush(ctx))
}
