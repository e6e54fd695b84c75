package colsync

import (
	"context"
	"errors"
	"io"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/remote"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
)

func (s *Syncer) download(ctx context.Context, r *remote.Server, _ wire.Meta, backup bool) (rep TransferReport, err error) {
	const staged = host.Staging + "download.anki2"
	defer s.Host.Files.Remove(staged) // a failed one takes room, of which there may be none left
	if rep.Bytes, err = s.fetch(ctx, r, staged); err != nil {
		return rep, err
	}
	if err := s.accept(ctx, staged); err != nil {
		return rep, damagedDownload(err)
	}
	if rep.Backup, rep.Lost, err = s.keepLocal(ctx, backup); err != nil {
		return rep, err
	}
	return rep, s.Store.Install(ctx, staged)
}

// fetch streams the server's collection into a staged file and returns its size. What does not match the announced size
// is refused; the reference installs it (§14.1).
func (s *Syncer) fetch(ctx context.Context, r *remote.Server, staged string) (int64, error) {
	req := r.Request("download", []byte("{}"))
	req.Stream, req.Stall = true, uploadStall
	call := r.Send(ctx, req)
	defer call.Close()
	if err := r.Wait(ctx, call); err != nil {
		return 0, err
	}
	body, size, err := r.Stream(ctx, "download", call)
	if err != nil {
		return 0, err
	}
	defer body.Close()
	if size == 0 {
		return 0, fault.New(fault.DamagedDownload, "download: the server sent an empty file").
			WithHint("Upload a collection from another device, or try again.")
	}
	n, err := s.receive(ctx, body, staged, size)
	if err == nil && n != size {
		err = remote.SizeError("download", n, size)
	}
	return n, err
}

// receive writes the collection to a file.
func (s *Syncer) receive(ctx context.Context, body io.Reader, staged string, size int64) (n int64, err error) {
	f, err := s.Host.Files.Create(staged)
	if err != nil {
		return 0, err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	buf := make([]byte, 128<<10)
	for n <= size { // one block more than announced is enough to know
		k, rerr := body.Read(buf)
		if k > 0 {
			if _, err := f.Write(buf[:k]); err != nil {
				return n, err
			}
			n += int64(k)
			s.progress(host.StageDownload, min(n, size), size)
			if err := s.Host.Yield.Tick(ctx); err != nil {
				return n, err
			}
		}
		if errors.Is(rerr, io.EOF) {
			return n, nil
		}
		if rerr != nil {
			return n, fault.Step("download", rerr)
		}
	}
	return n, nil
}

// accept checks a downloaded file and makes it ready to be installed (§14.1).
func (s *Syncer) accept(ctx context.Context, staged string) error {
	return s.inspect(ctx, staged, host.ReadWrite, func(db host.DB, ver int) error {
		if ver != collection.Schema {
			if _, err := collection.Upgrade(db, s.Host.Clock, s.Host.Random, s.Host.Text); err != nil {
				return err
			}
		}
		_, err := rows.Exec(db, "UPDATE col SET ls = mod")
		return err
	})
}

// inspect checks a downloaded file, and lets do use it.
func (s *Syncer) inspect(ctx context.Context, staged string, mode host.OpenMode, do func(db host.DB, ver int) error) (err error) {
	db, err := s.Store.OpenStaged(ctx, staged, mode)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := db.Close(); err == nil {
			err = cerr
		}
	}()
	ver, err := s.Store.CheckDB(db, true)
	if err == nil {
		err = collection.CheckTaken(db)
	}
	if err != nil {
		return err
	}
	return do(db, ver)
}

// damagedDownload says of a file problem that it is the server's file, not ours.
func damagedDownload(err error) error {
	switch fault.KindOf(err) {
	case fault.DamagedFile, fault.UnsupportedFile, fault.NotFound:
		return fault.Wrap(fault.DamagedDownload, err, "the server's collection cannot be used")
	}
	return err
}

// keepLocal backs up what a download is about to replace. It happens at the swap, so that edits made during the
// transfer are in the backup and in the count of what is lost.
func (s *Syncer) keepLocal(ctx context.Context, backup bool) (id string, lost map[string]int64, err error) {
	for {
		col, err := collection.ReadCol(s.db())
		if err != nil {
			return "", nil, err
		}
		if lost, err = collection.PendingCounts(s.db()); err != nil {
			return "", nil, err
		}
		counts, err := collection.Counts(s.db())
		if err != nil {
			return "", nil, err
		}
		if !backup || counts.Cards+counts.Notes+counts.Revlog == 0 {
			return "", lost, nil
		}
		if id, err = s.Store.Backup(ctx, "download"); err != nil {
			return "", nil, err
		}
		after, err := collection.ReadCol(s.db())
		if err != nil {
			return "", nil, err
		}
		if after.Mod == col.Mod {
			return id, lost, nil
		}
	}
}
