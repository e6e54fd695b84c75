package collection

import (
	"strconv"

	"github.com/cardferry/cardferry/core/jsontext"
	"github.com/cardferry/cardferry/core/legacy"
	"github.com/cardferry/cardferry/core/names"
	"github.com/cardferry/cardferry/core/order"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/unicase"
)

// clashSuffix is appended to the names of notetypes and decks until they are unique (§8.2).
const clashSuffix = "_"

// splitDeckConfigs moves col.dconf into deck_config. The key of an entry overrides the id inside it.
func (u *upgrader) splitDeckConfigs() error {
	list, err := u.objects("dconf")
	if err != nil {
		return err
	}
	for _, m := range list {
		c, err := legacy.ParseDeckConfig(m.Raw)
		if err != nil {
			return unreadable(err, "deck config %q", m.Key)
		}
		if c.ID, err = strconv.ParseInt(m.Key, 10, 64); err != nil {
			return damaged("the key %q of a deck config is not a number", m.Key)
		}
		c.Config = m.Raw
		if err := insertDeckConfig(u.db, c); err != nil {
			return err
		}
	}
	return nil
}

// splitTags moves col.tags. Of tags that are equal under the collation the first stays.
func (u *upgrader) splitTags() error {
	list, err := u.objects("tags")
	if err != nil {
		return err
	}
	for _, m := range list {
		usn, ok := jsontext.Int32(m.Raw)
		if !ok {
			return damaged("the usn of the tag %q is not an integer", m.Key)
		}
		if _, err := rows.Exec(u.db, "INSERT OR IGNORE INTO tags (tag, usn) VALUES (?, ?)", m.Key, usn); err != nil {
			return err
		}
	}
	return nil
}

// splitConfig moves col.conf. The entries count as sent.
func (u *upgrader) splitConfig() error {
	list, err := u.objects("conf")
	if err != nil {
		return err
	}
	for _, m := range list {
		if err := PutConfig(u.db, m.Key, m.Raw, 0, 0); err != nil {
			return err
		}
	}
	return nil
}

// splitObjects (to 15) moves notetypes and decks out of their columns, and turns deck configs from JSON into blobs.
func (u *upgrader) splitObjects() error {
	if err := u.create("fields", "templates", "notetypes", "decks"); err != nil {
		return err
	}
	// The names must be unique while they are stored, so that no clash is overlooked.
	if err := CreateIndexes(u.db); err != nil {
		return err
	}
	if err := u.splitNotetypes(); err != nil {
		return err
	}
	if err := u.splitDecks(); err != nil {
		return err
	}
	if err := u.encodeDeckConfigs(); err != nil {
		return err
	}
	return u.db.Exec("UPDATE col SET models = '', decks = ''")
}

func (u *upgrader) splitNotetypes() error {
	list, err := u.objects("models")
	if err != nil {
		return err
	}
	var parsed []*legacy.Notetype
	for _, m := range list {
		nt, err := legacy.ParseNotetype(m.Raw)
		if err != nil {
			return unreadable(err, "notetype %q", m.Key)
		}
		if nt.ID == 0 {
			nt.ID = u.randomPositive()
		}
		parsed = append(parsed, nt)
	}
	order.By(len(parsed), func(i, j int) bool { return parsed[i].ID < parsed[j].ID }, func(i, j int) { parsed[i], parsed[j] = parsed[j], parsed[i] })
	taken := nameSet{}
	for _, nt := range parsed {
		nt.Name = taken.add(names.NFC(u.text, nt.Name), clashSuffix)
		fields, templates := nameSet{}, nameSet{}
		for i := range nt.Fields {
			nt.Fields[i].Name = fields.add(names.NFC(u.text, nt.Fields[i].Name), "+")
		}
		for i := range nt.Templates {
			nt.Templates[i].Name = templates.add(names.NFC(u.text, nt.Templates[i].Name), "+")
		}
		if err := insertNotetype(u.db, nt); err != nil {
			return err
		}
	}
	return nil
}

// splitDecks moves col.decks. A deck whose name had to change is pending.
func (u *upgrader) splitDecks() error {
	list, err := u.objects("decks")
	if err != nil {
		return err
	}
	type named struct {
		*legacy.Deck
		human string
	}
	var parsed []named
	for _, m := range list {
		d, err := legacy.ParseDeck(u.text, m.Raw)
		if err != nil {
			return unreadable(err, "deck %q", m.Key)
		}
		parsed = append(parsed, named{d, textMember(m.Raw, "name")})
	}
	order.By(len(parsed), func(i, j int) bool { return parsed[i].ID < parsed[j].ID }, func(i, j int) { parsed[i], parsed[j] = parsed[j], parsed[i] })
	taken := nameSet{}
	for _, d := range parsed {
		d.Name = taken.add(d.Name, clashSuffix)
		if names.DeckHuman(d.Name) != d.human {
			d.Mod, d.USN = u.now.Unix(), -1
		}
		if err := insertDeck(u.db, d.Deck); err != nil {
			return err
		}
	}
	return nil
}

// encodeDeckConfigs turns the JSON in deck_config into blobs. Their initial ease is in percent until the next step.
func (u *upgrader) encodeDeckConfigs() error {
	type stored struct {
		id  int64
		raw []byte
	}
	var list []stored
	for row, err := range rows.Query(u.db, "SELECT id, config FROM deck_config ORDER BY id") {
		if err != nil {
			return err
		}
		list = append(list, stored{row[0].Int(), row[1].Clone()})
	}
	for _, s := range list {
		c, err := legacy.ParseDeckConfig(s.raw)
		if err != nil {
			return unreadable(err, "deck config %d", s.id)
		}
		ease, err := initialEase(c.Config)
		if err != nil {
			return err
		}
		config := withInitialEase(c.Config, ease*100)
		if _, err := rows.Exec(u.db, "UPDATE deck_config SET config = ? WHERE id = ?", config, s.id); err != nil {
			return err
		}
	}
	return nil
}

// nameSet holds the names that are taken, folded by the collation.
type nameSet map[string]bool

// add takes a name, with the suffix appended until it is free, and returns it.
func (s nameSet) add(name, suffix string) string {
	for s[unicase.Fold(name)] {
		name += suffix
	}
	s[unicase.Fold(name)] = true
	return name
}
