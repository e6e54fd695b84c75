//go:build wasm

package main

import "unsafe"

//go:wasmimport cardferry last_error
func lastError(p unsafe.Pointer, n int32) int32

//go:wasmimport cardferry task_done
func taskDone(task int32, p unsafe.Pointer, n int32)

//go:wasmimport cardferry tick
func tickImport(task int32)

//go:wasmimport cardferry progress
func progress(task int32, stage string, done, total int64)

//go:wasmimport cardferry log
func logImport(line string)

//go:wasmimport cardferry now
func now() int64

//go:wasmimport cardferry minutes_west
func minutesWest(ms int64) int32

//go:wasmimport cardferry random
func random(p unsafe.Pointer, n int32)

//go:wasmimport cardferry normalize
func normalize(form int32, text string, p unsafe.Pointer, n int32) int32

//go:wasmimport cardferry sql_open
func sqlOpen(name string, mode int32) int32

//go:wasmimport cardferry sql_exec
func sqlExec(db int32, sql string) int32

//go:wasmimport cardferry sql_prepare
func sqlPrepare(db int32, sql string) int32

//go:wasmimport cardferry sql_run
func sqlRun(stmt int32, p unsafe.Pointer, n int32) int64

//go:wasmimport cardferry sql_query
func sqlQuery(stmt int32, p unsafe.Pointer, n int32) int32

//go:wasmimport cardferry sql_next
func sqlNext(stmt int32, p unsafe.Pointer, n int32) int64

//go:wasmimport cardferry sql_check
func sqlCheck(db, limit int32) int32

//go:wasmimport cardferry sql_copy_into
func sqlCopyInto(db int32, name string, compact int32) int32

//go:wasmimport cardferry sql_finalize
func sqlFinalize(stmt int32) int32

//go:wasmimport cardferry sql_rollback
func sqlRollback(db int32) int32

//go:wasmimport cardferry sql_close
func sqlClose(db int32) int32

//go:wasmimport cardferry file_create
func fileCreate(name string) int32

//go:wasmimport cardferry file_open
func fileOpen(name string) int32

//go:wasmimport cardferry file_read
func fileRead(file int32, off int64, p unsafe.Pointer, n int32) int32

//go:wasmimport cardferry file_write
func fileWrite(file int32, p unsafe.Pointer, n int32) int32

//go:wasmimport cardferry file_sync
func fileSync(file int32) int32

//go:wasmimport cardferry file_close
func fileClose(file int32) int32

//go:wasmimport cardferry file_size
func fileSize(file int32) int64

//go:wasmimport cardferry file_stat
func fileStat(name string, out unsafe.Pointer) int32

//go:wasmimport cardferry file_list
func fileList(prefix string, p unsafe.Pointer, n int32) int32

//go:wasmimport cardferry file_compress
func fileCompress(from, to string) int32

//go:wasmimport cardferry file_remove
func fileRemove(name string) int32

//go:wasmimport cardferry file_replace
func fileReplace(from, to string) int32

//go:wasmimport cardferry media_scan
func mediaScan() int32

//go:wasmimport cardferry media_stat
func mediaStat(name string, out unsafe.Pointer) int32

//go:wasmimport cardferry media_hash
func mediaHash(name string, out unsafe.Pointer) int32

//go:wasmimport cardferry media_open
func mediaOpen(name string) int32

//go:wasmimport cardferry media_create
func mediaCreate() int32

//go:wasmimport cardferry media_copy
func mediaCopy(name string, size, modified int64) int32

//go:wasmimport cardferry media_write
func mediaWrite(draft int32, p unsafe.Pointer, n int32) int32

//go:wasmimport cardferry media_sum
func mediaSum(draft int32, out unsafe.Pointer) int32

//go:wasmimport cardferry media_install
func mediaInstall(draft int32, name string, seen int32, size, modified int64, out unsafe.Pointer) int32

//go:wasmimport cardferry media_discard
func mediaDiscard(draft int32) int32

//go:wasmimport cardferry media_trash
func mediaTrash(name string, size, modified int64) int32

//go:wasmimport cardferry media_expire
func mediaExpire(ms int64) int32

//go:wasmimport cardferry media_flush
func mediaFlush() int32

//go:wasmimport cardferry http_start
func httpStart(call int32, p unsafe.Pointer, n int32)

//go:wasmimport cardferry http_read
func httpRead(call, limit int32)

//go:wasmimport cardferry http_close
func httpClose(call int32)
