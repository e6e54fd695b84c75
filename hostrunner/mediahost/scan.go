package mediahost

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"sync"
	"unicode/utf8"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

var _ host.MediaScan = (*scan)(nil)

// scan is a listing. The names are read at once, since the system has them in no order; all else is asked for batch by
// batch, so that 100,000 files take no more memory than their names. While rows of one batch are handed out, the next one is
// looked at, which is two fifths of the work of a sync without changes.
type scan struct {
	ctx     context.Context
	folder  *folder
	entries []entry // not in a batch yet
	now     *looked
	at      int // the next one of now
	ahead   *looked
}

// looked is a batch of files that are being looked at, until all have been.
type looked struct {
	entries []entry
	looks   [batch]found
	all     sync.WaitGroup
}

// batch is how many files are looked at between two checks of the context, and lookers how many at the same time: a
// look takes 3 to 5 µs on a disk that is in memory, and a round trip on one in the network.
const (
	batch   = 512
	lookers = 8
)

// found is what a listing tells of a file.
type found struct {
	seen    host.MediaFile
	folder  bool
	regular bool
	err     error
}

// Scan lists the folder (see host.Media).
func (m *Media) Scan(ctx context.Context) (host.MediaScan, error) {
	f, err := m.open()
	if err != nil {
		return nil, err
	}
	s := &scan{ctx: ctx, folder: f, now: &looked{}, ahead: &looked{}}
	if err := s.readNames(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.look(s.ahead)
	return s, nil
}

func (s *scan) readNames() error {
	dir, err := s.folder.dir()
	if err != nil {
		return convert(err, "open", Folder)
	}
	for {
		if err := s.ctx.Err(); err != nil {
			return fault.Wrap(fault.Cancelled, err, "list %s", Folder)
		}
		entries, err := readEntries(dir, batch)
		for _, e := range entries {
			if utf8.ValidString(e.name()) {
				s.entries = append(s.entries, e)
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return convert(err, "list", Folder)
		}
	}
	sortEntries(s.entries)
	return nil
}

// Next appends rows (see host.MediaScan).
func (s *scan) Next(buf []byte) (_ []byte, done bool, err error) {
	const enough = 64 << 10
	for start := len(buf); len(buf)-start < enough; s.at++ {
		if s.at == len(s.now.entries) {
			if err := s.ctx.Err(); err != nil {
				return buf, false, fault.Wrap(fault.Cancelled, err, "list %s", Folder)
			}
			if !s.turn() {
				return buf, true, nil
			}
		}
		name, f := s.now.entries[s.at].name(), &s.now.looks[s.at]
		switch {
		case errors.Is(f.err, fs.ErrNotExist):
			continue // removed meanwhile
		case f.err != nil:
			return buf, false, convert(f.err, "find", name)
		case f.folder:
			continue
		}
		regular := int64(0)
		if f.regular {
			regular = 1
		}
		buf = rows.Int(rows.Int(rows.Int(rows.Text(rows.Begin(buf, 4), name), f.seen.Size), f.seen.Modified), regular)
	}
	return buf, false, nil
}

// turn takes the batch that was looked at ahead and begins with the one after it; it is false at the end.
func (s *scan) turn() bool {
	s.ahead.all.Wait()
	s.now, s.ahead, s.at = s.ahead, s.now, 0
	s.look(s.ahead)
	return len(s.now.entries) > 0
}

// look begins to look at the next files.
func (s *scan) look(l *looked) {
	n := min(batch, len(s.entries))
	l.entries, s.entries = s.entries[:n], s.entries[n:]
	size := (n + lookers - 1) / lookers
	for from := 0; from < n; from += size {
		l.all.Go(func() {
			for i := from; i < min(from+size, n); i++ {
				l.looks[i] = s.folder.look(l.entries[i])
			}
		})
	}
}

// Close ends the listing.
func (s *scan) Close() error {
	s.ahead.all.Wait() // the folder is open until then
	s.now, s.ahead, s.at, s.entries = &looked{}, &looked{}, 0, nil
	s.folder.close()
	return nil
}
