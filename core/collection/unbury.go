package collection

import (
	"fmt"
	"strconv"
	"time"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/order"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/undo"
	"github.com/cardferry/cardferry/core/wire"
)

// buried is the SQL condition for cards buried by the user or the scheduler. The limits make it one range scan.
const buried = "queue BETWEEN -3 AND -2"

// Unbury does what both sides do before a normal sync when a day has begun since the last time (§6.4): buried cards
// go back to the queue of their type. It also records the time zone and the hour of rollover as reading the day does.
// Cards keep mod and usn, and col is not touched, so that none of this is an edit. It opens its own transaction and
// reports whether it wrote anything.
func Unbury(db host.DB, clock host.Clock) (changed bool, err error) {
	err = rows.Transaction(db, func() error {
		changed, err = unbury(db, clock, clock.Now(), -1)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("unbury cards: %w", err)
	}
	return changed, nil
}

// UnburyServer is Unbury on a server, inside the caller's transaction: the time zone is the one that is stored, and what is written is
// known to everybody as part of the sync with the given usn.
func UnburyServer(db host.DB, now time.Time, usn int64) error {
	if _, err := unbury(db, nil, now, usn); err != nil {
		return fmt.Errorf("unbury cards: %w", err)
	}
	return nil
}

func unbury(db host.DB, clock host.Clock, now time.Time, usn int64) (changed bool, err error) {
	t, err := readTiming(db, clock)
	if err != nil {
		return false, err
	}
	today := t.today(now)
	if t.lastUnburied < today || t.lastUnburied > today+7 { // later than today: the clock went back
		if err := unburyCards(db); err != nil {
			return false, err
		}
		t.missing["lastUnburied"] = strconv.FormatInt(today, 10)
	}
	return len(t.missing) > 0, putMissing(db, t.missing, now, usn)
}

// putMissing writes config entries; usn is -1 for edits of this device.
func putMissing(db host.DB, entries map[string]string, now time.Time, usn int64) error {
	for _, key := range order.Keys(entries) {
		if err := PutConfig(db, key, []byte(entries[key]), usn, now.Unix()); err != nil {
			return err
		}
	}
	return nil
}

// unburyCards restores the queues. A due that does not fit 32 bits, or is no integer, reads as 0 (§1.3).
func unburyCards(db host.DB) error {
	if err := undo.Discard(db, 0); err != nil { // it would bury them again
		return err
	}
	if err := rewriteData(db); err != nil {
		return err
	}
	return db.Exec("UPDATE cards SET queue = CASE type WHEN 0 THEN 0 WHEN 2 THEN 2 ELSE " +
		"CASE WHEN typeof(due) = 'integer' AND due BETWEEN 1000000001 AND 2147483647 THEN 1 ELSE 3 END END WHERE " + buried)
}

// rewriteData puts the data of the buried cards into the form that every write of a card leaves (§1.5), so that both
// sides end up with equal rows.
func rewriteData(db host.DB) error {
	var params []byte
	for row, err := range rows.Query(db, "SELECT id, CASE WHEN typeof(data) = 'text' THEN data ELSE '' END, data FROM cards WHERE "+buried) {
		if err != nil {
			return err
		}
		data := wire.CardData(row[1].String())
		if row[2].Tag != rows.TagText || data != row[2].String() {
			params = rows.Pack(params, data, row[0].Int())
		}
	}
	if len(params) == 0 {
		return nil
	}
	st, err := db.Prepare("UPDATE cards SET data = ? WHERE id = ?")
	if err != nil {
		return err
	}
	defer st.Close()
	_, err = st.Run(params)
	return err
}
