package coretest

import (
	"context"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

var (
	_ host.Media     = (*Media)(nil)
	_ host.MediaScan = (*memScan)(nil)
)

// Media is a host.Media in memory. Names are case-sensitive. It may be used by several goroutines.
type Media struct {
	// Fail, if set, is asked before each step ("scan", "next", "stat", "hash", "open", "read", "create", "copy", "write",
	// "sum", "install", "trash", "expire", "flush") and can make it fail. A step that belongs to no name has "". It
	// may use the methods below, to change a file between what the core saw and what it does.
	Fail func(step, name string) error

	clock host.Clock

	mu     sync.Mutex
	now    mediaState // what programs see
	disk   mediaState // what a power cut leaves
	tick   int64
	drafts map[*memDraft]bool
	gone   bool
	locked bool
}

type mediaState struct {
	files map[string]*memFileState
	trash []Trashed
}

// memFileState is a file; it is replaced, never changed.
type memFileState struct {
	data       []byte
	modified   int64
	special    bool // a link or something else that is no regular file
	unreadable bool
	whole      bool // a power cut leaves all of its content, if it leaves it
}

// Trashed is a file in the trash.
type Trashed struct {
	Name string
	Data []byte
	At   time.Time
}

// NewMedia returns an empty store whose trash tells the time by clock; nil is the system's clock.
func NewMedia(clock host.Clock) *Media {
	if clock == nil {
		clock = systemClock{}
	}
	empty := func() mediaState { return mediaState{files: map[string]*memFileState{}} }
	return &Media{clock: clock, now: empty(), disk: empty(), drafts: map[*memDraft]bool{}}
}

// Clone returns a store with the same files, which goes its own way.
func (m *Media) Clone(clock host.Clock) *Media {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &Media{clock: clock, now: m.now.clone(), disk: m.disk.clone(), tick: m.tick, drafts: map[*memDraft]bool{}, gone: m.gone}
}

type systemClock struct{}

func (systemClock) Now() time.Time            { return time.Now() }
func (systemClock) MinutesWest(time.Time) int { return 0 }

// What another program, or the user, does. It is durable at once.

// Put writes a file.
func (m *Media) Put(name string, data []byte) { m.set(name, &memFileState{data: slices.Clone(data)}) }

// PutUnsafe writes a file as another program would, not durable yet: a power cut before Flush undoes it.
func (m *Media) PutUnsafe(name string, data []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tick++
	m.now.put(name, &memFileState{data: slices.Clone(data), modified: m.tick})
}

// PutSpecial puts something under the name that is no regular file, such as a link.
func (m *Media) PutSpecial(name string) { m.set(name, &memFileState{special: true}) }

// PutUnreadable writes a file that may not be read.
func (m *Media) PutUnreadable(name string, data []byte) {
	m.set(name, &memFileState{data: slices.Clone(data), unreadable: true})
}

// Remove deletes a file, without the trash.
func (m *Media) Remove(name string) { m.set(name, nil) }

// RemoveAll removes the store itself with all files, until a file is written again.
func (m *Media) RemoveAll() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.now.files)
	clear(m.disk.files)
	m.gone = true
}

// Lock makes the store one that may not be listed, read or written (true), or ends that.
func (m *Media) Lock(locked bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.locked = locked
}

func (m *Media) set(name string, f *memFileState) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gone = m.gone && f == nil
	m.tick++
	for _, s := range []*mediaState{&m.now, &m.disk} {
		s.put(name, f)
	}
	if f != nil {
		f.modified = m.tick
	}
}

// put gives a name a file, or none.
func (s *mediaState) put(name string, f *memFileState) {
	if f == nil {
		delete(s.files, name)
	} else {
		s.files[name] = f
	}
}

// Survival is what a power cut leaves of a file that was installed or trashed and not flushed.
type Survival int

// What can be left. A file system is free to choose for each file.
const (
	Lost    Survival = iota // all as at the last Flush
	Kept                    // all as it was before the power cut
	Emptied                 // the new name, without its content; all of it if it has replaced another one
)

// PowerCut undoes what was not flushed, as survives says for each name that has changed since; nil: all is lost. Open
// drafts end.
func (m *Media) PowerCut(survives func(name string) Survival) {
	m.mu.Lock()
	defer m.mu.Unlock()
	names := maps.Clone(m.now.files)
	maps.Copy(names, m.disk.files)
	fresh := m.now.trash[len(m.disk.trash):]
	for _, name := range slices.Sorted(maps.Keys(names)) {
		f := m.now.files[name]
		if f == m.disk.files[name] {
			continue
		}
		left := Lost
		if survives != nil {
			left = survives(name)
		}
		if left == Lost {
			continue
		}
		if left == Emptied && f != nil && !f.whole {
			m.tick++
			f = &memFileState{modified: m.tick}
		}
		m.disk.put(name, f)
		for _, t := range fresh {
			if t.Name == name {
				m.disk.trash = append(m.disk.trash, t)
			}
		}
	}
	m.now = m.disk.clone()
	clear(m.drafts)
}

func (s mediaState) clone() mediaState {
	return mediaState{maps.Clone(s.files), slices.Clone(s.trash)}
}

// What a test looks at.

// Get returns a copy of the content of a regular file, nil if there is none.
func (m *Media) Get(name string) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f := m.now.files[name]; f != nil && !f.special {
		return append([]byte{}, f.data...)
	}
	return nil
}

// Names returns the names of all files, sorted.
func (m *Media) Names() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.now.files))
}

// Trashed returns what is in the trash, oldest first.
func (m *Media) Trashed() []Trashed {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.now.trash)
}

// InTrash returns the contents in the trash that had the name (see TrashViewer).
func (m *Media) InTrash(name string) (contents [][]byte, err error) {
	for _, t := range m.Trashed() {
		if t.Name == name {
			contents = append(contents, t.Data)
		}
	}
	return contents, nil
}

// Drafts returns how many drafts are open.
func (m *Media) Drafts() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.drafts)
}

// begin starts a step: it asks Fail and locks.
func (m *Media) begin(step, name string) error {
	if m.Fail != nil {
		if err := m.Fail(step, name); err != nil {
			return err
		}
	}
	m.mu.Lock()
	if m.locked {
		m.mu.Unlock()
		return fault.New(fault.NotWritable, "%s %s: the store is locked", step, name)
	}
	return nil
}

// beginNamed is begin for a step that takes a name.
func (m *Media) beginNamed(step, name string) error {
	const longest = 255
	if name == "" || name == "." || name == ".." || len(name) > longest || strings.ContainsAny(name, "/\x00") || !utf8.ValidString(name) {
		return fault.New(fault.InvalidInput, "not a name of a media file: %q", name)
	}
	return m.begin(step, name)
}

// find returns a regular file.
func (m *Media) find(name string) (*memFileState, error) {
	f := m.now.files[name]
	if f == nil || f.special {
		return nil, fault.New(fault.NotFound, "there is no media file %q", name)
	}
	return f, nil
}

func (m *Media) readable(name string) (*memFileState, error) {
	f, err := m.find(name)
	if err == nil && f.unreadable {
		return nil, fault.New(fault.NotWritable, "the media file %q may not be read", name)
	}
	return f, err
}

func (f *memFileState) seen() host.MediaFile {
	return host.MediaFile{Size: int64(len(f.data)), Modified: f.modified}
}

// changed compares a name with how it was seen.
func (m *Media) changed(name string, seen *host.MediaFile) bool {
	f := m.now.files[name]
	if f == nil || seen == nil {
		return (f == nil) != (seen == nil)
	}
	return f.special || f.seen() != *seen
}

// Scan lists the store.
func (m *Media) Scan(ctx context.Context) (host.MediaScan, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := m.begin("scan", ""); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	if m.gone {
		return nil, fault.New(fault.NotFound, "the media store is gone")
	}
	return &memScan{m: m, ctx: ctx, names: slices.Sorted(maps.Keys(m.now.files))}, nil
}

type memScan struct {
	m     *Media
	ctx   context.Context
	names []string
}

func (s *memScan) Next(buf []byte) ([]byte, bool, error) {
	const batch = 64 << 10
	if err := s.ctx.Err(); err != nil {
		return buf, false, err
	}
	if err := s.m.begin("next", ""); err != nil {
		return buf, false, err
	}
	defer s.m.mu.Unlock()
	for start := len(buf); len(s.names) > 0 && len(buf)-start < batch; s.names = s.names[1:] {
		if f := s.m.now.files[s.names[0]]; f != nil {
			seen := f.seen()
			buf = rows.Pack(buf, s.names[0], seen.Size, seen.Modified, !f.special && !f.unreadable)
		}
	}
	return buf, len(s.names) == 0, nil
}

func (s *memScan) Close() error {
	s.names = nil
	return nil
}

// Stat describes a regular file.
func (m *Media) Stat(name string) (host.MediaFile, error) {
	if err := m.beginNamed("stat", name); err != nil {
		return host.MediaFile{}, err
	}
	defer m.mu.Unlock()
	f, err := m.find(name)
	if err != nil {
		return host.MediaFile{}, err
	}
	return f.seen(), nil
}

// Hash returns the sums of a regular file.
func (m *Media) Hash(ctx context.Context, name string) (host.MediaFile, host.MediaSum, error) {
	if err := m.beginNamed("hash", name); err != nil {
		return host.MediaFile{}, host.MediaSum{}, err
	}
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return host.MediaFile{}, host.MediaSum{}, err
	}
	f, err := m.readable(name)
	if err != nil {
		return host.MediaFile{}, host.MediaSum{}, err
	}
	return f.seen(), SumOf(f.data), nil
}

// Open opens a file for reading.
func (m *Media) Open(name string) (host.File, error) {
	if err := m.beginNamed("open", name); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	f, err := m.readable(name)
	if err != nil {
		return nil, err
	}
	return &openMedia{m: m, name: name, data: f.data}, nil
}

// openMedia is an open file of Media. It keeps its content when the name gets another.
type openMedia struct {
	m      *Media
	name   string
	data   []byte
	closed bool
}

func (f *openMedia) ReadAt(p []byte, off int64) (int, error) {
	if err := f.m.begin("read", f.name); err != nil {
		return 0, err
	}
	defer f.m.mu.Unlock()
	switch {
	case f.closed || off < 0:
		return 0, fault.New(fault.Other, "read %s: closed, or a negative offset", f.name)
	case off >= int64(len(f.data)):
		return 0, io.EOF
	}
	n := copy(p, f.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *openMedia) Write([]byte) (int, error) {
	return 0, fault.New(fault.Other, "write %s: it is open for reading only", f.name)
}

func (f *openMedia) Size() (int64, error) { return int64(len(f.data)), nil }

func (f *openMedia) Sync() error { return nil }

func (f *openMedia) Close() error {
	f.closed = true
	return nil
}

// Trash moves a file to the trash.
func (m *Media) Trash(name string, seen host.MediaFile) (changed bool, err error) {
	if err := m.beginNamed("trash", name); err != nil {
		return false, err
	}
	defer m.mu.Unlock()
	if m.changed(name, &seen) {
		return true, nil
	}
	m.toTrash(name)
	delete(m.now.files, name)
	return false, nil
}

func (m *Media) toTrash(name string) {
	m.now.trash = append(m.now.trash, Trashed{name, m.now.files[name].data, m.clock.Now()})
}

// Expire empties the trash of what was put there before t, durably.
func (m *Media) Expire(t time.Time) error {
	if err := m.begin("expire", ""); err != nil {
		return err
	}
	defer m.mu.Unlock()
	for _, s := range []*mediaState{&m.now, &m.disk} {
		s.trash = slices.DeleteFunc(s.trash, func(x Trashed) bool { return x.At.Before(t) })
	}
	return nil
}

// Flush makes all changes durable.
func (m *Media) Flush(ctx context.Context) error {
	if err := m.begin("flush", ""); err != nil {
		return err
	}
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	m.disk = m.now.clone()
	return nil
}
