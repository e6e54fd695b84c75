package edit

import (
	"strconv"
	"strings"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/legacy"
	"github.com/cardferry/cardferry/core/names"
	"github.com/cardferry/cardferry/core/rows"
)

// needDeck refuses a deck that does not exist.
func (e *edit) needDeck(id int64) error {
	n, err := rows.IntOf(e.db, "SELECT count(*) FROM decks WHERE id = ?", id)
	if err == nil && n == 0 {
		err = invalid("there is no deck %d", id)
	}
	return err
}

// normalDeck returns the deck in which new cards end up: the given one, or the default deck if that is missing or filtered.
func (e *edit) normalDeck(id int64) (int64, error) {
	row, err := rows.One(e.db, "SELECT kind FROM decks WHERE id = ?", id)
	if err != nil {
		return 0, err
	}
	if row == nil || legacy.IsFiltered(row[0].Bytes) {
		return 1, nil
	}
	return id, nil
}

func (e *edit) addDeck(name string) (Result, error) {
	if name == "" {
		return Result{}, invalid("the name is missing")
	}
	native, err := e.placeDeck(names.DeckNative(e.host.Text, name), 0)
	if err != nil {
		return Result{}, err
	}
	if err := e.addParents(native); err != nil {
		return Result{}, err
	}
	id, err := e.insertDeck(native)
	return Result{DeckID: id}, err
}

// insertDeck adds a normal deck as the reference makes it (collection-format.md §4.2).
func (e *edit) insertDeck(native string) (int64, error) {
	id, err := e.newID("decks")
	if err != nil {
		return 0, err
	}
	common, kind := legacy.NewDeck()
	return id, e.exec("INSERT INTO decks (id, name, mtime_secs, usn, common, kind) VALUES (?, ?, ?, -1, ?, ?)", id, native, e.now.Unix(), common, kind)
}

// placeDeck returns the name under which a deck can be stored (collection-format.md §8): the nearest ancestor that is there says
// how that part is spelled, those that are missing are made, and a name that another deck has gets a "+". id is the deck's own,
// 0 for a new one.
func (e *edit) placeDeck(native string, id int64) (string, error) {
	for parent := names.DeckParent(native); parent != ""; parent = names.DeckParent(parent) {
		row, err := rows.One(e.db, "SELECT name, kind FROM decks WHERE name = ?", parent)
		if err != nil {
			return "", err
		}
		if row == nil {
			continue
		}
		if legacy.IsFiltered(row[1].Bytes) {
			return "", invalid("the deck %q is filtered; such a deck has none below it", names.DeckHuman(row[0].String()))
		}
		native = row[0].String() + native[len(parent):]
		break
	}
	return e.freeDeck(native, id)
}

// freeDeck adds "+" to a name until no other deck has it.
func (e *edit) freeDeck(native string, id int64) (string, error) {
	return names.Unique(native, "+", func(name string) (bool, error) {
		n, err := rows.IntOf(e.db, "SELECT count(*) FROM decks WHERE name = ? AND id <> ?", name, id)
		return n > 0, err
	})
}

// addParents makes the decks above a deck that are missing.
func (e *edit) addParents(native string) error {
	for parent := names.DeckParent(native); parent != ""; parent = names.DeckParent(parent) {
		n, err := rows.IntOf(e.db, "SELECT count(*) FROM decks WHERE name = ?", parent)
		if err != nil || n > 0 {
			return err
		}
		if _, err := e.insertDeck(parent); err != nil {
			return err
		}
	}
	return nil
}

// deckRow is a deck of a tree.
type deckRow struct {
	id       int64
	name     string
	filtered bool
}

// tree returns a deck and those below it.
func (e *edit) tree(id int64) (list []deckRow, err error) {
	for row, err := range rows.Query(e.db, "SELECT d.id, d.name, d.kind FROM decks d, decks top WHERE top.id = ? AND (d.id = top.id OR "+
		"d.name >= top.name || char(31) AND d.name < top.name || ' ') ORDER BY d.name", id) {
		if err != nil {
			return nil, err
		}
		list = append(list, deckRow{row[0].Int(), row[1].String(), legacy.IsFiltered(row[2].Bytes)})
	}
	if len(list) == 0 {
		return nil, invalid("there is no deck %d", id)
	}
	return list, nil
}

// renameDeck renames a deck and those below it.
func (e *edit) renameDeck(id int64, name string) error {
	decks, err := e.tree(id)
	if err != nil {
		return err
	}
	if name == "" {
		return invalid("the name is missing")
	}
	native, err := e.placeDeck(names.DeckNative(e.host.Text, name), id)
	if err != nil || native == decks[0].name {
		return err
	}
	depth := 1 + strings.Count(decks[0].name, "\x1f")
	// First out of the way: a new name may be that of a deck that is renamed as well.
	for i, d := range decks {
		if err := e.exec("UPDATE decks SET name = ? WHERE id = ?", "\x1f"+strconv.Itoa(i), d.id); err != nil {
			return err
		}
	}
	renamed := map[string]string{}
	for _, d := range decks {
		to := native + below(d.name, depth)
		if parent := names.DeckParent(d.name); renamed[parent] != "" {
			to = renamed[parent] + d.name[len(parent):]
		}
		// A deck whose parent is missing may have the name of one below.
		if to, err = e.freeDeck(to, d.id); err != nil {
			return err
		}
		renamed[d.name] = to
		if err := e.exec("UPDATE decks SET name = ?2, "+touchedObject+" WHERE id = ?3", e.now.Unix(), to, d.id); err != nil {
			return err
		}
	}
	return e.addParents(native)
}

// below returns what follows after the first levels of a name. (Their spelling need not be that of the deck above.)
func below(native string, levels int) string {
	for range levels {
		i := strings.IndexByte(native, '\x1f')
		if i < 0 {
			return ""
		}
		native = native[i+1:]
	}
	return "\x1f" + native
}

// removeDeck removes a deck and those below it, with their cards and the notes that have no others. The default deck itself
// stays, empty. Cards that a filtered deck among them has borrowed go home.
func (e *edit) removeDeck(id int64) error {
	decks, err := e.tree(id)
	if err != nil {
		return err
	}
	var cards []int64
	for _, d := range decks {
		if d.filtered {
			continue
		}
		own, err := e.ids("SELECT id FROM cards WHERE did = ?1 OR odid = ?1", d.id)
		if err != nil {
			return err
		}
		cards = append(cards, own...)
	}
	if err := e.removeCards(cards); err != nil {
		return err
	}
	var gone []int64
	for _, d := range decks {
		prefix := "_deck_" + strconv.FormatInt(d.id, 10) + "_"
		if err := e.exec("DELETE FROM config WHERE substr(key, 1, ?) = ?", len(prefix), prefix); err != nil {
			return err
		}
		if d.id == 1 {
			if err := e.exec("UPDATE decks SET "+touchedObject+" WHERE id = 1", e.now.Unix()); err != nil {
				return err
			}
			continue
		}
		if d.filtered {
			if err := e.sendHome(d.id); err != nil {
				return err
			}
		}
		gone = append(gone, d.id)
	}
	return e.remove("decks", graveDeck, gone)
}

// sendHome takes all cards out of a filtered deck.
func (e *edit) sendHome(deck int64) error {
	cards, err := e.ids("SELECT id FROM cards WHERE did = ?", deck)
	if err != nil {
		return err
	}
	for _, id := range cards {
		c, err := collection.ReadCard(e.db, id)
		if err != nil {
			return err
		}
		leaveFiltered(&c)
		if err := e.putCard(&c); err != nil {
			return err
		}
	}
	return nil
}

// removeCards removes cards and the notes that have none left.
func (e *edit) removeCards(cards []int64) error {
	var notes []int64
	for _, id := range cards {
		own, err := e.ids("SELECT nid FROM cards WHERE id = ?", id)
		if err != nil {
			return err
		}
		notes = append(notes, own...)
	}
	if err := e.remove("cards", graveCard, cards); err != nil {
		return err
	}
	var empty []int64
	for _, id := range notes {
		own, err := e.ids("SELECT id FROM notes WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM cards WHERE nid = ?1)", id)
		if err != nil {
			return err
		}
		empty = append(empty, own...)
	}
	return e.remove("notes", graveNote, empty)
}
