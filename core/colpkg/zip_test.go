package colpkg

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
)

// readAll returns the members of an archive as this package reads them.
func readAll(b []byte) (map[string]string, error) {
	files := coretest.NewFiles()
	files.Put("x", b)
	f, err := files.Open("x")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	a, err := openArchive(f)
	if err != nil {
		return nil, err
	}
	got := map[string]string{}
	for name := range a.entries {
		r, err := a.open(name, 1<<20)
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		got[name] = string(content)
	}
	return got, nil
}

var members = map[string]string{
	"meta": "\x08\x03", "media": "", "0": strings.Repeat("content ", 10000), "größe": "x", "1": "y",
}

// TestReadZip reads archives as other programs write them.
func TestReadZip(t *testing.T) {
	t.Parallel()
	for _, method := range []uint16{zip.Store, zip.Deflate} {
		got, err := readAll(zipOf(t, method, members))
		if err != nil || !maps.Equal(got, members) {
			t.Errorf("method %d: %v, %d members", method, err, len(got))
		}
	}
}

func zipOf(t testing.TB, method uint16, members map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, content := range members {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err == nil {
			_, err = w.Write([]byte(content))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(z.SetComment("a comment"), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestWriteZip lets another program read what this package writes, also with more members than 16 bits can count.
func TestWriteZip(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 3, 70_000} {
		want := map[string]string{}
		var b bytes.Buffer
		z := &zipWriter{w: &b}
		for i := range n {
			name := fmt.Sprint(i)
			want[name] = "content of " + name
			z.begin(name)
			_, _ = io.WriteString(z, want[name][:4])
			_, _ = io.WriteString(z, want[name][4:])
			z.end()
		}
		z.whole("dropped", []byte("x"))
		z.drop()
		if err := z.close(); err != nil {
			t.Fatal(err)
		}
		r, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
		if err != nil {
			t.Fatal(err)
		}
		other := map[string]string{}
		for _, f := range r.File {
			c, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			content, err := io.ReadAll(c)
			if err != nil {
				t.Fatal(err)
			}
			other[f.Name] = string(content)
		}
		own, err := readAll(b.Bytes())
		if err != nil || !maps.Equal(own, want) || !maps.Equal(other, want) {
			t.Errorf("%d members: %d and %d are read, %v", n, len(own), len(other), err)
		}
	}
}

// far writes nothing and begins far into a file.
type far struct{ buf bytes.Buffer }

func (f *far) Write(p []byte) (int, error) { return f.buf.Write(p) }

// TestWideZip looks at the fields of a directory behind 4 GiB.
func TestWideZip(t *testing.T) {
	t.Parallel()
	m := member{name: "0", crc: 1, size: 1 << 33, offset: 1 << 34}
	b := m.appendCentral(nil)
	e := entry{size: int64(le32(b[24:])), compressed: int64(le32(b[20:])), offset: int64(le32(b[42:]))}
	if !e.widen(b[46+1:]) || e.size != m.size || e.compressed != m.size || e.offset != m.offset {
		t.Errorf("%+v", e)
	}
	out := &far{}
	z := &zipWriter{w: out, offset: 1 << 34}
	z.whole("0", []byte("x"))
	if err := z.close(); err != nil {
		t.Fatal(err)
	}
	if le32(out.buf.Bytes()[out.buf.Len()-42:]) != sigLocate64 {
		t.Error("there is no 64-bit end record")
	}
}

// TestDamagedZip cuts and alters an archive: it is refused, or what is read is what was written.
func TestDamagedZip(t *testing.T) {
	t.Parallel()
	whole := zipOf(t, zip.Deflate, map[string]string{"meta": "\x08\x03", "0": strings.Repeat("abc", 100)})
	for i := range whole {
		if _, err := readAll(whole[:i]); fault.KindOf(err) != fault.DamagedFile {
			t.Fatalf("cut at %d: %v", i, err)
		}
		for _, bit := range []byte{1, 0x80} {
			b := bytes.Clone(whole)
			b[i] ^= bit
			got, err := readAll(b)
			if err != nil && fault.KindOf(err) != fault.DamagedFile {
				t.Errorf("byte %d: %v", i, err)
			}
			if err == nil && got["0"] != "" && got["0"] != strings.Repeat("abc", 100) {
				t.Errorf("byte %d: other content is read", i)
			}
		}
	}
}

// TestLargeMember refuses what says, or turns out, to be larger than allowed.
func TestLargeMember(t *testing.T) {
	t.Parallel()
	bomb := zipOf(t, zip.Deflate, map[string]string{"0": strings.Repeat("\x00", 2<<20)})
	if _, err := readAll(bomb); fault.KindOf(err) != fault.DamagedFile {
		t.Errorf("a large member: %v", err)
	}
	at := bytes.LastIndex(bomb, []byte("PK\x01\x02")) + 24
	copy(bomb[at:], []byte{10, 0, 0, 0})
	if _, err := readAll(bomb); fault.KindOf(err) != fault.DamagedFile {
		t.Errorf("a member larger than declared: %v", err)
	}
}

func FuzzZip(f *testing.F) {
	f.Add(zipOf(f, zip.Store, members))
	f.Add(zipOf(f, zip.Deflate, map[string]string{"0": "abc"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := readAll(b)
		if err != nil && (got != nil || fault.KindOf(err) != fault.DamagedFile) {
			t.Fatalf("%v", err)
		}
	})
}
