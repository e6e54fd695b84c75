package collection

import (
	"math"
	"strconv"
	"time"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

// The hour at which a day begins: stored when a file says nothing usable, and the latest one that counts.
const (
	defaultRollover = 4
	lastRollover    = 23
)

// timing is what the day number depends on (§6.1), and the config entries that reading it has to write.
type timing struct {
	crt            int64
	schedVer       int
	creationOffset *int
	currentOffset  int
	rollover       *int
	lastUnburied   int64
	missing        map[string]string // config entries to be written: localOffset, rollover
}

// readTiming reads the values from the file and the clock. A server, which has no clock of the user, passes nil: it takes the
// time zone that is stored, and writes none (§6.1).
func readTiming(db host.DB, clock host.Clock) (t timing, err error) {
	c, err := ReadCol(db)
	if err != nil {
		return t, err
	}
	t = timing{crt: c.Crt, schedVer: 1, missing: map[string]string{}}
	const (
		schedVer = iota
		creationOffset
		localOffset
		rollover
		lastUnburied
	)
	const of = "(SELECT val FROM config WHERE key = '"
	row, err := rows.One(db, "SELECT "+of+"schedVer'), "+of+"creationOffset'), "+of+"localOffset'), "+of+"rollover'), "+of+"lastUnburied')")
	if err != nil {
		return t, err
	}
	// Anything but an integer between lo and hi counts as missing, null included.
	config := func(column int, lo, hi int64) (v int64, ok bool) {
		v, err := strconv.ParseInt(row[column].String(), 10, 64)
		if err != nil || v < lo || v > hi {
			return 0, false
		}
		return v, true
	}
	if v, _ := config(schedVer, 0, math.MaxUint8); v == 2 {
		t.schedVer = 2
	}
	if v, ok := config(creationOffset, math.MinInt32, math.MaxInt32); ok {
		offset := int(v)
		t.creationOffset = &offset
	}
	stored, _ := config(localOffset, math.MinInt32, math.MaxInt32)
	t.currentOffset = int(stored)
	if clock != nil {
		if t.currentOffset = clock.MinutesWest(clock.Now()); int64(t.currentOffset) != stored {
			t.missing["localOffset"] = strconv.Itoa(t.currentOffset)
		}
	}
	if t.schedVer == 2 {
		v, ok := config(rollover, 0, math.MaxUint8)
		if !ok {
			v = defaultRollover
			t.missing["rollover"] = strconv.Itoa(defaultRollover)
		}
		hour := int(min(v, lastRollover))
		t.rollover = &hour
	}
	t.lastUnburied, _ = config(lastUnburied, 0, math.MaxUint32)
	return t, nil
}

// today is the number of the day at now.
func (t *timing) today(now time.Time) int64 {
	day, _ := t.days(now)
	return day
}

func (t *timing) days(now time.Time) (today, nextDay int64) {
	return Days(t.crt, now.Unix(), t.creationOffset, t.currentOffset, t.schedVer, t.rollover)
}

// Today returns the number of the day that the clock shows, and when the next one begins, in Unix seconds. It only reads.
func Today(db host.DB, clock host.Clock) (today, nextDay int64, err error) {
	t, err := readTiming(db, clock)
	if err != nil {
		return 0, 0, err
	}
	today, nextDay = t.days(clock.Now())
	return today, nextDay, nil
}
