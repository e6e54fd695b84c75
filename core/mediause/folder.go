package mediause

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/medianame"
	"github.com/cardferry/cardferry/core/unicase"
)

// maxSize is the size of the largest file that counts, in bytes.
const maxSize = 100 << 20

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
	names []string // sorted
	files []fileState
	// renamed has the new names of files by their old ones; added, by names that are new in the folder, the files that
	// get them; merged, by names that are not, the files that would give way to one with the same content.
	renamed map[string]string
	added   map[string]*addedFile
	merged  map[string][]string
}

type fileState uint8

const (
	ignored   fileState = 1 << iota // on the disk, but does not count
	gone                            // renamed
	used                            // a note refers to it
	irregular                       // a link
)

// addedFile is what gets a new name: one file, or several with the same content.
type addedFile struct {
	sum  [20]byte
	from []string
	used bool
}

// readFolder lists the store and foretells the new names.
func readFolder(ctx context.Context, c *Collection, s Store) (*folder, error) {
	f := &folder{renamed: map[string]string{}, added: map[string]*addedFile{}, merged: map[string][]string{}}
	for file, err := range s.Files {
		if err == nil && len(f.names)%1024 == 1023 {
			err = c.Yield.Tick(ctx)
		}
		if err != nil {
			return nil, err
		}
		state := fileState(0)
		switch {
		case !file.Regular:
			state = irregular
		case file.Size <= 0, file.Size > maxSize, file.Name == ".DS_Store":
			state = ignored
		}
		f.names = append(f.names, file.Name)
		f.files = append(f.files, state)
	}
	return f, f.rename(ctx, c, s)
}

// rename goes through the files from the last name to the first, so that names in lower case come before others that
// differ in nothing else.
func (f *folder) rename(ctx context.Context, c *Collection, s Store) error {
	folded := map[string]bool{} // the names passed, as far as folding changes them
	for i, name := range slices.Backward(f.names) {
		if i%1024 == 1023 {
			if err := c.Yield.Tick(ctx); err != nil {
				return err
			}
		}
		if f.files[i]&ignored != 0 {
			continue
		}
		if medianame.Normalized(c.Text, name) {
			fold := unicase.Fold(name)
			if fold == name && !folded[name] {
				continue
			}
			if fold != name && !folded[fold] && !f.passed(fold, i) {
				folded[fold] = true
				continue
			}
		}
		if err := f.move(ctx, c, s, i); err != nil {
			return err
		}
	}
	return nil
}

// passed reports whether a file of that name counts and comes after i.
func (f *folder) passed(name string, i int) bool {
	k, ok := f.find(name)
	return ok && k > i && f.files[k]&(ignored|gone) == 0
}

func (f *folder) find(name string) (int, bool) { return slices.BinarySearch(f.names, name) }

// move foretells the new name of a file: that of a file added under its name in lower case (media-sync.md §8.2).
func (f *folder) move(ctx context.Context, c *Collection, s Store, i int) error {
	from := f.names[i]
	to := medianame.Normalize(c.Text, medianame.Lower(from))
	if to == "" || to == from {
		return nil
	}
	sum, err := s.Sum(ctx, from)
	if err == nil {
		var taken bool
		if taken, err = f.isOther(ctx, s, to, sum); taken {
			to = medianame.WithSum(to, sum)
			if !strings.Contains(to, ".") {
				to += "." // as the reference does it
			}
		}
	}
	if err != nil {
		if isUnreadable(err) {
			return nil
		}
		return err
	}
	f.files[i] |= gone
	f.renamed[from] = to
	if k, ok := f.find(to); ok && f.files[k]&(gone|ignored) == 0 {
		f.merged[to] = append(f.merged[to], from)
		return nil
	}
	a := f.added[to]
	if a == nil {
		a = &addedFile{sum: sum}
		f.added[to] = a
	}
	a.from = append(a.from, from)
	return nil
}

// isOther reports whether a file of that name is on the disk with other content.
func (f *folder) isOther(ctx context.Context, s Store, name string, sum [20]byte) (bool, error) {
	if a := f.added[name]; a != nil {
		return a.sum != sum, nil
	}
	k, ok := f.find(name)
	if !ok || f.files[k]&gone != 0 {
		return false, nil
	}
	is, err := s.Sum(ctx, name)
	if err != nil && isUnreadable(err) {
		return true, nil
	}
	return is != sum, err
}

// isUnreadable reports whether an error concerns one file only.
func isUnreadable(err error) bool {
	for _, kind := range [...]fault.Kind{fault.NotFound, fault.NotWritable, fault.Busy, fault.InvalidInput} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// onDisk reports whether there is anything under the name.
func (f *folder) onDisk(name string) bool {
	if f.added[name] != nil {
		return true
	}
	k, ok := f.find(name)
	return ok && f.files[k]&gone == 0
}

// use marks a file as used and reports whether it is there.
func (f *folder) use(name string) bool {
	if a := f.added[name]; a != nil {
		a.used = true
		return true
	}
	k, ok := f.find(name)
	if !ok || f.files[k]&(gone|ignored) != 0 {
		return false
	}
	f.files[k] |= used
	return true
}

// has reports whether a file is in the store now, under that very name, and counts.
func (f *folder) has(name string) bool {
	k, ok := f.find(name)
	return ok && f.files[k]&ignored == 0
}
