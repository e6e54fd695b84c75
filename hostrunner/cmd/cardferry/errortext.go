package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/wire"
)

// errorText is what a person reads of an error: what happened, what is known about it, and what to do.
func errorText(kind fault.Kind, message string, e fault.Error) string {
	var b strings.Builder
	fmt.Fprintf(&b, "cardferry: %s", message)
	if name := kind.String(); name != message && kind != fault.Other {
		fmt.Fprintf(&b, " (%s)", name)
	}
	b.WriteByte('\n')
	b.WriteString(detailText(kind, e.Details))
	if e.Hint != "" {
		b.WriteString(e.Hint + "\n")
	}
	if e.Changed && (kind == fault.Cancelled || exitCode(kind) == exitCode(fault.Network)) {
		b.WriteString("The collection here was changed already; it is in order, and the next sync does the rest.\n")
	}
	return b.String()
}

// defaultHints are for errors that come without one.
var defaultHints = map[fault.Kind]string{
	fault.Busy:            "Close the other program that uses this collection, then try again.",
	fault.StorageFull:     "Make room on the disk, then try again; nothing is lost.",
	fault.NotWritable:     "Check who may write in the profile folder, and that the disk is not read-only.",
	fault.DamagedDownload: wire.Hint,
	fault.DamagedFile:     "Restore a backup (cardferry backups), or move the file away and download the collection from the server.",
	fault.Offline:         "Check the connection, then try again; nothing is lost.",
	fault.Timeout:         "Check the connection, then try again; nothing is lost.",
	fault.Network:         "Check the address and the connection, then try again; cardferry doctor looks closer.",
	fault.Resync:          "Sync again; if it stays, run Check Database on the device that synced last.",
	fault.Internal:        "This is a defect of Cardferry. The collection is in order; try again, or with --engine=native.",
}

// details are those that a person is told about. They come from the core as JSON.
type details struct {
	UploadOK      bool `json:"upload_ok"`
	DownloadOK    bool `json:"download_ok"`
	DownloadLoses struct {
		Cards   int64            `json:"cards"`
		Notes   int64            `json:"notes"`
		Revlog  int64            `json:"revlog"`
		Pending map[string]int64 `json:"pending"`
	} `json:"download_loses"`
	UploadLoses struct {
		ServerEmpty bool  `json:"server_empty"`
		Modified    int64 `json:"modified"`
		Changed     bool  `json:"changed_since_last_sync"`
	} `json:"upload_loses"`
	LocalTime  int64            `json:"local_time"`
	ServerTime int64            `json:"server_time"`
	Tables     []string         `json:"tables"`
	Client     map[string]int64 `json:"client"`
	Server     map[string]int64 `json:"server"`
}

func detailText(kind fault.Kind, fields map[string]any) string {
	var d details
	if b, err := json.Marshal(fields); err != nil || json.Unmarshal(b, &d) != nil {
		return ""
	}
	switch kind {
	case fault.OneWayNeeded:
		return oneWayText(d)
	case fault.Clock:
		return fmt.Sprintf("  this device: %s\n  the server:  %s\n", when(d.LocalTime*1000), when(d.ServerTime*1000))
	case fault.Sanity:
		return sanityText(d)
	}
	return ""
}

// oneWayText says what each direction would lose.
func oneWayText(d details) string {
	var b strings.Builder
	if d.UploadOK && d.UploadLoses.ServerEmpty {
		b.WriteString("  upload    loses nothing: the server is empty\n")
	} else if d.UploadOK {
		fmt.Fprintf(&b, "  upload    replaces the server's collection, last changed %s", when(d.UploadLoses.Modified))
		if d.UploadLoses.Changed {
			b.WriteString(" (since the last sync here)")
		}
		b.WriteByte('\n')
	}
	loses := d.DownloadLoses
	if d.DownloadOK && loses.Cards+loses.Notes+loses.Revlog == 0 {
		b.WriteString("  download  loses nothing: this collection is empty\n")
	} else if d.DownloadOK {
		pending := int64(0)
		for _, n := range loses.Pending {
			pending += n
		}
		fmt.Fprintf(&b, "  download  replaces this collection: %d notes, %d cards, %d reviews; %d changes were never sent\n",
			loses.Notes, loses.Cards, loses.Revlog, pending)
	}
	return b.String()
}

// sanityText shows the counts that differ.
func sanityText(d details) string {
	var b strings.Builder
	for _, table := range slices.Sorted(maps.Keys(d.Client)) {
		if slices.Contains(d.Tables, table) {
			fmt.Fprintf(&b, "  %-12s %d here, %d on the server\n", table, d.Client[table], d.Server[table])
		}
	}
	return b.String()
}
