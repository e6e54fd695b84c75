package profile

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/jsontext"
)

const (
	// backupAge is how long backups are kept; the newest keepBackups stay whatever their age (design.md §10).
	backupAge   = 30 * 24 * time.Hour
	keepBackups = 3
	// backupTime is the layout of the time in a backup's id, in UTC, as package time writes layouts.
	backupTime = "20060102T150405.000Z"
	backupExt  = ".anki2"
)

// Backup describes one backup; Created is in milliseconds, Bytes uncompressed.
type Backup struct {
	ID      string `json:"id"`
	Created int64  `json:"created"`
	Reason  string `json:"reason"`
	Bytes   int64  `json:"bytes"`
}

// AppendJSON appends b as JSON.
func (b Backup) AppendJSON(dst []byte) []byte {
	dst = jsontext.PutText(append(dst, '{'), "id", b.ID)
	dst = jsontext.PutInt(dst, "created", b.Created)
	dst = jsontext.PutText(dst, "reason", b.Reason)
	return append(jsontext.PutInt(dst, "bytes", b.Bytes), '}')
}

// Backup copies the open collection to a new backup and returns its id. Reasons are "download", "upgrade", "restore"
// (this device's copy, before that step) and "upload" (the server's copy).
func (p *Profile) Backup(ctx context.Context, reason string) (string, error) {
	id := p.newBackupID(reason)
	const staged = host.Staging + "backup" + backupExt
	err := p.host.Files.Remove(staged)
	if err == nil {
		err = p.db.CopyInto(staged, true)
	}
	if err == nil {
		err = p.host.Files.Replace(staged, backupFile(id))
	}
	if err != nil {
		p.host.Files.Remove(staged) // part of a copy takes room, of which there may be none left
		return "", fault.Step("back up", err)
	}
	return id, p.prune(id)
}

// KeepAsBackup makes the staged file a backup and returns its id.
func (p *Profile) KeepAsBackup(staged, reason string) (string, error) {
	id := p.newBackupID(reason)
	if err := p.host.Files.Replace(staged, backupFile(id)); err != nil {
		return "", fault.Step("back up", err)
	}
	return id, p.prune(id)
}

func (p *Profile) newBackupID(reason string) string {
	return formatTime(p.host.Clock.Now()) + "-" + reason
}

func backupFile(id string) string { return host.Backups + id + backupExt }

// Backups lists the backups, newest first.
func Backups(h *host.Host) ([]Backup, error) {
	files, err := h.Files.List(host.Backups)
	if err != nil {
		return nil, err
	}
	list := []Backup{}
	for i := len(files) - 1; i >= 0; i-- {
		id, ok := strings.CutSuffix(strings.TrimPrefix(files[i].Name, host.Backups), backupExt)
		when, reason, found := strings.Cut(id, "-")
		created, valid := parseTime(when)
		if !ok || !found || !valid {
			continue
		}
		list = append(list, Backup{ID: id, Created: created, Reason: reason, Bytes: files[i].Size})
	}
	return list, nil
}

// formatTime returns a time in the layout backupTime. (Time.Format would be 1 % of the guest.)
func formatTime(t time.Time) string {
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	return fmt.Sprintf("%04d%02d%02dT%02d%02d%02d.%03dZ", year, int(month), day, hour, minute, second, t.Nanosecond()/int(time.Millisecond))
}

// parseTime reads a time of the layout backupTime, in ms. (time.Parse is as large.)
func parseTime(s string) (ms int64, ok bool) {
	if len(s) != len(backupTime) {
		return 0, false
	}
	number := func(from, to int) (n int) {
		for _, c := range []byte(s[from:to]) {
			n = 10*n + int(c-'0')
		}
		return n
	}
	date := time.Date(number(0, 4), time.Month(number(4, 6)), number(6, 8), number(9, 11), number(11, 13), number(13, 15),
		number(16, 19)*int(time.Millisecond), time.UTC)
	// What is not a number, or out of its range, does not come back as it was.
	return date.UnixMilli(), formatTime(date) == s
}

// prune removes old backups, never the one just made.
func (p *Profile) prune(keep string) error {
	list, err := Backups(p.host)
	if err != nil {
		return err
	}
	limit := p.host.Clock.Now().Add(-backupAge).UnixMilli()
	for i, b := range list {
		if i >= keepBackups && b.Created < limit && b.ID != keep {
			if err := p.host.Files.Remove(backupFile(b.ID)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Install replaces the collection by a checked, closed, staged file and opens it.
func (p *Profile) Install(ctx context.Context, staged string) error {
	if err := p.db.Close(); err != nil {
		return err
	}
	err := p.host.Files.Replace(staged, host.Collection)
	if err == nil {
		p.changed = true
		err = p.ForgetSync()
	}
	// Whatever happened, there is a whole collection to open again.
	db, openErr := p.host.SQL.Open(context.WithoutCancel(ctx), host.Collection, host.ReadWrite)
	if openErr == nil {
		p.db = db
	}
	if err != nil {
		return err
	}
	return openErr
}
