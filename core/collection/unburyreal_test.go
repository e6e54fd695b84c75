package collection_test

import (
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/host"
)

// TestUnburyEqualsReal runs the unburying on copies of one file here and with the real program, and compares.
func TestUnburyEqualsReal(t *testing.T) {
	t.Parallel()
	for _, fixture := range []string{"stock.anki2", "unicode.anki2", "pending.anki2"} {
		t.Run(fixture, func(t *testing.T) {
			t.Parallel()
			ours, theirs := fixtureFile(t, fixture), fixtureFile(t, fixture)
			for _, path := range []string{ours, theirs} {
				db := openFile(t, path, host.ReadWrite)
				mustExec(t, db, "UPDATE config SET val = x'31' WHERE key = 'lastUnburied'")
				mustExec(t, db, "UPDATE col SET crt = crt - 86400 * 30")
				closeFile(t, db)
			}
			var day struct{ Day, Next int64 }
			realAnki(t, &day, "day", theirs)
			db, real := openFile(t, ours, host.ReadWrite), openFile(t, theirs, host.ReadWrite)
			if changed, err := collection.Unbury(db, coretest.NewClock(time.Now(), noonWest)); err != nil || !changed {
				t.Fatal(changed, err)
			}
			for _, file := range []host.DB{db, real} {
				mustExec(t, file, "UPDATE config SET mtime_secs = 0 WHERE key IN ('lastUnburied', 'localOffset', 'rollover')") // each side's now
			}
			compareDumps(t, dump(t, db), dump(t, real))
			today := int(day.Day)
			wantConfigInt(t, db, "lastUnburied", &today)
			wantRows(t, db, "SELECT count(*) FROM cards WHERE queue < -1", "0")
		})
	}
}
