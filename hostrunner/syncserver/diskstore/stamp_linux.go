package diskstore

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
)

// stamp tells states of a database apart without asking SQLite, which takes locks for it: PRAGMA data_version costs half of what looking a key up does.
// It reads the beginning of the index of the write-ahead log, which all processes share in memory. What it says is what a reader would see: a commit
// counts once it is written there, with a number that goes up and the checksum of the last frame (https://sqlite.org/walformat.html, "The WAL-Index
// Header"). On Linux go-sqlite3 maps the file, so that reading it sees the same bytes.
type stamp struct{ f *os.File }

const (
	// headerSize is the size of the header, which is there twice: it is whole if both are equal. Writers begin with the second, readers with the first.
	headerSize = 48
	markSize   = 2 * headerSize
	walVersion = 3007000
)

// newStamp returns the stamp of a database that is open, nil if it has none: no write-ahead log, or one of another kind.
func newStamp(path string) *stamp {
	path, err := filepath.EvalSymlinks(path) // the log has the name of the file itself
	if err != nil {
		return nil
	}
	f, err := os.Open(path + "-shm")
	if err != nil {
		return nil
	}
	s := &stamp{f}
	m, ok := s.read()
	if !ok || binary.NativeEndian.Uint32(m[:]) != walVersion || m[12] != 1 {
		s.close()
		return nil
	}
	return s
}

// read returns the state; ok is false while it changes.
func (s *stamp) read() (m mark, ok bool) {
	n, err := s.f.ReadAt(m[:], 0)
	return m, err == nil && n == markSize && bytes.Equal(m[:headerSize], m[headerSize:])
}

func (s *stamp) close() { s.f.Close() }
