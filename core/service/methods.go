package service

import (
	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/jsontext"
	"github.com/cardferry/cardferry/core/profile"
)

// The method names of Call.
const (
	MethodOpen     = "open"
	MethodClose    = "close"
	MethodLogin    = "login"
	MethodStatus   = "status"
	MethodSync     = "sync"
	MethodUpload   = "upload"
	MethodDownload = "download"
	MethodBackups  = "backups"
	MethodRestore  = "restore"
	MethodVersion  = "version"

	MethodMediaSync   = "mediaSync"
	MethodGetMedia    = "getMedia"
	MethodMediaCheck  = "mediaCheck"
	MethodForgetMedia = "forgetMedia"
	MethodAddMedia    = "addMedia"
	MethodRemoveMedia = "removeMedia"
	MethodMediaState  = "mediaState"

	MethodExportFile = "exportFile"
	MethodImportFile = "importFile"

	MethodAuto = "auto"

	MethodEdit = "edit"
	MethodUndo = "undo"

	MethodDeckTree  = "deckTree"
	MethodNextCards = "nextCards"

	MethodRender       = "render"
	MethodCompareTyped = "compareTyped"
)

// Methods returns the names of all methods.
func Methods() []string {
	return []string{
		MethodOpen,
		MethodClose,
		MethodLogin,
		MethodStatus,
		MethodSync,
		MethodUpload,
		MethodDownload,
		MethodBackups,
		MethodRestore,
		MethodVersion,
		MethodMediaSync,
		MethodGetMedia,
		MethodMediaCheck,
		MethodForgetMedia,
		MethodAddMedia,
		MethodRemoveMedia,
		MethodMediaState,
		MethodExportFile,
		MethodImportFile,
		MethodAuto,
		MethodEdit,
		MethodUndo,
		MethodDeckTree,
		MethodNextCards,
		MethodRender,
		MethodCompareTyped,
	}
}

// Version is the program's version; it is sent to servers and must stay printable ASCII.
const Version = "0.1.0"

// OpenParams open the profile's collection and keep it open. Client names the program in requests.
type OpenParams struct {
	Client string `json:"client"`
	Create bool   `json:"create"`
}

// OpenResult says what opening had to do.
type OpenResult = profile.Opened

// LoginParams are what a user enters. No open collection is needed.
type LoginParams struct {
	Endpoint string `json:"endpoint"`
	User     string `json:"user"`
	Password string `json:"password"`
	Client   string `json:"client"`
}

// LoginResult has the key, which the host keeps.
type LoginResult = colsync.LoginResult

// StatusParams select between the offline and the online status.
type StatusParams struct {
	Account *colsync.Account `json:"account"`
	Offline bool             `json:"offline"`
}

// StatusResult says what a sync would do.
type StatusResult = colsync.StatusResult

// SyncParams are those of a sync; OnConflict is "ask" if empty.
type SyncParams struct {
	Account    *colsync.Account  `json:"account"`
	OnConflict colsync.Direction `json:"on_conflict"`
}

// SyncResult counts what was sent and received.
type SyncResult = colsync.Report

// TransferParams are those of upload and download.
type TransferParams struct {
	Account *colsync.Account `json:"account"`
	Backup  bool             `json:"backup"`
	// OwnBackup keeps one of the server's collection here also where the server keeps one.
	OwnBackup bool `json:"own_backup,omitempty"`
}

// TransferResult is the result of upload and download.
type TransferResult = colsync.TransferReport

// BackupsResult lists backups, newest first.
type BackupsResult struct {
	Backups []profile.Backup `json:"backups"`
}

// AppendJSON appends r as JSON.
func (r BackupsResult) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"backups":[`...)
	for _, b := range r.Backups {
		dst = b.AppendJSON(jsontext.Separate(dst))
	}
	return append(dst, "]}"...)
}

// RestoreParams name a backup.
type RestoreParams struct {
	ID string `json:"id"`
}

// RestoreResult has the id of the backup of what was replaced.
type RestoreResult struct {
	Backup string `json:"backup"`
}

// AppendJSON appends r as JSON.
func (r RestoreResult) AppendJSON(dst []byte) []byte {
	return append(jsontext.PutText(append(dst, '{'), "backup", r.Backup), '}')
}

// VersionResult describes the guest.
type VersionResult struct {
	Version string `json:"version"`
}

// AppendJSON appends r as JSON.
func (r VersionResult) AppendJSON(dst []byte) []byte {
	return append(jsontext.PutText(append(dst, '{'), "version", r.Version), '}')
}
