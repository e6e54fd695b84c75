package mediause

import (
	"context"
	"strings"

	"github.com/cardferry/cardferry/core/medianame"
	"github.com/cardferry/cardferry/core/mediaref"
	"github.com/cardferry/cardferry/core/order"
)

// Report is the result of Check. The lists of names are sorted.
type Report struct {
	// Missing are the names that notes refer to, which are neither here nor coming.
	Missing []string
	// Unused are the files that no note refers to and whose names do not begin with "_", as the reference would
	// report them: under the names that it would give them first.
	Unused []string
	// UnusedFiles are the files in the store that Unused means, as far as their names are normalised: what may be
	// moved to the trash. The others are not synced, and left alone.
	UnusedFiles []string
	// TemplateMissing are the files that templates or styles name literally, which are neither here nor coming: by notetype,
	// the style first.
	TemplateMissing []TemplateMissing
}

// TemplateMissing is a missing file that a notetype names.
type TemplateMissing struct {
	Notetype string
	Template string // empty if it is in the notetype's style
	Name     string
}

// Check compares the notes, templates and styles of a collection with the media files.
func Check(ctx context.Context, c Collection, s Store) (*Report, error) {
	f, err := readFolder(ctx, &c, s)
	if err != nil {
		return nil, err
	}
	notetypes, err := c.notetypes()
	if err != nil {
		return nil, err
	}
	k := checker{Collection: &c, store: s, folder: f, absent: map[string]bool{}}
	if err := k.notes(ctx, svgOnly(notetypes)); err != nil {
		return nil, err
	}
	r := &Report{}
	for name, missing := range k.absent {
		if missing {
			r.Missing = append(r.Missing, name)
		}
	}
	order.Strings(r.Missing)
	if err := k.templates(ctx, notetypes, r); err != nil {
		return nil, err
	}
	f.unused(&c, r)
	return r, nil
}

type checker struct {
	*Collection
	store  Store
	folder *folder
	absent map[string]bool // names that are not here; true if they are not coming either
}

// notes marks the files that notes use, and gathers the absent ones.
func (k *checker) notes(ctx context.Context, svg map[int64]bool) error {
	search := func(n note) (err error) {
		k.refs(n, svg[n.notetype], func(r mediaref.Ref, composed bool) {
			if err == nil {
				err = k.ref(r, composed)
			}
		})
		return err
	}
	return k.Collection.notes(ctx, search, func() error { return nil })
}

// ref follows one reference: to the new name of a file that would be renamed, or to the file that the name means
// once it is normalised. The reference leaves the latter to its next run where it has just composed the name.
func (k *checker) ref(r mediaref.Ref, composed bool) error {
	name := r.Name
	if to, ok := k.folder.renamed[name]; ok {
		name = to
	} else if normal := medianame.Normalize(k.Text, name); normal == "" {
		return nil
	} else if _, ok := k.folder.files[normal]; ok && !composed {
		name = normal
	}
	if _, known := k.absent[name]; known || k.folder.use(name) || r.Inline {
		return nil
	}
	coming, err := k.store.Coming(name)
	if err != nil {
		return err
	}
	k.absent[strings.Clone(name)] = !coming
	return nil
}

// templates adds what templates and styles miss.
func (k *checker) templates(ctx context.Context, notetypes []*notetype, r *Report) error {
	for _, n := range notetypes {
		seen := map[string]bool{}
		err := k.statics(n, func(template string, s mediaref.Static) error {
			for _, name := range s.Readings {
				name = nfc(k.Text, name)
				if _, ok := k.folder.renamed[name]; ok || k.folder.counts(name) {
					return nil
				}
				if coming, err := k.store.Coming(name); err != nil || coming {
					return err
				}
			}
			name := nfc(k.Text, s.Name())
			if key := template + "/" + name; !seen[key] { // no name has a "/"
				seen[key] = true
				r.TemplateMissing = append(r.TemplateMissing, TemplateMissing{n.name, template, name})
			}
			return k.Yield.Tick(ctx)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
