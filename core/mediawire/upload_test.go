package mediawire_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/mediawire"
	"github.com/cardferry/cardferry/core/wire"
)

// entriesOf makes the entries of some files; nil is a deletion.
func entriesOf(files [][]byte) (entries []mediawire.Entry) {
	for i, content := range files {
		e := mediawire.Entry{Name: fmt.Sprintf("näme \"%d\".png", i), Delete: content == nil}
		if content != nil {
			e.File, e.CRC = host.MediaFile{Size: int64(len(content)), Modified: int64(i)}, crc32.ChecksumIEEE(content)
		}
		entries = append(entries, e)
	}
	return entries
}

// compose does what a host does with parts.
func compose(t *testing.T, entries []mediawire.Entry, files [][]byte) (body []byte) {
	t.Helper()
	for _, p := range mediawire.UploadBody(entries) {
		if p.Media == "" {
			body = append(body, p.Bytes...)
			continue
		}
		for i, e := range entries {
			if e.Name == p.Media && e.File == p.Seen {
				body = append(body, files[i][p.Offset:p.Offset+p.Len]...)
			}
		}
	}
	return body
}

// checkUpload reads the body of an upload as a server does.
func checkUpload(t *testing.T, files [][]byte) {
	t.Helper()
	entries := entriesOf(files)
	body := compose(t, entries, files)
	r, err := zstd.NewReader(bytes.NewReader(body), zstd.WithDecoderMaxWindow(128<<10))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := wire.NewCodec().Decompress(nil, append(body, "rest"...), int64(len(b))); err != nil || !bytes.Equal(again, b) {
		t.Errorf("the frame is read as %d bytes, want %d, %v", len(again), len(b), err)
	}
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	next := 0
	var list [][]any
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil || f.Method != zip.Store || f.Flags != 0 || len(f.Extra) > 0 {
			t.Fatalf("%+v: %v", f, err)
		}
		if f.Name == "_meta" {
			unmarshal(t, content, &list)
			continue
		}
		for files[next] == nil {
			next++
		}
		if f.Name != fmt.Sprint(next) || !bytes.Equal(content, files[next]) {
			t.Errorf("member %s has %d bytes", f.Name, len(content))
		}
		next++
	}
	var want [][]any
	for i, e := range entries {
		if e.Delete {
			want = append(want, []any{e.Name, nil})
		} else {
			want = append(want, []any{e.Name, fmt.Sprint(i)})
		}
	}
	if len(list) != len(want) || len(want) > 0 && !reflect.DeepEqual(list, want) || len(z.File) == 0 || z.File[len(z.File)-1].Name != "_meta" {
		t.Errorf("%v, want %v", list, want)
	}
}

func TestUploadBody(t *testing.T) {
	t.Parallel()
	big := []byte(noise)
	for _, files := range [][][]byte{
		{}, {nil}, {{1}}, {nil, {1}, nil, {2}}, {big[:128<<10], big[:128<<10+1], big[:128<<10-1], big},
	} {
		checkUpload(t, files)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		files := make([][]byte, r.IntN(26))
		for i := range files {
			if r.IntN(3) > 0 {
				files[i] = big[:1+r.IntN(len(big)-1)]
			}
		}
		checkUpload(t, files)
	}
}

// TestRecordedUploads: for the same files we write the members and the list of names that the real client wrote.
func TestRecordedUploads(t *testing.T) {
	t.Parallel()
	n := 0
	for _, e := range exchanges(t) {
		z := e.Request.Zip
		if z == nil {
			continue
		}
		n++
		var list [][]any
		unmarshal(t, z.Meta, &list)
		var entries []mediawire.Entry
		member := 0
		for _, pair := range list {
			entry := mediawire.Entry{Name: pair[0].(string), Delete: pair[1] == nil}
			if !entry.Delete {
				entry.File.Size = z.Entries[member].Size
				if z.Entries[member].Name != pair[1] {
					t.Fatalf("%s: the entries are not in the order of the list", e.Scenario)
				}
				member++
			}
			entries = append(entries, entry)
		}
		size := int64(0)
		for _, p := range mediawire.UploadBody(entries) {
			size += int64(len(p.Bytes)) + p.Len
		}
		if size < z.Size || size > z.Size+1000+size/1000 {
			t.Errorf("%s: %d bytes, the real client's archive has %d", e.Scenario, size, z.Size)
		}
	}
	if n < 10 {
		t.Errorf("%d uploads", n)
	}
}
