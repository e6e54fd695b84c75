package hostrunner

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/wasm/abi"
)

// boundary calls imports as a guest does, on a guest's memory.
type boundary struct {
	t *testing.T
	l *lender
	m memory
}

// withMedia lends media files in memory.
func withMedia(h host.Host) host.Host {
	h.Media = coretest.NewMedia(nil)
	return h
}

// Where a test puts names, other input, and output. The guest does not run meanwhile.
const (
	nameAt = 1 << 16
	dataAt = nameAt + 1024
	outAt  = dataAt + 1024
)

func newBoundary(t *testing.T) *boundary {
	e := newTestInstance(t, OpenOptions{Wrap: withMedia})
	return &boundary{t, e.lender, memory{e.module.Memory()}}
}

func (b *boundary) put(at uint32, p []byte) uint64 {
	if !b.m.Write(at, p) {
		b.t.Fatal("no room for the input")
	}
	return uint64(len(p))
}

// call calls an import.
func (b *boundary) call(name string, args ...uint64) uint64 {
	b.t.Helper()
	for _, f := range imports {
		if f.name != name {
			continue
		}
		if len(args) != len(f.params) {
			b.t.Fatalf("%s takes %d arguments", name, len(f.params))
		}
		return f.run(b.l, b.m, args)
	}
	b.t.Fatalf("there is no import %s", name)
	return 0
}

func (b *boundary) traps(name string, args ...uint64) {
	b.t.Helper()
	defer func() {
		if recover() == nil {
			b.t.Errorf("%s with %#x did not trap", name, args)
		}
	}()
	b.call(name, args...)
}

// TestMediaImports compares what imports of the media store write, byte by byte.
func TestMediaImports(t *testing.T) {
	t.Parallel()
	b := newBoundary(t)
	name := b.put(nameAt, []byte("ä.png"))
	content := b.put(dataAt, []byte("content"))
	guard := bytes.Repeat([]byte{0xaa}, 64)
	// out returns what an import has written, after looking that it has written no more.
	out := func(n int) []byte {
		t.Helper()
		p := bytes.Clone(b.m.bytes(outAt, 64))
		if !bytes.Equal(p[n:], guard[n:]) {
			t.Errorf("more than %d bytes were written: %x", n, p)
		}
		b.put(outAt, guard)
		return p[:n]
	}
	b.put(outAt, guard)
	le := binary.LittleEndian
	record := func(size, modified uint64) []byte {
		sum := coretest.SumOf([]byte("content"))
		return le.AppendUint32(append(le.AppendUint64(le.AppendUint64(nil, size), modified), sum.SHA1[:]...), sum.CRC)
	}

	if r := b.call(abi.ImportMediaStat, nameAt, name, outAt); i32(r) != -int32(fault.NotFound) {
		t.Errorf("stat: %d", i32(r))
	}
	out(16)
	if r := b.call(abi.ImportMediaCreate); r != 1 {
		t.Errorf("create: %d", r)
	}
	if r := b.call(abi.ImportMediaWrite, 1, dataAt, content); r != 0 {
		t.Errorf("write: %d", r)
	}
	if r := b.call(abi.ImportMediaSum, 1, outAt); r != 0 || !bytes.Equal(out(40), record(7, 0)) {
		t.Errorf("sum: %d", r)
	}
	if r := b.call(abi.ImportMediaInstall, 1, nameAt, name, 1, 7, 99, outAt); r != abi.Changed || !bytes.Equal(out(16), make([]byte, 16)) {
		t.Errorf("install over what is not there: %d", r)
	}
	if r := b.call(abi.ImportMediaInstall, 1, nameAt, name, 0, 0, 0, outAt); r != 0 {
		t.Errorf("install: %d", r)
	}
	now := out(16)
	modified := le.Uint64(now[8:])
	if le.Uint64(now) != 7 || modified == 0 {
		t.Errorf("installed: %x", now)
	}
	if r := b.call(abi.ImportMediaStat, nameAt, name, outAt); r != 0 || !bytes.Equal(out(16), now) {
		t.Errorf("stat: %d", r)
	}
	if r := b.call(abi.ImportMediaHash, nameAt, name, outAt); r != 0 || !bytes.Equal(out(40), record(7, modified)) {
		t.Errorf("hash: %d", r)
	}
	if r := b.call(abi.ImportMediaCopy, nameAt, name, 7, modified+1); r != 0 {
		t.Errorf("copy of what was not seen: %d", r)
	}
	if r := b.call(abi.ImportMediaCopy, nameAt, name, 7, modified); r != 2 {
		t.Errorf("copy: %d", r)
	}
	if r := b.call(abi.ImportMediaOpen, nameAt, name); r != 1 {
		t.Errorf("open: %d", r)
	}
	if r := b.call(abi.ImportFileRead, 1, 3, outAt, 64); r != 4 || string(out(4)) != "tent" {
		t.Errorf("read: %d", r)
	}
	if r := b.call(abi.ImportFileWrite, 1, dataAt, content); i32(r) >= 0 {
		t.Errorf("write to a file that is open for reading: %d", r)
	}
	if r := b.call(abi.ImportMediaTrash, nameAt, name, 8, modified); r != abi.Changed {
		t.Errorf("trash: %d", r)
	}

	if r := b.call(abi.ImportMediaScan); r != 1 {
		t.Errorf("scan: %d", r)
	}
	row := append([]byte{4, 0, 3, 6, 0, 0, 0}, "ä.png"...)
	for _, n := range []uint64{7, modified, 1} {
		row = le.AppendUint64(append(row, 1), n)
	}
	if r := b.call(abi.ImportSQLNext, 1, outAt, 64); r != uint64(len(row))|abi.NextDone || !bytes.Equal(out(len(row)), row) {
		t.Errorf("next: %#x, want the row %x", r, row)
	}
	for _, again := range []string{abi.ImportSQLRun, abi.ImportSQLQuery} {
		if r := b.call(again, 1, 0, 0); int64(r) >= 0 && i32(r) >= 0 {
			t.Errorf("%s of a listing: %d", again, r)
		}
	}
	if r := b.call(abi.ImportSQLFinalize, 1); r != 0 {
		t.Errorf("finalize: %d", r)
	}
	if r := b.call(abi.ImportMediaTrash, nameAt, name, 7, modified); r != 0 {
		t.Errorf("trash: %d", r)
	}
	for _, r := range []uint64{b.call(abi.ImportMediaFlush), b.call(abi.ImportMediaExpire, 1<<40), b.call(abi.ImportMediaDiscard, 2)} {
		if r != 0 {
			t.Errorf("got %d", r)
		}
	}
}

// TestMediaPointers: a pointer outside of the memory is a defect of the guest, and traps before anything is done.
func TestMediaPointers(t *testing.T) {
	t.Parallel()
	b := newBoundary(t)
	name := b.put(nameAt, []byte("a"))
	size := uint64(b.m.Size())
	const high = 1<<32 - 8
	b.call(abi.ImportMediaCreate)
	for _, p := range []uint64{size, size - 3, high} {
		b.traps(abi.ImportMediaStat, p, 4, outAt)
		b.traps(abi.ImportMediaStat, nameAt, name, p)
		b.traps(abi.ImportMediaHash, p, 4, outAt)
		b.traps(abi.ImportMediaHash, nameAt, name, p)
		b.traps(abi.ImportMediaOpen, p, 4)
		b.traps(abi.ImportMediaCopy, p, 4, 0, 0)
		b.traps(abi.ImportMediaWrite, 1, p, 4)
		b.traps(abi.ImportMediaSum, 1, p)
		b.traps(abi.ImportMediaInstall, 1, p, 4, 0, 0, 0, outAt)
		b.traps(abi.ImportMediaInstall, 1, nameAt, name, 0, 0, 0, p)
		b.traps(abi.ImportMediaTrash, p, 4, 0, 0)
		b.traps(abi.ImportNormalize, 0, p, 4, outAt, 8)
		b.traps(abi.ImportNormalize, 1, nameAt, name, p, 8)
	}
	if _, err := b.l.media().Stat("a"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a file was installed: %v", err)
	}
}

// TestMediaLeftOpen: what the core has left is released with its engine.
func TestMediaLeftOpen(t *testing.T) {
	t.Parallel()
	media := coretest.NewMedia(nil)
	media.Put("a", []byte("x"))
	e := newTestInstance(t, OpenOptions{Wrap: func(h host.Host) host.Host { h.Media = media; return h }})
	for range 2 {
		e.lender.MediaCreate()
		e.lender.MediaScan()
		e.lender.MediaOpen("a")
	}
	if err := e.close(); err != nil || media.Drafts() != 0 {
		t.Errorf("%d drafts are left: %v", media.Drafts(), err)
	}
}
