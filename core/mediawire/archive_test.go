package mediawire_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/mediawire"
)

// rawOrStreamed begins a member. What is stored has its size in the local header; what is deflated is streamed, with
// its size behind the content.
func rawOrStreamed(z *zip.Writer, h *zip.FileHeader, content []byte) (io.Writer, error) {
	if h.Method == zip.Deflate {
		return z.CreateHeader(h)
	}
	h.CRC32, h.CompressedSize64, h.UncompressedSize64 = crc32.ChecksumIEEE(content), uint64(len(content)), uint64(len(content))
	return z.CreateRaw(h)
}

// read reads a whole archive as the download does.
func read(r io.Reader, members int) (contents map[string]string, names map[string]string, err error) {
	a := mediawire.NewArchive(r, members)
	contents = map[string]string{}
	for {
		m, err := a.Next()
		if err == io.EOF {
			if names, err = a.Names(); err != nil {
				return nil, nil, err
			}
			a.Drain()
			return contents, names, nil
		}
		if err != nil {
			return nil, nil, err
		}
		b, err := io.ReadAll(a)
		if err != nil {
			return nil, nil, err
		}
		if crc32.ChecksumIEEE(b) != a.CRC() {
			return nil, nil, errSum
		}
		contents[m] = string(b)
	}
}

var errSum error = fault.New(fault.DamagedDownload, "checksum")

var (
	noise = strings.Repeat("0123456789abcdef\x00\xff", 20_000)
	names = map[string]string{"0": "a b.txt", "7": "é.png", "x": ""}
)

func TestArchive(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		names   map[string]string
		members []member
	}{
		{"stored", names, []member{{name: "0", content: "one"}, {name: "7", content: noise}, {name: "x"}}},
		{"deflated", names, []member{{name: "0", content: "one", deflate: true}, {name: "7", content: noise, deflate: true}}},
		{"names first", nil, []member{{name: "_meta", content: `{"0":"z"}`, deflate: true}, {name: "0", content: "last"}}},
		{"nothing", map[string]string{}, nil},
		{"odd names of members", map[string]string{"../x": "ok"}, []member{{name: "../x", content: "1"}, {name: strings.Repeat("n", 60_000)}}},
	} {
		b := makeZip(t, c.names, c.members...)
		for _, r := range []io.Reader{bytes.NewReader(b), iotest.OneByteReader(bytes.NewReader(b)), iotest.DataErrReader(bytes.NewReader(b))} {
			contents, got, err := read(r, 3)
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
				continue
			}
			for _, m := range c.members {
				if m.name != "_meta" && contents[m.name] != m.content {
					t.Errorf("%s: member %.10q has %d bytes", c.name, m.name, len(contents[m.name]))
				}
			}
			if c.names != nil && !reflect.DeepEqual(got, c.names) || c.names == nil && got["0"] != "z" {
				t.Errorf("%s: names %v", c.name, got)
			}
		}
	}
}

// TestRecordedArchives: those that the real server sent hold what was recorded.
func TestRecordedArchives(t *testing.T) {
	t.Parallel()
	n := 0
	for _, e := range exchanges(t) {
		z := e.Response.Zip
		if z == nil || z.File == "" {
			continue
		}
		n++
		b := archives(t)["testdata/"+strings.TrimPrefix(z.File, "media/wire/")]
		contents, got, err := read(bytes.NewReader(b), mediawire.MaxEntries)
		want := map[string]string{}
		unmarshal(t, z.Meta, &want)
		if err != nil || !reflect.DeepEqual(got, want) || len(contents) != len(z.Entries) {
			t.Errorf("%s: %d members, %v, %v", z.File, len(contents), got, err)
		}
	}
	if n < 4 {
		t.Errorf("%d archives", n)
	}
}

// patch returns b with another 16-bit number at an offset from its start.
func patch(b []byte, at int, v uint16) []byte {
	b = bytes.Clone(b)
	binary.LittleEndian.PutUint16(b[at:], v)
	return b
}

func TestHostileArchives(t *testing.T) {
	t.Parallel()
	one := makeZip(t, map[string]string{"0": "a"}, member{name: "0", content: "content"})
	streamed := makeZip(t, map[string]string{"0": "a"}, member{name: "0", content: "content", deflate: true})
	meta := func(text string) []byte {
		return makeZip(t, nil, member{name: "0", content: "c"}, member{name: "_meta", content: text})
	}
	for name, b := range map[string][]byte{
		"empty": {}, "no zip": []byte("hello, this is no archive"), "bytes before it": append([]byte("x"), one...),
		"encrypted": patch(one, 6, 1), "bzip2": patch(one, 8, 12), "wrong checksum": patch(one, 14, 7),
		"shorter than declared": patch(one, 18, 5), "longer than declared": patch(one, 18, 9),
		"larger than files can be": patch(one, 20, 0x7000), "4 GiB": patch(patch(one, 18, 0xffff), 20, 0xffff),
		"stored, size unknown": patch(streamed, 8, 0), "deflated, wrong size": patch(patch(streamed, 6, 0), 18, 30),
		"no list of names": makeZip(t, nil, member{name: "0", content: "c"}),
		"names as array":   meta(`[["a","0"]]`), "names not JSON": meta(`{"0":"a"`), "names not texts": meta(`{"0":1}`),
		"names not UTF-8": meta("{\"0\":\"\xff\"}"), "names too long": meta(`{"0":"` + strings.Repeat("x", 70_000) + `"}`),
		"more members than asked for": makeZip(t, names, member{name: "0"}, member{name: "1"}, member{name: "2"}, member{name: "3"}),
		"bomb":                        bomb(t, 101<<20),
	} {
		if _, _, err := read(bytes.NewReader(b), 3); fault.KindOf(err) != fault.DamagedDownload {
			t.Errorf("%s: %v", name, err)
		}
	}
	for cut := range len(one) - len("PK\x05\x06") - 18 - 46*2 - 6 { // up to the directory
		if _, _, err := read(bytes.NewReader(one[:cut]), 3); fault.KindOf(err) != fault.DamagedDownload {
			t.Errorf("cut off after %d bytes: %v", cut, err)
		}
	}
}

// TestArchiveReader: an error of the connection keeps its kind.
func TestArchiveReader(t *testing.T) {
	t.Parallel()
	one := makeZip(t, map[string]string{"0": "a"}, member{name: "0", content: noise, deflate: true})
	for cut := 0; cut < len(one)-200; cut += 13 {
		r := io.MultiReader(bytes.NewReader(one[:cut]), iotest.ErrReader(fault.New(fault.Timeout, "stalled")))
		if _, _, err := read(r, 3); fault.KindOf(err) != fault.Timeout {
			t.Errorf("after %d bytes: %v", cut, err)
		}
	}
}

// bomb is a member of n zeros in few bytes.
func bomb(t testing.TB, n int64) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("0")
	if err == nil {
		_, err = io.CopyN(w, zeros{}, n)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestArchiveLimit: many members, each within its limit, are bounded together.
func TestArchiveLimit(t *testing.T) {
	t.Parallel()
	b := bomb(t, 99<<20)
	b = b[:bytes.LastIndex(b, []byte("PK\x01\x02"))]
	b = bytes.Repeat(b, 3)
	_, _, err := read(bytes.NewReader(b), 25)
	if fault.KindOf(err) != fault.DamagedDownload || !strings.Contains(err.Error(), "larger") {
		t.Error(err)
	}
}

func FuzzArchive(f *testing.F) {
	for _, b := range archives(f) {
		f.Add(b)
	}
	f.Add(makeZip(f, names, member{name: "0", content: "one", deflate: true}, member{name: "7", content: "two"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		contents, names, err := read(bytes.NewReader(b), mediawire.MaxEntries)
		if err != nil {
			if fault.KindOf(err) != fault.DamagedDownload || contents != nil || names != nil {
				t.Errorf("%v with %d members", err, len(contents))
			}
			return
		}
		var list []member
		for name, content := range contents {
			list = append(list, member{name: name, content: content, deflate: len(content)%2 == 0})
		}
		again, namesAgain, err := read(bytes.NewReader(makeZip(t, names, list...)), mediawire.MaxEntries)
		if err != nil || !reflect.DeepEqual(again, contents) || !reflect.DeepEqual(namesAgain, names) {
			t.Errorf("%v: %d members, then %d", err, len(contents), len(again))
		}
	})
}
