package abi_test

import (
	"fmt"

	"github.com/cardferry/cardferry/wasm/abi"
)

// imports is a host that answers from fields and records what it was asked. Methods that a test does not
// expect panic by the nil interface.
type imports struct {
	abi.Imports
	now   int64
	err   string
	lines []string         // every recorded import, in order
	done  map[int32]string // envelopes of finished tasks
	next  func(buf []byte) int64
	list  func(buf []byte) int32
	read  func(off int64, p []byte) int32
	code  int64            // result of the other imports
	calls map[int32][]byte // request blocks
}

func newImports() *imports {
	return &imports{now: 1_000_000, done: map[int32]string{}, calls: map[int32][]byte{}}
}

func (f *imports) record(format string, args ...any) {
	f.lines = append(f.lines, fmt.Sprintf(format, args...))
}

func (f *imports) LastError() string                    { return f.err }
func (f *imports) TaskDone(task int32, envelope []byte) { f.done[task] = string(envelope) }
func (f *imports) Tick(task int32)                      { f.record("tick %d", task) }
func (f *imports) Log(line string)                      { f.record("log %s", line) }
func (f *imports) Now() int64                           { return f.now }
func (f *imports) MinutesWest(ms int64) int32           { return int32(-ms / 1000) }
func (f *imports) Progress(task int32, stage string, done, total int64) {
	f.record("progress %d %s %d/%d", task, stage, done, total)
}
func (f *imports) Random(p []byte) {
	for i := range p {
		p[i] = byte(i + 1)
	}
}

// Normalize answers with a text of three times the size.
func (f *imports) Normalize(form int32, text string, buf []byte) int32 {
	f.record("normalize %d %s %d", form, text, len(buf))
	if s := text + text + text; len(s) <= len(buf) {
		copy(buf, s)
	}
	return int32(3 * len(text))
}

func (f *imports) result(format string, args ...any) int32 {
	f.record(format, args...)
	return int32(f.code)
}

func (f *imports) SQLOpen(name string, mode int32) int32 { return f.result("open %s %d", name, mode) }
func (f *imports) SQLExec(db int32, sql string) int32    { return f.result("exec %d %s", db, sql) }
func (f *imports) SQLPrepare(db int32, sql string) int32 { return f.result("prepare %d %s", db, sql) }
func (f *imports) SQLRun(stmt int32, p []byte) int64 {
	f.record("run %d %x", stmt, p)
	return f.code
}
func (f *imports) SQLQuery(stmt int32, p []byte) int32  { return f.result("query %d %x", stmt, p) }
func (f *imports) SQLNext(stmt int32, buf []byte) int64 { return f.next(buf) }
func (f *imports) SQLCopyInto(db int32, name string, compact int32) int32 {
	return f.result("copy %d %s %d", db, name, compact)
}
func (f *imports) SQLCheck(db, limit int32) int32              { return f.result("check %d %d", db, limit) }
func (f *imports) SQLFinalize(stmt int32) int32                { return f.result("finalize %d", stmt) }
func (f *imports) SQLRollback(db int32) int32                  { return f.result("rollback %d", db) }
func (f *imports) SQLClose(db int32) int32                     { return f.result("close %d", db) }
func (f *imports) FileCreate(name string) int32                { return f.result("create %s", name) }
func (f *imports) FileOpen(name string) int32                  { return f.result("open file %s", name) }
func (f *imports) FileRead(_ int32, off int64, p []byte) int32 { return f.read(off, p) }
func (f *imports) FileWrite(file int32, p []byte) int32        { return f.result("write %d %d", file, len(p)) }
func (f *imports) FileSync(file int32) int32                   { return f.result("sync %d", file) }
func (f *imports) FileClose(file int32) int32                  { return f.result("close file %d", file) }
func (f *imports) FileSize(file int32) int64                   { f.record("size %d", file); return f.code }
func (f *imports) FileList(_ string, buf []byte) int32         { return f.list(buf) }
func (f *imports) FileRemove(name string) int32                { return f.result("remove %s", name) }
func (f *imports) FileCompress(from, to string) int32          { return f.result("compress %s %s", from, to) }
func (f *imports) FileReplace(from, to string) int32           { return f.result("replace %s %s", from, to) }
func (f *imports) FileStat(name string, out *[2]int64) int32 {
	out[0], out[1] = 77, 5_000_000_000
	return f.result("stat %s", name)
}

func (f *imports) HTTPStart(call int32, request []byte) {
	f.calls[call] = append([]byte(nil), request...)
	f.record("start %d", call)
}
func (f *imports) HTTPRead(call, limit int32) { f.record("read %d %d", call, limit) }
func (f *imports) HTTPClose(call int32)       { f.record("close call %d", call) }
