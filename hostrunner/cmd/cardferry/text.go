package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/service"
)

// What people read in place of JSON.

func statusText(r service.StatusResult) string {
	var b strings.Builder
	switch r.Required {
	case colsync.RequiredNone:
		b.WriteString("In sync")
	case colsync.RequiredNormal:
		b.WriteString("A sync is due")
	default:
		b.WriteString("One side must replace the other: " + directions(r.UploadOK, r.DownloadOK))
	}
	switch r.Pending {
	case 0:
		b.WriteString("; no changes waiting here")
	case 1:
		b.WriteString("; 1 change waiting here")
	default:
		fmt.Fprintf(&b, "; %d changes waiting here", r.Pending)
	}
	fmt.Fprintf(&b, "; last sync: %s", when(r.LastSync))
	return b.String()
}

func directions(uploadOK, downloadOK bool) string {
	switch {
	case uploadOK && downloadOK:
		return "upload or download"
	case uploadOK:
		return "upload"
	default:
		return "download"
	}
}

func when(ms int64) string {
	if ms == 0 {
		return "never"
	}
	return time.UnixMilli(ms).Format("2006-01-02 15:04:05")
}

func syncText(r service.SyncResult) string {
	var b strings.Builder
	if r.Bytes > 0 {
		fmt.Fprintf(&b, "Synced one way, %s", size(r.Bytes))
		if r.Backup != "" {
			fmt.Fprintf(&b, "\nThe other side is kept as backup %s", r.Backup)
		}
	} else if len(counted(r.Sent))+len(counted(r.Received)) == 0 {
		b.WriteString("In sync, nothing to do")
	} else {
		fmt.Fprintf(&b, "Synced: sent %s; received %s", list(r.Sent), list(r.Received))
	}
	if r.Message != "" {
		fmt.Fprintf(&b, "\nThe server says: %s", r.Message)
	}
	return b.String()
}

func transferText(done string, r service.TransferResult) string {
	s := fmt.Sprintf("%s %s", done, size(r.Bytes))
	if r.Backup != "" {
		s += "\nWhat it replaced is kept as backup " + r.Backup
	}
	if r.Message != "" {
		s += "\nThe server says: " + r.Message
	}
	return s
}

func backupsText(r service.BackupsResult) string {
	if len(r.Backups) == 0 {
		return "No backups"
	}
	var lines []string
	for _, b := range r.Backups {
		lines = append(lines, fmt.Sprintf("%-34s  %s  %10s  %s", b.ID, when(b.Created), size(b.Bytes), backupReason(b.Reason)))
	}
	return strings.Join(lines, "\n")
}

// backupReason says what a backup has.
func backupReason(reason string) string {
	switch reason {
	case "upload":
		return "the server's, before an upload"
	case "download":
		return "this device's, before a download"
	case "restore":
		return "this device's, before a restore"
	case "upgrade":
		return "this device's, before its file format was upgraded"
	case "damaged":
		return "this device's damaged file, before a restore"
	}
	return reason
}

func restoreText(id string, r service.RestoreResult) string {
	s := "Restored backup " + id
	if r.Backup != "" {
		s += "\nWhat it replaced is kept as backup " + r.Backup
	}
	return s + "\nThe next sync asks which side to keep: upload sends the restored collection to the server."
}

// kindNames has what people read for the kinds of objects, for one and for several, in the order of reading.
var kindNames = []struct{ kind, one, several string }{
	{"notes", "note", "notes"}, {"cards", "card", "cards"}, {"revlog", "review", "reviews"}, {"decks", "deck", "decks"},
	{"notetypes", "notetype", "notetypes"}, {"deck_configs", "set of deck options", "sets of deck options"},
	{"tags", "tag", "tags"}, {"config", "setting", "settings"}, {"graves", "deletion", "deletions"},
}

// counted lists the kinds of which there are some.
func counted(c colsync.Counts) []string {
	var parts []string
	for _, k := range kindNames {
		switch n := c[k.kind]; n {
		case 0:
		case 1:
			parts = append(parts, "1 "+k.one)
		default:
			parts = append(parts, fmt.Sprintf("%d %s", n, k.several))
		}
	}
	return parts
}

func list(c colsync.Counts) string {
	if p := counted(c); len(p) > 0 {
		return strings.Join(p, ", ")
	}
	return "nothing"
}

func size(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}
