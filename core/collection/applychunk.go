package collection

import (
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
)

// Chunk stores a slice of rows: revlog, cards, notes, in this order, each table with one call to the database.
func (a *Applier) Chunk(c *wire.Chunk) (err error) {
	if err := a.stage(c); err != nil {
		return err
	}
	return a.Staged(a.staged)
}

// stage checks a slice, and packs it into a.staged.
func (a *Applier) stage(c *wire.Chunk) (err error) {
	for i := range c.Revlog {
		a.restamp(&c.Revlog[i].USN)
	}
	for i := range c.Cards {
		a.restamp(&c.Cards[i].USN)
	}
	for i := range c.Notes {
		a.restamp(&c.Notes[i].USN)
	}
	a.staged, err = appendStaged(a.staged[:0], c, a.pendingFrom)
	return err
}

const revlogSQL = "INSERT INTO revlog (id, cid, usn, ease, ivl, lastIvl, factor, time, type) " +
	"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(id) DO NOTHING"

// packRevlog appends the entries as parameters of revlogSQL.
func packRevlog(b []byte, list []wire.Revlog) ([]byte, error) {
	for r := range ascending(list, func(r *wire.Revlog) int64 { return r.ID }) {
		if err := checkUSN(r.USN, "revlog entry", r.ID); err != nil {
			return b, err
		}
		b = rows.Begin(b, 9)
		b = rows.Int(b, r.ID)
		b = rows.Int(b, r.CardID)
		b = rows.Int(b, int64(r.USN))
		b = rows.Int(b, int64(r.Ease))
		b = rows.Int(b, int64(r.Interval))
		b = rows.Int(b, int64(r.LastInterval))
		b = rows.Int(b, int64(r.Factor))
		b = rows.Int(b, int64(r.Time))
		b = rows.Int(b, int64(r.Type))
	}
	return b, nil
}

// packCards appends the cards as parameters of cardSQL.
func packCards(b []byte, list []wire.Card, pendingFrom int64) ([]byte, error) {
	for c := range ascending(list, func(c *wire.Card) int64 { return c.ID }) {
		if err := checkUSN(c.USN, "card", c.ID); err != nil {
			return b, err
		}
		b = appendCard(b, c, pendingFrom)
	}
	return b, nil
}

func appendCard(b []byte, c *wire.Card, pendingFrom int64) []byte {
	n := 18
	if pendingFrom != -1 {
		n++
	}
	b = rows.Begin(b, n)
	b = rows.Int(b, c.ID)
	b = rows.Int(b, c.NoteID)
	b = rows.Int(b, c.DeckID)
	b = rows.Int(b, int64(c.Ord))
	b = rows.Int(b, c.Mod)
	b = rows.Int(b, int64(c.USN))
	b = rows.Int(b, int64(c.Type))
	b = rows.Int(b, int64(c.Queue))
	b = rows.Int(b, int64(c.Due))
	b = rows.Int(b, int64(c.Interval))
	b = rows.Int(b, int64(c.Factor))
	b = rows.Int(b, int64(c.Reps))
	b = rows.Int(b, int64(c.Lapses))
	b = rows.Int(b, int64(c.Left))
	b = rows.Int(b, int64(c.ODue))
	b = rows.Int(b, c.ODeckID)
	b = rows.Int(b, int64(c.Flags))
	if b = rows.Text(b, wire.CardData(c.Data)); pendingFrom != -1 {
		b = rows.Int(b, pendingFrom)
	}
	return b
}

func (a *Applier) cardSQL() string {
	const values = "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18"
	return "INSERT INTO cards (id, nid, did, ord, mod, usn, type, queue, due, ivl, factor, reps, lapses, left, odue, odid, flags, data) " +
		a.source(values, "cards", graveCard) +
		" ON CONFLICT(id) DO UPDATE SET nid = excluded.nid, did = excluded.did, ord = excluded.ord, mod = excluded.mod," +
		" usn = excluded.usn, type = excluded.type, queue = excluded.queue, due = excluded.due, ivl = excluded.ivl," +
		" factor = excluded.factor, reps = excluded.reps, lapses = excluded.lapses, left = excluded.left," +
		" odue = excluded.odue, odid = excluded.odid, flags = excluded.flags, data = excluded.data WHERE " +
		a.overwritable("cards", "?19")
}
