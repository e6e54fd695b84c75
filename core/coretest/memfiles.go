package coretest

import (
	"cmp"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
)

var (
	_ host.Files = (*Files)(nil)
	_ host.File  = (*memFile)(nil)
)

// Files are host.Files in memory, without a time of modification. They do not share names with any host.SQL.
type Files struct {
	mu    sync.Mutex
	files map[string]*content
	// Fail, if set, is asked before each step ("create", "open", "stat", "list", "remove", "replace", "read",
	// "write", "size", "sync") and can make it fail.
	Fail func(step, name string) error
}

// content is what a name refers to; open files keep theirs when the name goes to another.
type content struct{ data []byte }

// NewFiles returns an empty set of files.
func NewFiles() *Files { return &Files{files: map[string]*content{}} }

// Put sets the content of a file.
func (m *Files) Put(name string, data []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.files[name] = &content{data: slices.Clone(data)}
}

// Get returns a copy of the content of a file, nil if there is none.
func (m *Files) Get(name string) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.files[name]; c != nil {
		return append([]byte{}, c.data...)
	}
	return nil
}

// begin starts a step: it checks the name, asks Fail and locks.
func (m *Files) begin(step, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if m.Fail != nil {
		if err := m.Fail(step, name); err != nil {
			return err
		}
	}
	m.mu.Lock()
	return nil
}

func checkName(name string) error {
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part == "." || part == ".." || strings.ContainsAny(part, "\\:\x00\n") {
			return fault.New(fault.InvalidInput, "not a file name: %q", name)
		}
	}
	return nil
}

func (m *Files) find(name string) (*content, error) {
	if c := m.files[name]; c != nil {
		return c, nil
	}
	return nil, fault.New(fault.NotFound, "there is no file %q", name)
}

// Create makes an empty file.
func (m *Files) Create(name string) (host.File, error) {
	if err := m.begin("create", name); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	c := &content{}
	m.files[name] = c
	return &memFile{m: m, c: c, name: name, writable: true}, nil
}

// Open opens a file for reading.
func (m *Files) Open(name string) (host.File, error) {
	if err := m.begin("open", name); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	c, err := m.find(name)
	if err != nil {
		return nil, err
	}
	return &memFile{m: m, c: c, name: name}, nil
}

// Stat describes a file.
func (m *Files) Stat(name string) (host.FileInfo, error) {
	if err := m.begin("stat", name); err != nil {
		return host.FileInfo{}, err
	}
	defer m.mu.Unlock()
	c, err := m.find(name)
	if err != nil {
		return host.FileInfo{}, err
	}
	return host.FileInfo{Name: name, Size: int64(len(c.data)), Modified: time.Time{}}, nil
}

// List returns the files whose names begin with prefix.
func (m *Files) List(prefix string) ([]host.FileInfo, error) {
	if err := m.begin("list", strings.TrimSuffix(prefix, "/")+"*"); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	var list []host.FileInfo
	for name, c := range m.files {
		if strings.HasPrefix(name, prefix) {
			list = append(list, host.FileInfo{Name: name, Size: int64(len(c.data))})
		}
	}
	slices.SortFunc(list, func(a, b host.FileInfo) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

// Remove deletes a file and the journals beside it.
func (m *Files) Remove(name string) error {
	if err := m.begin("remove", name); err != nil {
		return err
	}
	defer m.mu.Unlock()
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		delete(m.files, name+suffix)
	}
	return nil
}

// Replace gives the content of staged the name.
func (m *Files) Replace(staged, name string) error {
	if err := checkName(staged); err != nil {
		return err
	}
	if err := m.begin("replace", name); err != nil {
		return err
	}
	defer m.mu.Unlock()
	c, err := m.find(staged)
	if err != nil {
		return err
	}
	delete(m.files, staged)
	for _, suffix := range []string{"-wal", "-shm", "-journal"} {
		delete(m.files, name+suffix)
	}
	m.files[name] = c
	return nil
}

// memFile is an open file of Files.
type memFile struct {
	m        *Files
	c        *content
	name     string
	writable bool
	closed   bool
}

func (f *memFile) begin(step string) error {
	if err := f.m.begin(step, f.name); err != nil {
		return err
	}
	if f.closed {
		f.m.mu.Unlock()
		return fault.New(fault.Other, "%s %s: the file is closed", step, f.name)
	}
	return nil
}

func (f *memFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.begin("read"); err != nil {
		return 0, err
	}
	defer f.m.mu.Unlock()
	switch {
	case off < 0:
		return 0, fault.New(fault.Other, "read %s: negative offset", f.name)
	case off >= int64(len(f.c.data)):
		return 0, io.EOF
	}
	n := copy(p, f.c.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memFile) Write(p []byte) (int, error) {
	if err := f.begin("write"); err != nil {
		return 0, err
	}
	defer f.m.mu.Unlock()
	if !f.writable {
		return 0, fault.New(fault.Other, "write %s: it is open for reading only", f.name)
	}
	f.c.data = append(f.c.data, p...)
	return len(p), nil
}

func (f *memFile) Size() (int64, error) {
	if err := f.begin("size"); err != nil {
		return 0, err
	}
	defer f.m.mu.Unlock()
	return int64(len(f.c.data)), nil
}

func (f *memFile) Sync() error {
	if err := f.begin("sync"); err != nil {
		return err
	}
	f.m.mu.Unlock()
	return nil
}

func (f *memFile) Close() error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	f.closed = true
	return nil
}
