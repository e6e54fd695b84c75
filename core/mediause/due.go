package mediause

import (
	"context"
	"math"
	"slices"

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
			for _, name := range append([]string{s.Name}, s.Others...) {
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
	svg := svgOnly(notetypes)
	for w, err := range c.windows(ctx) {
		if err != nil {
			return err
		}
		if err := c.due(ctx, &q, w, svg, yield); err != nil {
			return err
		}
	}
	return nil
}

// named is a note with the files that it names.
type named struct {
	note  int64
	files []string
}

// due is Due for the notes of one window.
func (c *Collection) due(ctx context.Context, q *queue, w window, svg map[int64]bool, yield func(name string, day int) error) error {
	var list []named
	for n, err := range c.notes(ctx, w) {
		if err != nil {
			return err
		}
		var files []string
		c.refs(n, svg[n.notetype], func(r mediaref.Ref, _ bool) {
			if r.Inline {
				return
			}
			files = append(files, r.Name)
			if normal := medianame.Normalize(c.Text, r.Name); normal != r.Name && normal != "" {
				files = append(files, normal)
			}
		})
		if files != nil {
			list = append(list, named{n.id, files})
		}
	}
	if list == nil {
		return nil
	}
	days, err := q.days(c.DB, list)
	if err != nil {
		return err
	}
	for i, n := range list {
		for _, name := range n.files {
			if err := yield(name, days[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// days returns the day of each note in the list, which is in the order of their ids.
func (q *queue) days(db host.DB, list []named) ([]int, error) {
	days := slices.Repeat([]int{Rest}, len(list))
	i := 0
	for row, err := range rows.Query(db, "SELECT nid, did, queue, type, due FROM cards WHERE nid >= ? AND nid <= ? ORDER BY nid",
		list[0].note, list[len(list)-1].note) {
		if err != nil {
			return nil, err
		}
		nid := row[0].Int()
		for list[i].note < nid {
			i++
		}
		if list[i].note == nid {
			days[i] = min(days[i], q.day(row[1].Int(), row[2].Int(), row[3].Int(), row[4].Int()))
		}
	}
	return days, nil
}
