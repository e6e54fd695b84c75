package collection

import (
	"fmt"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/legacy"
	"github.com/cardferry/cardferry/core/rows"
)

// A pick says which objects are to be sent (§6.2), and with which usn.
type pick struct {
	where string // condition on usn
	args  []any  // its parameters: a statement is compiled once for all of them
	stamp *int32 // nil: each with its own
}

// pendingAs picks what a client has to send, stamped with the server's usn.
func pendingAs(usn int64) pick {
	stamp := int32(usn)
	return pick{"usn = -1", nil, &stamp}
}

// changedSince picks what a server has to send to a client that has all before minUSN. The plus hides the value from SQLite's planner, which would
// compile the statement again for each one if the file has statistics (ANALYZE).
func changedSince(minUSN int32) pick { return pick{"usn >= +?", []any{minUSN}, nil} }

// usn returns the usn to be sent of an object with the given one.
func (p pick) usn(own rows.Value) int32 {
	if p.stamp != nil {
		return *p.stamp
	}
	return int32(own.Int())
}

// An eachPending calls do with the legacy JSON of each picked object of a table.
type eachPending func(db host.DB, p pick, do func(id int64, object []byte) error) error

// pendingNotetypes is an eachPending.
func pendingNotetypes(db host.DB, p pick, do func(id int64, object []byte) error) error {
	list, err := readPendingNotetypes(db, p)
	if err != nil {
		return fmt.Errorf("list pending notetypes: %w", err)
	}
	for _, nt := range list {
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

// readPendingNotetypes reads the picked notetypes with their fields and templates, in three queries however many
// there are.
func readPendingNotetypes(db host.DB, p pick) ([]*legacy.Notetype, error) {
	var list []*legacy.Notetype
	byID := map[int64]*legacy.Notetype{}
	for row, err := range rows.Query(db, "SELECT id, name, mtime_secs, config, usn FROM notetypes WHERE "+p.where+" ORDER BY id", p.args...) {
		if err != nil {
			return nil, err
		}
		nt := &legacy.Notetype{ID: row[0].Int(), Name: row[1].String(), Mod: row[2].Int(), Config: row[3].Clone(), USN: p.usn(row[4])}
		list = append(list, nt)
		byID[nt.ID] = nt
	}
	if len(list) == 0 {
		return nil, nil
	}
	parts := "SELECT ntid, name, config FROM %s WHERE ntid IN (SELECT id FROM notetypes WHERE " + p.where + ") ORDER BY ntid, ord"
	for row, err := range rows.Query(db, fmt.Sprintf(parts, "fields"), p.args...) {
		if err != nil {
			return nil, err
		}
		nt := byID[row[0].Int()]
		nt.Fields = append(nt.Fields, legacy.Field{Name: row[1].String(), Config: row[2].Clone()})
	}
	for row, err := range rows.Query(db, fmt.Sprintf(parts, "templates"), p.args...) {
		if err != nil {
			return nil, err
		}
		nt := byID[row[0].Int()]
		nt.Templates = append(nt.Templates, legacy.Template{Name: row[1].String(), Config: row[2].Clone()})
	}
	return list, nil
}

// pendingDecks is an eachPending.
func pendingDecks(db host.DB, p pick, do func(id int64, object []byte) error) error {
	for row, err := range rows.Query(db, "SELECT id, name, mtime_secs, common, kind, usn FROM decks WHERE "+p.where+" ORDER BY id", p.args...) {
		if err != nil {
			return fmt.Errorf("list pending decks: %w", err)
		}
		d := &legacy.Deck{ID: row[0].Int(), Name: row[1].String(), Mod: row[2].Int(), USN: p.usn(row[5]), Common: row[3].Bytes, Kind: row[4].Bytes}
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
func pendingDeckConfigs(db host.DB, p pick, do func(id int64, object []byte) error) error {
	for row, err := range rows.Query(db, "SELECT id, name, mtime_secs, config, usn FROM deck_config WHERE "+p.where+" ORDER BY id", p.args...) {
		if err != nil {
			return fmt.Errorf("list pending deck configs: %w", err)
		}
		c := &legacy.DeckConfig{ID: row[0].Int(), Name: row[1].String(), Mod: row[2].Int(), USN: p.usn(row[4]), Config: row[3].Bytes}
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
