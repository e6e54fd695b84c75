//go:build wasm

package main

import (
	"unsafe"

	"github.com/cardferry/cardferry/wasm/abi"
)

var _ abi.Imports = imports{}

// imports makes the imported functions an abi.Imports: slices become pointer and length.
type imports struct{}

func addr(p []byte) (unsafe.Pointer, int32) {
	return unsafe.Pointer(unsafe.SliceData(p)), int32(len(p))
}

func (imports) LastError() string {
	buf := make([]byte, 1024)
	n := lastError(addr(buf))
	return string(buf[:min(max(n, 0), int32(len(buf)))])
}

func (imports) TaskDone(task int32, envelope []byte) {
	p, n := addr(envelope)
	taskDone(task, p, n)
}

func (imports) Tick(task int32) { tickImport(task) }

func (imports) Progress(task int32, stage string, done, total int64) {
	progress(task, stage, done, total)
}

func (imports) Log(line string)            { logImport(line) }
func (imports) Now() int64                 { return now() }
func (imports) MinutesWest(ms int64) int32 { return minutesWest(ms) }
func (imports) Random(p []byte)            { random(addr(p)) }

func (imports) Normalize(form int32, text string, buf []byte) int32 {
	p, n := addr(buf)
	return normalize(form, text, p, n)
}

func (imports) SQLOpen(name string, mode int32) int32 { return sqlOpen(name, mode) }
func (imports) SQLExec(db int32, sql string) int32    { return sqlExec(db, sql) }
func (imports) SQLPrepare(db int32, sql string) int32 { return sqlPrepare(db, sql) }
func (imports) SQLCheck(db, limit int32) int32        { return sqlCheck(db, limit) }
func (imports) SQLCopyInto(db int32, name string, compact int32) int32 {
	return sqlCopyInto(db, name, compact)
}
func (imports) SQLFinalize(stmt int32) int32 { return sqlFinalize(stmt) }
func (imports) SQLRollback(db int32) int32   { return sqlRollback(db) }
func (imports) SQLClose(db int32) int32      { return sqlClose(db) }

func (imports) SQLRun(stmt int32, params []byte) int64 {
	p, n := addr(params)
	return sqlRun(stmt, p, n)
}

func (imports) SQLQuery(stmt int32, params []byte) int32 {
	p, n := addr(params)
	return sqlQuery(stmt, p, n)
}

func (imports) SQLNext(stmt int32, buf []byte) int64 {
	p, n := addr(buf)
	return sqlNext(stmt, p, n)
}

func (imports) FileCreate(name string) int32       { return fileCreate(name) }
func (imports) FileOpen(name string) int32         { return fileOpen(name) }
func (imports) FileSync(file int32) int32          { return fileSync(file) }
func (imports) FileClose(file int32) int32         { return fileClose(file) }
func (imports) FileSize(file int32) int64          { return fileSize(file) }
func (imports) FileRemove(name string) int32       { return fileRemove(name) }
func (imports) FileCompress(from, to string) int32 { return fileCompress(from, to) }
func (imports) FileReplace(from, to string) int32  { return fileReplace(from, to) }

func (imports) FileRead(file int32, off int64, b []byte) int32 {
	p, n := addr(b)
	return fileRead(file, off, p, n)
}

func (imports) FileWrite(file int32, b []byte) int32 {
	p, n := addr(b)
	return fileWrite(file, p, n)
}

func (imports) FileStat(name string, out *[2]int64) int32 {
	return fileStat(name, unsafe.Pointer(out))
}

func (imports) FileList(prefix string, buf []byte) int32 {
	p, n := addr(buf)
	return fileList(prefix, p, n)
}

func (imports) MediaScan() int32               { return mediaScan() }
func (imports) MediaOpen(name string) int32    { return mediaOpen(name) }
func (imports) MediaCreate() int32             { return mediaCreate() }
func (imports) MediaDiscard(draft int32) int32 { return mediaDiscard(draft) }
func (imports) MediaExpire(ms int64) int32     { return mediaExpire(ms) }
func (imports) MediaFlush() int32              { return mediaFlush() }

func (imports) MediaStat(name string, out *[2]int64) int32 {
	return mediaStat(name, unsafe.Pointer(out))
}

func (imports) MediaHash(name string, out *abi.MediaRecord) int32 {
	return mediaHash(name, unsafe.Pointer(out))
}

func (imports) MediaCopy(name string, size, modified int64) int32 {
	return mediaCopy(name, size, modified)
}

func (imports) MediaWrite(draft int32, b []byte) int32 {
	p, n := addr(b)
	return mediaWrite(draft, p, n)
}

func (imports) MediaSum(draft int32, out *abi.MediaRecord) int32 {
	return mediaSum(draft, unsafe.Pointer(out))
}

func (imports) MediaInstall(draft int32, name string, seen int32, size, modified int64, out *[2]int64) int32 {
	return mediaInstall(draft, name, seen, size, modified, unsafe.Pointer(out))
}

func (imports) MediaTrash(name string, size, modified int64) int32 {
	return mediaTrash(name, size, modified)
}

func (imports) HTTPStart(call int32, request []byte) {
	p, n := addr(request)
	httpStart(call, p, n)
}

func (imports) HTTPRead(call, limit int32) { httpRead(call, limit) }
func (imports) HTTPClose(call int32)       { httpClose(call) }
