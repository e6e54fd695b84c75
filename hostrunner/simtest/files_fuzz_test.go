package simtest

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"runtime"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/service"
)

// damaged applies what a fuzzer says to a file that is too large to be a seed itself. Each five bytes of edits are a place, as a fraction of
// the file in 24 bits, and two bytes: what to put there, and how often; 0 times cuts the file off there.
func damaged(file, edits []byte) []byte {
	file = bytes.Clone(file)
	for ; len(edits) >= 5 && len(file) > 0; edits = edits[5:] {
		at := int(uint64(binary.BigEndian.Uint32(edits)>>8) * uint64(len(file)) >> 24)
		n := int(edits[4])
		if n == 0 {
			file = file[:at]
			continue
		}
		for i := at; i < min(at+n, len(file)); i++ {
			file[i] = edits[3]
		}
	}
	return file
}

// wholeFiles are collections as the core makes and keeps them: an empty one, and one with notes.
func wholeFiles(f *testing.F) [][]byte {
	f.Helper()
	fresh := newDisk(func(_, _ string) error { return nil })
	s := serviceOn(fresh, coretest.NewMedia(coretest.NewClock(start, 0)))
	_, err := s.Call(f.Context(), service.MethodOpen, []byte(`{"create":true}`))
	if err == nil {
		_, err = s.Call(f.Context(), service.MethodClose, []byte(`{}`))
	}
	if err != nil {
		f.Fatal(err)
	}
	empty, err := fresh.entries[host.Collection].bytes()
	if err != nil {
		f.Fatal(err)
	}
	return [][]byte{empty, baseOf(0).all[0].files[host.Collection]}
}

func serviceOn(d *disk, media *coretest.Media) *service.Service {
	return service.New(host.Host{
		SQL: d, HTTP: &coretest.HTTP{}, Files: files{d}, Media: media, Text: coretest.Text{}, Clock: coretest.NewClock(start, 0),
		Random: coretest.NewRandom(1), Events: silent{}, Yield: coretest.Yield{},
	})
}

// refusedWell reports whether an error is one that a caller can tell a person about.
func refusedWell(t *testing.T, what string, err error) {
	t.Helper()
	switch fault.KindOf(err) {
	case 0, fault.DamagedFile, fault.UnsupportedFile, fault.InvalidInput, fault.NotFound:
	default:
		t.Errorf("%s: %v: %v", what, fault.KindOf(err), err)
	}
}

// maxFuzzed is how much a file may have us allocate in all: the files are far smaller.
const maxFuzzed = 256 << 20

// bounded runs do and looks at how much was allocated.
func bounded(t *testing.T, do func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > maxFuzzed {
		t.Errorf("%d MiB were allocated", n>>20)
	}
}

var hostileEdits = [][]byte{
	nil, {0, 0, 0, 0, 1}, {0, 0, 0, 'x', 16}, {0, 0, 100, 0, 0}, {128, 0, 0, 0, 0}, {255, 255, 255, 0, 0}, {0, 0x10, 0, 255, 255}, {0x40, 0, 0, 13, 1, 0x80, 0, 0, 255, 8},
	{0, 0, 0x10, 0, 1, 0, 0x20, 0, 0, 40}, {0xf0, 0, 0, 'A', 200, 0xe0, 0, 0, 0, 200},
}

// FuzzCollection opens collection files that are damaged or made by nobody. They are refused, and then stay as they were, or all that is done
// with them ends with an error that says what is wrong.
func FuzzCollection(f *testing.F) {
	whole := wholeFiles(f)
	for i, edits := range hostileEdits {
		f.Add(uint8(i), edits)
	}
	f.Add(uint8(255), []byte("SQLite format 3\x00\x10\x00\x01\x01\x00\x40\x20\x20"))
	f.Fuzz(func(t *testing.T, which uint8, edits []byte) {
		content := edits // all of the file
		if which < 255 {
			content = damaged(whole[int(which)%len(whole)], edits)
		}
		d := newDisk(func(_, _ string) error { return nil })
		defer d.free()
		e := &entry{data: content}
		d.entries[host.Collection] = e
		e.database() // which may pad it
		before, err := e.bytes()
		if err != nil {
			t.Fatal(err)
		}
		bounded(t, func() {
			s := serviceOn(d, coretest.NewMedia(coretest.NewClock(start, 0)))
			_, err = s.Call(t.Context(), service.MethodOpen, []byte(`{}`))
			refusedWell(t, "open", err)
			if err != nil {
				after, err := e.bytes()
				if err != nil || !bytes.Equal(after, before) || d.entries[host.Collection] != e {
					t.Errorf("refused, and changed: %v", err)
				}
				return
			}
			for method, params := range map[string]string{
				service.MethodStatus: `{"offline":true}`, service.MethodDeckTree: `{}`, service.MethodNextCards: `{"deckId":1}`,
				service.MethodEdit: `{"ops":[{"op":"addDeck","name":"x"}]}`, service.MethodUndo: `{}`,
			} {
				_, err := s.Call(t.Context(), method, []byte(params))
				refusedWell(t, method, err)
			}
			if _, err := s.Call(t.Context(), service.MethodClose, []byte(`{}`)); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	})
}

// FuzzPackage imports packages (.colpkg) with collections that are damaged, and packages that are damaged themselves.
func FuzzPackage(f *testing.F) {
	whole := wholeFiles(f)
	pack := func(collection []byte) []byte {
		var b bytes.Buffer
		z, _ := zstd.NewWriter(nil)
		out := zip.NewWriter(&b)
		for _, m := range []struct {
			name    string
			content []byte
		}{{"meta", []byte{8, 3}}, {"collection.anki21b", z.EncodeAll(collection, nil)}, {"media", z.EncodeAll(nil, nil)}} {
			w, err := out.CreateHeader(&zip.FileHeader{Name: m.name, Method: zip.Store})
			if err == nil {
				_, err = w.Write(m.content)
			}
			if err != nil {
				panic(err)
			}
		}
		if err := out.Close(); err != nil {
			panic(err)
		}
		return b.Bytes()
	}
	for i, edits := range hostileEdits {
		f.Add(uint8(i), edits, []byte(nil))
		f.Add(uint8(i), []byte(nil), edits)
	}
	f.Fuzz(func(t *testing.T, which uint8, inner, outer []byte) {
		const name = "cardferry.import.colpkg"
		d := newDisk(func(_, _ string) error { return nil })
		defer d.free()
		s := serviceOn(d, coretest.NewMedia(coretest.NewClock(start, 0)))
		if _, err := s.Call(t.Context(), service.MethodOpen, []byte(`{"create":true}`)); err != nil {
			t.Fatal(err)
		}
		d.entries[name] = &entry{data: damaged(pack(damaged(whole[int(which)%len(whole)], inner)), outer)}
		before, err := d.entries[host.Collection].bytes()
		if err != nil {
			t.Fatal(err)
		}
		bounded(t, func() {
			_, err := s.Call(t.Context(), service.MethodImportFile, []byte(`{"file":"`+name+`"}`))
			refusedWell(t, "import", err)
			if after, rerr := d.entries[host.Collection].bytes(); err != nil && (rerr != nil || !bytes.Equal(after, before)) {
				t.Errorf("refused (%v), and changed: %v", err, rerr)
			}
			_, err = s.Call(context.Background(), service.MethodDeckTree, []byte(`{}`))
			refusedWell(t, "deck tree", err)
		})
	})
}
