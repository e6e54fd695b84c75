package coretest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
)

// The part of TestMedia about names and listings.

func testMediaScanOrder(t *testing.T, m host.Media) {
	// Byte order is neither that of letters nor that of UTF-16.
	want := []string{"𝄞.png", "｡.png", "é.png", "a1.png", "a.png", "_x.png", "B.png", "2.png", "10.png", "1.png", "-"}
	for _, name := range want {
		install(t, m, name, name, nil)
	}
	slices.Sort(want)
	list, err := ScanMedia(t.Context(), m)
	Must(t, err)
	var names []string
	for _, row := range list {
		names = append(names, row.Name)
		if row.File.Size != int64(len(row.Name)) || !row.Regular {
			t.Errorf("%+v", row)
		}
	}
	if !slices.Equal(names, want) {
		t.Errorf("scanned %q, want %q", names, want)
	}
}

func testMediaScanBatches(t *testing.T, m host.Media) {
	const n = 600
	long := strings.Repeat("x", 110)
	for i := range n {
		install(t, m, fmt.Sprintf("%04d%s", i, long), "x", nil)
	}
	s, err := m.Scan(t.Context())
	Must(t, err)
	defer s.Close()
	head := []byte("kept")
	var names []string
	batches := 0
	for done := false; !done; batches++ {
		var buf []byte
		if buf, done, err = s.Next(head); err != nil || string(buf[:len(head)]) != "kept" {
			t.Fatalf("next: %.10q, %v", buf, err)
		}
		if got := len(buf) - len(head); got > 128<<10 || got < 32<<10 && !done {
			t.Errorf("batch %d has %d bytes", batches, got)
		}
		list, err := mediaRows(buf[len(head):]) // whole rows only
		Must(t, err)
		for _, row := range list {
			names = append(names, row.Name)
		}
	}
	if !slices.IsSorted(names) || len(slices.Compact(names)) != n || batches < 2 {
		t.Errorf("%d names in %d batches", len(names), batches)
	}
	if buf, done, err := s.Next(nil); len(buf) != 0 || !done || err != nil {
		t.Errorf("next after the end: %d bytes, %v, %v", len(buf), done, err)
	}
	Must(t, s.Close())
	Must(t, s.Close())
	// One that is not read to its end.
	s, err = m.Scan(t.Context())
	Must(t, err)
	_, _, err = s.Next(nil)
	Must(t, err)
	Must(t, s.Close())
	Must(t, s.Close())
}

// testMediaScanChanges: a listing may miss what changes meanwhile, but not the rest, and it does not fail.
func testMediaScanChanges(t *testing.T, m host.Media) {
	const n = 600
	long := strings.Repeat("x", 110)
	var first host.MediaFile
	for i := range n {
		now := install(t, m, fmt.Sprintf("%04d%s", i, long), "x", nil)
		if i == n-1 {
			first = now
		}
	}
	s, err := m.Scan(t.Context())
	Must(t, err)
	defer s.Close()
	buf, done, err := s.Next(nil)
	if done || err != nil {
		t.Fatalf("next: done %v, %v", done, err)
	}
	last := fmt.Sprintf("%04d%s", n-1, long)
	if changed, err := m.Trash(last, first); changed || err != nil {
		t.Fatalf("trash: %v, %v", changed, err)
	}
	install(t, m, "0000-new", "x", nil)
	for !done {
		buf, done, err = s.Next(buf)
		Must(t, err)
	}
	list, err := mediaRows(buf)
	Must(t, err)
	found := map[string]bool{}
	for _, row := range list {
		found[row.Name] = true
	}
	for i := range n - 1 {
		if name := fmt.Sprintf("%04d%s", i, long); !found[name] {
			t.Fatalf("%.10s is missing", name)
		}
	}
}

// refusedMediaNames are names that no store can hold.
var refusedMediaNames = []string{
	"", ".", "..", "/", "a/b", "../x", "/etc/passwd", "a/", "./a", "a/../b", "\x00", "a\x00b", "a.png\x00", strings.Repeat("x", 256),
	strings.Repeat("é", 128), strings.Repeat("x", 10_000),
}

func testMediaNamesRefused(t *testing.T, m host.Media) {
	good := install(t, m, "good", "1", nil)
	for _, name := range refusedMediaNames {
		_, stat := m.Stat(name)
		_, _, hash := m.Hash(t.Context(), name)
		_, open := m.Open(name)
		_, _, copied := m.Copy(name, good)
		_, trash := m.Trash(name, good)
		d := newDraft(t, m, "2")
		_, _, install := d.Install(name, nil)
		_, _, replace := d.Install(name, &good)
		for step, err := range map[string]error{
			"stat": stat, "hash": hash, "open": open, "copy": copied, "trash": trash, "install": install, "replace": replace,
		} {
			if fault.KindOf(err) != fault.InvalidInput {
				t.Errorf("%s %.40q: %v", step, name, err)
			}
		}
		// The draft is still there for another name.
		if size, sum, err := d.Sum(); size != 1 || sum != SumOf([]byte("2")) || err != nil {
			t.Errorf("the draft for %.40q: %d bytes, %v", name, size, err)
		}
		d.Discard()
	}
	wantMedia(t, m, map[string]string{"good": "1"})
}

// testMediaNamesHeld: every name that is normalised (media-sync.md §8.1) can be held.
func testMediaNamesHeld(t *testing.T, m host.Media) {
	want := map[string]string{}
	for _, name := range []string{
		".hidden", "..x", " lead", "a b.png", "_front.css", "latex-0123.png", "-rf", "#x", "~a", "$(x)", "`x`", "a&b=c%20d.png", "%2e%2e", "%00",
		"quo'te.png", "{x}", "a;b", "a,b", "żółć.ogg", "日本.mp3", "𝄞.ogg", "CON_.txt", "console.txt", "cardferry.tmp", "cardferry.trash",
		"collection.media", "a\u0085b", "\ue000.png", strings.Repeat("k", 115) + ".ogg", strings.Repeat("é", 60),
	} {
		install(t, m, name, name, nil)
		want[name] = name
	}
	wantMedia(t, m, want)
	for name, content := range want {
		_, sum, err := m.Hash(t.Context(), name)
		if sum != SumOf([]byte(content)) || err != nil {
			t.Errorf("hash %q: %v", name, err)
		}
		seen, err := m.Stat(name)
		Must(t, err)
		if changed, err := m.Trash(name, seen); changed || err != nil {
			t.Errorf("trash %q: changed %v, %v", name, changed, err)
		}
		wantTrash(t, m, name, content)
	}
	wantMedia(t, m, map[string]string{})
}

// testMediaCase: where names that differ only in case are one name, the second is refused as changed, and the first is
// never taken for it.
func testMediaCase(t *testing.T, m host.Media) {
	a := install(t, m, "a.png", "lower", nil)
	_, changed, err := newDraft(t, m, "upper").Install("A.PNG", nil)
	Must(t, err)
	if !changed {
		wantMedia(t, m, map[string]string{"a.png": "lower", "A.PNG": "upper"})
		return
	}
	_, err = m.Stat("A.PNG")
	WantKind(t, err, fault.NotFound)
	_, _, err = m.Hash(t.Context(), "A.PNG")
	WantKind(t, err, fault.NotFound)
	_, err = m.Open("A.PNG")
	WantKind(t, err, fault.NotFound)
	if changed, err := m.Trash("A.PNG", a); !changed || err != nil {
		t.Errorf("trash: changed %v, %v", changed, err)
	}
	if _, changed, err := newDraft(t, m, "upper").Install("A.PNG", &a); !changed || err != nil {
		t.Errorf("install: changed %v, %v", changed, err)
	}
	wantMedia(t, m, map[string]string{"a.png": "lower"})
}
