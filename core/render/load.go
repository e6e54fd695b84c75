package render

import (
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/names"
	"github.com/cardferry/cardferry/core/notetext"
	"github.com/cardferry/cardferry/core/rows"
)

// NoDeck is the name of the deck of a card that has none yet.
const NoDeck = "(Deck)"

// LoadCard reads a card from a collection. fault.NotFound if there is none; fault.DamagedFile if its note or notetype is
// missing or damaged.
func LoadCard(db host.DB, id int64) (*Card, error) {
	// In a filtered deck it is the home deck that counts (§2.2).
	row, err := rows.One(db, "SELECT c.ord, c.flags, n.mid, n.flds, n.tags, d.name FROM cards c LEFT JOIN notes n ON n.id = c.nid "+
		"LEFT JOIN decks d ON d.id = CASE c.odid WHEN 0 THEN c.did ELSE c.odid END WHERE c.id = ?", id)
	if err != nil {
		return nil, err
	}
	if row == nil {
		return nil, fault.New(fault.NotFound, "no card %d", id)
	}
	n, err := Load(db, row[2].Int())
	if err != nil {
		if fault.KindOf(err) == fault.NotFound {
			err = fault.Wrap(fault.DamagedFile, err, "card %d", id)
		}
		return nil, err
	}
	c := &Card{
		Notetype: n, ID: id, Ord: int(row[0].Int()), Flag: int(row[1].Int() & 7), Deck: NoDeck,
		Fields: notetext.SplitFields(row[3].String()), Tags: notetext.SplitTags(row[4].String()),
	}
	if name := row[5].String(); name != "" {
		c.Deck = names.DeckHuman(name)
	}
	return c, nil
}
