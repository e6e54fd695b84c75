package mediawire_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/mediawire"
)

// BenchmarkArchive reads what a request for 25 pictures brings.
func BenchmarkArchive(b *testing.B) {
	names := map[string]string{}
	var members []member
	for i := range mediawire.MaxEntries {
		m := fmt.Sprint(i)
		names[m] = "picture-" + m + ".jpg"
		members = append(members, member{name: m, content: noise[:20_000]})
	}
	archive := makeZip(b, names, members...)
	buf := make([]byte, 64<<10)
	var a mediawire.Archive
	b.SetBytes(int64(len(archive)))
	b.ReportAllocs()
	for b.Loop() {
		a.Reset(bytes.NewReader(archive), mediawire.MaxEntries)
		for {
			_, err := a.Next()
			if err == io.EOF {
				break
			}
			for err == nil {
				_, err = a.Read(buf)
			}
			if err != io.EOF {
				b.Fatal(err)
			}
		}
		if _, err := a.Names(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUploadBody(b *testing.B) {
	var entries []mediawire.Entry
	for i := range mediawire.MaxEntries {
		entries = append(entries, mediawire.Entry{Name: fmt.Sprintf("picture-%d.jpg", i), File: host.MediaFile{Size: 20_000}})
	}
	b.ReportAllocs()
	for b.Loop() {
		mediawire.UploadBody(entries)
	}
}
