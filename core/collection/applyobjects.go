package collection

import (
	"fmt"
	"strings"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/legacy"
	"github.com/cardferry/cardferry/core/names"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/unicase"
	"github.com/cardferry/cardferry/core/wire"
)

// Changes stores unchunked objects: notetypes, decks, deck configs, tags, crt, config, in this order (§7.5). A
// notetype whose number of fields or templates differs from ours is fault.Resync.
func (a *Applier) Changes(c *wire.Changes) error {
	for _, raw := range c.Notetypes {
		if err := a.applyNotetype(raw); err != nil {
			return fmt.Errorf("apply notetype: %w", err)
		}
	}
	for _, raw := range c.Decks {
		if err := a.applyDeck(raw); err != nil {
			return fmt.Errorf("apply deck: %w", err)
		}
	}
	for _, raw := range c.DeckConfigs {
		if err := a.applyDeckConfig(raw); err != nil {
			return fmt.Errorf("apply deck config: %w", err)
		}
	}
	for _, tag := range c.Tags {
		if err := a.registerTag(tag); err != nil {
			return fmt.Errorf("apply tags: %w", err)
		}
	}
	if c.Crt != nil {
		a.packed = rows.Pack(a.packed[:0], *c.Crt)
		if err := a.run("UPDATE col SET crt = ?"); err != nil {
			return fmt.Errorf("apply crt: %w", err)
		}
	}
	if c.Config != nil {
		if err := a.applyConfig(c.Config); err != nil {
			return fmt.Errorf("apply config: %w", err)
		}
	}
	return nil
}

func (a *Applier) applyNotetype(raw []byte) error {
	nt, err := legacy.ParseNotetype(raw)
	if err != nil {
		return err
	}
	if err := checkUSN(nt.USN, "notetype", nt.ID); err != nil {
		return err
	}
	a.restamp(&nt.USN)
	existing, err := a.one("SELECT mtime_secs, (SELECT count(*) FROM fields WHERE ntid = ?1), "+
		"(SELECT count(*) FROM templates WHERE ntid = ?1) FROM notetypes WHERE id = ?1", nt.ID)
	if err != nil {
		return err
	}
	if existing != nil {
		if existing[0].Int() > nt.Mod {
			return nil
		}
		if existing[1].Int() != int64(len(nt.Fields)) || existing[2].Int() != int64(len(nt.Templates)) {
			return fault.New(fault.Resync, "notetype %d has %d fields and %d templates here, %d and %d on the other side",
				nt.ID, existing[1].Int(), existing[2].Int(), len(nt.Fields), len(nt.Templates))
		}
	}
	if err := checkPartNames(nt); err != nil {
		return err
	}
	if nt.Name, err = a.freeName("notetypes", nt.ID, existing != nil, nt.Name, &nt.Mod, &nt.USN); err != nil {
		return err
	}
	return a.storeNotetype(nt)
}

// checkPartNames refuses equal names, which the indexes over fields and templates cannot hold (§7.8).
func checkPartNames(nt *legacy.Notetype) error {
	list := make([]string, 0, len(nt.Fields))
	for _, f := range nt.Fields {
		list = append(list, f.Name)
	}
	if clash, ok := uniqueWithin(list); !ok {
		return fault.New(fault.DamagedDownload, "notetype %d has two fields named %q", nt.ID, clash)
	}
	list = list[:0]
	for _, t := range nt.Templates {
		list = append(list, t.Name)
	}
	if clash, ok := uniqueWithin(list); !ok {
		return fault.New(fault.DamagedDownload, "notetype %d has two templates named %q", nt.ID, clash)
	}
	return nil
}

// storeNotetype replaces the row and all its fields and templates. Their position in the list is their ordinal.
func (a *Applier) storeNotetype(nt *legacy.Notetype) error {
	delete(a.shapes, nt.ID)
	a.packed = rows.Pack(a.packed[:0], nt.ID, nt.Name, nt.Mod, nt.USN, nt.Config)
	// An upsert rather than a replace: a clash of names that was overlooked fails instead of deleting the other row.
	if err := a.run("INSERT INTO notetypes (id, name, mtime_secs, usn, config) VALUES (?, ?, ?, ?, ?) " +
		"ON CONFLICT(id) DO UPDATE SET name = excluded.name, mtime_secs = excluded.mtime_secs, usn = excluded.usn, config = excluded.config"); err != nil {
		return err
	}
	a.packed = rows.Pack(a.packed[:0], nt.ID)
	if err := a.run("DELETE FROM fields WHERE ntid = ?"); err != nil {
		return err
	}
	if err := a.run("DELETE FROM templates WHERE ntid = ?"); err != nil {
		return err
	}
	a.packed = a.packed[:0]
	for ord, f := range nt.Fields {
		a.packed = rows.Pack(a.packed, nt.ID, ord, f.Name, f.Config)
	}
	if err := a.run("INSERT INTO fields (ntid, ord, name, config) VALUES (?, ?, ?, ?)"); err != nil {
		return err
	}
	a.packed = a.packed[:0]
	for ord, t := range nt.Templates {
		a.packed = rows.Pack(a.packed, nt.ID, ord, t.Name, t.Config)
	}
	return a.run("INSERT INTO templates (ntid, ord, name, mtime_secs, usn, config) VALUES (?, ?, ?, 0, 0, ?)")
}

// freeName returns the name under which an object can be stored: while another row has it, "+" is appended. A
// renamed object counts as changed at this sync: its mod and usn are set (§8.1). Where the search for a name ended is
// kept, as a thousand objects of one name would otherwise take a million steps; replaced says that the object was
// here, so that its old name, or the one that it blocked for itself, may be free now.
func (a *Applier) freeName(table string, id int64, replaced bool, name string, mod *int64, usn *int32) (string, error) {
	if replaced {
		clear(a.taken)
	}
	key := table + "\x00" + unicase.Fold(name)
	free, err := names.Unique(name+strings.Repeat("+", a.taken[key]), "+", func(name string) (bool, error) {
		row, err := a.one("SELECT 1 FROM "+table+" WHERE name = ? AND id <> ?", name, id)
		return row != nil, err
	})
	if err != nil {
		return "", err
	}
	if free != name {
		*mod, *usn = a.now.Unix(), int32(a.usn)
		a.taken[key] = len(free) - len(name)
	}
	return free, nil
}
