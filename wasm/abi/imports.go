package abi

// The forms of Normalize.
const (
	FormNFC  = 0
	FormNFKD = 1
)

// Imports mirrors the import table of wasm/ABI.md, one method for each import. Slices and strings belong to the
// caller again when the method returns. Negative results are errors: -kind (core/fault), with the message in
// LastError.
type Imports interface {
	// LastError returns the message of the last import that failed.
	LastError() string
	// TaskDone hands the answer envelope of a task to the host; the task is over.
	TaskDone(task int32, envelope []byte)
	// Tick asks for a cf_tick of the task after other work of the host.
	Tick(task int32)
	// Progress reports how far a task is; total is 0 while unknown.
	Progress(task int32, stage string, done, total int64)
	// Log hands over a line for developers.
	Log(line string)
	// Now returns Unix milliseconds.
	Now() int64
	// MinutesWest returns the offset of the local time zone at that time (Unix milliseconds).
	MinutesWest(ms int64) int32
	// Random fills p.
	Random(p []byte)
	// Normalize writes a text in a normalization form (FormNFC, …) to buf; if it exceeds buf, it writes nothing. The result is
	// its size.
	Normalize(form int32, text string, buf []byte) int32

	// SQLOpen opens a database; mode is a host.OpenMode. Handles are > 0.
	SQLOpen(name string, mode int32) int32
	// SQLExec runs statements, discarding rows.
	SQLExec(db int32, sql string) int32
	// SQLPrepare compiles one statement and returns its handle, > 0.
	SQLPrepare(db int32, sql string) int32
	// SQLRun runs a statement for each packed row, or once if there is none; the result is the number of changed rows.
	SQLRun(stmt int32, params []byte) int64
	// SQLQuery binds one packed row, or none, and starts a statement.
	SQLQuery(stmt int32, params []byte) int32
	// SQLNext writes whole packed rows to buf; the result is their size with NextDone, or NextTooBig and a size.
	SQLNext(stmt int32, buf []byte) int64
	// SQLCheck runs the integrity check; the result is a started statement, > 0, with a row for each complaint.
	SQLCheck(db, limit int32) int32
	// SQLCopyInto writes a copy of the database to a file of the profile, a compact one if compact is 1.
	SQLCopyInto(db int32, name string, compact int32) int32
	// SQLFinalize releases a statement.
	SQLFinalize(stmt int32) int32
	// SQLRollback ends an open transaction.
	SQLRollback(db int32) int32
	// SQLClose closes a database and finalizes what is left of it.
	SQLClose(db int32) int32

	// FileCreate makes an empty staged file and returns its handle, > 0.
	FileCreate(name string) int32
	// FileOpen opens a file for reading and returns its handle, > 0.
	FileOpen(name string) int32
	// FileRead reads at an offset; 0 at the end.
	FileRead(file int32, off int64, p []byte) int32
	// FileWrite appends all of p.
	FileWrite(file int32, p []byte) int32
	// FileSync makes a file durable.
	FileSync(file int32) int32
	// FileClose releases a handle.
	FileClose(file int32) int32
	// FileSize returns the size of an open file.
	FileSize(file int32) int64
	// FileStat writes the size and the time of the last change (Unix nanoseconds, 0 = unknown).
	FileStat(name string, out *[2]int64) int32
	// FileList writes packed rows (name, size, modified); if they exceed buf, it writes nothing and returns the size needed.
	FileList(prefix string, buf []byte) int32
	// FileCompress writes the zstd frame of a file to another one; NotOffered leaves it to the guest, Unfinished is more to do.
	FileCompress(from, to string) int32
	// FileRemove deletes a file and its journals.
	FileRemove(name string) int32
	// FileReplace makes a staged file the content of another name, atomically.
	FileReplace(from, to string) int32

	// MediaScan lists the media store; the result is a started statement, > 0, with a row for each file.
	MediaScan() int32
	// MediaStat describes a media file: size and modified.
	MediaStat(name string, out *[2]int64) int32
	// MediaHash reads a media file and writes a media record (MediaRecord) of it.
	MediaHash(name string, out *MediaRecord) int32
	// MediaOpen opens a media file for reading and returns its handle, > 0, which the file imports take.
	MediaOpen(name string) int32
	// MediaCreate begins a media file and returns the draft's handle, > 0.
	MediaCreate() int32
	// MediaCopy is MediaCreate with the content of a file; 0 if that is not as seen any more.
	MediaCopy(name string, size, modified int64) int32
	// MediaWrite appends all of p to a draft.
	MediaWrite(draft int32, p []byte) int32
	// MediaSum writes a media record of a draft; modified is 0.
	MediaSum(draft int32, out *MediaRecord) int32
	// MediaInstall makes a draft the content of a name and ends it, or returns Changed. With seen 0 there must be nothing
	// under the name, with 1 a file of that size and modified. It writes size and modified of what is there now.
	MediaInstall(draft int32, name string, seen int32, size, modified int64, out *[2]int64) int32
	// MediaDiscard ends a draft.
	MediaDiscard(draft int32) int32
	// MediaTrash moves a media file to the trash, or returns Changed.
	MediaTrash(name string, size, modified int64) int32
	// MediaExpire deletes what was put into the trash before a time (Unix milliseconds).
	MediaExpire(ms int64) int32
	// MediaFlush makes what was installed and trashed durable.
	MediaFlush() int32

	// HTTPStart starts a request, given as request block; call is chosen by the guest, > 0. Failures come as events.
	HTTPStart(call int32, request []byte)
	// HTTPRead asks for up to limit bytes of a streamed body.
	HTTPRead(call int32, limit int32)
	// HTTPClose ends a call.
	HTTPClose(call int32)
}
