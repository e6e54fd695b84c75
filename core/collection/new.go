package collection

import (
	"fmt"
	"strconv"
	"time"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

// creationHour is the local hour to which the creation time of a collection is set back.
const creationHour = 4

// New makes db, which must be empty, a collection of schema 18 with what every new one has: the default deck and
// deck config, the stock notetypes and the initial config (§4). It opens its own transaction.
func New(db host.DB, clock host.Clock, random host.Random) error {
	err := rows.Transaction(db, func() error {
		for i := range tables {
			if err := db.Exec(tables[i].create()); err != nil {
				return err
			}
		}
		if err := CreateIndexes(db); err != nil {
			return err
		}
		return addStock(db, clock, random)
	})
	if err != nil {
		return fmt.Errorf("create the collection: %w", err)
	}
	return nil
}

// addStock fills the tables of a new collection. mod stays 0: two collections that were never used count as equal.
func addStock(db host.DB, clock host.Clock, random host.Random) error {
	now := clock.Now()
	crt := creationTime(now, clock)
	_, err := rows.Exec(db, "INSERT INTO col (id, crt, mod, scm, ver, dty, usn, ls, conf, models, decks, dconf, tags) "+
		"VALUES (1, ?, 0, ?, ?, 0, 0, 0, '', '', '', '', '')", crt.Unix(), now.UnixMilli(), Schema)
	if err != nil {
		return err
	}
	if err := addStockDeck(db); err != nil {
		return err
	}
	basic, err := addStockNotetypes(db, now, random)
	if err != nil {
		return err
	}
	for key, value := range initialConfig(clock.MinutesWest(crt)) {
		if err := PutConfig(db, key, []byte(value), 0, 0); err != nil {
			return err
		}
	}
	return PutConfig(db, "curModel", strconv.AppendInt(nil, basic, 10), -1, now.Unix())
}

// creationTime is the last time before now at which it was creationHour here.
func creationTime(now time.Time, clock host.Clock) time.Time {
	at := func(offset int) time.Time {
		return time.Unix(dayAt(now.Unix(), offset)*daySeconds+creationHour*3600+int64(offset)*60, 0)
	}
	t := at(clock.MinutesWest(now))
	t = at(clock.MinutesWest(t)) // on a day whose clocks are changed before that hour, its offset is another
	if t.After(now) {
		t = t.Add(-daySeconds * time.Second)
	}
	return t
}

// initialConfig is the config of a new collection (§4.1) but for curModel.
func initialConfig(creationOffset int) map[string]string {
	return map[string]string{
		"activeDecks": "[1]", "curDeck": "1", "newSpread": "0", "collapseTime": "1200", "timeLim": "0",
		"estTimes": "true", "dueCounts": "true", "nextPos": "1", "sortType": `"noteFld"`, "sortBackwards": "false",
		"addToCur": "true", "dayLearnFirst": "false", "schedVer": "2", "sched2021": "true",
		"creationOffset": strconv.Itoa(creationOffset),
	}
}
