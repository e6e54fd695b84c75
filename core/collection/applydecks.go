package collection

import (
	"strconv"

	"github.com/cardferry/cardferry/core/legacy"
	"github.com/cardferry/cardferry/core/rows"
)

func (a *Applier) applyDeck(raw []byte) error {
	d, err := legacy.ParseDeck(a.text, raw)
	if err != nil {
		return err
	}
	if err := checkUSN(d.USN, "deck", d.ID); err != nil {
		return err
	}
	a.restamp(&d.USN)
	existing, err := a.one("SELECT mtime_secs FROM decks WHERE id = ?", d.ID)
	if err != nil {
		return err
	}
	if existing != nil && existing[0].Int() > d.Mod {
		return nil
	}
	if existing == nil && a.deletedHere {
		grave, err := a.one("SELECT 1 FROM graves WHERE oid = ? AND type = "+strconv.Itoa(graveDeck)+" AND usn = -1", d.ID)
		if err != nil || grave != nil {
			return err
		}
	}
	if d.Name, err = a.freeName("decks", d.ID, existing != nil, d.Name, &d.Mod, &d.USN); err != nil {
		return err
	}
	a.packed = rows.Pack(a.packed[:0], d.ID, d.Name, d.Mod, d.USN, d.Common, d.Kind)
	return a.run("INSERT INTO decks (id, name, mtime_secs, usn, common, kind) VALUES (?, ?, ?, ?, ?, ?) " +
		"ON CONFLICT(id) DO UPDATE SET name = excluded.name, mtime_secs = excluded.mtime_secs, usn = excluded.usn, " +
		"common = excluded.common, kind = excluded.kind")
}

func (a *Applier) applyDeckConfig(raw []byte) error {
	c, err := legacy.ParseDeckConfig(raw)
	if err != nil {
		return err
	}
	if err := checkUSN(c.USN, "deck config", c.ID); err != nil {
		return err
	}
	a.restamp(&c.USN)
	a.packed = rows.Pack(a.packed[:0], c.ID, c.Name, c.Mod, c.USN, c.Config)
	return a.run("INSERT INTO deck_config (id, name, mtime_secs, usn, config) VALUES (?, ?, ?, ?, ?) " +
		"ON CONFLICT(id) DO UPDATE SET name = excluded.name, mtime_secs = excluded.mtime_secs, usn = excluded.usn, " +
		"config = excluded.config WHERE deck_config.mtime_secs <= excluded.mtime_secs")
}
