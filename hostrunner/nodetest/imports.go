package nodetest

import (
	"encoding/binary"
	"encoding/json"
	"strconv"
	"testing"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/wasm/abi"
)

// Ports returns the ports of a guest whose imports are answered by the host modules of the bridge in a Node process
// (jsbridge/test/labhost.ts), in memory. Only Media and Text are there. They are used by one goroutine at a time.
func Ports(t testing.TB) (h host.Host) {
	t.Helper()
	i := &imports{t: t, process: start(t, "labhost.js")}
	abi.New(i, func(ports host.Host) abi.Service { h = ports; return nil })
	return h
}

// imports sends each import to Node. Those that are not written here panic by the nil interface.
type imports struct {
	abi.Imports
	process
	t   testing.TB
	err string
}

// in, out and capped are the kinds of memory that an argument can be (labhost.ts).
func in(b []byte) any     { return map[string][]byte{"in": append([]byte{}, b...)} }
func out(n int) any       { return map[string]int{"out": n} }
func capped(p []byte) any { return map[string]int{"cap": len(p)} }
func wide(n int64) any    { return strconv.FormatInt(n, 10) }

// call calls an import and returns its result and what is in the memory of the first out or capped argument.
func (i *imports) call(name string, args ...any) (int64, []byte) {
	var a struct {
		Result string
		Out    [][]byte
		Error  json.RawMessage
	}
	err := i.send(map[string]any{"name": name, "args": append([]any{}, args...)})
	if err == nil {
		err = i.receive(&a)
	}
	if err != nil {
		panic(err) // the import would trap
	}
	r, err := strconv.ParseInt(a.Result, 10, 64)
	if err != nil {
		panic(err)
	}
	if r < 0 {
		_ = json.Unmarshal(a.Error, &i.err)
	}
	if len(a.Out) == 0 {
		return r, nil
	}
	return r, a.Out[0]
}

func (i *imports) call32(name string, args ...any) int32 {
	r, _ := i.call(name, args...)
	return int32(r)
}

// into is call for imports that fill p.
func (i *imports) into(p []byte, name string, args ...any) int64 {
	r, b := i.call(name, args...)
	copy(p, b)
	return r
}

// pair is call for imports that write two numbers.
func (i *imports) pair(dst *[2]int64, name string, args ...any) int32 {
	r, b := i.call(name, append(args, out(16))...)
	dst[0], dst[1] = int64(binary.LittleEndian.Uint64(b)), int64(binary.LittleEndian.Uint64(b[8:]))
	return int32(r)
}

// record is call for imports that write a media record.
func (i *imports) record(dst *abi.MediaRecord, name string, args ...any) int32 {
	return int32(i.into(dst[:], name, append(args, out(len(dst)))...))
}

func (i *imports) LastError() string { return i.err }

func (i *imports) Normalize(form int32, text string, buf []byte) int32 {
	return int32(i.into(buf, abi.ImportNormalize, form, in([]byte(text)), capped(buf)))
}

func (i *imports) SQLNext(stmt int32, buf []byte) int64 {
	return i.into(buf, abi.ImportSQLNext, stmt, capped(buf))
}

func (i *imports) SQLFinalize(stmt int32) int32 { return i.call32(abi.ImportSQLFinalize, stmt) }

func (i *imports) FileRead(file int32, off int64, p []byte) int32 {
	return int32(i.into(p, abi.ImportFileRead, file, wide(off), capped(p)))
}

func (i *imports) FileWrite(file int32, p []byte) int32 {
	return i.call32(abi.ImportFileWrite, file, in(p))
}

func (i *imports) FileSize(file int32) int64 {
	r, _ := i.call(abi.ImportFileSize, file)
	return r
}

func (i *imports) FileClose(file int32) int32 { return i.call32(abi.ImportFileClose, file) }

func (i *imports) MediaScan() int32 { return i.call32(abi.ImportMediaScan) }

func (i *imports) MediaStat(name string, out *[2]int64) int32 {
	return i.pair(out, abi.ImportMediaStat, in([]byte(name)))
}

func (i *imports) MediaHash(name string, out *abi.MediaRecord) int32 {
	return i.record(out, abi.ImportMediaHash, in([]byte(name)))
}

func (i *imports) MediaOpen(name string) int32 {
	return i.call32(abi.ImportMediaOpen, in([]byte(name)))
}

func (i *imports) MediaCreate() int32 { return i.call32(abi.ImportMediaCreate) }

func (i *imports) MediaCopy(name string, size, modified int64) int32 {
	return i.call32(abi.ImportMediaCopy, in([]byte(name)), wide(size), wide(modified))
}

func (i *imports) MediaWrite(draft int32, p []byte) int32 {
	return i.call32(abi.ImportMediaWrite, draft, in(p))
}

func (i *imports) MediaSum(draft int32, out *abi.MediaRecord) int32 {
	return i.record(out, abi.ImportMediaSum, draft)
}

func (i *imports) MediaInstall(draft int32, name string, seen int32, size, modified int64, out *[2]int64) int32 {
	return i.pair(out, abi.ImportMediaInstall, draft, in([]byte(name)), seen, wide(size), wide(modified))
}

func (i *imports) MediaDiscard(draft int32) int32 { return i.call32(abi.ImportMediaDiscard, draft) }

func (i *imports) MediaTrash(name string, size, modified int64) int32 {
	return i.call32(abi.ImportMediaTrash, in([]byte(name)), wide(size), wide(modified))
}

func (i *imports) MediaExpire(ms int64) int32 { return i.call32(abi.ImportMediaExpire, wide(ms)) }

func (i *imports) MediaFlush() int32 { return i.call32(abi.ImportMediaFlush) }
