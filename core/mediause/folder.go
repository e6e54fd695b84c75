package mediause

import (
	"context"
	"iter"
	"strings"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/medianame"
	"github.com/cardferry/cardferry/core/order"
	"github.com/cardferry/cardferry/core/unicase"
)

const (
	// maxSize is the size of the largest file that counts, in bytes.
	maxSize = 100 << 20
	// tickFiles is how many files are looked at between two ticks.
	tickFiles = 1024
)

// File is a file of the store (host.MediaScan).
type File struct {
	Name    string
	Size    int64
	Regular bool
}

// Store is what Check must know of the media files.
type Store struct {
	// Files yields all files in ascending byte order of their names. After an error the sequence ends.
	Files iter.Seq2[File, error]
	// Sum returns the SHA-1 of a file. It is asked about few: those whose names are not normalised, and those whose
	// names differ in case alone. If it fails with fault.NotFound, NotWritable, Busy or InvalidInput the name is taken
	// as it is.
	Sum func(ctx context.Context, name string) ([20]byte, error)
	// Coming reports whether the server has a file that is not here yet. It is asked about names that are not here, or
	// whose file does not count.
	Coming func(name string) (bool, error)
}

// folder is the store as the reference's check would leave it: with files renamed whose names are not normalised, or equal
// to another's but for case.
type folder struct {
	files   map[string]file
	renamed map[string]string // new names by old ones
}

// file is what has a name.
type file struct {
	state fileState
	from  *origins // nil: the file of that name in the store
}

// origins are the files that get a name, the one that has it first: one, or several with the same content.
type origins struct {
	sum   [20]byte
	names []string
}

type fileState uint8

const (
	ignored   fileState = 1 << iota // on the disk, but does not count
	used                            // a note refers to it
	irregular                       // a link
)

// readFolder lists the store and foretells the new names.
func readFolder(ctx context.Context, c *Collection, s Store) (*folder, error) {
	f := &folder{files: map[string]file{}, renamed: map[string]string{}}
	var names []string
	for got, err := range s.Files {
		if err == nil && len(names)%tickFiles == 0 {
			err = c.Yield.Tick(ctx)
		}
		if err != nil {
			return nil, err
		}
		state := fileState(0)
		switch {
		case !got.Regular:
			state = irregular
		case got.Size <= 0, got.Size > maxSize, got.Name == ".DS_Store":
			state = ignored
		}
		names = append(names, got.Name)
		f.files[got.Name] = file{state: state}
	}
	return f, f.rename(ctx, c, s, names)
}

// rename goes through the files from the last name to the first, so that names in lower case come before others that
// differ in nothing else.
func (f *folder) rename(ctx context.Context, c *Collection, s Store, names []string) error {
	folded := map[string]bool{} // the names passed, as far as folding changes them
	for i := len(names) - 1; i >= 0; i-- {
		name := names[i]
		var err error
		switch fold := unicase.Fold(name); {
		case i%tickFiles == 0 && c.Yield.Tick(ctx) != nil:
			return ctx.Err()
		case f.files[name].state&ignored != 0:
		case !medianame.Normalized(c.Text, name), folded[fold], fold > name && f.isOwn(fold):
			err = f.move(ctx, c, s, name)
		case fold != name:
			folded[fold] = true
		}
		if err != nil && !isUnreadable(err) {
			return err
		}
	}
	return nil
}

// move foretells the new name of a file: that of a file added under its name in lower case (media-sync.md §8.2).
func (f *folder) move(ctx context.Context, c *Collection, s Store, name string) error {
	to := medianame.Normalize(c.Text, medianame.Lower(name))
	if to == "" || to == name {
		return nil
	}
	sum, err := s.Sum(ctx, name)
	if err != nil {
		return err
	}
	if have, ok := f.files[to]; ok {
		var is [20]byte
		if have.from != nil {
			is = have.from.sum
		} else if is, err = s.Sum(ctx, to); err != nil && !isUnreadable(err) {
			return err
		}
		if is != sum {
			to = medianame.WithSum(to, sum)
			if !strings.Contains(to, ".") {
				to += "." // as the reference does it
			}
		}
	}
	now, ok := f.files[to]
	if now.from == nil {
		now.from = &origins{sum: sum}
		if ok && now.state&ignored == 0 {
			now.from.names = []string{to}
		}
	}
	now.state = 0
	now.from.names = append(now.from.names, name)
	delete(f.files, name)
	f.files[to] = now
	f.renamed[name] = to
	return nil
}

// isUnreadable reports whether an error concerns one file only.
func isUnreadable(err error) bool {
	switch fault.KindOf(err) {
	case fault.NotFound, fault.NotWritable, fault.Busy, fault.InvalidInput:
		return true
	}
	return false
}

// isOwn reports whether a file counts that has the name in the store.
func (f *folder) isOwn(name string) bool {
	from := f.files[name].from
	return f.counts(name) && (from == nil || from.names[0] == name)
}

// counts reports whether there is a file of that name that counts.
func (f *folder) counts(name string) bool {
	have, ok := f.files[name]
	return ok && have.state&ignored == 0
}

// use marks a file as used and reports whether it is there.
func (f *folder) use(name string) bool {
	have, ok := f.files[name]
	if !ok || have.state&ignored != 0 {
		return false
	}
	if have.state&used == 0 {
		have.state |= used
		f.files[name] = have
	}
	return true
}

// unused adds the files that nothing uses to the report.
func (f *folder) unused(c *Collection, r *Report) {
	for name, have := range f.files {
		if have.state&(used|ignored) != 0 || strings.HasPrefix(name, "_") {
			continue
		}
		r.Unused = append(r.Unused, name)
		from := []string{name}
		if have.state == irregular {
			from = nil // nothing of ours
		} else if have.from != nil {
			from = have.from.names
		}
		for _, file := range from {
			if medianame.Normalized(c.Text, file) {
				r.UnusedFiles = append(r.UnusedFiles, file)
			}
		}
	}
	order.Strings(r.Unused)
	order.Strings(r.UnusedFiles)
}
