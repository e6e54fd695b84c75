package mediause

import (
	"context"
	"math"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/medianame"
	"github.com/cardferry/cardferry/core/mediaref"
	"github.com/cardferry/cardferry/core/rows"
)

// Rest is the day of files that no study will show: those of suspended cards, of notes without cards, of new cards in decks
// that show none.
const Rest = math.MaxInt32

// Due calls yield for each file that the collection names, with the number of days until a card shows it: 0 is today, and
// also what is overdue, being learnt, or named by a template or style. A file comes as often as it is named; the
// lowest day counts. Names are in Unicode's form C, and come normalised as well if that is another name. What begins with
// "_" and is named nowhere does not come.
//
// The day is that of the note's earliest card (study.md §3.1), whose other fields and sides are shown with it:
//
//   - Reviews and learning over a day: the day that they are due. Learning within the day and previews: when their time is.
//   - New cards: those that the deck shows today, by its own limit and position, then those of the next day, and so on. Limits
//     of decks above, and reviews that take the place of new cards, are left out: they only put it off.
//   - Buried cards: as without, but not before tomorrow. Suspended cards: Rest.
//
// yield may use the collection's database, but must not change the collection.
func Due(ctx context.Context, c Collection, clock host.Clock, yield func(name string, day int) error) error {
	notetypes, err := c.notetypes()
	if err != nil {
		return err
	}
	for _, n := range notetypes {
		err := c.statics(n, func(_ string, s mediaref.Static) error {
			for _, name := range s.Readings {
				if err := yield(nfc(c.Text, name), 0); err != nil {
					return err
				}
			}
			return c.Yield.Tick(ctx)
		})
		if err != nil {
			return err
		}
	}
	q := queue{decks: map[int64][]int64{}}
	if q.today, q.nextDay, err = collection.Today(c.DB, clock); err != nil {
		return err
	}
	if err := q.readDecks(ctx, &c); err != nil {
		return err
	}
	d := dueNotes{Collection: &c, queue: &q, svg: svgOnly(notetypes), yield: yield}
	return c.notes(ctx, d.add, d.flush)
}

// dueNotes gathers notes and the files that they name, until it is worth asking for their cards.
type dueNotes struct {
	*Collection
	queue *queue
	svg   map[int64]bool
	yield func(name string, day int) error
	notes []named
}

type named struct {
	note  int64
	files []string
	day   int
}

func (d *dueNotes) add(n note) error {
	var files []string
	d.refs(n, d.svg[n.notetype], func(r mediaref.Ref, _ bool) {
		if r.Inline {
			return
		}
		files = append(files, r.Name)
		if normal := medianame.Normalize(d.Text, r.Name); normal != r.Name && normal != "" {
			files = append(files, normal)
		}
	})
	if files != nil {
		d.notes = append(d.notes, named{n.id, files, Rest})
	}
	return nil
}

func (d *dueNotes) flush() error {
	list := d.notes
	if len(list) == 0 {
		return nil
	}
	i := 0
	err := d.each(func(row rows.Row) error {
		nid := row[0].Int()
		for list[i].note < nid {
			i++
		}
		if n := &list[i]; n.note == nid {
			n.day = min(n.day, d.queue.day(row[1].Int(), row[2].Int(), row[3].Int(), row[4].Int()))
		}
		return nil
	}, "SELECT nid, did, queue, type, due FROM cards WHERE nid >= ? AND nid <= ? ORDER BY nid", list[0].note, list[len(list)-1].note)
	if err != nil {
		return err
	}
	for _, n := range list {
		for _, name := range n.files {
			if err := d.yield(name, n.day); err != nil {
				return err
			}
		}
	}
	d.notes = list[:0]
	return nil
}
