package mediasync

import (
	"context"
	"encoding/hex"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/jsontext"
	"github.com/cardferry/cardferry/core/mediawire"
	"github.com/cardferry/cardferry/core/remote"
)

// File describes a media file that is here. SHA1 is in hex.
type File struct {
	Name        string `json:"name"`
	Size        int64  `json:"size"`
	SHA1        string `json:"sha1"`
	NewEndpoint string `json:"new_endpoint"`
}

// AppendJSON appends f as JSON.
func (f File) AppendJSON(dst []byte) []byte {
	dst = jsontext.PutText(append(dst, '{'), "name", f.Name)
	dst = jsontext.PutInt(dst, "size", f.Size)
	dst = jsontext.PutText(dst, "sha1", f.SHA1)
	return append(jsontext.PutText(dst, "new_endpoint", f.NewEndpoint), '}')
}

// Get fetches one file now, if it is not here or the server is known to have another one. It works beside a sync, with a
// request of its own, and reads the server's list first if that does not tell of the name yet.
// Errors: fault.NotFound if no one has the file, fault.DamagedDownload, and those of Sync.
func (s *Syncer) Get(ctx context.Context, acc remote.Account, name string) (_ File, err error) {
	name = s.Host.Text.NFC(name) // some keyboards and file dialogs decompose
	if !syncable(s.Host.Text, name) {
		return File{}, fault.New(fault.NotFound, "a file named %q cannot be synced", name)
	}
	r, err := s.newRun(acc)
	if err != nil {
		return File{}, err
	}
	if err := s.acquire(ctx); err != nil {
		return File{}, err
	}
	defer s.release(&err)
	f, ok, err := r.local(ctx, name)
	if err == nil && !ok {
		f, err = r.get(ctx, name)
	}
	f.NewEndpoint = r.server.NewEndpoint
	return f, r.finish(err)
}

func noFile(name string) error {
	return fault.New(fault.NotFound, "neither this device nor the server has a media file %q", name)
}

func fileOf(name string, f host.MediaFile, sum content) File {
	return File{Name: name, Size: f.Size, SHA1: hex.EncodeToString([]byte(sum))}
}

// local describes the file that is here; ok is false if it has to be fetched.
func (r *syncRun) local(ctx context.Context, name string) (f File, ok bool, err error) {
	x, err := r.index.row(name)
	if err != nil || x.here != nothing && x.action() == download {
		return f, false, err
	}
	now, err := r.Host.Media.Stat(name)
	sum := x.here
	if err == nil && (!x.here.known() || now != x.file) {
		var s host.MediaSum
		now, s, err = r.Host.Media.Hash(ctx, name)
		sum = content(s.SHA1[:])
	}
	switch fault.KindOf(err) {
	case 0:
		return fileOf(name, now, sum), true, nil
	case fault.NotFound, fault.InvalidInput:
		if x.here != nothing { // the index does not know yet that it is not here any more
			_, err = r.look(ctx, name)
			return f, false, err
		}
		return f, false, nil
	}
	return f, false, fault.Step("look at a media file", err)
}

// get fetches a file. The list is read on once if it does not name the file, or names another one than the server has.
func (r *syncRun) get(ctx context.Context, name string) (f File, err error) {
	if err := r.claim(ctx, unknown); err != nil {
		return f, err
	}
	var problem error
	for listed := false; ; {
		x, err := r.index.row(name)
		if err != nil {
			return f, err
		}
		if x.server.known() && (x.why != wanted || x.server != x.agreed) { // what the user has removed does not come back
			before := x.usn
			if problem, err = r.getOne(ctx, name); err != nil {
				return f, err
			}
			if x, err = r.index.row(name); err != nil {
				return f, err
			}
			if problem == nil && x.here.known() {
				return fileOf(name, x.file, x.here), nil
			}
			listed = listed && x.usn == before
		} else {
			problem = noFile(name)
		}
		if listed {
			return f, problem
		}
		listed = true
		if err := r.list(ctx, unknown); err != nil {
			return f, err
		}
	}
}

// getOne asks for one file and puts it in place; problem says why the server does not give it.
func (r *syncRun) getOne(ctx context.Context, name string) (problem, err error) {
	call := r.server.Send(ctx, r.downloadRequest([]string{name}))
	defer call.Close()
	if err := r.server.Wait(ctx, call); err != nil {
		return nil, err
	}
	resp, err := call.Response()
	switch {
	case err != nil:
	case resp.Status == 308 && r.moves == 0:
		r.moves++
		if err := r.server.Redirect(mediawire.DownloadFiles, resp); err != nil {
			return nil, err
		}
		return r.getOne(ctx, name)
	case resp.Status == 409:
		return noFile(name), nil
	}
	b := r.newInbox()
	b.asked = true
	b.reset()
	if err := b.receive(ctx, call, []string{name}); err != nil {
		return nil, err
	}
	if !b.got[name] {
		return fault.New(fault.DamagedDownload, "the server sent another file than it lists for %q", name).WithHint("Try again later."), nil
	}
	if r.setAside[name] != 0 {
		return fault.New(fault.NotFound, "this device cannot hold a media file %q", name), nil
	}
	return nil, b.commit(ctx)
}
