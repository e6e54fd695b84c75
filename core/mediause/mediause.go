// Package mediause tells how a collection uses media files: which it misses and which it does not need (Check), and when
// each is needed (Due).
//
// Check finds what the reference's media check finds (media-sync.md §11.3), without its side effects: that one renames
// files, rewrites fields and moves pictures out of them while it looks. What it would make of them is foretold. These things
// differ on purpose:
//
//   - A name of which normalising leaves nothing (`<img src="">`) is not reported as a missing file without a name, and the
//     field is not touched; nor does such a file's name in the folder make the whole check fail.
//   - A picture in a data: URL is not reported as missing because it was just moved to a file. One that
//     is no picture, or damaged, counts as missing, as there; but no name of more than 1024 bytes does, since
//     no file can have it.
//   - A file that would be renamed to a name which another one has already, with the same content, is not unused if the other
//     is in use, and counts once. There it is listed as often as it was there, used or not.
//   - Two names that differ in case alone, and are both in lower case (ß and ss), are left alone. The reference crashes.
//   - A missing file that is still to come from the server is not missing.
//   - Names are compared as they are. On a disk that ignores case the reference does as well.
//
// Files that are too large to be synced or empty count as missing if a note refers to them, as there, and never as unused.
// What does not come from a note is not in use, unless its name begins with "_": a file whose name stands literally in a
// template is unused for the reference, too.
//
// It also finds what the reference does not look for, files that templates and styles name literally.
package mediause

import (
	"context"
	"iter"
	"math"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/mediaref"
	"github.com/cardferry/cardferry/core/notetext"
	"github.com/cardferry/cardferry/core/rows"
)

// Collection is an open collection that is read. DB may be open for reading only. It must not be changed
// by another task meanwhile, unless the caller can live with a result that has both states in it.
type Collection struct {
	DB    host.DB
	Text  host.Text
	Yield host.Yielder
}

const (
	// maxName is the length of the longest name that is looked at, in bytes. Fields can have anything in the place of
	// a name, megabytes of SVG included.
	maxName = 1024
	// windowSize is how many notes are read with one statement: in a page nothing else can run meanwhile.
	windowSize = 1000
	// tickBytes is how much text is searched between two ticks, windowSize apart.
	tickBytes = 64 << 10
)

// note is a note that may have references.
type note struct {
	id, notetype int64
	flds         string
}

// window is a range of note ids: those above after, up to last.
type window struct{ after, last int64 }

// windows yields ranges of about windowSize notes each that have all notes.
func (c *Collection) windows(ctx context.Context) iter.Seq2[window, error] {
	return func(yield func(window, error) bool) {
		w := window{after: math.MinInt64}
		for w.last != math.MaxInt64 {
			row, err := rows.One(c.DB, "SELECT id FROM notes WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?", w.after, windowSize-1)
			if err == nil {
				err = c.Yield.Tick(ctx)
			}
			if err != nil {
				yield(w, err)
				return
			}
			if w.last = math.MaxInt64; row != nil {
				w.last = row[0].Int()
			}
			if !yield(w, nil) {
				return
			}
			w.after = w.last
		}
	}
}

// notes yields the notes of a window that have any mark of a reference, in the order of their ids.
func (c *Collection) notes(ctx context.Context, w window) iter.Seq2[note, error] {
	return func(yield func(note, error) bool) {
		searched := 0
		for row, err := range rows.Query(c.DB, "SELECT id, mid, flds FROM notes WHERE id > ? AND id <= ? AND (instr(flds, '<') OR instr(flds, '[')) "+
			"ORDER BY id", w.after, w.last) {
			if err == nil && searched >= tickBytes {
				searched = 0
				err = c.Yield.Tick(ctx)
			}
			if err != nil {
				yield(note{}, err)
				return
			}
			searched += len(row[2].Bytes)
			if !yield(note{row[0].Int(), row[1].Int(), row[2].String()}, nil) {
				return
			}
		}
	}
}

// refs yields the references of a note that can be names of files, in Unicode's form C, and whether they were not in it.
func (c *Collection) refs(n note, svg bool, yield func(r mediaref.Ref, composed bool)) {
	for _, field := range notetext.SplitFields(n.flds) {
		mediaref.Field(field, svg, func(r mediaref.Ref) {
			if len(r.Name) <= maxName {
				raw := r.Name
				r.Name = nfc(c.Text, raw)
				yield(r, r.Name != raw)
			}
		})
	}
}
