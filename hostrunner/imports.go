package hostrunner

import (
	"encoding/binary"
	"fmt"

	"github.com/tetratelabs/wazero/api"

	"github.com/cardferry/cardferry/wasm/abi"
)

// memory is a guest's memory as imports use it. A pointer outside of it is a defect of the guest: the panic traps.
type memory struct{ api.Memory }

// bytes returns n bytes at p, not copied; valid during one import, as nothing grows the memory meanwhile.
func (m memory) bytes(p, n uint64) []byte {
	b, ok := m.Read(uint32(p), uint32(n))
	if !ok {
		panic(fmt.Sprintf("import: %d bytes at %#x are outside of the guest's memory", uint32(n), uint32(p)))
	}
	return b
}

// text returns a copy.
func (m memory) text(p, n uint64) string { return string(m.bytes(p, n)) }

// pair gives do two numbers to set, which go to p.
func (m memory) pair(p uint64, do func(out *[2]int64) int32) int32 {
	dst := m.bytes(p, 16)
	var out [2]int64
	r := do(&out)
	binary.LittleEndian.PutUint64(dst, uint64(out[0]))
	binary.LittleEndian.PutUint64(dst[8:], uint64(out[1]))
	return r
}

// record returns the media record at p, not copied.
func (m memory) record(p uint64) *abi.MediaRecord {
	return (*abi.MediaRecord)(m.bytes(p, uint64(len(abi.MediaRecord{}))))
}

// imported is one import: its name, its type, and how it reaches a lender. The stack has the parameters.
type imported struct {
	name    string
	params  []api.ValueType
	results []api.ValueType
	run     func(l *lender, m memory, s []uint64) uint64
}

// The types of the imports, as short as in wasm/ABI.md: i is an i32, I an i64.
func types(s string) []api.ValueType {
	var ts []api.ValueType
	for _, c := range s {
		switch c {
		case 'i':
			ts = append(ts, api.ValueTypeI32)
		case 'I':
			ts = append(ts, api.ValueTypeI64)
		}
	}
	return ts
}

func i32(v uint64) int32   { return int32(uint32(v)) }
func ret32(v int32) uint64 { return uint64(uint32(v)) }
func ret64(v int64) uint64 { return uint64(v) }

// noResult makes an import without a result one that returns nothing of interest.
func noResult(run func(l *lender, m memory, s []uint64)) func(*lender, memory, []uint64) uint64 {
	return func(l *lender, m memory, s []uint64) uint64 {
		run(l, m, s)
		return 0
	}
}

func with32(run func(l *lender, m memory, s []uint64) int32) func(*lender, memory, []uint64) uint64 {
	return func(l *lender, m memory, s []uint64) uint64 { return ret32(run(l, m, s)) }
}

func with64(run func(l *lender, m memory, s []uint64) int64) func(*lender, memory, []uint64) uint64 {
	return func(l *lender, m memory, s []uint64) uint64 { return ret64(run(l, m, s)) }
}

// imports is the import table of wasm/ABI.md, in its order.
var imports = []imported{
	{abi.ImportLastError, types("ii"), types("i"), with32(func(l *lender, m memory, s []uint64) int32 {
		return int32(copy(m.bytes(s[0], s[1]), l.LastError()))
	})},
	{abi.ImportTaskDone, types("iii"), nil, noResult(func(l *lender, m memory, s []uint64) { l.TaskDone(i32(s[0]), m.bytes(s[1], s[2])) })},
	{abi.ImportTick, types("i"), nil, noResult(func(l *lender, _ memory, s []uint64) { l.Tick(i32(s[0])) })},
	{abi.ImportProgress, types("iiiII"), nil, noResult(func(l *lender, m memory, s []uint64) {
		l.Progress(i32(s[0]), m.text(s[1], s[2]), int64(s[3]), int64(s[4]))
	})},
	{abi.ImportLog, types("ii"), nil, noResult(func(l *lender, m memory, s []uint64) { l.Log(m.text(s[0], s[1])) })},
	{abi.ImportNow, nil, types("I"), with64(func(l *lender, _ memory, _ []uint64) int64 { return l.Now() })},
	{abi.ImportMinutesWest, types("I"), types("i"), with32(func(l *lender, _ memory, s []uint64) int32 { return l.MinutesWest(int64(s[0])) })},
	{abi.ImportRandom, types("ii"), nil, noResult(func(l *lender, m memory, s []uint64) { l.Random(m.bytes(s[0], s[1])) })},
	{abi.ImportNormalize, types("iiiii"), types("i"), with32(func(l *lender, m memory, s []uint64) int32 {
		return l.Normalize(i32(s[0]), m.text(s[1], s[2]), m.bytes(s[3], s[4]))
	})},

	{abi.ImportSQLOpen, types("iii"), types("i"), with32(func(l *lender, m memory, s []uint64) int32 { return l.SQLOpen(m.text(s[0], s[1]), i32(s[2])) })},
	{abi.ImportSQLExec, types("iii"), types("i"), with32(func(l *lender, m memory, s []uint64) int32 { return l.SQLExec(i32(s[0]), m.text(s[1], s[2])) })},
	{abi.ImportSQLPrepare, types("iii"), types("i"), with32(func(l *lender, m memory, s []uint64) int32 { return l.SQLPrepare(i32(s[0]), m.text(s[1], s[2])) })},
	{abi.ImportSQLRun, types("iii"), types("I"), with64(func(l *lender, m memory, s []uint64) int64 { return l.SQLRun(i32(s[0]), m.bytes(s[1], s[2])) })},
	{abi.ImportSQLQuery, types("iii"), types("i"), with32(func(l *lender, m memory, s []uint64) int32 { return l.SQLQuery(i32(s[0]), m.bytes(s[1], s[2])) })},
	{abi.ImportSQLNext, types("iii"), types("I"), with64(func(l *lender, m memory, s []uint64) int64 { return l.SQLNext(i32(s[0]), m.bytes(s[1], s[2])) })},
	{abi.ImportSQLCheck, types("ii"), types("i"), with32(func(l *lender, _ memory, s []uint64) int32 { return l.SQLCheck(i32(s[0]), i32(s[1])) })},
	{abi.ImportSQLCopy, types("iiii"), types("i"), with32(func(l *lender, m memory, s []uint64) int32 {
		return l.SQLCopyInto(i32(s[0]), m.text(s[1], s[2]), i32(s[3]))
	})},
	{abi.ImportSQLFinalize, types("i"), types("i"), with32(func(l *lender, _ memory, s []uint64) int32 { return l.SQLFinalize(i32(s[0])) })},
	{abi.ImportSQLRollback, types("i"), types("i"), with32(func(l *lender, _ memory, s []uint64) int32 { return l.SQLRollback(i32(s[0])) })},
	{abi.ImportSQLClose, types("i"), types("i"), with32(func(l *lender, _ memory, s []uint64) int32 { return l.SQLClose(i32(s[0])) })},

	{abi.ImportFileCreate, types("ii"), types("i"), with32(func(l *lender, m memory, s []uint64) int32 { return l.FileCreate(m.text(s[0], s[1])) })},
	{abi.ImportFileOpen, types("ii"), types("i"), with32(func(l *lender, m memory, s []uint64) int32 { return l.FileOpen(m.text(s[0], s[1])) })},
	{abi.ImportFileRead, types("iIii"), types("i"), with32(func(l *lender, m memory, s []uint64) int32 {
		return l.FileRead(i32(s[0]), int64(s[1]), m.bytes(s[2], s[3]))
	})},
	{abi.ImportFileWrite, types("iii"), types("i"), with32(func(l *lender, m memory, s []uint64) int32 { return l.FileWrite(i32(s[0]), m.bytes(s[1], s[2])) })},
	{abi.ImportFileSync, types("i"), types("i"), with32(func(l *lender, _ memory, s []uint64) int32 { return l.FileSync(i32(s[0])) })},
	{abi.ImportFileClose, types("i"), types("i"), with32(func(l *lender, _ memory, s []uint64) int32 { return l.FileClose(i32(s[0])) })},
	{abi.ImportFileSize, types("i"), types("I"), with64(func(l *lender, _ memory, s []uint64) int64 { return l.FileSize(i32(s[0])) })},
	{abi.ImportFileStat, types("iii"), types("i"), with32(func(l *lender, m memory, s []uint64) int32 {
		return m.pair(s[2], func(out *[2]int64) int32 { return l.FileStat(m.text(s[0], s[1]), out) })
	})},
	{abi.ImportFileList, types("iiii"), types("i"), with32(func(l *lender, m memory, s []uint64) int32 {
		return l.FileList(m.text(s[0], s[1]), m.bytes(s[2], s[3]))
	})},
	{abi.ImportFileCompress, types("iiii"), types("i"), with32(func(l *lender, m memory, s []uint64) int32 {
		return l.FileCompress(m.text(s[0], s[1]), m.text(s[2], s[3]))
	})},
	{abi.ImportFileRemove, types("ii"), types("i"), with32(func(l *lender, m memory, s []uint64) int32 { return l.FileRemove(m.text(s[0], s[1])) })},
	{abi.ImportFileReplace, types("iiii"), types("i"), with32(func(l *lender, m memory, s []uint64) int32 {
		return l.FileReplace(m.text(s[0], s[1]), m.text(s[2], s[3]))
	})},

	{abi.ImportMediaScan, nil, types("i"), with32(func(l *lender, _ memory, _ []uint64) int32 { return l.MediaScan() })},
	{abi.ImportMediaStat, types("iii"), types("i"), with32(func(l *lender, m memory, s []uint64) int32 {
		return m.pair(s[2], func(out *[2]int64) int32 { return l.MediaStat(m.text(s[0], s[1]), out) })
	})},
	{abi.ImportMediaHash, types("iii"), types("i"), with32(func(l *lender, m memory, s []uint64) int32 {
		return l.MediaHash(m.text(s[0], s[1]), m.record(s[2]))
	})},
	{abi.ImportMediaOpen, types("ii"), types("i"), with32(func(l *lender, m memory, s []uint64) int32 { return l.MediaOpen(m.text(s[0], s[1])) })},
	{abi.ImportMediaCreate, nil, types("i"), with32(func(l *lender, _ memory, _ []uint64) int32 { return l.MediaCreate() })},
	{abi.ImportMediaCopy, types("iiII"), types("i"), with32(func(l *lender, m memory, s []uint64) int32 {
		return l.MediaCopy(m.text(s[0], s[1]), int64(s[2]), int64(s[3]))
	})},
	{abi.ImportMediaWrite, types("iii"), types("i"), with32(func(l *lender, m memory, s []uint64) int32 { return l.MediaWrite(i32(s[0]), m.bytes(s[1], s[2])) })},
	{abi.ImportMediaSum, types("ii"), types("i"), with32(func(l *lender, m memory, s []uint64) int32 { return l.MediaSum(i32(s[0]), m.record(s[1])) })},
	{abi.ImportMediaInstall, types("iiiiIIi"), types("i"), with32(func(l *lender, m memory, s []uint64) int32 {
		return m.pair(s[6], func(out *[2]int64) int32 {
			return l.MediaInstall(i32(s[0]), m.text(s[1], s[2]), i32(s[3]), int64(s[4]), int64(s[5]), out)
		})
	})},
	{abi.ImportMediaDiscard, types("i"), types("i"), with32(func(l *lender, _ memory, s []uint64) int32 { return l.MediaDiscard(i32(s[0])) })},
	{abi.ImportMediaTrash, types("iiII"), types("i"), with32(func(l *lender, m memory, s []uint64) int32 {
		return l.MediaTrash(m.text(s[0], s[1]), int64(s[2]), int64(s[3]))
	})},
	{abi.ImportMediaExpire, types("I"), types("i"), with32(func(l *lender, _ memory, s []uint64) int32 { return l.MediaExpire(int64(s[0])) })},
	{abi.ImportMediaFlush, nil, types("i"), with32(func(l *lender, _ memory, _ []uint64) int32 { return l.MediaFlush() })},

	{abi.ImportHTTPStart, types("iii"), nil, noResult(func(l *lender, m memory, s []uint64) { l.HTTPStart(i32(s[0]), m.bytes(s[1], s[2])) })},
	{abi.ImportHTTPRead, types("ii"), nil, noResult(func(l *lender, _ memory, s []uint64) { l.HTTPRead(i32(s[0]), i32(s[1])) })},
	{abi.ImportHTTPClose, types("i"), nil, noResult(func(l *lender, _ memory, s []uint64) { l.HTTPClose(i32(s[0])) })},
}
