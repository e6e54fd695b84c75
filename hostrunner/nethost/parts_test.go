package nethost_test

import (
	"crypto/sha1"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/hostrunner/mediahost"
	"github.com/cardferry/cardferry/hostrunner/nethost"
)

// newMedia returns a network with the media files of a folder that has one file of so many bytes.
func newMedia(t *testing.T, size int64) (h *nethost.HTTP, media *mediahost.Media, path string) {
	t.Helper()
	dir := t.TempDir()
	path = filepath.Join(dir, mediahost.Folder, "large.bin")
	coretest.Must(t, os.Mkdir(filepath.Dir(path), 0o755))
	coretest.Must(t, os.WriteFile(path, nil, 0o600))
	coretest.Must(t, os.Truncate(path, size))
	old := time.Now().Add(-time.Hour) // a change at once would get the same time on a file system with coarse ones
	coretest.Must(t, os.Chtimes(path, old, old))
	media = mediahost.New(dir)
	h = nethost.New(coretest.NewFiles(), media)
	t.Cleanup(h.Close)
	return h, media, path
}

// blocks are the parts of an upload: a file in pieces with a few bytes in front of each.
func blocks(t *testing.T, media *mediahost.Media) (parts []host.BodyPart, total int64) {
	t.Helper()
	const piece = 128 << 10
	seen, err := media.Stat("large.bin")
	coretest.Must(t, err)
	for off := int64(0); off < seen.Size; off += piece {
		n := min(piece, seen.Size-off)
		parts = append(parts, host.BodyPart{Bytes: []byte("abc")}, host.BodyPart{Media: "large.bin", Seen: seen, Offset: off, Len: n})
		total += 3 + n
	}
	return parts, total
}

// TestPartsOfAChangedFile changes a file while it is being sent: the server must not take what it got for the whole.
func TestPartsOfAChangedFile(t *testing.T) {
	t.Parallel()
	const size = 8 << 20
	for name, change := range map[string]func(path string) error{
		"longer":  func(path string) error { return os.Truncate(path, size+1) },
		"shorter": func(path string) error { return os.Truncate(path, 1<<20) },
		"other content": func(path string) error {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.WriteAt([]byte("x"), size-1)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, media, path := newMedia(t, size)
			whole := make(chan bool, 1)
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				_, err := io.CopyN(io.Discard, r.Body, 100<<10)
				if err == nil {
					err = change(path)
				}
				if err != nil {
					t.Error(err)
				}
				_, err = io.Copy(io.Discard, r.Body)
				whole <- err == nil
			})
			req := post(s.URL)
			req.Body = nil
			req.Parts, _ = blocks(t, media)
			_, err := coretest.Do(t.Context(), h, req)
			coretest.WantKind(t, err, fault.NotFound)
			if <-whole {
				t.Error("the server got the whole body")
			}
		})
	}
}

// TestPartsOfAReplacedFile: an open file keeps the content that was seen, so the body is still right.
func TestPartsOfAReplacedFile(t *testing.T) {
	t.Parallel()
	h, media, path := newMedia(t, 8<<20)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, err := io.CopyN(io.Discard, r.Body, 100<<10)
		if err == nil {
			err = os.Remove(path)
		}
		if err != nil {
			t.Error(err)
		}
		n, _ := io.Copy(io.Discard, r.Body)
		if n+(100<<10) != r.ContentLength {
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	req := post(s.URL)
	req.Body = nil
	req.Parts, _ = blocks(t, media)
	resp, err := coretest.Do(t.Context(), h, req)
	if err != nil || resp.Status != 200 {
		t.Errorf("%+v, %v", resp, err)
	}
}

// TestPartsInFlatMemory sends a file of 100 MB, the largest there is.
func TestPartsInFlatMemory(t *testing.T) {
	const size = 100 << 20
	h, media, _ := newMedia(t, size)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		sum := sha1.New()
		_, _ = io.Copy(sum, r.Body)
		_, _ = w.Write(sum.Sum(nil))
	})
	req := post(s.URL)
	req.Body = nil
	parts, total := blocks(t, media)
	req.Parts = parts
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	call := h.Start(t.Context(), req)
	defer call.Close()
	coretest.Must(t, coretest.WaitFor(t.Context(), h, call))
	resp, err := call.Response()
	runtime.ReadMemStats(&after)
	coretest.Must(t, err)
	want := sha1.New()
	zeros := make([]byte, 128<<10)
	for range size / len(zeros) {
		want.Write([]byte("abc"))
		want.Write(zeros)
	}
	if string(resp.Body) != string(want.Sum(nil)) || call.Sent() != total {
		t.Errorf("status %d, sent %d of %d", resp.Status, call.Sent(), total)
	}
	// All that was ever allocated, by the server as well.
	if kb := (after.TotalAlloc - before.TotalAlloc) >> 10; kb > 4<<10 {
		t.Errorf("%d KiB were allocated", kb)
	} else {
		t.Logf("%d KiB were allocated", kb)
	}
}
