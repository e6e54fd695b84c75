// Package abi is the guest's side of the boundary with its host, without the few lines that need a Wasm compiler:
// names, envelopes, tasks as coroutines, and the ports of core/host on top of the imports.
//
// The boundary is described in wasm/ABI.md. jsbridge/src/protocol.ts is the other side of it and uses the same names;
// its constants (jsbridge/src/protocol.gen.ts) are written from this package by a test.
package abi

// Version is the number of the boundary. A host refuses a guest that reports another one.
const Version = 1

// Module is the name of the module that the imports come from.
const Module = "cardferry"

// The exports of the guest.
const (
	ExportInitialize    = "_initialize"
	ExportABI           = "cf_abi"
	ExportAlloc         = "cf_alloc"
	ExportCall          = "cf_call"
	ExportEvent         = "cf_event"
	ExportTick          = "cf_tick"
	ExportCancel        = "cf_cancel"
	ExportCollate       = "cf_collate"
	ExportCollateBuffer = "cf_collate_buffer"
)

// Exports lists the exports in the order of wasm/ABI.md.
func Exports() []string {
	return []string{
		ExportInitialize, ExportABI, ExportAlloc, ExportCall, ExportEvent, ExportTick, ExportCancel,
		ExportCollate, ExportCollateBuffer,
	}
}

// The imports of the guest. A wasmimport directive cannot use a constant; a test compares them with the built guest.
const (
	ImportLastError    = "last_error"
	ImportTaskDone     = "task_done"
	ImportTick         = "tick"
	ImportProgress     = "progress"
	ImportLog          = "log"
	ImportNow          = "now"
	ImportMinutesWest  = "minutes_west"
	ImportRandom       = "random"
	ImportNormalize    = "normalize"
	ImportSQLOpen      = "sql_open"
	ImportSQLExec      = "sql_exec"
	ImportSQLPrepare   = "sql_prepare"
	ImportSQLRun       = "sql_run"
	ImportSQLQuery     = "sql_query"
	ImportSQLNext      = "sql_next"
	ImportSQLCheck     = "sql_check"
	ImportSQLCopy      = "sql_copy_into"
	ImportSQLFinalize  = "sql_finalize"
	ImportSQLRollback  = "sql_rollback"
	ImportSQLClose     = "sql_close"
	ImportFileCreate   = "file_create"
	ImportFileOpen     = "file_open"
	ImportFileRead     = "file_read"
	ImportFileWrite    = "file_write"
	ImportFileSync     = "file_sync"
	ImportFileClose    = "file_close"
	ImportFileSize     = "file_size"
	ImportFileStat     = "file_stat"
	ImportFileList     = "file_list"
	ImportFileCompress = "file_compress"
	ImportFileRemove   = "file_remove"
	ImportFileReplace  = "file_replace"
	ImportMediaScan    = "media_scan"
	ImportMediaStat    = "media_stat"
	ImportMediaHash    = "media_hash"
	ImportMediaOpen    = "media_open"
	ImportMediaCreate  = "media_create"
	ImportMediaCopy    = "media_copy"
	ImportMediaWrite   = "media_write"
	ImportMediaSum     = "media_sum"
	ImportMediaInstall = "media_install"
	ImportMediaDiscard = "media_discard"
	ImportMediaTrash   = "media_trash"
	ImportMediaExpire  = "media_expire"
	ImportMediaFlush   = "media_flush"
	ImportHTTPStart    = "http_start"
	ImportHTTPRead     = "http_read"
	ImportHTTPClose    = "http_close"
)

// ImportNames lists the imports in the order of wasm/ABI.md.
func ImportNames() []string {
	return []string{
		ImportLastError, ImportTaskDone, ImportTick, ImportProgress, ImportLog, ImportNow, ImportMinutesWest, ImportRandom,
		ImportNormalize,
		ImportSQLOpen, ImportSQLExec, ImportSQLPrepare, ImportSQLRun, ImportSQLQuery, ImportSQLNext,
		ImportSQLCheck, ImportSQLCopy, ImportSQLFinalize, ImportSQLRollback, ImportSQLClose,
		ImportFileCreate, ImportFileOpen, ImportFileRead, ImportFileWrite, ImportFileSync, ImportFileClose, ImportFileSize,
		ImportFileStat, ImportFileList, ImportFileCompress, ImportFileRemove, ImportFileReplace,
		ImportMediaScan, ImportMediaStat, ImportMediaHash, ImportMediaOpen,
		ImportMediaCreate, ImportMediaCopy, ImportMediaWrite, ImportMediaSum, ImportMediaInstall, ImportMediaDiscard,
		ImportMediaTrash, ImportMediaExpire, ImportMediaFlush,
		ImportHTTPStart, ImportHTTPRead, ImportHTTPClose,
	}
}

// The flags of a request block (see host.Request).
const (
	FlagStream = 1 // the body of the answer is streamed
	FlagUnzstd = 2 // the host may decompress the body of the answer
	FlagZstd   = 4 // the host is to compress the body
)

// Changed is the result of an import that changes the media store if there is something else under the name than the
// guest has seen: nothing was done.
const Changed = 1

// NotOffered is the result of an import that a host need not have.
const NotOffered = 1

// Unfinished is the result of an import that is to be called again after a tick.
const Unfinished = 2

// EventKind says what a cf_event brings.
type EventKind int32

// The kinds of events. A number is never reused or changed; append only.
const (
	EventAnswer EventKind = 1 // the head of an answer and, unless streamed, its body
	EventData   EventKind = 2 // bytes of a streamed body
	EventEnd    EventKind = 3 // the end of a streamed body
	EventFailed EventKind = 4 // the call is over without an answer, or in the middle of a streamed one
	EventSent   EventKind = 5 // how much of a large body has been sent so far
)

// The flags in the result of sql_next, above the 32 bits of a size.
const (
	NextDone   = 1 << 32 // the statement is done
	NextTooBig = 1 << 33 // nothing was written: the next row alone needs the size in the lower bits
)

// NextBuffer is how many bytes the guest offers to one sql_next: a batch of host.Stmt.Next, and room for the row with
// which a host goes over it.
const NextBuffer = 80 << 10
