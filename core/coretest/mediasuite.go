package coretest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

// TrashViewer is implemented by a store of media files whose trash the suite can look into. Without it the suite only
// tests what can be seen from outside.
type TrashViewer interface {
	// InTrash returns the contents in the trash that had the name, in any order.
	InTrash(name string) (contents [][]byte, err error)
}

// TestMedia is the contract of host.Media. open returns the empty store of a new profile. What only another program can do
// to a store (links, files that may not be read, a kill) is not in it: each host tests that by itself.
func TestMedia(t *testing.T, open func(t *testing.T) host.Media) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, m host.Media)
	}{
		{"install and read", testMediaInstall},
		{"draft is written in pieces", testMediaPieces},
		{"install only over what was seen", testMediaSeen},
		{"replaced content goes to the trash", testMediaReplace},
		{"discard", testMediaDiscard},
		{"copy", testMediaCopy},
		{"trash", testMediaTrash},
		{"expire", testMediaExpire},
		{"missing files", testMediaMissing},
		{"scan is in byte order", testMediaScanOrder},
		{"scan in batches", testMediaScanBatches},
		{"scan among changes", testMediaScanChanges},
		{"names refused", testMediaNamesRefused},
		{"names held", testMediaNamesHeld},
		{"names that differ in case", testMediaCase},
		{"open file keeps its content", testMediaOpen},
		{"hash", testMediaHash},
		{"cancel", testMediaCancel},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, open(t))
		})
	}
}

// MediaRow is one row of a host.MediaScan.
type MediaRow struct {
	Name    string
	File    host.MediaFile
	Regular bool
}

// ScanMedia reads a whole listing.
func ScanMedia(ctx context.Context, m host.Media) (list []MediaRow, err error) {
	s, err := m.Scan(ctx)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	for done := false; !done; {
		var buf []byte
		if buf, done, err = s.Next(nil); err != nil {
			return nil, err
		}
		var part []MediaRow
		if part, err = mediaRows(buf); err != nil {
			return nil, err
		}
		list = append(list, part...)
	}
	return list, s.Close()
}

func mediaRows(buf []byte) (list []MediaRow, err error) {
	var row rows.Row
	for len(buf) > 0 {
		if row, buf, err = rows.Decode(buf, row); err != nil {
			return nil, err
		}
		if len(row) != 4 || row[0].Tag != rows.TagText || row[1].Tag != rows.TagInt || row[2].Tag != rows.TagInt || row[3].Int()&^1 != 0 {
			return nil, fmt.Errorf("a row of a scan has the values %v", row)
		}
		list = append(list, MediaRow{row[0].String(), host.MediaFile{Size: row[1].Int(), Modified: row[2].Int()}, row[3].Int() == 1})
	}
	return list, nil
}

// newDraft returns a draft with a content, discarded with the test.
func newDraft(t *testing.T, m host.Media, content string) host.MediaDraft {
	t.Helper()
	d, err := m.Create()
	Must(t, err)
	t.Cleanup(d.Discard)
	if content != "" {
		n, err := d.Write([]byte(content))
		if n != len(content) || err != nil {
			t.Fatalf("write: %d, %v", n, err)
		}
	}
	return d
}

// install writes a file over what was seen.
func install(t *testing.T, m host.Media, name, content string, seen *host.MediaFile) host.MediaFile {
	t.Helper()
	now, changed, err := newDraft(t, m, content).Install(name, seen)
	if err != nil || changed {
		t.Fatalf("install %q: changed %v, %v", name, changed, err)
	}
	return now
}

// wantMedia ends the test unless the store has exactly these files and contents.
func wantMedia(t *testing.T, m host.Media, want map[string]string) {
	t.Helper()
	list, err := ScanMedia(t.Context(), m)
	Must(t, err)
	got := map[string]string{}
	for _, row := range list {
		file, err := m.Open(row.Name)
		Must(t, err)
		got[row.Name] = readAll(t, file)
		if seen, err := m.Stat(row.Name); seen != row.File || err != nil || !row.Regular {
			t.Fatalf("scan has %+v, stat %+v, %v", row, seen, err)
		}
	}
	if !maps.Equal(got, want) {
		t.Fatalf("the store has %.500q, want %.500q", got, want)
	}
}

func readAll(t *testing.T, f host.File) string {
	t.Helper()
	defer f.Close()
	size, err := f.Size()
	Must(t, err)
	buf := make([]byte, size+1)
	n, err := f.ReadAt(buf, 0)
	if int64(n) != size || err == nil {
		t.Fatalf("read %d of %d bytes: %v", n, size, err)
	}
	return string(buf[:n])
}

func wantTrash(t *testing.T, m host.Media, name string, want ...string) {
	t.Helper()
	v, ok := m.(TrashViewer)
	if !ok {
		return
	}
	contents, err := v.InTrash(name)
	Must(t, err)
	var got []string
	for _, c := range contents {
		got = append(got, string(c))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("the trash has %q of %s, want %q", got, name, want)
	}
}

func testMediaTrash(t *testing.T, m host.Media) {
	a := install(t, m, "a.png", "one", nil)
	b := install(t, m, "b.png", "other", nil)
	stale := a
	stale.Modified++
	longer := a
	longer.Size++
	for _, seen := range []host.MediaFile{stale, longer, {}} {
		if changed, err := m.Trash("a.png", seen); !changed || err != nil {
			t.Fatalf("trash, seen as %+v: changed %v, %v", seen, changed, err)
		}
	}
	wantMedia(t, m, map[string]string{"a.png": "one", "b.png": "other"})
	wantTrash(t, m, "a.png")
	if changed, err := m.Trash("a.png", a); changed || err != nil {
		t.Fatalf("trash: changed %v, %v", changed, err)
	}
	wantMedia(t, m, map[string]string{"b.png": "other"})
	wantTrash(t, m, "a.png", "one")
	if changed, err := m.Trash("a.png", a); !changed || err != nil {
		t.Fatalf("trash what is gone: changed %v, %v", changed, err)
	}
	// The same name again clobbers nothing.
	for _, content := range []string{"two", "three", "three"} {
		a = install(t, m, "a.png", content, nil)
		if changed, err := m.Trash("a.png", a); changed || err != nil {
			t.Fatalf("trash: changed %v, %v", changed, err)
		}
	}
	wantTrash(t, m, "a.png", "one", "two", "three", "three")
	Must(t, m.Flush(t.Context()))
	wantMedia(t, m, map[string]string{"b.png": "other"})
	if now, err := m.Stat("b.png"); now != b || err != nil {
		t.Errorf("another file was %+v, is %+v, %v", b, now, err)
	}
}

func testMediaExpire(t *testing.T, m host.Media) {
	Must(t, m.Expire(time.Now())) // with no trash at all
	a := install(t, m, "a.png", "one", nil)
	install(t, m, "a.png", "two", &a)
	const days = 24 * time.Hour
	Must(t, m.Expire(time.Now().Add(-days)))
	wantTrash(t, m, "a.png", "one")
	Must(t, m.Expire(time.Now().Add(2*days)))
	wantTrash(t, m, "a.png")
	wantMedia(t, m, map[string]string{"a.png": "two"})
	a, err := m.Stat("a.png")
	Must(t, err)
	install(t, m, "a.png", "three", &a) // the trash can be used again
	wantTrash(t, m, "a.png", "two")
}

func testMediaMissing(t *testing.T, m host.Media) {
	_, err := m.Stat("none.png")
	WantKind(t, err, fault.NotFound)
	_, _, err = m.Hash(t.Context(), "none.png")
	WantKind(t, err, fault.NotFound)
	_, err = m.Open("none.png")
	WantKind(t, err, fault.NotFound)
	if draft, changed, err := m.Copy("none.png", host.MediaFile{}); draft != nil || !changed || err != nil {
		t.Errorf("copy: %v, changed %v, %v", draft, changed, err)
	}
	if changed, err := m.Trash("none.png", host.MediaFile{}); !changed || err != nil {
		t.Errorf("trash: changed %v, %v", changed, err)
	}
	Must(t, m.Flush(t.Context()))
}

func testMediaOpen(t *testing.T, m host.Media) {
	a := install(t, m, "a.png", "0123456789", nil)
	f, err := m.Open("a.png")
	Must(t, err)
	defer f.Close()
	buf := make([]byte, 4)
	if n, err := f.ReadAt(buf, 3); n != 4 || err != nil || string(buf) != "3456" {
		t.Fatalf("read: %q, %v", buf[:n], err)
	}
	if _, err := f.Write([]byte("x")); err == nil {
		t.Fatal("a file opened for reading was written")
	}
	install(t, m, "a.png", "replaced", &a)
	if got := readAll(t, f); got != "0123456789" {
		t.Errorf("the open file has %q", got)
	}
	wantMedia(t, m, map[string]string{"a.png": "replaced"})
}

func testMediaHash(t *testing.T, m host.Media) {
	for _, content := range []string{"", "a", strings.Repeat("0123456789", 300_000)} {
		var seen *host.MediaFile
		if now, err := m.Stat("a.bin"); err == nil {
			seen = &now
		}
		now := install(t, m, "a.bin", content, seen)
		file, sum, err := m.Hash(t.Context(), "a.bin")
		if want := SumOf([]byte(content)); file != now || sum != want || err != nil {
			t.Errorf("%d bytes: %+v, %x, %v; want %+v, %x", len(content), file, sum, err, now, want)
		}
	}
}

func testMediaCancel(t *testing.T, m host.Media) {
	a := install(t, m, "a.bin", string(bytes.Repeat([]byte("x"), 3<<20)), nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := m.Hash(ctx, "a.bin")
	WantKind(t, err, fault.Cancelled)
	_, err = ScanMedia(ctx, m)
	WantKind(t, err, fault.Cancelled)
	WantKind(t, m.Flush(ctx), fault.Cancelled)
	if now, _, err := m.Hash(t.Context(), "a.bin"); now != a || err != nil {
		t.Errorf("hash after a cancelled one: %+v, %v", now, err)
	}
}
