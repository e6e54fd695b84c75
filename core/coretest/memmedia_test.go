package coretest_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

func installMedia(t *testing.T, m host.Media, name, content string, seen *host.MediaFile) host.MediaFile {
	t.Helper()
	d, err := m.Create()
	coretest.Must(t, err)
	defer d.Discard()
	_, err = d.Write([]byte(content))
	coretest.Must(t, err)
	now, changed, err := d.Install(name, seen)
	if err != nil || changed {
		t.Fatalf("install %s: changed %v, %v", name, changed, err)
	}
	return now
}

func TestMediaPowerCut(t *testing.T) {
	t.Parallel()
	m := coretest.NewMedia(nil)
	state := func() string {
		s := ""
		for _, name := range m.Names() {
			s += fmt.Sprintf("%s=%s ", name, m.Get(name))
		}
		for _, f := range m.Trashed() {
			s += fmt.Sprintf("trash:%s=%s ", f.Name, f.Data)
		}
		return s
	}
	m.Put("user", []byte("1"))
	a := installMedia(t, m, "a", "old", nil)
	m.PowerCut(nil)
	if got := state(); got != "user=1 " {
		t.Errorf("nothing was flushed: %s", got)
	}
	a = installMedia(t, m, "a", "old", nil)
	b := installMedia(t, m, "b", "old", nil)
	coretest.Must(t, m.Flush(t.Context()))
	installMedia(t, m, "a", "new", &a)
	_, err := m.Trash("b", b)
	coretest.Must(t, err)
	installMedia(t, m, "c", "new", nil)
	installMedia(t, m, "d", "new", nil)
	draft, err := m.Create()
	coretest.Must(t, err)
	m.PowerCut(func(name string) coretest.Survival {
		return map[string]coretest.Survival{"a": coretest.Kept, "c": coretest.Emptied, "d": coretest.Kept}[name]
	})
	if got := state(); got != "a=new b=old c= d=new user=1 trash:a=old " {
		t.Errorf("after the power cut: %s", got)
	}
	if _, err := draft.Write(nil); err == nil || m.Drafts() != 0 {
		t.Error("a draft has survived")
	}
	m.RemoveAll()
	_, err = m.Scan(t.Context())
	coretest.WantKind(t, err, fault.NotFound)
	installMedia(t, m, "a", "back", nil)
	if got := state(); got != "a=back trash:a=old " {
		t.Errorf("after the removal of all: %s", got)
	}
}

func TestMediaFaults(t *testing.T) {
	t.Parallel()
	m := coretest.NewMedia(coretest.NewClock(time.Unix(1, 0), 0))
	m.PutSpecial("link")
	m.PutUnreadable("secret", []byte("x"))
	for name, kind := range map[string]fault.Kind{"link": fault.NotFound, "secret": fault.NotWritable} {
		_, _, err := m.Hash(t.Context(), name)
		coretest.WantKind(t, err, kind)
		_, err = m.Open(name)
		coretest.WantKind(t, err, kind)
	}
	scan, err := m.Scan(t.Context())
	coretest.Must(t, err)
	buf, done, err := scan.Next(nil)
	if want := rows.Pack(rows.Pack(nil, "link", 0, 1, 0), "secret", 1, 2, 0); !slices.Equal(buf, want) || !done || err != nil {
		t.Errorf("scan: %q, %v, %v", buf, done, err)
	}
	m.Lock(true)
	_, err = m.Scan(t.Context())
	coretest.WantKind(t, err, fault.NotWritable)
	m.Lock(false)

	// A change between what was seen and what is done.
	seen := installMedia(t, m, "a", "1", nil)
	m.Fail = func(step, name string) error {
		if step == "trash" && name == "a" {
			m.Put("a", []byte("edited"))
		}
		return nil
	}
	if changed, err := m.Trash("a", seen); !changed || err != nil || string(m.Get("a")) != "edited" {
		t.Errorf("trash: changed %v, %v", changed, err)
	}
	fail, reached := coretest.FailAt(1, fault.StorageFull)
	m.Fail = fail
	d, err := m.Create()
	coretest.Must(t, err)
	if _, err := d.Write([]byte("x")); !reached() || fault.KindOf(err) != fault.StorageFull {
		t.Errorf("write: %v", err)
	}
	if m.Drafts() != 1 {
		t.Error("the draft is not counted")
	}
	d.Discard()
	if _, reached := coretest.FailAt(1, fault.Other); reached() || m.Drafts() != 0 {
		t.Error("reached, or a draft left")
	}
}
