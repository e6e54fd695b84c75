package profile

import (
	"context"
	"errors"
	"io"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

const stagedRestore = host.Staging + "restore" + backupExt

// Restore replaces the collection by a backup, after a backup of what is replaced, and returns that one's id. Both
// scm and mod become now: a restored collection can only be uploaded, or replaced by a download (sync spec §6.1).
// Errors: fault.NotFound, fault.DamagedFile and those of the files.
func (p *Profile) Restore(ctx context.Context, id string) (string, error) {
	if err := stageBackup(ctx, p, id); err != nil {
		return "", fault.Step("restore", err)
	}
	kept, err := p.Backup(ctx, "restore")
	if err != nil {
		return "", err
	}
	return kept, p.Install(ctx, stagedRestore)
}

// RestoreClosed is Restore for a profile that is not open, because its collection is missing or cannot be opened; a
// damaged one is kept as it is among the backups.
func RestoreClosed(ctx context.Context, h *host.Host, id string) (kept string, err error) {
	p, _, err := Open(ctx, h, false)
	switch fault.KindOf(err) {
	case 0:
		defer func() {
			if cerr := p.Close(); err == nil {
				err = cerr
			}
		}()
		return p.Restore(ctx, id)
	case fault.NotFound, fault.DamagedFile, fault.UnsupportedFile:
	default:
		return "", err
	}
	missing := fault.KindOf(err) == fault.NotFound
	p = &Profile{host: h}
	if err := stageBackup(ctx, p, id); err != nil {
		return "", fault.Step("restore", err)
	}
	if !missing {
		if kept, err = p.keepDamaged(ctx); err != nil {
			return "", fault.Step("keep the damaged collection", err)
		}
	}
	if err := h.Files.Remove(host.State); err != nil {
		return kept, err
	}
	return kept, h.Files.Replace(stagedRestore, host.Collection)
}

// keepDamaged copies a file that SQLite cannot read, byte for byte.
func (p *Profile) keepDamaged(ctx context.Context) (string, error) {
	src, err := p.host.Files.Open(host.Collection)
	if err != nil {
		return "", err
	}
	defer src.Close()
	const staged = host.Staging + "damaged" + backupExt
	dst, err := p.host.Files.Create(staged)
	if err != nil {
		return "", err
	}
	err = CopyFile(ctx, p.host, dst, src)
	if cerr := dst.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return "", err
	}
	return p.KeepAsBackup(staged, "damaged")
}

// copyBlock is how much of a file is read at a time.
const copyBlock = 1 << 20

// CopyFile copies a file from its start to w, letting the host's other work in between.
func CopyFile(ctx context.Context, h *host.Host, w io.Writer, src host.File) error {
	buf := make([]byte, copyBlock)
	for off := int64(0); ; {
		if err := h.Yield.Tick(ctx); err != nil {
			return err
		}
		n, err := src.ReadAt(buf, off)
		if n > 0 {
			if _, werr := w.Write(buf[:n]); werr != nil {
				return werr
			}
			off += int64(n)
		}
		if errors.Is(err, io.EOF) || err == nil && n == 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// stageBackup copies a backup to the staging area, checks and marks it.
func stageBackup(ctx context.Context, p *Profile, id string) error {
	if err := hasBackup(p.host, id); err != nil {
		return err
	}
	if err := p.host.Files.Remove(stagedRestore); err != nil {
		return err
	}
	src, err := p.host.SQL.Open(ctx, backupFile(id), host.ReadOnly)
	if err != nil {
		return err
	}
	err = src.CopyInto(stagedRestore, true)
	if cerr := src.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return p.PrepareReplacement(ctx, stagedRestore)
}

// PrepareReplacement checks a staged collection that is not the sync server's, upgrades it, and marks it: scm and mod
// become now, so that the next sync is a one-way one. Errors: fault.DamagedFile, fault.UnsupportedFile.
func (p *Profile) PrepareReplacement(ctx context.Context, staged string) error {
	db, err := p.OpenStaged(ctx, staged, host.ReadWrite)
	if err != nil {
		return err
	}
	err = p.markRestored(db)
	if cerr := db.Close(); err == nil {
		err = cerr
	}
	return err
}

func hasBackup(h *host.Host, id string) error {
	list, err := Backups(h)
	if err != nil {
		return err
	}
	for _, b := range list {
		if b.ID == id {
			return nil
		}
	}
	return fault.New(fault.NotFound, "there is no backup %q", id).WithHint("List the backups to see their ids.")
}

// markRestored checks a restored collection and makes the next sync a one-way one.
func (p *Profile) markRestored(db host.DB) error {
	ver, err := p.CheckDB(db, true)
	if err == nil {
		err = collection.CheckTaken(db)
	}
	if err != nil {
		return err
	}
	if ver != 18 {
		if _, err := collection.Upgrade(db, p.host.Clock, p.host.Random, p.host.Text); err != nil {
			return err
		}
	}
	now := p.host.Clock.Now().UnixMilli()
	// Above ls as well, or it looks as if it had been synced since: that is the server's time, whose clock may be ahead of ours.
	_, err = rows.Exec(db, "UPDATE col SET scm = max(?1, scm + 1, ls + 1), mod = max(?1, mod + 1, ls + 1)", now)
	return err
}
