package hostrunner

import (
	"io"
	"time"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/wasm/abi"
)

func unixMilli(ms int64) time.Time { return time.UnixMilli(ms) }

func (l *lender) FileCreate(name string) int32 { return l.file(l.ports.host.Files.Create(name)) }
func (l *lender) FileOpen(name string) int32   { return l.file(l.ports.host.Files.Open(name)) }

func (l *lender) file(f host.File, err error) int32 {
	if err != nil {
		return l.fail(err)
	}
	return l.files.add(f)
}

// onFile runs do, which returns the import's result, on an open file.
func (l *lender) onFile(n int32, do func(host.File) (int64, error)) int64 {
	f, ok := l.files.m[n]
	if !ok {
		return int64(l.unknown("file", n))
	}
	r, err := do(f)
	if err != nil {
		return int64(l.fail(err))
	}
	return r
}

func (l *lender) FileRead(n int32, off int64, p []byte) int32 {
	return int32(l.onFile(n, func(f host.File) (int64, error) {
		read, err := f.ReadAt(p, off)
		if err == io.EOF {
			err = nil // a shorter result says it
		}
		return int64(read), err
	}))
}

func (l *lender) FileWrite(n int32, p []byte) int32 {
	return int32(l.onFile(n, func(f host.File) (int64, error) {
		_, err := f.Write(p)
		return 0, err
	}))
}

func (l *lender) FileSync(n int32) int32 {
	return int32(l.onFile(n, func(f host.File) (int64, error) { return 0, f.Sync() }))
}

func (l *lender) FileSize(n int32) int64 { return l.onFile(n, host.File.Size) }

func (l *lender) FileClose(n int32) int32 {
	f, ok := l.files.take(n)
	if !ok {
		return l.unknown("file", n)
	}
	return l.code(f.Close())
}

func (l *lender) FileStat(name string, out *[2]int64) int32 {
	info, err := l.ports.host.Files.Stat(name)
	if err != nil {
		return l.fail(err)
	}
	out[0], out[1] = info.Size, unixNano(info.Modified)
	return 0
}

func unixNano(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func (l *lender) FileList(prefix string, buf []byte) int32 {
	infos, err := l.ports.host.Files.List(prefix)
	if err != nil {
		return l.fail(err)
	}
	var b []byte
	for _, i := range infos {
		b = rows.Pack(b, i.Name, i.Size, unixNano(i.Modified))
	}
	if len(b) <= len(buf) {
		copy(buf, b)
	}
	return int32(len(b))
}

func (l *lender) FileCompress(from, to string) int32 {
	c, ok := l.ports.host.Files.(host.Compressor)
	if !ok {
		return abi.NotOffered
	}
	done, err := c.Compress(l.ctx(), from, to)
	switch {
	case err != nil:
		return l.fail(err)
	case !done:
		return abi.NotOffered
	}
	return 0
}

func (l *lender) FileRemove(name string) int32 { return l.code(l.ports.host.Files.Remove(name)) }

func (l *lender) FileReplace(from, to string) int32 {
	return l.code(l.ports.host.Files.Replace(from, to))
}
