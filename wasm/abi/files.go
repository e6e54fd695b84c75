package abi

import (
	"context"
	"io"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

var (
	_ host.Files      = filesPort{}
	_ host.Compressor = filesPort{}
	_ host.File       = (*file)(nil)
)

// maxIO is the largest piece that one file import moves, so that a host never copies more at once.
const maxIO = 1 << 20

type filesPort struct{ g *Guest }

func (p filesPort) Create(name string) (host.File, error) {
	return p.file(p.g.imports.FileCreate(name))
}

func (p filesPort) Open(name string) (host.File, error) {
	return p.file(p.g.imports.FileOpen(name))
}

func (p filesPort) file(h int32) (host.File, error) {
	if h < 0 {
		return nil, p.g.failure(int64(h))
	}
	return &file{p.g, h}, nil
}

func (p filesPort) Stat(name string) (host.FileInfo, error) {
	var out [2]int64
	if err := p.g.check(p.g.imports.FileStat(name, &out)); err != nil {
		return host.FileInfo{}, err
	}
	return host.FileInfo{Name: name, Size: out[0], Modified: modified(out[1])}, nil
}

func modified(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns)
}

func (p filesPort) List(prefix string) ([]host.FileInfo, error) {
	buf := make([]byte, 4096)
	for {
		n := p.g.imports.FileList(prefix, buf)
		if n < 0 {
			return nil, p.g.failure(int64(n))
		}
		if int(n) <= len(buf) {
			return decodeList(buf[:n])
		}
		buf = make([]byte, n) // a file that appears meanwhile makes another turn
	}
}

func decodeList(b []byte) ([]host.FileInfo, error) {
	var infos []host.FileInfo
	var row rows.Row
	for len(b) > 0 {
		var err error
		if row, b, err = rows.Decode(b, row); err != nil {
			return nil, fault.Wrap(fault.Internal, err, "list files")
		}
		if len(row) != 3 {
			return nil, fault.New(fault.Internal, "list files: a row of %d values", len(row))
		}
		infos = append(infos, host.FileInfo{Name: row[0].String(), Size: row[1].Int(), Modified: modified(row[2].Int())})
	}
	return infos, nil
}

// Compress lets the host do it, if it can. A host with one thread does a piece of it with each call.
func (p filesPort) Compress(ctx context.Context, from, to string) (bool, error) {
	for {
		r := p.g.imports.FileCompress(from, to)
		if r != Unfinished {
			return r == 0, p.g.check(min(r, 0))
		}
		if err := (yieldPort{p.g}).Pause(ctx); err != nil {
			return false, err
		}
	}
}

func (p filesPort) Remove(name string) error { return p.g.check(p.g.imports.FileRemove(name)) }

func (p filesPort) Replace(staged, name string) error {
	return p.g.check(p.g.imports.FileReplace(staged, name))
}

type file struct {
	g *Guest
	h int32
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	read := 0
	for read < len(p) {
		piece := p[read:min(len(p), read+maxIO)]
		n := f.g.imports.FileRead(f.h, off+int64(read), piece)
		switch {
		case n < 0:
			return read, f.g.failure(int64(n))
		case n == 0:
			return read, io.EOF
		case int(n) > len(piece):
			return read, fault.New(fault.Internal, "read a file: the host wrote %d bytes into %d", n, len(piece))
		}
		read += int(n)
	}
	return read, nil
}

func (f *file) Write(p []byte) (int, error) {
	written := 0
	for written < len(p) {
		piece := p[written:min(len(p), written+maxIO)]
		if err := f.g.check(f.g.imports.FileWrite(f.h, piece)); err != nil {
			return written, err
		}
		written += len(piece)
	}
	return written, nil
}

func (f *file) Size() (int64, error) {
	n := f.g.imports.FileSize(f.h)
	if n < 0 {
		return 0, f.g.failure(n)
	}
	return n, nil
}

func (f *file) Sync() error { return f.g.check(f.g.imports.FileSync(f.h)) }

func (f *file) Close() error {
	if f.h == 0 {
		return nil
	}
	h := f.h
	f.h = 0
	return f.g.check(f.g.imports.FileClose(h))
}
