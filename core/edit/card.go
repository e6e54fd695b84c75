package edit

import (
	"slices"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/legacy"
	"github.com/cardferry/cardferry/core/notetext"
	"github.com/cardferry/cardferry/core/render"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/study"
)

// notetype is what adding notes and cards needs to know.
type notetype struct {
	*render.Notetype
	id        int64
	fields    int
	sortField int
}

func (e *edit) notetype(id int64) (*notetype, error) {
	loaded, err := render.Load(e.db, id)
	if fault.KindOf(err) == fault.NotFound {
		return nil, invalid("there is no notetype %d", id)
	}
	if err != nil {
		return nil, err
	}
	row, err := rows.One(e.db, "SELECT config FROM notetypes WHERE id = ?", id)
	if err != nil {
		return nil, err
	}
	return &notetype{Notetype: loaded, id: id, fields: len(loaded.Fields), sortField: legacy.SortField(row[0].Bytes)}, nil
}

// ordinals returns the cards that a note should have (§1.1).
func (nt *notetype) ordinals(n note) []int {
	return render.Ordinals(nt.Notetype, notetext.SplitFields(n.flds), notetext.SplitTags(n.tags))
}

// addCards adds the first cards of a note, at least one.
func (e *edit) addCards(id int64, nt *notetype, n note, deck int64) ([]int64, error) {
	ords := nt.ordinals(n)
	if len(ords) == 0 {
		ords = []int{0}
	}
	return e.insertCards(id, nt, ords, deck, -1)
}

// addMissingCards adds the cards that a changed note should have and has not (§1.4). The others stay, also those that would be
// empty now.
func (e *edit) addMissingCards(id int64, nt *notetype, n note) (cards []int64, err error) {
	position := int64(-1)
	missing := nt.ordinals(n)
	has := 0
	for row, err := range rows.Query(e.db, "SELECT ord, type, CASE odid WHEN 0 THEN due ELSE odue END FROM cards WHERE nid = ? ORDER BY ord", id) {
		if err != nil {
			return nil, err
		}
		if i := slices.Index(missing, int(row[0].Int())); i >= 0 {
			missing = append(missing[:i], missing[i+1:]...)
		}
		if position < 0 && row[1].Int() == 0 {
			position = max(0, row[2].Int())
		}
		has++
	}
	if has == 0 && len(missing) == 0 {
		missing = []int{0}
	}
	if len(missing) == 0 {
		return []int64{}, nil
	}
	// Where all are; if that is in several decks, where the last note of this notetype was added.
	deck, err := rows.IntOf(e.db, "SELECT CASE min(home) WHEN max(home) THEN home ELSE (SELECT CAST(val AS INTEGER) FROM config "+
		"WHERE key = '_nt_' || ? || '_lastDeck') END FROM (SELECT CASE odid WHEN 0 THEN did ELSE odid END AS home FROM cards WHERE nid = ?)", nt.id, id)
	if err == nil {
		deck, err = e.normalDeck(deck)
	}
	if err != nil {
		return nil, err
	}
	return e.insertCards(id, nt, missing, deck, position)
}

// insertCards adds cards at a position in the queue of new cards. If that is below 0, it is the next one, and cards in decks whose
// options say so share a random one.
func (e *edit) insertCards(note int64, nt *notetype, ords []int, deck, position int64) ([]int64, error) {
	cards := []int64{}
	var s *study.Session
	random := int64(0)
	if position < 0 {
		var err error
		if s, err = e.session(); err == nil {
			position, err = e.takePosition()
		}
		if err != nil {
			return nil, err
		}
	}
	for _, ord := range ords {
		id, err := e.newID("cards")
		if err != nil {
			return nil, err
		}
		did := deck
		template := ord
		if nt.Cloze {
			template = 0
		}
		if template < len(nt.Templates) && nt.Templates[template].Deck > 0 {
			if did, err = e.normalDeck(nt.Templates[template].Deck); err != nil {
				return nil, err
			}
		}
		due := position
		if s != nil {
			o, err := s.Options(did)
			if err != nil {
				return nil, err
			}
			if o.NewRandom {
				if random == 0 {
					random = 1 + e.random(max(position, 1000))
				}
				due = random
			}
		}
		if err := e.exec("INSERT INTO cards (id, nid, did, ord, mod, usn, type, queue, due, ivl, factor, reps, lapses, left, odue, odid, flags, data) "+
			"VALUES (?, ?, ?, ?, ?, -1, 0, 0, ?, 0, 0, 0, 0, 0, 0, 0, 0, '{}')", id, note, did, ord, e.now.Unix(), due); err != nil {
			return nil, err
		}
		cards = append(cards, id)
	}
	return cards, nil
}
