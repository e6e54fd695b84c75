package collection

import (
	"fmt"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/legacy"
	"github.com/cardferry/cardferry/core/rows"
)

// An eachPending calls do with the legacy JSON of each pending object of a table, stamped with usn.
type eachPending func(db host.DB, usn int64, do func(id int64, object []byte) error) error

// pendingNotetypes is an eachPending.
func pendingNotetypes(db host.DB, usn int64, do func(id int64, object []byte) error) error {
	list, err := readPendingNotetypes(db)
	if err != nil {
		return fmt.Errorf("list pending notetypes: %w", err)
	}
	for _, nt := range list {
		nt.USN = int32(usn)
		object, err := nt.AppendJSON(nil)
		if err != nil {
			return err
		}
		if err := do(nt.ID, object); err != nil {
			return err
		}
	}
	return nil
}

// readPendingNotetypes reads the pending notetypes with their fields and templates, in three queries however many
// there are.
func readPendingNotetypes(db host.DB) ([]*legacy.Notetype, error) {
	var list []*legacy.Notetype
	byID := map[int64]*legacy.Notetype{}
	for row, err := range rows.Query(db, "SELECT id, name, mtime_secs, config FROM notetypes WHERE usn = -1 ORDER BY id") {
		if err != nil {
			return nil, err
		}
		nt := &legacy.Notetype{ID: row[0].Int(), Name: row[1].String(), Mod: row[2].Int(), Config: row[3].Clone()}
		list = append(list, nt)
		byID[nt.ID] = nt
	}
	if len(list) == 0 {
		return nil, nil
	}
	const parts = "SELECT ntid, name, config FROM %s WHERE ntid IN (SELECT id FROM notetypes WHERE usn = -1) ORDER BY ntid, ord"
	for row, err := range rows.Query(db, fmt.Sprintf(parts, "fields")) {
		if err != nil {
			return nil, err
		}
		nt := byID[row[0].Int()]
		nt.Fields = append(nt.Fields, legacy.Field{Name: row[1].String(), Config: row[2].Clone()})
	}
	for row, err := range rows.Query(db, fmt.Sprintf(parts, "templates")) {
		if err != nil {
			return nil, err
		}
		nt := byID[row[0].Int()]
		nt.Templates = append(nt.Templates, legacy.Template{Name: row[1].String(), Config: row[2].Clone()})
	}
	return list, nil
}

// pendingDecks is an eachPending.
func pendingDecks(db host.DB, usn int64, do func(id int64, object []byte) error) error {
	for row, err := range rows.Query(db, "SELECT id, name, mtime_secs, common, kind FROM decks WHERE usn = -1 ORDER BY id") {
		if err != nil {
			return fmt.Errorf("list pending decks: %w", err)
		}
		d := &legacy.Deck{ID: row[0].Int(), Name: row[1].String(), Mod: row[2].Int(), USN: int32(usn), Common: row[3].Bytes, Kind: row[4].Bytes}
		object, err := d.AppendJSON(nil)
		if err != nil {
			return err
		}
		if err := do(d.ID, object); err != nil {
			return err
		}
	}
	return nil
}

// pendingDeckConfigs is an eachPending. The JSON has repaired values (collection-format.md §2.7).
func pendingDeckConfigs(db host.DB, usn int64, do func(id int64, object []byte) error) error {
	for row, err := range rows.Query(db, "SELECT id, name, mtime_secs, config FROM deck_config WHERE usn = -1 ORDER BY id") {
		if err != nil {
			return fmt.Errorf("list pending deck configs: %w", err)
		}
		c := &legacy.DeckConfig{ID: row[0].Int(), Name: row[1].String(), Mod: row[2].Int(), USN: int32(usn), Config: row[3].Bytes}
		object, err := c.AppendJSON(nil)
		if err != nil {
			return err
		}
		if err := do(c.ID, object); err != nil {
			return err
		}
	}
	return nil
}
