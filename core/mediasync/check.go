package mediasync

import (
	"context"
	"strings"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/jsontext"
	"github.com/cardferry/cardferry/core/mediause"
)

// CheckReport is the result of Check. Missing and Unused are names as the reference's check reports them. Trashed counts
// the files moved to the trash, Kept those that are unused and were left all the same.
type CheckReport struct {
	Missing         []string      `json:"missing"`
	Unused          []string      `json:"unused"`
	TemplateMissing TemplateFiles `json:"template_missing"`
	Trashed         int64         `json:"trashed"`
	Kept            int64         `json:"kept"`
}

// TemplateFile is a missing file that a card template names; Template is "" if the notetype's style does.
type TemplateFile struct {
	Notetype string `json:"notetype"`
	Template string `json:"template"`
	Name     string `json:"name"`
}

// TemplateFiles are the files that templates miss.
type TemplateFiles []TemplateFile

// AppendJSON appends r as JSON.
func (r CheckReport) AppendJSON(dst []byte) []byte {
	dst = jsontext.AppendStrings(jsontext.AppendKey(append(dst, '{'), "missing"), r.Missing)
	dst = jsontext.AppendStrings(jsontext.AppendKey(dst, "unused"), r.Unused)
	dst = append(jsontext.AppendKey(dst, "template_missing"), '[')
	for _, f := range r.TemplateMissing {
		dst = jsontext.PutText(append(jsontext.Separate(dst), '{'), "notetype", f.Notetype)
		dst = append(jsontext.PutText(jsontext.PutText(dst, "template", f.Template), "name", f.Name), '}')
	}
	dst = jsontext.PutInt(append(dst, ']'), "trashed", r.Trashed)
	return append(jsontext.PutInt(dst, "kept", r.Kept), '}')
}

// CheckOptions say what to do about unused files.
type CheckOptions struct {
	// Apply moves them to the trash; the next sync deletes them on the server.
	Apply bool
	// NotesUSN is the server's media change number at the last sync of the collection, Synced if there was one. A file
	// that came from the server with a later change may belong to a note that is not here yet: it is kept. So is, if the
	// collection was never synced, whatever the server has (media-sync.md §14, trap 23).
	NotesUSN int64
	Synced   bool
	// Evictable is as that of Options: what the store has lost counts as still to come.
	Evictable bool
}

// Check compares the collection with the media files: which are missing, apart from those that are still to come, and which
// no note uses. Errors: fault.Busy while a sync runs, and those of the store.
func (s *Syncer) Check(ctx context.Context, collection host.DB, o CheckOptions) (rep CheckReport, err error) {
	if s.busy {
		return rep, errBusy()
	}
	if err := s.acquire(ctx); err != nil {
		return rep, err
	}
	s.busy = true
	defer func() {
		s.busy = false
		s.release(&err)
	}()
	r := &syncRun{Syncer: s, setAside: asides{}}
	r.progress(host.StageCheck, 0, 0)
	if o.Evictable {
		r.options.Evictable = true
		if err := r.scan(ctx); err != nil {
			return rep, err
		}
	}
	found, err := mediause.Check(ctx, mediause.Collection{DB: collection, Text: s.Host.Text, Yield: s.Host.Yield}, r.store(ctx))
	if err != nil {
		return rep, fault.Step("check the media files", err)
	}
	rep.Missing, rep.Unused = found.Missing, found.Unused
	for _, f := range found.TemplateMissing {
		rep.TemplateMissing = append(rep.TemplateMissing, TemplateFile(f))
	}
	if o.Apply {
		err = r.trashUnused(ctx, found.UnusedFiles, o, &rep)
	}
	if e, ok := fault.Step("move unused files to the trash", err).(*fault.Error); ok {
		e.Changed = e.Changed || rep.Trashed > 0
		return rep, e
	}
	return rep, nil
}

// store is what the check has to know of the files.
func (r *syncRun) store(ctx context.Context) mediause.Store {
	return mediause.Store{
		Files: func(yield func(mediause.File, error) bool) {
			scan, err := r.Host.Media.Scan(ctx)
			if err != nil {
				if fault.KindOf(err) != fault.NotFound { // no folder is an empty one
					yield(mediause.File{}, err)
				}
				return
			}
			defer scan.Close()
			l := listing{scan: scan}
			for {
				e, ok, err := l.head()
				if err != nil || !ok {
					if err != nil {
						yield(mediause.File{}, err)
					}
					return
				}
				if !yield(mediause.File{Name: strings.Clone(e.name), Size: e.file.Size, Regular: e.regular}, nil) {
					return
				}
				l.pass()
			}
		},
		Sum: func(ctx context.Context, name string) ([20]byte, error) {
			_, sum, err := r.Host.Media.Hash(ctx, name)
			return sum.SHA1, err
		},
		Coming: func(name string) (bool, error) {
			x, err := r.index.row(name)
			return r.next(&x) == download, err
		},
	}
}

// trashUnused moves files to the trash. Each is marked as deleted by the user before, so that the brake does not hold it;
// a scan that finds it after all takes the mark away.
func (r *syncRun) trashUnused(ctx context.Context, names []string, o CheckOptions, rep *CheckReport) error {
	for len(names) > 0 {
		part := names[:min(len(names), commitFiles)]
		names = names[len(part):]
		var marked []row
		for _, name := range part {
			x, err := r.index.row(name)
			if err != nil {
				return err
			}
			if x.came > o.NotesUSN || !o.Synced && x.server.live() {
				rep.Kept++
				continue
			}
			x.why = wanted
			marked = append(marked, x)
		}
		if err := r.index.store(false, marked...); err != nil {
			return err
		}
		trashed := marked[:0]
		for _, x := range marked {
			ok, err := r.trashNow(x.name)
			if err != nil {
				return err
			}
			if ok {
				x.missing()
				trashed = append(trashed, x)
				rep.Trashed++
			}
		}
		if err := r.Host.Media.Flush(ctx); err != nil {
			return err
		}
		if err := r.index.store(false, trashed...); err != nil {
			return err
		}
		if err := r.Host.Yield.Tick(ctx); err != nil {
			return err
		}
	}
	// What no one else has needs no row.
	return r.index.forgetUnknown()
}

// trashNow moves a file to the trash as it is.
func (r *syncRun) trashNow(name string) (bool, error) {
	f, err := r.Host.Media.Stat(name)
	if err == nil {
		var changed bool
		changed, err = r.Host.Media.Trash(name, f)
		return !changed && err == nil, err
	}
	if fault.KindOf(err) == fault.NotFound {
		err = nil
	}
	return false, err
}
