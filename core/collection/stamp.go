package collection

import (
	"fmt"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
)

// StampSent gives the server's usn to the pending rows that still equal what was sent, as kept by CopyPending. A row
// that was edited meanwhile stays pending, even if its mod is the same: that has only seconds. With untouched, which
// says that nothing was written since CopyPending (see Mark), the pending rows are the copied ones: no comparison.
func StampSent(db host.DB, usn int64, untouched bool) error {
	for _, t := range sentTables {
		sql := "UPDATE main." + t.name + " SET usn = ? WHERE usn = -1"
		if !untouched {
			sql += " AND EXISTS (SELECT 1 FROM " + t.copy + " AS s WHERE s.id = " + t.name + ".id" + t.matches() + ")"
		}
		n, err := rows.IntOf(db, "SELECT count(*) FROM "+t.copy)
		if err == nil {
			err = bulk(db, t.name, "usn", n, func() error {
				_, err := rows.Exec(db, sql, usn)
				return err
			})
		}
		if err != nil {
			return fmt.Errorf("stamp %s: %w", t.name, err)
		}
	}
	return nil
}

// StampChanges gives the server's usn to the pending objects whose present form still equals what was sent. usn is
// the one with which they were sent. Config entries get usn 0, as long as their value is the one that was sent.
func StampChanges(db host.DB, sent *wire.Changes, usn int64) error {
	if err := stampObjects(db, "notetypes", pendingNotetypes, asSet(sent.Notetypes), usn); err != nil {
		return err
	}
	if err := stampObjects(db, "decks", pendingDecks, asSet(sent.Decks), usn); err != nil {
		return err
	}
	if err := stampObjects(db, "deck_config", pendingDeckConfigs, asSet(sent.DeckConfigs), usn); err != nil {
		return err
	}
	var packed []byte
	for _, tag := range sent.Tags {
		packed = rows.Pack(packed, usn, tag)
	}
	// The second comparison tells apart spellings, which the first, made for the index, does not.
	if err := stampRows(db, "UPDATE tags SET usn = ?1 WHERE tag = ?2 AND tag = ?2 COLLATE BINARY AND usn = -1", packed); err != nil {
		return fmt.Errorf("stamp tags: %w", err)
	}
	packed = packed[:0]
	for _, e := range sent.Config {
		packed = rows.Pack(packed, e.Key, []byte(e.Value))
	}
	if err := stampRows(db, "UPDATE config SET usn = 0 WHERE key = ?1 AND CAST(val AS BLOB) = ?2 AND usn <> 0", packed); err != nil {
		return fmt.Errorf("stamp config: %w", err)
	}
	return nil
}

// StampGraves gives the server's usn to the pending graves that were sent.
func StampGraves(db host.DB, g wire.Graves, usn int64) error {
	var packed []byte
	for kind, ids := range [][]int64{graveCard: g.Cards, graveNote: g.Notes, graveDeck: g.Decks} {
		for _, id := range ids {
			packed = rows.Pack(packed, usn, id, kind)
		}
	}
	if err := stampRows(db, "UPDATE graves SET usn = ? WHERE oid = ? AND type = ? AND usn = -1", packed); err != nil {
		return fmt.Errorf("stamp graves: %w", err)
	}
	return nil
}

func stampObjects(db host.DB, table string, each eachPending, sent map[string]bool, usn int64) error {
	if len(sent) == 0 {
		return nil
	}
	var packed []byte
	err := each(db, pendingAs(usn), func(id int64, object []byte) error {
		if sent[string(object)] {
			packed = rows.Pack(packed, usn, id)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := stampRows(db, "UPDATE "+table+" SET usn = ? WHERE id = ? AND usn = -1", packed); err != nil {
		return fmt.Errorf("stamp %s: %w", table, err)
	}
	return nil
}

// stampRows runs sql once for each packed row.
func stampRows(db host.DB, sql string, packed []byte) error {
	if len(packed) == 0 {
		return nil
	}
	st, err := db.Prepare(sql)
	if err != nil {
		return err
	}
	defer st.Close()
	_, err = st.Run(packed)
	return err
}

func asSet[T ~[]byte](objects []T) map[string]bool {
	set := make(map[string]bool, len(objects))
	for _, o := range objects {
		set[string(o)] = true
	}
	return set
}
