package collection

import (
	"fmt"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
)

// Empty reports whether the collection counts as empty when sides are compared: it has no cards, whatever else it
// has (sync spec, trap 11).
func Empty(db host.DB) (bool, error) {
	n, err := rows.IntOf(db, "SELECT EXISTS(SELECT 1 FROM cards)")
	if err != nil {
		return false, fmt.Errorf("look for cards: %w", err)
	}
	return n == 0, nil
}

// Counts returns the row counts that both sides compare at the end of a sync (§7).
func Counts(db host.DB) (c wire.Counts, err error) {
	for _, t := range []struct {
		table string
		n     *int64
	}{
		{"cards", &c.Cards}, {"notes", &c.Notes}, {"revlog", &c.Revlog}, {"graves", &c.Graves},
		{"notetypes", &c.Notetypes}, {"decks", &c.Decks}, {"deck_config", &c.DeckConfigs},
	} {
		if *t.n, err = rows.IntOf(db, "SELECT count(*) FROM "+t.table); err != nil {
			return wire.Counts{}, fmt.Errorf("count %s: %w", t.table, err)
		}
	}
	return c, nil
}
