package coretest

import (
	"crypto/sha1"
	"hash/crc32"
	"slices"
	"sync"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
)

var _ host.MediaDraft = (*memDraft)(nil)

// SumOf returns the sums of a content.
func SumOf(data []byte) host.MediaSum {
	return host.MediaSum{SHA1: sha1.Sum(data), CRC: crc32.ChecksumIEEE(data)}
}

// FailAt returns a function for Media.Fail that fails the step number n, counted from 0, with the kind. reached
// tells if there were so many steps: a test that fails each step in turn ends with the first run in which it was not.
func FailAt(n int, kind fault.Kind) (fail func(step, name string) error, reached func() bool) {
	var mu sync.Mutex
	done := 0
	fail = func(step, name string) error {
		mu.Lock()
		defer mu.Unlock()
		if done++; done == n+1 {
			return fault.New(kind, "%s %s: step %d fails", step, name, n)
		}
		return nil
	}
	reached = func() bool {
		mu.Lock()
		defer mu.Unlock()
		return done > n
	}
	return fail, reached
}

// memDraft is a draft of Media.
type memDraft struct {
	m    *Media
	data []byte
}

// Create begins a new file.
func (m *Media) Create() (host.MediaDraft, error) {
	if err := m.begin("create", ""); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	return m.draft(nil), nil
}

// Copy begins a new file with the content of another.
func (m *Media) Copy(name string, seen host.MediaFile) (host.MediaDraft, bool, error) {
	if err := m.beginNamed("copy", name); err != nil {
		return nil, false, err
	}
	defer m.mu.Unlock()
	if m.changed(name, &seen) {
		return nil, true, nil
	}
	f, err := m.readable(name)
	if err != nil {
		return nil, false, err
	}
	return m.draft(slices.Clone(f.data)), false, nil
}

func (m *Media) draft(data []byte) *memDraft {
	d := &memDraft{m: m, data: data}
	m.drafts[d] = true
	return d
}

// begin starts a step of a draft that has not ended.
func (d *memDraft) begin(step, name string) error {
	if err := d.m.begin(step, name); err != nil {
		return err
	}
	if !d.m.drafts[d] {
		d.m.mu.Unlock()
		return fault.New(fault.Other, "%s: the draft has ended", step)
	}
	return nil
}

// Write appends.
func (d *memDraft) Write(p []byte) (int, error) {
	if err := d.begin("write", ""); err != nil {
		return 0, err
	}
	defer d.m.mu.Unlock()
	d.data = append(d.data, p...)
	return len(p), nil
}

// Sum returns size and sums of what was written.
func (d *memDraft) Sum() (int64, host.MediaSum, error) {
	if err := d.begin("sum", ""); err != nil {
		return 0, host.MediaSum{}, err
	}
	defer d.m.mu.Unlock()
	return int64(len(d.data)), SumOf(d.data), nil
}

// Install makes the draft the content of name.
func (d *memDraft) Install(name string, seen *host.MediaFile) (host.MediaFile, bool, error) {
	m := d.m
	if err := m.beginNamed("install", name); err != nil {
		return host.MediaFile{}, false, err
	}
	defer m.mu.Unlock()
	switch {
	case !m.drafts[d]:
		return host.MediaFile{}, false, fault.New(fault.Other, "install %s: the draft has ended", name)
	case m.changed(name, seen):
		return host.MediaFile{}, true, nil
	case seen != nil:
		m.toTrash(name)
	}
	m.tick++
	f := &memFileState{data: d.data, modified: m.tick, whole: seen != nil}
	m.now.files[name] = f
	m.gone = false
	delete(m.drafts, d)
	return f.seen(), false, nil
}

// Discard ends the draft.
func (d *memDraft) Discard() {
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	delete(d.m.drafts, d)
}
