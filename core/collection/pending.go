package collection

import (
	"fmt"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
)

// PendingGraves returns the graves that the server has not got yet, ids ascending. Graves of unknown types, which the
// protocol has no place for, are passed over.
func PendingGraves(db host.DB) (wire.Graves, error) {
	var g wire.Graves
	for row, err := range rows.Query(db, "SELECT oid, type FROM graves WHERE usn = -1 AND type BETWEEN 0 AND 2 ORDER BY type, oid") {
		if err != nil {
			return wire.Graves{}, fmt.Errorf("list pending graves: %w", err)
		}
		id := row[0].Int()
		switch row[1].Int() {
		case graveCard:
			g.Cards = append(g.Cards, id)
		case graveNote:
			g.Notes = append(g.Notes, id)
		case graveDeck:
			g.Decks = append(g.Decks, id)
		}
	}
	return g, nil
}

// PendingChanges returns the unchunked objects that the server has not got yet, stamped with its usn: notetypes,
// decks (but those in without, which it has deleted: sent again they would come back to life), deck configs, tags.
// With withConfig, all config entries and crt follow; only the side that is newer sends them.
// An object that cannot be decoded is fault.DamagedFile.
func PendingChanges(db host.DB, usn int64, without map[int64]bool, withConfig bool) (*wire.Changes, error) {
	c := &wire.Changes{}
	for _, part := range []struct {
		into *[][]byte
		each eachPending
		skip map[int64]bool
	}{{&c.Notetypes, pendingNotetypes, nil}, {&c.Decks, pendingDecks, without}, {&c.DeckConfigs, pendingDeckConfigs, nil}} {
		err := part.each(db, usn, func(id int64, object []byte) error {
			if !part.skip[id] {
				*part.into = append(*part.into, object)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	var err error
	if c.Tags, err = pendingTags(db); err != nil || !withConfig {
		return c, err
	}
	if c.Config, err = ReadConfig(db); err != nil {
		return nil, err
	}
	crt, err := rows.IntOf(db, "SELECT crt FROM col")
	if err != nil {
		return nil, fmt.Errorf("read crt: %w", err)
	}
	c.Crt = &crt
	return c, nil
}

func pendingTags(db host.DB) ([]string, error) {
	var tags []string
	for row, err := range rows.Query(db, "SELECT tag FROM tags WHERE usn = -1 ORDER BY tag") {
		if err != nil {
			return nil, fmt.Errorf("list pending tags: %w", err)
		}
		tags = append(tags, row[0].String())
	}
	return tags, nil
}

// PendingCounts returns how many rows of each kind the server has not got yet, all kinds present.
func PendingCounts(db host.DB) (map[string]int64, error) {
	tables := []string{"notes", "cards", "revlog", "decks", "notetypes", "deck_config", "tags", "graves"}
	counts := make(map[string]int64, len(tables))
	for _, table := range tables {
		kind, only := table, ""
		switch table {
		case "deck_config":
			kind = "deck_configs"
		case "graves":
			only = " AND type BETWEEN 0 AND 2" // others are not sent
		}
		n, err := rows.IntOf(db, "SELECT count(*) FROM "+table+" WHERE usn = -1"+only)
		if err != nil {
			return nil, fmt.Errorf("count pending %s: %w", kind, err)
		}
		counts[kind] = n
	}
	return counts, nil
}
