package mediasync

import (
	"context"
	"io"
	"strings"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/medianame"
	"github.com/cardferry/cardferry/core/mediawire"
	"github.com/cardferry/cardferry/core/rows"
)

// What a user does with files through us: adding, removing, asking for one. A sync may be running.

// New is a file that a user adds. File is a staged file of the profile with the content; Add removes it.
type New struct {
	Name      string
	MediaType string // of the content, "" if it is not known; gives a name without an extension one
	File      string
}

// Add puts a new file into the store, under the wanted name made fit for syncing, or under one with its SHA-1 if another file
// has that name, here or on the server (media-sync.md §8.2). The same content under the same name is there once.
// Errors: fault.InvalidInput (an empty or too large file), fault.NotFound (no staged file), and those of the store.
func (s *Syncer) Add(ctx context.Context, n New) (_ File, err error) {
	if !strings.HasPrefix(n.File, host.Staging) {
		return File{}, fault.New(fault.InvalidInput, "%q is not a staged file", n.File)
	}
	defer func() {
		if rerr := s.Host.Files.Remove(n.File); err == nil {
			err = rerr
		}
	}()
	if err := s.acquire(ctx); err != nil {
		return File{}, err
	}
	defer s.release(&err)
	r := &syncRun{Syncer: s, setAside: asides{}}
	draft, err := r.draftOf(ctx, n.File)
	if err != nil {
		return File{}, fault.Step("add a media file", err)
	}
	defer draft.Discard()
	const tries = 3 // another program may take the name meanwhile
	for range tries {
		name, changed, err := r.place(ctx, draft, n)
		if err != nil {
			return File{}, fault.Step("add a media file", err)
		}
		if changed {
			continue
		}
		x, err := r.look(ctx, name)
		return fileOf(name, x.file, x.here), fault.Step("add a media file", err)
	}
	return File{}, fault.New(fault.Busy, "another program keeps changing %q", n.Name)
}

// draftOf begins a file with the content of a staged one.
func (r *syncRun) draftOf(ctx context.Context, staged string) (host.MediaDraft, error) {
	file, err := r.Host.Files.Open(staged)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	size, err := file.Size()
	switch {
	case err != nil:
		return nil, err
	case size == 0:
		return nil, fault.New(fault.InvalidInput, "the file is empty")
	case size > mediawire.MaxFile:
		return nil, fault.New(fault.InvalidInput, "the file is larger than %d MiB", mediawire.MaxFile>>20)
	}
	draft, err := r.Host.Media.Create()
	if err != nil {
		return nil, err
	}
	buf := make([]byte, 64<<10)
	for at := int64(0); err == nil && at < size; {
		var n int
		if n, err = file.ReadAt(buf, at); err == io.EOF && n > 0 {
			err = nil
		}
		if err == nil {
			_, err = draft.Write(buf[:n])
		}
		if at += int64(n); err == nil {
			err = r.Host.Yield.Tick(ctx)
		}
	}
	if err != nil {
		draft.Discard()
	}
	return draft, err
}

// place installs the draft under the name that it gets, unless the very content is there.
func (r *syncRun) place(ctx context.Context, draft host.MediaDraft, n New) (name string, changed bool, err error) {
	_, sum, err := draft.Sum()
	if err != nil {
		return "", false, err
	}
	here := false
	name, have, err := medianame.ForNew(r.Host.Text, n.Name, n.MediaType, sum.SHA1, func(name string) ([20]byte, bool, error) {
		_, is, err := r.Host.Media.Hash(ctx, name)
		here = err == nil
		if fault.KindOf(err) != fault.NotFound {
			return is.SHA1, here, err
		}
		x, err := r.index.row(name) // a file that is still to come has the name, too
		if err != nil || !x.server.known() || x.why == wanted {
			return is.SHA1, false, err
		}
		return [20]byte([]byte(x.server)), true, nil
	})
	if err != nil || have && here {
		return name, false, err
	}
	_, changed, err = draft.Install(name, nil)
	return name, changed, err
}

// Remove moves a file to the trash. The user deleted it: the next sync deletes it on the server as well, even if it is not
// here yet. fault.NotFound if no one is known to have it.
func (s *Syncer) Remove(ctx context.Context, name string) (err error) {
	if err := s.acquire(ctx); err != nil {
		return err
	}
	defer s.release(&err)
	r := &syncRun{Syncer: s, setAside: asides{}}
	x, err := r.index.row(name)
	if err != nil {
		return err
	}
	if _, err := s.Host.Media.Stat(name); fault.KindOf(err) == fault.NotFound && (!x.server.live() || x.why == wanted) {
		return noFile(name)
	}
	if x.server.known() && (x.here == nothing || x.here == x.server) {
		x.agreed = x.server
	}
	x.why = wanted
	if err := r.index.store(false, x); err != nil {
		return err
	}
	if _, err := r.trashNow(name); err != nil {
		return fault.Step("remove a media file", err)
	}
	if err := s.Host.Media.Flush(ctx); err != nil {
		return fault.Step("remove a media file", err)
	}
	x.missing()
	if err := r.index.store(true, x); err != nil {
		return err
	}
	return r.index.forgetUnknown()
}

// forgetUnknown removes the rows of which no one has a file.
func (x *index) forgetUnknown() error {
	_, err := rows.Exec(x.db, "DELETE FROM media WHERE here IS NULL AND server IS NULL AND offered IS NULL")
	return err
}

// Presence says where a file is, and how far media sync has come.
type Presence struct {
	// State of the file that was asked for: "here", "coming" (the server has it) or "missing".
	State string
	// Done are the files that are here, Total those and the ones that are to come.
	Done, Total int64
}

// Look looks for a file as far as is known here; "" asks for the numbers alone.
func (s *Syncer) Look(ctx context.Context, name string) (p Presence, err error) {
	if err := s.acquire(ctx); err != nil {
		return p, err
	}
	defer s.release(&err)
	for v, err := range rows.Query(s.index.db, "SELECT count(here), count(*) FROM media WHERE here IS NOT NULL OR length(server) > 1 AND why <> 3") {
		if err != nil {
			return p, err
		}
		p.Done, p.Total = v[0].Int(), v[1].Int()
	}
	if name == "" {
		return p, nil
	}
	_, err = s.Host.Media.Stat(name)
	switch fault.KindOf(err) {
	case 0:
		p.State = "here"
		return p, nil
	case fault.NotFound, fault.InvalidInput:
	default:
		return p, fault.Step("look for a media file", err)
	}
	x, err := s.index.row(name)
	p.State = "missing"
	if x.server.known() && x.why != wanted && syncable(s.Host.Text, name) {
		p.State = "coming"
	}
	return p, err
}
