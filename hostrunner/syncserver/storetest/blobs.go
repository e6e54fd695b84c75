package storetest

import (
	"bytes"
	"crypto/sha1"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// TestBlobs is the contract of store.Blobs. open returns an empty store.
func TestBlobs(t *testing.T, open func(t *testing.T) store.Blobs) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s store.Blobs)
	}{
		{"content is kept", testKeepBlobs},
		{"accounts are apart", testBlobsApart},
		{"a draft that ends leaves nothing", testDiscard},
		{"removing", testRemoveBlobs},
		{"the same content at once", testBlobRace},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, open(t))
		})
	}
}

// put adds content.
func put(t *testing.T, s store.Blobs, id store.AccountID, content []byte) store.SHA1 {
	t.Helper()
	d, err := s.Create(t.Context(), id)
	coretest.Must(t, err)
	defer d.Discard()
	for rest := content; len(rest) > 0; {
		n := min(len(rest), 7000)
		_, err := d.Write(rest[:n])
		coretest.Must(t, err)
		rest = rest[n:]
	}
	sum, size, err := d.Commit(t.Context())
	coretest.Must(t, err)
	if sum != sha1.Sum(content) || size != int64(len(content)) {
		t.Fatalf("%x, %d bytes", sum, size)
	}
	return sum
}

// read returns the content of a file, from its middle on first.
func read(t *testing.T, f store.File) []byte {
	t.Helper()
	defer func() { coretest.Must(t, f.Close()) }()
	content := make([]byte, f.Size())
	half := len(content) / 2
	if n, err := f.ReadAt(content[half:], int64(half)); n < len(content)-half {
		t.Fatalf("%d bytes, %v", n, err)
	}
	if n, err := f.ReadAt(content[:half], 0); n < half {
		t.Fatalf("%d bytes, %v", n, err)
	}
	if n, err := f.ReadAt(make([]byte, 1), f.Size()); n != 0 || err != io.EOF {
		t.Fatalf("after the end: %d, %v", n, err)
	}
	return content
}

func wantBlob(t *testing.T, s store.Blobs, id store.AccountID, content []byte) {
	t.Helper()
	b, err := s.Open(t.Context(), id, sha1.Sum(content))
	coretest.Must(t, err)
	if got := read(t, b); !bytes.Equal(got, content) {
		t.Fatalf("other content, %d bytes for %d", len(got), len(content))
	}
}

func wantNoBlob(t *testing.T, s store.Blobs, id store.AccountID, content []byte) {
	t.Helper()
	_, err := s.Open(t.Context(), id, sha1.Sum(content))
	coretest.WantKind(t, err, fault.NotFound)
}

// wantList fails unless an account has exactly this content.
func wantList(t *testing.T, s store.Blobs, id store.AccountID, contents ...[]byte) {
	t.Helper()
	list, err := s.List(t.Context(), id)
	coretest.Must(t, err)
	for _, c := range contents {
		if !slices.Contains(list, sha1.Sum(c)) {
			t.Errorf("content of %d bytes is not listed", len(c))
		}
	}
	if len(list) != len(contents) {
		t.Errorf("%d listed, want %d", len(list), len(contents))
	}
}

func testKeepBlobs(t *testing.T, s store.Blobs) {
	small, large := []byte("x"), bytes.Repeat([]byte("0123456789"), 30_000)
	for range 2 { // again: it is there already
		put(t, s, "a1", small)
		put(t, s, "a1", large)
		coretest.Must(t, s.Flush(t.Context(), "a1"))
		wantBlob(t, s, "a1", small)
		wantBlob(t, s, "a1", large)
		wantList(t, s, "a1", small, large)
	}
	put(t, s, "a1", []byte("not flushed"))
	wantList(t, s, "a1", small, large, []byte("not flushed"))
	coretest.Must(t, s.Flush(t.Context(), "a1"))
}

func testBlobsApart(t *testing.T, s store.Blobs) {
	put(t, s, "a1", []byte("content"))
	wantNoBlob(t, s, "b1", []byte("content"))
	put(t, s, "b1", []byte("content"))
	coretest.Must(t, s.Remove(t.Context(), "a1", sha1.Sum([]byte("content"))))
	wantBlob(t, s, "b1", []byte("content"))
}

func testDiscard(t *testing.T, s store.Blobs) {
	d, err := s.Create(t.Context(), "a1")
	coretest.Must(t, err)
	_, err = d.Write([]byte("content"))
	coretest.Must(t, err)
	d.Discard()
	d.Discard()
	_, _, err = d.Commit(t.Context())
	coretest.WantKind(t, err, fault.Closed)
	_, err = d.Write([]byte("more"))
	coretest.WantKind(t, err, fault.Closed)
	wantNoBlob(t, s, "a1", []byte("content"))

	empty, err := s.Create(t.Context(), "a1")
	coretest.Must(t, err)
	_, _, err = empty.Commit(t.Context())
	coretest.WantKind(t, err, fault.InvalidInput)
	wantNoBlob(t, s, "a1", nil)
}

func testRemoveBlobs(t *testing.T, s store.Blobs) {
	one, two, three := []byte("one"), []byte("two"), []byte("three")
	for _, b := range [][]byte{one, two, three} {
		put(t, s, "a1", b)
	}
	open, err := s.Open(t.Context(), "a1", sha1.Sum(one))
	coretest.Must(t, err)
	coretest.Must(t, s.Remove(t.Context(), "a1", sha1.Sum(one), sha1.Sum([]byte("none")), sha1.Sum(two)))
	coretest.Must(t, s.Flush(t.Context(), "a1"))
	wantNoBlob(t, s, "a1", one)
	wantNoBlob(t, s, "a1", two)
	wantBlob(t, s, "a1", three)
	if got := read(t, open); !bytes.Equal(got, one) {
		t.Fatalf("an open blob reads %q", got)
	}
	wantList(t, s, "a1", three)
	put(t, s, "b1", one)
	coretest.Must(t, s.RemoveAll(t.Context(), "a1"))
	coretest.Must(t, s.RemoveAll(t.Context(), "none"))
	wantList(t, s, "a1")
	wantList(t, s, "none")
	wantNoBlob(t, s, "a1", three)
	wantBlob(t, s, "b1", one)
}

func testBlobRace(t *testing.T, s store.Blobs) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 10 {
				d, err := s.Create(t.Context(), "a1")
				if err == nil {
					fmt.Fprint(d, "content ", n%3)
					_, _, err = d.Commit(t.Context())
				}
				if err == nil {
					err = s.Flush(t.Context(), "a1")
				}
				if err != nil {
					t.Error(i, err)
				}
			}
		})
	}
	wg.Wait()
	for n := range 3 {
		wantBlob(t, s, "a1", fmt.Append(nil, "content ", n))
	}
}
