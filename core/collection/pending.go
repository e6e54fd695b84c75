package collection

import (
	"fmt"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
)

// PendingGraves returns the graves that the server has not got yet, ids ascending. Graves of unknown types, which the
// protocol has no place for, are passed over.
func PendingGraves(db host.DB) (wire.Graves, error) { return pickGraves(db, pendingAs(0)) }

// GravesSince returns the graves that a server has for a client which has all before minUSN.
func GravesSince(db host.DB, minUSN int32) (wire.Graves, error) {
	return pickGraves(db, changedSince(minUSN))
}

func pickGraves(db host.DB, p pick) (wire.Graves, error) {
	var g wire.Graves
	for row, err := range rows.Query(db, "SELECT oid, type FROM graves WHERE "+p.where+" AND type BETWEEN 0 AND 2 ORDER BY type, oid", p.args...) {
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
	return pickChanges(db, pendingAs(usn), without, withConfig)
}

// ChangesSince returns the unchunked objects that a server has for a client which has all before minUSN, each with its own
// usn. With withConfig, all config entries and crt follow.
func ChangesSince(db host.DB, minUSN int32, withConfig bool) (*wire.Changes, error) {
	return pickChanges(db, changedSince(minUSN), nil, withConfig)
}

func pickChanges(db host.DB, p pick, without map[int64]bool, withConfig bool) (*wire.Changes, error) {
	c := &wire.Changes{}
	for _, part := range []struct {
		into *[][]byte
		each eachPending
		skip map[int64]bool
	}{{&c.Notetypes, pendingNotetypes, nil}, {&c.Decks, pendingDecks, without}, {&c.DeckConfigs, pendingDeckConfigs, nil}} {
		err := part.each(db, p, func(id int64, object []byte) error {
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
	if c.Tags, err = pendingTags(db, p); err != nil || !withConfig {
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

func pendingTags(db host.DB, p pick) ([]string, error) {
	var tags []string
	for row, err := range rows.Query(db, "SELECT tag FROM tags WHERE "+p.where+" ORDER BY tag", p.args...) {
		if err != nil {
			return nil, fmt.Errorf("list pending tags: %w", err)
		}
		tags = append(tags, row[0].String())
	}
	return tags, nil
}

// usnTables are the tables whose rows have a usn that must not be -1 on a server (§11).
var usnTables = [...]string{"cards", "notes", "revlog", "graves", "decks", "deck_config", "tags", "notetypes"}

// AnyPending reports whether a row has usn -1.
func AnyPending(db host.DB) (bool, error) {
	sql := "SELECT 0"
	for _, table := range usnTables {
		sql += " OR EXISTS(SELECT 1 FROM " + table + " WHERE usn = -1)"
	}
	n, err := rows.IntOf(db, sql)
	return n != 0, err
}

// SettlePending gives the usn to all rows that have -1: nothing is pending on a server.
func SettlePending(db host.DB, usn int64) error {
	for _, table := range usnTables {
		if _, err := rows.Exec(db, "UPDATE "+table+" SET usn = ? WHERE usn = -1", usn); err != nil {
			return fmt.Errorf("settle %s: %w", table, err)
		}
	}
	return nil
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
