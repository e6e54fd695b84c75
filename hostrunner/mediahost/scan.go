package mediahost

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
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
}

// found is what a listing tells of a file.
type found struct {
	seen    host.MediaFile
	folder  bool
	regular bool
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
	const batch = 4096
	for {
		if err := s.ctx.Err(); err != nil {
			return fault.Wrap(fault.Cancelled, err, "list %s", Folder)
		}
		entries, err := readEntries(s.folder.dir, batch)
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
	slices.SortFunc(s.entries, compareEntries)
	return nil
}

// Next appends rows (see host.MediaScan).
func (s *scan) Next(buf []byte) (_ []byte, done bool, err error) {
	const batch = 64 << 10
	if err := s.ctx.Err(); err != nil {
		return buf, false, fault.Wrap(fault.Cancelled, err, "list %s", Folder)
	}
	for start := len(buf); len(s.entries) > 0 && len(buf)-start < batch; s.entries = s.entries[1:] {
		e := s.entries[0]
		f, err := s.folder.look(e)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue // removed meanwhile
		case err != nil:
			return buf, false, convert(err, "find", e.name())
		case f.folder:
			continue
		}
		regular := int64(0)
		if f.regular {
			regular = 1
		}
		buf = rows.Int(rows.Int(rows.Int(rows.Text(rows.Begin(buf, 4), e.name()), f.seen.Size), f.seen.Modified), regular)
	}
	return buf, len(s.entries) == 0, nil
}

// Close ends the listing.
func (s *scan) Close() error {
	s.entries = nil
	s.folder.close()
	return nil
}
