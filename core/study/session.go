package study

import (
	"math"
	"time"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/jsontext"
	"github.com/cardferry/cardferry/core/legacy"
	"github.com/cardferry/cardferry/core/rows"
)

// Session is one look at a collection: the time, and what of the config and the decks was read so far. It is for use within
// one transaction.
type Session struct {
	db             host.DB
	now            time.Time
	Today, NextDay int64 // the number of the day; its end in Unix seconds
	FSRS           bool
	short          bool  // config fsrsShortTermWithStepsEnabled
	learnAhead     int64 // seconds
	ignoreReviews  bool  // config newCardsIgnoreReviewLimit
	parentLimits   bool  // config applyAllParentLimits
	lastUnburied   int64 // config; a day
	options        map[int64]*legacy.StudyOptions
	schedulers     map[int64]*fsrs // by deck; those with FSRS
}

// defaultLearnAhead counts where the config has no collapseTime.
const defaultLearnAhead = 1200

// Begin reads the time and the config.
func Begin(db host.DB, clock host.Clock) (*Session, error) {
	c := &Session{
		db: db, now: clock.Now(), learnAhead: defaultLearnAhead,
		options: map[int64]*legacy.StudyOptions{}, schedulers: map[int64]*fsrs{},
	}
	var err error
	if c.Today, c.NextDay, err = collection.Today(db, clock); err != nil {
		return nil, err
	}
	for row, err := range rows.Query(db, "SELECT key, val FROM config WHERE key IN ('fsrs', 'fsrsShortTermWithStepsEnabled', "+
		"'collapseTime', 'lastUnburied', 'newCardsIgnoreReviewLimit', 'applyAllParentLimits')") {
		if err != nil {
			return nil, err
		}
		on, _ := jsontext.Bool(row[1].Bytes)
		switch row[0].String() {
		case "fsrs":
			c.FSRS = on
		case "fsrsShortTermWithStepsEnabled":
			c.short = on
		case "newCardsIgnoreReviewLimit":
			c.ignoreReviews = on
		case "applyAllParentLimits":
			c.parentLimits = on
		case "lastUnburied":
			c.lastUnburied, _ = jsontext.IntIn(row[1].Bytes, 0, math.MaxUint32)
		case "collapseTime":
			if v, ok := jsontext.IntIn(row[1].Bytes, 0, math.MaxUint32); ok {
				c.learnAhead = v
			}
		}
	}
	return c, nil
}

// DayBegins reports whether buried cards have to come back first, by collection.Unbury: a day has begun, or the clock went back
// (collection-format.md §6.4).
func (c *Session) DayBegins() bool {
	return c.lastUnburied < c.Today || c.lastUnburied > c.Today+7
}

// deck is a deck with its place in the tree.
type deck struct {
	legacy.StudyDeck
	id     int64
	name   string // native form
	common []byte
}

// readDeck reads a deck.
func (c *Session) readDeck(id int64) (*deck, error) {
	row, err := rows.One(c.db, "SELECT name, common, kind FROM decks WHERE id = ?", id)
	if err != nil {
		return nil, err
	}
	if row == nil {
		return nil, fault.New(fault.NotFound, "there is no deck %d", id)
	}
	d := &deck{id: id, name: row[0].String(), common: row[1].Bytes}
	d.StudyDeck, err = legacy.ReadStudyDeck(row[1].Bytes, row[2].Bytes, c.Today)
	return d, fault.Wrap(fault.DamagedFile, err, "deck %d", id)
}

// deckOptions returns the options of a normal deck. A missing configuration counts as one with all defaults.
func (c *Session) deckOptions(d *deck) (*legacy.StudyOptions, error) {
	if o := c.options[d.ConfigID]; o != nil {
		return o, nil
	}
	row, err := rows.One(c.db, "SELECT config FROM deck_config WHERE id = ?", d.ConfigID)
	if err != nil {
		return nil, err
	}
	o := legacy.DefaultStudyOptions()
	if row != nil {
		if o, err = legacy.ReadStudyOptions(row[0].Bytes); err != nil {
			return nil, fault.Wrap(fault.DamagedFile, err, "deck configuration %d", d.ConfigID)
		}
	}
	c.options[d.ConfigID] = &o
	return &o, nil
}

// Options returns the options of the normal deck with an id, those of a missing one too.
func (c *Session) Options(id int64) (*legacy.StudyOptions, error) {
	d, err := c.readDeck(id)
	if fault.KindOf(err) == fault.NotFound {
		d, err = &deck{}, nil
	}
	if err != nil {
		return nil, err
	}
	return c.deckOptions(d)
}

// stepDays returns after how many days a step of a length ends, 0 if it ends today (study.md §4.2).
func (c *Session) stepDays(seconds int64) int64 {
	if left := c.NextDay - c.now.Unix(); seconds >= left {
		return 1 + (seconds-left)/daySeconds
	}
	return 0
}
