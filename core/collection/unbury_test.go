package collection_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

func putInt(t testing.TB, db host.DB, key string, v *int) {
	t.Helper()
	if v != nil {
		putConfigText(t, db, key, strconv.Itoa(*v))
	}
}

func putConfigText(t testing.TB, db host.DB, key, value string) {
	t.Helper()
	if err := collection.PutConfig(db, key, []byte(value), 3, 4); err != nil {
		t.Fatal(err)
	}
}

func wantConfigInt(t testing.TB, db host.DB, key string, want *int) {
	t.Helper()
	got := listRows(t, db, "SELECT CAST(val AS TEXT) FROM config WHERE key = ?", key)
	if (want == nil) != (len(got) == 0) || want != nil && got[0] != strconv.Itoa(*want) {
		t.Errorf("%s is %q, want %v", key, got, want)
	}
}

// buriedCards fills cards with one of each kind that matters: id, type, queue, due, data, and the queue to expect.
var buriedCards = []struct {
	id, kind, queue int
	due             any
	data            string
	want            int
}{
	{1, 0, -2, 5, `{}`, 0},
	{2, 2, -3, 100, `{"s":1.23456,"d":5}`, 2},
	{3, 1, -2, 1_800_000_100, ``, 1},
	{4, 1, -2, 1_000_000_000, `{}`, 3},
	{5, 3, -3, 1_000_000_001, `{}`, 1},
	{6, 3, -3, 200, `{}`, 3},
	{7, 1, -2, 3_000_000_000, `{}`, 3}, // beyond 32 bits: reads as 0
	{8, 1, -2, "text", `{}`, 3},
	{9, 2, -1, 100, ``, -1},
	{10, 1, 4, 100, ``, 4},
}

func fillBuried(t testing.TB, db host.DB) {
	t.Helper()
	mustExec(t, db, "DELETE FROM cards")
	for _, c := range buriedCards {
		mustExec(t, db, "INSERT INTO cards VALUES (?, 1, 1, 0, 77, 5, ?, ?, ?, 0, 0, 0, 0, 0, 0, 0, 0, ?)", c.id, c.kind, c.queue, c.due, c.data)
	}
}

func TestUnbury(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	fillBuried(t, db)
	before := listRows(t, db, "SELECT * FROM col")
	clock := coretest.NewClock(time.Unix(1_800_000_000, 0), -60)

	changed, err := collection.Unbury(db, clock)
	if err != nil || !changed {
		t.Fatal(changed, err)
	}
	for _, c := range buriedCards {
		wantRows(t, db, fmt.Sprintf("SELECT queue, mod, usn, due FROM cards WHERE id = %d", c.id), fmt.Sprintf("%d|77|5|%v", c.want, c.due))
	}
	wantRows(t, db, "SELECT data FROM cards WHERE id IN (3, 9) ORDER BY id", "{}", "")
	wantRows(t, db, "SELECT key, usn, mtime_secs, CAST(val AS TEXT), typeof(val) FROM config WHERE usn = -1 AND key <> 'curModel' ORDER BY key",
		"lastUnburied|-1|1800000000|55|blob", "localOffset|-1|1800000000|-60|blob", "rollover|-1|1800000000|4|blob")
	if after := listRows(t, db, "SELECT * FROM col"); after[0] != before[0] {
		t.Errorf("col was %s, is %s", before, after)
	}

	// The same day again: nothing to do, also not for a card that was buried since.
	fillBuried(t, db)
	if changed, err := collection.Unbury(db, clock); err != nil || changed {
		t.Errorf("second time: %v, %v", changed, err)
	}
	wantRows(t, db, "SELECT count(*) FROM cards WHERE queue < -1", "8")
}

func TestWhenToUnbury(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	clock := coretest.NewClock(time.Unix(1_800_000_000, 0), 0)
	for _, c := range []struct {
		last string
		runs bool
	}{
		{"54", true}, {"55", false}, {"56", false}, {"62", false}, {"63", true}, // the clock went back
		{`"55"`, true}, {"55.0", true}, {"null", true}, {"-1", true}, {"5000000000", true},
	} {
		fillBuried(t, db)
		putConfigText(t, db, "lastUnburied", c.last)
		if _, err := collection.Unbury(db, clock); err != nil {
			t.Fatal(err)
		}
		left := listRows(t, db, "SELECT count(*) FROM cards WHERE queue < -1")[0]
		if (left == "0") != c.runs {
			t.Errorf("lastUnburied %s: %s cards are still buried", c.last, left)
		}
	}
}

func TestRollover(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	clock := coretest.NewClock(time.Unix(1_800_000_000, 0), 0)
	for value, want := range map[string]string{
		"0": "0", "5": "5", "24": "24", "255": "255", "256": "4", "-1": "4", "5.0": "4", "null": "4", `"5"`: "4",
	} {
		putConfigText(t, db, "rollover", value)
		if _, err := collection.Unbury(db, clock); err != nil {
			t.Fatal(err)
		}
		wantRows(t, db, "SELECT CAST(val AS TEXT) FROM config WHERE key = 'rollover'", want)
	}
}

func TestUnburyRollsBack(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	fillBuried(t, db)
	mustExec(t, db, "CREATE TRIGGER refuse BEFORE UPDATE ON cards WHEN old.id = 6 BEGIN SELECT raise(ABORT, 'no'); END")
	before := dump(t, db)
	if changed, err := collection.Unbury(db, coretest.NewClock(time.Unix(1_800_000_000, 0), -60)); err == nil || changed {
		t.Fatal(changed, err)
	}
	compareDumps(t, dump(t, db), before)
}

// TestUnburyServer: a server takes the stored time zone, and writes what it writes as part of the sync (seen with the real
// server of 26.9.3).
func TestUnburyServer(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	fillBuried(t, db)
	putConfigText(t, db, "localOffset", "-720")
	mustExec(t, db, "DELETE FROM config WHERE key = 'rollover'")
	for range 2 { // the second time there is nothing to do
		coretest.Must(t, rows.Transaction(db, func() error {
			return collection.UnburyServer(db, time.Unix(1_800_000_000, 0), 5)
		}))
		wantRows(t, db, "SELECT key, usn, mtime_secs FROM config WHERE key IN ('localOffset', 'rollover', 'lastUnburied') ORDER BY key",
			"lastUnburied|5|1800000000", "localOffset|3|4", "rollover|5|1800000000")
		for _, c := range buriedCards {
			wantRows(t, db, fmt.Sprint("SELECT queue, mod, usn FROM cards WHERE id = ", c.id), fmt.Sprint(c.want, "|77|5"))
		}
		mustExec(t, db, "UPDATE config SET mtime_secs = 1800000000 WHERE key = 'rollover'")
	}
}
