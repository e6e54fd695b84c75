package colsync

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/profile"
	"github.com/cardferry/cardferry/core/remote"
	"github.com/cardferry/cardferry/core/undo"
	"github.com/cardferry/cardferry/core/wire"
)

const (
	// uploadStall covers the time in which the server checks what it got before it answers (§3.4).
	uploadStall = 2 * time.Minute
	stagedBody  = host.Staging + "upload.zst"
)

// TransferReport is the result of a one-way sync. Bytes is the uncompressed size of the collection that was sent or
// received; Backup the id of the backup of the other side, "" if there was nothing to back up or none was wanted; Lost
// counts the pending rows of this device that a download replaced (they are in the backup).
type TransferReport struct {
	Bytes       int64            `json:"bytes"`
	Backup      string           `json:"backup"`
	NewEndpoint string           `json:"new_endpoint"`
	Message     string           `json:"message"`
	RoundTrips  int              `json:"round_trips"`
	Lost        map[string]int64 `json:"lost,omitempty"`
}

// Upload replaces the server's collection by this one (§13). With backup, the server's collection is kept as a backup
// here first, unless it is empty or the server says that it keeps one (see OwnBackup).
// Errors: fault.OneWayNeeded if this collection is empty and the server's is not, fault.ServerMessage (the server
// refuses the file), fault.DamagedFile (that is why), and those of Sync. A refused upload leaves the local file untouched.
func (s *Syncer) Upload(ctx context.Context, acc Account, backup bool) (TransferReport, error) {
	return s.transfer(ctx, acc, backup, Upload)
}

// Download replaces this collection by the server's (§14), after a backup of this one.
// Errors: fault.OneWayNeeded if the server is empty and this device is not, fault.DamagedDownload, and those of Sync.
func (s *Syncer) Download(ctx context.Context, acc Account, backup bool) (TransferReport, error) {
	return s.transfer(ctx, acc, backup, Download)
}

func (s *Syncer) transfer(ctx context.Context, acc Account, backup bool, dir Direction) (TransferReport, error) {
	r, err := remote.New(s.Host, acc, s.Client, remote.Sync)
	if err != nil {
		return TransferReport{}, err
	}
	rep, err := s.transferOver(ctx, r, backup, dir)
	rep.NewEndpoint, rep.RoundTrips = r.NewEndpoint, r.Requests
	return rep, r.WithRedirect(err)
}

func (s *Syncer) transferOver(ctx context.Context, r *remote.Server, backup bool, dir Direction) (rep TransferReport, err error) {
	s.progress(host.StageConnect, 0, 0)
	m, err := meta(ctx, r)
	if err != nil {
		return rep, err
	}
	col, empty, err := localState(s.db())
	if err != nil {
		return rep, err
	}
	d := decide(col, empty, m)
	switch {
	case dir == Upload && !d.uploadOK, dir == Download && !d.downloadOK:
		return rep, directionError(s.db(), col, d, m)
	case dir == Upload:
		rep, err = s.upload(ctx, r, m, backup)
	default:
		rep, err = s.download(ctx, r, m, backup)
	}
	rep.Message = m.Msg
	if err == nil {
		err = s.Store.SeeMedia(int64(m.MediaUSN))
	}
	return rep, err
}

func (s *Syncer) upload(ctx context.Context, r *remote.Server, m wire.Meta, backup bool) (rep TransferReport, err error) {
	if err := s.checkHostedSize(r.Base); err != nil {
		return rep, err
	}
	if backup && !m.Empty && (s.OwnBackup || !m.KeepsBackup) {
		if rep.Backup, err = s.backUpServer(ctx, r); err != nil {
			return rep, fault.Step("back up the server's collection", err)
		}
		// A download changes the server's mod and usn (§14.2).
		if m, err = meta(ctx, r); err != nil {
			return rep, err
		}
	}
	s.progress(host.StageUpload, 0, 0) // copying and compressing take their time
	if err := s.Store.DropOffered(); err != nil {
		return rep, err
	}
	defer s.Host.Files.Remove(stagedBody)
	o, err := s.offer(ctx, m)
	if err == nil {
		rep.Bytes = o.Bytes
		err = s.compress(ctx, profile.OfferedCopy, stagedBody)
	}
	if err != nil {
		s.Host.Files.Remove(profile.OfferedCopy) // it was not sent
		return rep, fault.Step("copy the collection", err)
	}
	if err := s.send(ctx, r); err != nil {
		if refused(fault.KindOf(err)) {
			err = s.refusal(ctx, err)
			if derr := s.Store.DropOffered(); derr != nil {
				return rep, derr
			}
		}
		return rep, err
	}
	return rep, s.settle(context.WithoutCancel(ctx), o)
}

// refused reports whether the server has certainly not installed the upload.
func refused(k fault.Kind) bool {
	switch k {
	case fault.ServerMessage, fault.TooLarge, fault.Auth, fault.DatabaseCheck, fault.Conflict:
		return true
	}
	return false
}

// refusal is what to say of an upload that the server has not taken, with err: that our collection is damaged, if it is. (One that was damaged
// before it was opened is not opened.)
func (s *Syncer) refusal(ctx context.Context, err error) error {
	if fault.KindOf(err) != fault.ServerMessage {
		return err
	}
	db, cerr := s.Host.SQL.Open(ctx, profile.OfferedCopy, host.ReadOnly)
	if cerr == nil {
		defer db.Close()
		cerr = collection.CheckIntegrity(db)
	}
	said, _ := errors.AsType[*fault.Error](err)
	if ours, ok := errors.AsType[*fault.Error](cerr); ok && ours.Kind == fault.DamagedFile {
		return ours.With("server_message", said.Details["server_message"])
	}
	return err
}

// backUpServer keeps the server's collection as a backup. One that could not be restored is none: whoever uploads to
// repair the server says that there need not be a backup.
func (s *Syncer) backUpServer(ctx context.Context, r *remote.Server) (string, error) {
	const staged = host.Staging + "server.anki2"
	defer s.Host.Files.Remove(staged)
	if _, err := s.fetch(ctx, r, staged); err != nil {
		return "", err
	}
	err := s.inspect(ctx, staged, host.ReadOnly, func(host.DB, int) error { return nil })
	if err = damagedDownload(err); fault.KindOf(err) == fault.DamagedDownload {
		return "", err.(*fault.Error).WithHint("To replace it all the same, upload without a backup.")
	}
	if err != nil {
		return "", err
	}
	return s.Store.KeepAsBackup(staged, "upload")
}

// compress writes the zstd form of a file: the request's body must have a length (design.md §3).
func (s *Syncer) compress(ctx context.Context, from, to string) (err error) {
	if fast, ok := s.Host.Files.(host.Compressor); ok {
		if done, err := fast.Compress(ctx, from, to); done || err != nil {
			return err
		}
	}
	src, err := s.Host.Files.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := s.Host.Files.Create(to)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := dst.Close(); err == nil {
			err = cerr
		}
	}()
	w, err := wire.NewWriter(dst)
	if err != nil {
		return err
	}
	if err := profile.CopyFile(ctx, s.Host, w, src); err != nil {
		return err
	}
	return w.Close()
}

// send posts the staged body and checks the answer, which is exactly "OK" or a text for the user (§13.2).
func (s *Syncer) send(ctx context.Context, r *remote.Server) error {
	info, err := s.Host.Files.Stat(stagedBody)
	if err != nil {
		return err
	}
	req := r.Request("upload", nil)
	req.BodyFile, req.Stall = stagedBody, uploadStall
	call := r.Send(ctx, req)
	defer call.Close()
	for done := false; !done; {
		s.progress(host.StageUpload, call.Sent(), info.Size)
		i, err := r.Host.HTTP.Wait(ctx, []host.Call{call})
		if err != nil {
			return err
		}
		done = i == 0
	}
	s.progress(host.StageUpload, info.Size, info.Size)
	body, err := r.Answer("upload", call)
	if err != nil {
		return err
	}
	if string(body) != "OK" {
		return fault.New(fault.ServerMessage, "%s", body).With("server_message", string(body)).
			WithHint("The server has not taken the collection; nothing was changed.")
	}
	return nil
}

// offer makes the cleaned copy to send and remembers it until the answer is known.
func (s *Syncer) offer(ctx context.Context, m wire.Meta) (o offered, err error) {
	if err := undo.Discard(s.db(), math.MaxInt64); err != nil { // what has been sent cannot be taken back
		return o, err
	}
	col, err := collection.ReadCol(s.db())
	if err != nil {
		return o, err
	}
	o = offered{Now: s.stamp(col, m), LocalMod: col.Mod, LocalScm: col.Scm, ServerMod: m.Mod}
	// Not a compact one, which takes as long as all else that is done here: the real client sends one, sorted anew.
	if err := s.db().CopyInto(profile.OfferedCopy, false); err != nil {
		return o, err
	}
	copied, err := s.Store.OpenStaged(ctx, profile.OfferedCopy, host.ReadWrite)
	if err != nil {
		return o, err
	}
	err = collection.PrepareUpload(copied, o.Now)
	if cerr := copied.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return o, err
	}
	info, err := s.Host.Files.Stat(profile.OfferedCopy)
	if err != nil {
		return o, err
	}
	o.Bytes = info.Size
	return o, s.Store.Remember(profile.Offered, o.appendJSON(nil))
}

// stamp is the one time that an upload has as its scm, ls and mod (§22, trap 40). It differs from the times that are known here and, so that
// an upload is not taken for ours, very likely from what another device takes. Where our clock is behind those, or more than a second ahead of
// the server's, it is any time of a second past: the next one after them would be the same for two such devices, and one to come would be
// above ls after the next sync, as if the schema had changed since (§15).
func (s *Syncer) stamp(col collection.Col, m wire.Meta) int64 {
	known := []int64{col.Mod, col.Scm, m.Mod, m.Scm}
	now, server := s.Host.Clock.Now().UnixMilli(), m.TS*1000 // and up to a second more
	if now > slices.Max(known) && now < server+2000 {
		return now
	}
	for {
		var random [2]byte
		s.Host.Random.Random(random[:])
		if t := min(now, server) - int64(binary.LittleEndian.Uint16(random[:])%1000); !slices.Contains(known, t) {
			return t
		}
	}
}
