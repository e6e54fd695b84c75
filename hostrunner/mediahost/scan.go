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
// batch, so that 100,000 files take no more memory than their names.
type scan struct {
	ctx     context.Context
	folder  *folder
	entries []entry
	looks   [batch]found
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
	s := &scan{ctx: ctx, folder: f}
	if err := s.readNames(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
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
	for start := len(buf); len(s.entries) > 0 && len(buf)-start < enough; {
		if err := s.ctx.Err(); err != nil {
			return buf, false, fault.Wrap(fault.Cancelled, err, "list %s", Folder)
		}
		entries := s.entries[:min(batch, len(s.entries))]
		s.lookAt(entries)
		for i, e := range entries {
			f := &s.looks[i]
			switch {
			case errors.Is(f.err, fs.ErrNotExist):
				continue // removed meanwhile
			case f.err != nil:
				return buf, false, convert(f.err, "find", e.name())
			case f.folder:
				continue
			}
			regular := int64(0)
			if f.regular {
				regular = 1
			}
			buf = rows.Int(rows.Int(rows.Int(rows.Text(rows.Begin(buf, 4), e.name()), f.seen.Size), f.seen.Modified), regular)
		}
		s.entries = s.entries[len(entries):]
	}
	return buf, len(s.entries) == 0, nil
}

// lookAt fills s.looks.
func (s *scan) lookAt(entries []entry) {
	var all sync.WaitGroup
	size := (len(entries) + lookers - 1) / lookers
	for from := 0; from < len(entries); from += size {
		all.Go(func() {
			for i := from; i < min(from+size, len(entries)); i++ {
				s.looks[i] = s.folder.look(entries[i])
			}
		})
	}
	all.Wait()
}

// Close ends the listing.
func (s *scan) Close() error {
	s.entries = nil
	s.folder.close()
	return nil
}
