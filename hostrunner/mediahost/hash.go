package mediahost

import (
	"context"
	"crypto/sha1"
	"hash"
	"hash/crc32"
	"io"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
)

// sums are those of what was written to it.
type sums struct {
	sha1 hash.Hash
	crc  uint32
	size int64
}

func newSums() *sums { return &sums{sha1: sha1.New()} }

// Write never fails.
func (s *sums) Write(p []byte) (int, error) {
	_, _ = s.sha1.Write(p)
	s.crc = crc32.Update(s.crc, crc32.IEEETable, p)
	s.size += int64(len(p))
	return len(p), nil
}

func (s *sums) sum() (m host.MediaSum) {
	s.sha1.Sum(m.SHA1[:0])
	m.CRC = s.crc
	return m
}

// settled is how long ago a file must have been written for its time of modification to be trusted: a system's clock for
// files moves in steps of up to 10 ms, so that a second writing within one step may leave the time as it is.
const settled = 20 * time.Millisecond

// written is how long after its time of modification every system has written a file to its disk by itself.
const written = time.Hour

// Hash reads a file and returns its sums (see host.Media).
func (m *Media) Hash(ctx context.Context, name string) (host.MediaFile, host.MediaSum, error) {
	const attempts = 3
	for range attempts {
		seen, sum, ok, err := m.tryHash(ctx, name)
		if err != nil || ok {
			return seen, sum, err
		}
	}
	return host.MediaFile{}, host.MediaSum{}, fault.New(fault.Busy, "read %s: it keeps changing", name)
}

// tryHash is an attempt; ok is false if the file has changed in between.
func (m *Media) tryHash(ctx context.Context, name string) (seen host.MediaFile, sum host.MediaSum, ok bool, err error) {
	if err := checkName(name); err != nil {
		return seen, sum, false, err
	}
	f, err := m.open()
	if err != nil {
		return seen, sum, false, err
	}
	defer f.close()
	file, info, err := f.openFile(name)
	if err != nil {
		return seen, sum, false, convert(err, "open", name)
	}
	defer file.Close()
	if age := time.Since(info.ModTime()); age >= 0 && age < settled {
		select {
		case <-time.After(settled - age):
		case <-ctx.Done():
		}
		if info, err = file.Stat(); err != nil {
			return seen, sum, false, convert(err, "find", name)
		}
	}
	s := newSums()
	if err := copyUntil(ctx, s, file, info.Size()); err != nil {
		return seen, sum, false, convert(err, "read", name)
	}
	after, err := f.find(name) // by name: another file may have taken it
	if err != nil {
		return seen, sum, false, convert(err, "find", name)
	}
	seen = seenAs(info)
	if time.Since(info.ModTime()) < written {
		m.pending.add(f, name)
	}
	return seen, s.sum(), seenAs(after) == seen && s.size == seen.Size, nil
}

// copyUntil copies a file of about the given size until ctx ends.
func copyUntil(ctx context.Context, to io.Writer, from io.Reader, size int64) error {
	const smallest, largest = 512, 256 << 10
	buf := make([]byte, max(smallest, min(size+1, largest)))
	for {
		if err := ctx.Err(); err != nil {
			return fault.Wrap(fault.Cancelled, err, "cancelled")
		}
		n, err := from.Read(buf)
		if _, werr := to.Write(buf[:n]); werr != nil {
			return werr
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
