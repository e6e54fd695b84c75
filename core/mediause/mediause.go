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

// each calls do for each row of a query. (In the guest a loop over a sequence takes more room than a function call.)
func (c *Collection) each(do func(row rows.Row) error, sql string, args ...any) error {
	for row, err := range rows.Query(c.DB, sql, args...) {
		if err == nil {
			err = do(row)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// notes calls search for each note that has any mark of a reference, in the order of their ids, and done after about every
// windowSize notes.
func (c *Collection) notes(ctx context.Context, search func(note) error, done func() error) error {
	after := int64(math.MinInt64)
	for after != math.MaxInt64 {
		last := int64(math.MaxInt64)
		row, err := rows.One(c.DB, "SELECT id FROM notes WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?", after, windowSize-1)
		if err != nil {
			return err
		}
		if row != nil {
			last = row[0].Int()
		}
		searched := 0
		err = c.each(func(row rows.Row) error {
			if searched += len(row[2].Bytes); searched > tickBytes {
				searched = 0
				if err := c.Yield.Tick(ctx); err != nil {
					return err
				}
			}
			return search(note{row[0].Int(), row[1].Int(), row[2].String()})
		}, "SELECT id, mid, flds FROM notes WHERE id > ? AND id <= ? AND (instr(flds, '<') OR instr(flds, '[')) ORDER BY id", after, last)
		if err == nil {
			err = done()
		}
		if err == nil {
			err = c.Yield.Tick(ctx)
		}
		if err != nil {
			return err
		}
		after = last
	}
	return nil
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
