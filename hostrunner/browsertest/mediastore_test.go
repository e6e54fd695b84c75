package browsertest_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

var (
	_ host.Media           = (*pageMedia)(nil)
	_ coretest.TrashViewer = (*pageMedia)(nil)
)

// TestMediaStore runs the contract of media stores on that of the page.
func TestMediaStore(t *testing.T) {
	t.Parallel()
	page := browsertest.Start(t).Open(t, browsertest.NewServer(t, "").URL)
	var stores atomic.Int32
	// The suite's parts run at the same time, and must end before the browser does.
	t.Run("suite", func(t *testing.T) {
		coretest.TestMedia(t, func(t *testing.T) host.Media {
			return &pageMedia{t, page, fmt.Sprintf("store%d", stores.Add(1))}
		})
	})
}

// pageMedia is a store of media files in a page, called from here.
type pageMedia struct {
	t         *testing.T
	page      *browsertest.Page
	directory string
}

// call runs a method of the store (jsbridge/test/browser/mediaworker.ts).
func (m *pageMedia) call(out any, method string, args ...any) error {
	const body = `return (await import("/dist/test/browser/mediapage.js")).call(...args)`
	return m.page.Try(m.t, out, body, append([]any{m.directory, method}, args...)...)
}

// run is call for what must not fail.
func (m *pageMedia) run(out any, method string, args ...any) {
	m.t.Helper()
	if err := m.call(out, method, args...); err != nil {
		m.t.Fatalf("%s: %v", method, err)
	}
}

// kill ends the store's worker; the next call opens the store again.
func (m *pageMedia) kill() {
	m.page.Run(m.t, nil, `(await import("/dist/test/browser/mediapage.js")).kill(...args)`, m.directory)
}

// seenFile is a host.MediaFile in JSON.
type seenFile struct {
	Size     int64  `json:"size"`
	Modified string `json:"modified"`
}

func seenOf(f host.MediaFile) seenFile { return seenFile{f.Size, strconv.FormatInt(f.Modified, 10)} }

func (s seenFile) file() host.MediaFile {
	n, err := strconv.ParseInt(s.Modified, 10, 64)
	if err != nil {
		panic(err)
	}
	return host.MediaFile{Size: s.Size, Modified: n}
}

type seenSum struct {
	SHA1 []byte
	CRC  uint32
}

func (s seenSum) sum() host.MediaSum { return host.MediaSum{SHA1: [20]byte(s.SHA1), CRC: s.CRC} }

func cancelled(ctx context.Context) error {
	return fault.Wrap(fault.Cancelled, ctx.Err(), "cancelled")
}

func (m *pageMedia) Scan(ctx context.Context) (host.MediaScan, error) {
	if err := cancelled(ctx); err != nil {
		return nil, err
	}
	s := &pageScan{m: m}
	return s, m.call(&s.handle, "scan")
}

type pageScan struct {
	m      *pageMedia
	handle int
}

func (s *pageScan) Next(buf []byte) ([]byte, bool, error) {
	var out struct {
		Rows []byte
		Done bool
	}
	err := s.m.call(&out, "next", s.handle)
	return append(buf, out.Rows...), out.Done, err
}

func (s *pageScan) Close() error { return s.m.call(nil, "closeScan", s.handle) }

func (m *pageMedia) Stat(name string) (host.MediaFile, error) {
	var out seenFile
	if err := m.call(&out, "stat", name); err != nil {
		return host.MediaFile{}, err
	}
	return out.file(), nil
}

func (m *pageMedia) Hash(ctx context.Context, name string) (f host.MediaFile, s host.MediaSum, err error) {
	if err := cancelled(ctx); err != nil {
		return f, s, err
	}
	var out struct {
		File seenFile
		seenSum
	}
	if err := m.call(&out, "hash", name); err != nil {
		return f, s, err
	}
	return out.File.file(), out.sum(), nil
}

func (m *pageMedia) Open(name string) (host.File, error) {
	f := &pageFile{m: m}
	if err := m.call(&f.handle, "openFile", name); err != nil {
		return nil, err
	}
	return f, nil
}

type pageFile struct {
	m      *pageMedia
	handle int
}

func (f *pageFile) ReadAt(p []byte, off int64) (int, error) {
	var got []byte
	err := f.m.call(&got, "read", f.handle, off, len(p))
	n := copy(p, got)
	if err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}

func (f *pageFile) Write([]byte) (int, error) { return 0, f.m.call(nil, "writeFile", f.handle) }

func (f *pageFile) Size() (n int64, err error) { return n, f.m.call(&n, "size", f.handle) }

func (f *pageFile) Sync() error { return nil }

func (f *pageFile) Close() error { return nil }

func (m *pageMedia) Create() (host.MediaDraft, error) {
	d := &pageDraft{m: m}
	return d, m.call(&d.handle, "create")
}

func (m *pageMedia) Copy(name string, seen host.MediaFile) (host.MediaDraft, bool, error) {
	d := &pageDraft{m: m}
	if err := m.call(&d.handle, "copy", name, seenOf(seen)); err != nil || d.handle == 0 {
		return nil, err == nil, err
	}
	return d, false, nil
}

type pageDraft struct {
	m      *pageMedia
	handle int
}

func (d *pageDraft) Write(p []byte) (int, error) {
	if err := d.m.call(nil, "write", d.handle, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (d *pageDraft) Sum() (int64, host.MediaSum, error) {
	var out struct {
		Size int64
		seenSum
	}
	if err := d.m.call(&out, "sum", d.handle); err != nil {
		return 0, host.MediaSum{}, err
	}
	return out.Size, out.sum(), nil
}

func (d *pageDraft) Install(name string, seen *host.MediaFile) (now host.MediaFile, changed bool, err error) {
	var as any
	if seen != nil {
		as = seenOf(*seen)
	}
	var out *seenFile
	if err := d.m.call(&out, "install", d.handle, name, as); err != nil {
		return now, false, err
	}
	if out == nil {
		return now, true, nil
	}
	return out.file(), false, nil
}

// Discard may come with the end of the test, when there is no one to tell.
func (d *pageDraft) Discard() {
	if d.m.t.Context().Err() == nil {
		_ = d.m.call(nil, "discard", d.handle)
	}
}

func (m *pageMedia) Trash(name string, seen host.MediaFile) (changed bool, err error) {
	var done bool
	if err := m.call(&done, "trash", name, seenOf(seen)); err != nil {
		return false, err
	}
	return !done, nil
}

func (m *pageMedia) Expire(t time.Time) error { return m.call(nil, "expire", t.UnixMilli()) }

func (m *pageMedia) Flush(ctx context.Context) error {
	if err := cancelled(ctx); err != nil {
		return err
	}
	return m.call(nil, "flush")
}

func (m *pageMedia) InTrash(name string) (contents [][]byte, err error) {
	return contents, m.call(&contents, "inTrash", name)
}

// TestMediaStoreSent reads files as the body of an upload does, in the order in which they lie, in others, and before their pack is full.
func TestMediaStoreSent(t *testing.T) {
	t.Parallel()
	m := &pageMedia{t, browsertest.Start(t).Open(t, browsertest.NewServer(t, "").URL), "sent"}
	m.run(nil, "ready")
	m.run(nil, "fill", 150, 20_000)
	var names []string
	for i := range 150 {
		names = append(names, fmt.Sprintf("file%d.png", i))
	}
	backwards, sorted := slices.Clone(names), slices.Sorted(slices.Values(names))
	slices.Reverse(backwards)
	for order, list := range map[string][]string{"as they lie": names, "backwards": backwards, "by name": sorted} {
		for _, cut := range []int{0, 5} {
			var wrong []string
			if m.run(&wrong, "sent", list, cut); len(wrong) > 0 {
				t.Errorf("%s: sent wrongly: %v", order, wrong)
			}
		}
	}
	for i, content := range []string{"written just now", strings.Repeat("large ", 20_000)} {
		var draft int
		m.run(&draft, "create")
		m.run(nil, "write", draft, []byte(content))
		name := fmt.Sprintf("new%d.png", i)
		m.run(nil, "install", draft, name, nil)
		m.run(nil, "flush")
		var wrong []string
		if m.run(&wrong, "sent", []string{name, name}, i); len(wrong) > 0 {
			t.Errorf("not sealed: sent wrongly: %v", wrong)
		}
	}
}
