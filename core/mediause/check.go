package mediause

import (
	"context"
	"slices"
	"strings"

	"github.com/cardferry/cardferry/core/medianame"
	"github.com/cardferry/cardferry/core/mediaref"
)

// Report is the result of Check. The lists are sorted.
type Report struct {
	// Missing are the names that notes refer to, which are neither here nor coming.
	Missing []string
	// Unused are the files that no note refers to and whose names do not begin with "_", as the reference would
	// report them: under the names that it would give them first.
	Unused []string
	// UnusedFiles are the files in the store that Unused means, as far as their names are normalised: what may be
	// moved to the trash. The others are not synced, and left alone.
	UnusedFiles []string
	// TemplateMissing are the files that templates or styles name literally, which are neither here nor coming.
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
	slices.Sort(r.Missing)
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
	for w, err := range k.windows(ctx) {
		if err != nil {
			return err
		}
		for n, err := range k.Collection.notes(ctx, w) {
			if err != nil {
				return err
			}
			k.refs(n, svg[n.notetype], func(r mediaref.Ref, composed bool) {
				if err == nil {
					err = k.ref(r, composed)
				}
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// ref follows one reference: to the new name of a file that would be renamed, or to the file that the name means
// once it is normalised. The reference leaves the latter to its next run where it has just composed the name.
func (k *checker) ref(r mediaref.Ref, composed bool) error {
	name := r.Name
	if to, ok := k.folder.renamed[name]; ok {
		name = to
	} else if normal := medianame.Normalize(k.Text, name); normal == "" {
		return nil
	} else if normal != name && !composed && k.folder.onDisk(normal) {
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
func (k *checker) templates(ctx context.Context, notetypes []notetype, r *Report) error {
	seen := map[TemplateMissing]bool{}
	for _, n := range notetypes {
		if err := k.Yield.Tick(ctx); err != nil {
			return err
		}
		err := k.statics(n, func(template string, s mediaref.Static) error {
			for _, name := range append([]string{s.Name}, s.Others...) {
				name = nfc(k.Text, name)
				if k.folder.has(name) {
					return nil
				}
				if coming, err := k.store.Coming(name); err != nil || coming {
					return err
				}
			}
			m := TemplateMissing{n.name, template, nfc(k.Text, s.Name)}
			if !seen[m] {
				seen[m] = true
				r.TemplateMissing = append(r.TemplateMissing, m)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	slices.SortFunc(r.TemplateMissing, func(a, b TemplateMissing) int {
		if c := strings.Compare(a.Notetype, b.Notetype); c != 0 {
			return c
		}
		if c := strings.Compare(a.Template, b.Template); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	return nil
}

// unused adds the files that nothing uses.
func (f *folder) unused(c *Collection, r *Report) {
	add := func(name string, from ...string) {
		if strings.HasPrefix(name, "_") {
			return
		}
		r.Unused = append(r.Unused, name)
		for _, file := range from {
			if medianame.Normalized(c.Text, file) {
				r.UnusedFiles = append(r.UnusedFiles, file)
			}
		}
	}
	for i, name := range f.names {
		switch f.files[i] {
		case 0:
			add(name, append(f.merged[name], name)...)
		case irregular:
			add(name) // nothing of ours
		}
	}
	for name, a := range f.added {
		if !a.used {
			add(name, a.from...)
		}
	}
	slices.Sort(r.Unused)
	slices.Sort(r.UnusedFiles)
}
