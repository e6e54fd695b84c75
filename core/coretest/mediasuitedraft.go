package coretest

import (
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
)

// The part of TestMedia about drafts.

func testMediaInstall(t *testing.T, m host.Media) {
	d := newDraft(t, m, "content")
	if list, err := ScanMedia(t.Context(), m); len(list) != 0 || err != nil && fault.KindOf(err) != fault.NotFound {
		t.Fatalf("with only a draft the store has %v, %v", list, err)
	}
	now, changed, err := d.Install("a.png", nil)
	if now.Size != 7 || changed || err != nil {
		t.Fatalf("install: %+v, changed %v, %v", now, changed, err)
	}
	if seen, err := m.Stat("a.png"); seen != now || err != nil {
		t.Fatalf("installed as %+v, stat %+v, %v", now, seen, err)
	}
	wantMedia(t, m, map[string]string{"a.png": "content"})
	// The draft has ended.
	if _, err := d.Write([]byte("x")); err == nil {
		t.Error("an installed draft was written")
	}
	if _, _, err := d.Install("b.png", nil); err == nil {
		t.Error("a draft was installed twice")
	}
	d.Discard()
	d.Discard()
	Must(t, m.Flush(t.Context()))
	Must(t, m.Flush(t.Context()))
	install(t, m, "empty", "", nil)
	wantMedia(t, m, map[string]string{"a.png": "content", "empty": ""})
}

func testMediaPieces(t *testing.T, m host.Media) {
	d := newDraft(t, m, "")
	other := newDraft(t, m, "other") // drafts do not mix
	var want strings.Builder
	for _, n := range []int{0, 1, 63, 64, 65, 100_000, 1 << 20, 3} {
		part := strings.Repeat("ab\x00\xff", n)[:n]
		want.WriteString(part)
		if got, err := d.Write([]byte(part)); got != n || err != nil {
			t.Fatalf("write: %d, %v", got, err)
		}
		size, sum, err := d.Sum()
		if size != int64(want.Len()) || sum != SumOf([]byte(want.String())) || err != nil {
			t.Fatalf("after %d bytes: %d, %x, %v", want.Len(), size, sum, err)
		}
	}
	now, changed, err := d.Install("a", nil)
	if now.Size != int64(want.Len()) || changed || err != nil {
		t.Fatalf("install: %+v, changed %v, %v", now, changed, err)
	}
	_, _, err = other.Install("b", nil)
	Must(t, err)
	wantMedia(t, m, map[string]string{"a": want.String(), "b": "other"})
}

func testMediaSeen(t *testing.T, m host.Media) {
	d := newDraft(t, m, "new")
	if _, changed, err := d.Install("a.png", &host.MediaFile{Size: 3}); !changed || err != nil {
		t.Fatalf("install over what is not there: changed %v, %v", changed, err)
	}
	a := install(t, m, "a.png", "one", nil)
	other := install(t, m, "b.png", "another", nil)
	stale, longer := a, a
	stale.Modified++
	longer.Size++
	for _, seen := range []*host.MediaFile{nil, &stale, &longer, &other, {}} {
		if _, changed, err := d.Install("a.png", seen); !changed || err != nil {
			t.Fatalf("install, seen as %+v: changed %v, %v", seen, changed, err)
		}
	}
	wantMedia(t, m, map[string]string{"a.png": "one", "b.png": "another"})
	wantTrash(t, m, "a.png")
	// A draft that was refused is not ended.
	if _, err := d.Write([]byte("er")); err != nil {
		t.Fatalf("write after a refusal: %v", err)
	}
	now, changed, err := d.Install("a.png", &a)
	if now.Size != 5 || now == a || changed || err != nil {
		t.Fatalf("install: %+v, changed %v, %v", now, changed, err)
	}
	wantMedia(t, m, map[string]string{"a.png": "newer", "b.png": "another"})
	wantTrash(t, m, "a.png", "one")
	// What was seen before a replacement of the same size and content is stale, too.
	again := install(t, m, "a.png", "newer", &now)
	if again == now {
		t.Errorf("a replaced file is still %+v", again)
	}
	if changed, err := m.Trash("a.png", now); !changed || err != nil {
		t.Errorf("trash what was replaced: changed %v, %v", changed, err)
	}
}

func testMediaReplace(t *testing.T, m host.Media) {
	seen := install(t, m, "a.png", "0", nil)
	var trash []string
	for _, content := range []string{"1", "2", "2", "", "3"} {
		file, err := m.Open("a.png")
		Must(t, err)
		trash = append(trash, readAll(t, file))
		seen = install(t, m, "a.png", content, &seen)
		wantMedia(t, m, map[string]string{"a.png": content})
		wantTrash(t, m, "a.png", trash...)
	}
	Must(t, m.Flush(t.Context()))
	if now, err := m.Stat("a.png"); now != seen || err != nil {
		t.Errorf("after the flush %+v, before %+v, %v", now, seen, err)
	}
}

func testMediaDiscard(t *testing.T, m host.Media) {
	install(t, m, "a.png", "one", nil)
	d := newDraft(t, m, "two")
	d.Discard()
	d.Discard()
	if _, err := d.Write([]byte("x")); err == nil {
		t.Error("a discarded draft was written")
	}
	if _, _, err := d.Sum(); err == nil {
		t.Error("a discarded draft has sums")
	}
	if _, _, err := d.Install("b.png", nil); err == nil {
		t.Error("a discarded draft was installed")
	}
	wantMedia(t, m, map[string]string{"a.png": "one"})
}

func testMediaCopy(t *testing.T, m host.Media) {
	big := strings.Repeat("0123456789", 200_000)
	a := install(t, m, "a.bin", big, nil)
	stale := a
	stale.Modified++
	if d, changed, err := m.Copy("a.bin", stale); d != nil || !changed || err != nil {
		t.Fatalf("copy of what was not seen: %v, changed %v, %v", d, changed, err)
	}
	d, changed, err := m.Copy("a.bin", a)
	if changed || err != nil {
		t.Fatalf("copy: changed %v, %v", changed, err)
	}
	defer d.Discard()
	if size, sum, err := d.Sum(); size != a.Size || sum != SumOf([]byte(big)) || err != nil {
		t.Fatalf("the copy has %d bytes, %x, %v", size, sum, err)
	}
	_, err = d.Write([]byte("!"))
	Must(t, err)
	_, _, err = d.Install("b.bin", nil)
	Must(t, err)
	wantMedia(t, m, map[string]string{"a.bin": big, "b.bin": big + "!"})
	if now, err := m.Stat("a.bin"); now != a || err != nil {
		t.Errorf("the original was %+v, is %+v, %v", a, now, err)
	}
}
