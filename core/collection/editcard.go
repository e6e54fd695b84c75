package collection

import (
	"fmt"
	"math"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
)

// The edits of this device. Each sets mod to now, or later than it was, and the usn to -1: an edit in the second of the
// last sync would otherwise look like what was synced.

// ReadCard reads a card. fault.NotFound if there is none; fault.DamagedFile if it has values that no card has.
func ReadCard(db host.DB, id int64) (wire.Card, error) {
	row, err := rows.One(db, "SELECT id, nid, did, ord, mod, usn, type, queue, due, ivl, factor, reps, lapses, left, odue, odid, flags, data "+
		"FROM cards WHERE id = ?", id)
	if err != nil {
		return wire.Card{}, fmt.Errorf("read card %d: %w", id, err)
	}
	if row == nil {
		return wire.Card{}, fault.New(fault.NotFound, "there is no card %d", id)
	}
	return CardOf(row)
}

// CardOf returns the card in a row with all columns of cards in their order.
func CardOf(row rows.Row) (c wire.Card, err error) {
	within := func(i int, lo, hi int64) int64 {
		v := row[i].Int()
		if v < lo || v > hi {
			err = damaged("card %d has an impossible value, %d", row[0].Int(), v)
		}
		return v
	}
	due := func(i int) int32 { // what does not fit counts as 0 (§1.3)
		if v := int64(row[i].Bits); row[i].Tag == rows.TagInt && v == int64(int32(v)) {
			return int32(v)
		}
		return 0
	}
	c = wire.Card{
		ID: row[0].Int(), NoteID: row[1].Int(), DeckID: row[2].Int(), Ord: uint16(within(3, 0, math.MaxUint16)), Mod: row[4].Int(),
		USN: int32(row[5].Int()), Type: uint8(within(6, 0, 3)), Queue: int8(within(7, -3, 4)), Due: due(8),
		Interval: uint32(within(9, 0, math.MaxUint32)), Factor: uint16(within(10, 0, math.MaxUint16)),
		Reps: uint32(within(11, 0, math.MaxUint32)), Lapses: uint32(within(12, 0, math.MaxUint32)),
		Left: uint32(within(13, 0, math.MaxUint32)), ODue: due(14), ODeckID: row[15].Int(), Flags: uint8(within(16, 0, math.MaxUint8)),
	}
	if row[17].Tag == rows.TagText {
		c.Data = row[17].String()
	}
	return c, err
}

// EditCard stores all of a card that an edit changes, with its data in the form that every write leaves (§1.5). It sets mod and usn
// in the file and in c.
func EditCard(db host.DB, now time.Time, c *wire.Card) error {
	c.Mod, c.USN, c.Data = max(now.Unix(), c.Mod+1), -1, wire.CardData(c.Data)
	n, err := rows.Exec(db, "UPDATE cards SET did = ?, mod = ?, usn = -1, type = ?, queue = ?, due = ?, ivl = ?, factor = ?, reps = ?, lapses = ?, "+
		"left = ?, odue = ?, odid = ?, flags = ?, data = ? WHERE id = ?", c.DeckID, c.Mod, int(c.Type), int(c.Queue), c.Due, int64(c.Interval),
		int(c.Factor), int64(c.Reps), int64(c.Lapses), int64(c.Left), c.ODue, c.ODeckID, int(c.Flags), c.Data, c.ID)
	if err == nil && n == 0 {
		err = fault.New(fault.NotFound, "there is no card %d", c.ID)
	}
	if err != nil {
		return fmt.Errorf("write card %d: %w", c.ID, err)
	}
	return nil
}

// FreeID returns the id of a new row: a time, or the next number if that is taken, also by something deleted: a reference server does not tell
// its clients of the second deletion of one id (sync spec §7.4). Not the number after the largest one, as there may be none.
func FreeID(db host.DB, table string, millis int64) (int64, error) {
	return rows.IntOf(db, "WITH RECURSIVE n(i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE EXISTS (SELECT 1 FROM "+table+" WHERE id = i) "+
		"OR EXISTS (SELECT 1 FROM graves WHERE oid = i)) SELECT max(i) FROM n", millis)
}

// TouchCol records in the collection that something was edited.
func TouchCol(db host.DB, now time.Time) error {
	_, err := rows.Exec(db, "UPDATE col SET mod = max(?, mod + 1)", now.UnixMilli())
	return err
}

// EditDeckCommon stores the counters and switches of a deck.
func EditDeckCommon(db host.DB, now time.Time, id int64, common []byte) error {
	_, err := rows.Exec(db, "UPDATE decks SET common = ?, mtime_secs = max(?, mtime_secs + 1), usn = -1 WHERE id = ?", common, now.Unix(), id)
	return err
}
