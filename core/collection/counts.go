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
	row, err := rows.One(db, "SELECT (SELECT count(*) FROM cards), (SELECT count(*) FROM notes), (SELECT count(*) FROM revlog), "+
		"(SELECT count(*) FROM graves), (SELECT count(*) FROM notetypes), (SELECT count(*) FROM decks), (SELECT count(*) FROM deck_config)")
	if err != nil {
		return c, fmt.Errorf("count rows: %w", err)
	}
	for i, n := range []*int64{&c.Cards, &c.Notes, &c.Revlog, &c.Graves, &c.Notetypes, &c.Decks, &c.DeckConfigs} {
		*n = row[i].Int()
	}
	return c, nil
}
