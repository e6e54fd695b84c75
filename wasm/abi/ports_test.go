package abi_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/wasm/abi"
)

// with runs do inside a task; f can be prepared by prepare.
func with(t *testing.T, prepare func(f *imports), do func(h host.Host) error) *imports {
	t.Helper()
	f := newImports()
	var err error
	g := abi.New(f, func(h host.Host) abi.Service {
		return service{h, func(_ context.Context, h host.Host, _ string, _ []byte) ([]byte, error) {
			err = do(h)
			return nil, nil
		}}
	})
	prepare(f)
	call(g, 1, "x")
	if err != nil {
		t.Error(err)
	}
	return f
}

func TestSQLCalls(t *testing.T) {
	t.Parallel()
	f := with(t, func(f *imports) { f.code = 5 }, func(h host.Host) error {
		db, err := h.SQL.Open(t.Context(), "c", host.ReadOnly)
		if err != nil {
			return err
		}
		st, err := db.Prepare("SELECT 1")
		if err != nil {
			return err
		}
		n, err := st.Run([]byte{1})
		if n != 5 || err != nil {
			t.Errorf("got %d, %v", n, err)
		}
		return errors.Join(st.Query(nil), db.Exec("X"), db.CopyInto("v", true), db.CopyInto("w", false), db.Rollback(), st.Close(), st.Close(), db.Close(), db.Close())
	})
	want := []string{"open c 2", "prepare 5 SELECT 1", "run 5 01", "query 5 ", "exec 5 X", "copy 5 v 1", "copy 5 w 0", "rollback 5", "finalize 5", "close 5"}
	if !slices.Equal(f.lines, want) {
		t.Errorf("got %q", f.lines)
	}
}

func TestErrorsHaveKindAndMessage(t *testing.T) {
	t.Parallel()
	tests := []struct {
		code int64
		want fault.Kind
	}{{-2, fault.Busy}, {-28, fault.Internal}, {-1, fault.Other}, {-200, fault.Other}, {-100000, fault.Other}}
	for _, tt := range tests {
		with(t, func(f *imports) { f.code, f.err = tt.code, "because" }, func(h host.Host) error {
			_, openErr := h.SQL.Open(t.Context(), "c", host.Create)
			_, createErr := h.Files.Create("c")
			_, fileErr := h.Files.Open("c")
			_, statErr := h.Files.Stat("c")
			for _, err := range []error{openErr, createErr, fileErr, statErr, h.Files.Remove("x"), h.Files.Replace("a", "b")} {
				if fault.KindOf(err) != tt.want || err.Error() != "because" {
					t.Errorf("%d: got %v (%v)", tt.code, err, fault.KindOf(err))
				}
			}
			return nil
		})
	}
}

func TestNext(t *testing.T) {
	t.Parallel()
	big := rows.Pack(nil, bytes.Repeat([]byte("r"), 200_000))
	small := rows.Pack(nil, 1)
	tests := []struct {
		name    string
		results []func(buf []byte) int64
		want    []byte
		done    bool
		fails   bool
	}{
		{name: "rows", results: []func([]byte) int64{put(small, 0)}, want: small},
		{name: "done", results: []func([]byte) int64{put(small, abi.NextDone)}, want: small, done: true},
		{name: "nothing", results: []func([]byte) int64{put(nil, abi.NextDone)}, done: true},
		{name: "large row", results: []func([]byte) int64{tooBig(len(big)), put(big, 0)}, want: big},
		{name: "error", results: []func([]byte) int64{func([]byte) int64 { return -2 }}, fails: true},
		{name: "more than fits", results: []func([]byte) int64{func(b []byte) int64 { return int64(len(b) + 1) }}, fails: true},
		{name: "too big, but it fits", results: []func([]byte) int64{tooBig(3)}, fails: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			with(t, func(f *imports) {
				f.code = 1
				f.next = func(buf []byte) int64 {
					r := tt.results[0]
					tt.results = tt.results[1:]
					return r(buf)
				}
			}, func(h host.Host) error {
				db, _ := h.SQL.Open(t.Context(), "c", host.ReadWrite)
				st, _ := db.Prepare("x")
				got, done, err := st.Next([]byte("head"))
				if tt.fails {
					if err == nil {
						t.Error("no error")
					}
					return nil
				}
				if string(got) != "head"+string(tt.want) || done != tt.done {
					t.Errorf("got %d bytes, %v", len(got), done)
				}
				return err
			})
		})
	}
}

func put(b []byte, flags int64) func([]byte) int64 {
	return func(buf []byte) int64 { return int64(copy(buf, b)) | flags }
}

func tooBig(size int) func([]byte) int64 {
	return func([]byte) int64 { return int64(size) | abi.NextTooBig }
}

func TestFiles(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("0123456789"), 300_000) // 3 MB: several pieces
	f := with(t, func(f *imports) {
		f.code = 4
		f.read = func(off int64, p []byte) int32 { return int32(copy(p, content[min(off, int64(len(content))):])) }
	}, func(h host.Host) error {
		file, err := h.Files.Create("staged")
		if err != nil {
			return err
		}
		if n, err := file.Write(content); n != len(content) || err != nil {
			t.Errorf("write: %d, %v", n, err)
		}
		p := make([]byte, len(content)+1)
		if n, err := file.ReadAt(p, 0); n != len(content) || err != io.EOF || !bytes.Equal(p[:n], content) {
			t.Errorf("read: %d, %v", n, err)
		}
		if n, err := file.ReadAt(p[:10], 5); n != 10 || err != nil || string(p[:10]) != "5678901234" {
			t.Errorf("read: %d, %v", n, err)
		}
		size, err := file.Size()
		if size != 4 || err != nil {
			t.Errorf("size: %d, %v", size, err)
		}
		info, err := h.Files.Stat("s")
		if want := (host.FileInfo{Name: "s", Size: 77, Modified: time.Unix(5, 0)}); info != want || err != nil {
			t.Errorf("stat: %+v, %v", info, err)
		}
		return errors.Join(file.Sync(), file.Close(), file.Close(), h.Files.Remove("r"), h.Files.Replace("a", "b"))
	})
	want := []string{"create staged", "write 4 1048576", "write 4 1048576", "write 4 902848", "size 4", "stat s", "sync 4", "close file 4", "remove r", "replace a b"}
	if !slices.Equal(f.lines, want) {
		t.Errorf("got %q", f.lines)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	var packed []byte
	for range 500 {
		packed = rows.Pack(packed, "backups/x", 12, int64(3_000_000_000))
	}
	packed = rows.Pack(packed, "backups/y", 13, 0)
	with(t, func(f *imports) {
		f.list = func(buf []byte) int32 {
			if len(buf) >= len(packed) {
				copy(buf, packed)
			}
			return int32(len(packed))
		}
	}, func(h host.Host) error {
		infos, err := h.Files.List("backups/")
		if len(infos) != 501 || infos[0] != (host.FileInfo{Name: "backups/x", Size: 12, Modified: time.Unix(3, 0)}) || !infos[500].Modified.IsZero() {
			t.Errorf("got %d", len(infos))
		}
		return err
	})
	with(t, func(f *imports) { f.list = func(buf []byte) int32 { buf[0], buf[1], buf[2] = 1, 0, 99; return 3 } }, func(h host.Host) error {
		if _, err := h.Files.List(""); fault.KindOf(err) != fault.Internal {
			t.Errorf("damaged list: %v", err)
		}
		return nil
	})
}

func TestSmallPorts(t *testing.T) {
	t.Parallel()
	with(t, func(*imports) {}, func(h host.Host) error {
		if now := h.Clock.Now(); now.UnixMilli() != 1_000_000 {
			t.Errorf("now: %v", now)
		}
		if m := h.Clock.MinutesWest(time.UnixMilli(60_000)); m != -60 {
			t.Errorf("west: %d", m)
		}
		p := make([]byte, 3)
		h.Random.Random(p)
		if !bytes.Equal(p, []byte{1, 2, 3}) {
			t.Errorf("random: %v", p)
		}
		if s := h.Text.NFC("ab"); s != "ababab" {
			t.Errorf("text: %s", s)
		}
		return nil
	})
}
