package collection

import (
	"fmt"
	"math"
	"time"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

// upgrader brings a collection to schema 18. now and random serve objects whose name or id has to
// change, text the names of all.
type upgrader struct {
	db     host.DB
	now    time.Time
	random host.Random
	text   host.Text
}

// upgradeSteps are the schema versions to go through; each step starts from the one before (§9).
var upgradeSteps = []struct {
	to int
	do func(*upgrader) error
}{
	{14, (*upgrader).splitColumns},
	{15, (*upgrader).splitObjects},
	{16, (*upgrader).repairEase},
	{17, (*upgrader).extendTags},
	{18, (*upgrader).keyGraves},
}

// Upgrade brings a collection of schema 11 or 14 to 17 to 18, in a transaction of its own: after an error the file is
// as before. It reports whether there was anything to do. What the old form cannot be read as is fault.DamagedFile,
// another version fault.UnsupportedFile.
func Upgrade(db host.DB, clock host.Clock, random host.Random, text host.Text) (bool, error) {
	ver, err := CheckHeader(db)
	if err != nil || ver == Schema {
		return false, err
	}
	u := &upgrader{db: db, now: clock.Now(), random: random, text: text}
	if err := rows.Transaction(db, u.upgrade); err != nil {
		return false, asDamaged(err, "upgrade the collection")
	}
	return true, nil
}

func (u *upgrader) upgrade() error {
	if err := CheckStructure(u.db); err != nil {
		return err
	}
	c, err := ReadCol(u.db) // inside the transaction: another program may have been faster
	if err != nil {
		return err
	}
	for _, step := range upgradeSteps {
		if c.Ver >= step.to {
			continue
		}
		if err := step.do(u); err != nil {
			return fmt.Errorf("to schema %d: %w", step.to, err)
		}
	}
	if err := CreateIndexes(u.db); err != nil {
		return err
	}
	if _, err := rows.Exec(u.db, "UPDATE col SET ver = ?", Schema); err != nil {
		return err
	}
	return CheckStructure(u.db)
}

// create makes a table of schema 18.
func (u *upgrader) create(tables ...string) error {
	for _, name := range tables {
		if err := u.db.Exec(tableNamed(name).create()); err != nil {
			return err
		}
	}
	return nil
}

// splitColumns (to 14) moves the config, tags and deck configs out of their columns in col. The config column of
// deck_config holds JSON until the next step.
func (u *upgrader) splitColumns() error {
	if err := u.create("deck_config", "config"); err != nil {
		return err
	}
	if err := u.db.Exec("CREATE TABLE tags (tag text NOT NULL PRIMARY KEY COLLATE unicase, usn integer NOT NULL) WITHOUT ROWID"); err != nil {
		return err
	}
	if err := u.splitDeckConfigs(); err != nil {
		return err
	}
	if err := u.splitTags(); err != nil {
		return err
	}
	if err := u.splitConfig(); err != nil {
		return err
	}
	return u.db.Exec("UPDATE col SET conf = '', dconf = '', tags = ''")
}

// extendTags (to 17) adds the columns collapsed and config.
func (u *upgrader) extendTags() error {
	return u.rebuild("tags", "INSERT INTO tags (tag, usn, collapsed, config) SELECT tag, usn, 1, NULL FROM old_tags")
}

// keyGraves (to 18) gives graves a key. Of several graves of one object the first stays.
func (u *upgrader) keyGraves() error {
	return u.rebuild("graves", "INSERT OR IGNORE INTO graves (oid, type, usn) SELECT oid, type, usn FROM old_graves")
}

// rebuild replaces a table by its form of schema 18; fill copies the rows from a table of the same name with "old_"
// in front.
func (u *upgrader) rebuild(table, fill string) error {
	if err := u.db.Exec("ALTER TABLE " + table + " RENAME TO old_" + table); err != nil {
		return err
	}
	if err := u.create(table); err != nil {
		return err
	}
	return u.db.Exec(fill + "; DROP TABLE old_" + table)
}

// repairEase (to 16) turns the initial ease of deck configs from percent into a factor. An ease that is not above
// 1.3 becomes 2.5, and so does that of the cards which have got such an ease.
func (u *upgrader) repairEase() error {
	type stored struct {
		id     int64
		config []byte
	}
	var list []stored
	for row, err := range rows.Query(u.db, "SELECT id, config FROM deck_config ORDER BY id") {
		if err != nil {
			return err
		}
		list = append(list, stored{row[0].Int(), row[1].Clone()})
	}
	bad := map[int64]bool{}
	for _, c := range list {
		percent, err := initialEase(c.config)
		if err != nil {
			return unreadable(err, "deck config %d", c.id)
		}
		ease := percent / 100
		if !(ease > 1.3) {
			ease, bad[c.id] = 2.5, true
		}
		config := withInitialEase(c.config, ease)
		if _, err := rows.Exec(u.db, "UPDATE deck_config SET config = ? WHERE id = ?", config, c.id); err != nil {
			return err
		}
	}
	return u.repairCards(bad)
}

// repairCards corrects the ease of cards in, or at home in, decks that use one of the configs.
func (u *upgrader) repairCards(configs map[int64]bool) error {
	if len(configs) == 0 {
		return nil
	}
	var params []byte
	for row, err := range rows.Query(u.db, "SELECT id, kind FROM decks") {
		if err != nil {
			return err
		}
		config, err := deckConfigOf(row[1].Bytes)
		if err != nil {
			return unreadable(err, "deck %d", row[0].Int())
		}
		if configs[config] {
			params = rows.Pack(params, row[0].Int())
		}
	}
	if len(params) == 0 {
		return nil
	}
	st, err := u.db.Prepare("UPDATE cards SET factor = 2500, usn = -1 WHERE factor <> 0 AND factor <= 2000 " +
		"AND (did = ?1 OR odid = ?1)")
	if err != nil {
		return err
	}
	defer st.Close()
	_, err = st.Run(params)
	return err
}

// randomPositive is an id for an object that has none.
func (u *upgrader) randomPositive() int64 { return max(randomID(u.random)&math.MaxInt64, 1) }

// unreadable is the error for an object of the file that does not decode.
func unreadable(err error, format string, args ...any) error {
	e := damaged(format, args...)
	e.Err = err
	return e
}
