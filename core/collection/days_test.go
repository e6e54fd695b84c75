package collection_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/host"
)

// dayCase is a line of days.json.
type dayCase struct {
	Crt            int64 `json:"crt"`
	CreationOffset *int  `json:"creationOffset"`
	Rollover       *int  `json:"rollover"`
	SchedVer       int   `json:"schedVer"`
	Offset         int   `json:"offset"`
	Now            int64 `json:"now"`
	Today          int64 `json:"today"`
	NextDay        int64 `json:"next_day"`
	LocalOffset    *int  `json:"localOffset"`
}

func dayCases(t *testing.T) []dayCase {
	t.Helper()
	b, err := os.ReadFile("testdata/days.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct{ Cases []dayCase }
	if err := json.Unmarshal(b, &vectors); err != nil || len(vectors.Cases) == 0 {
		t.Fatal(len(vectors.Cases), err)
	}
	return vectors.Cases
}

func TestDayVectors(t *testing.T) {
	t.Parallel()
	for _, c := range dayCases(t) {
		today, next := collection.Days(c.Crt, c.Now, c.CreationOffset, c.Offset, c.SchedVer, c.Rollover)
		if today != c.Today || next != c.NextDay {
			t.Errorf("%+v: got day %d until %d", c, today, next)
		}
	}
}

func TestDays(t *testing.T) {
	t.Parallel()
	const crt = 1610247600
	west, four, thirty := -60, 4, 23
	for _, c := range []struct {
		name           string
		now            int64
		creationOffset *int
		offset, sched  int
		rollover       *int
		today, next    int64
	}{
		{"current, at crt", 1610247600, &west, -60, 2, &four, 0, 1610334000},
		{"a second before the rollover", 1625104799, &west, -120, 2, &four, 171, 1625104800},
		{"at the rollover", 1625104800, &west, -120, 2, &four, 172, 1625191200},
		{"another zone", 1709226000, &west, 300, 2, &four, 1145, 1709283600},
		{"current, before crt", 1577836800, &west, 0, 2, &four, 0, 1577851200},
		{"first scheduler", 1625133600, &west, 0, 1, &four, 172, 1625194800},
		{"first scheduler, before crt", 1610247500, nil, 0, 1, nil, 0, crt + 86400},
		{"no creation offset, at the rollover", crt + 10*86400, nil, -60, 2, &four, 10, crt + 10*86400},
		{"no creation offset", crt + 10*86400 + 1, nil, -60, 2, &four, 10, crt + 11*86400},
		{"no creation offset, before crt", 1577836800, nil, 0, 2, &four, 0, 1577851200},
		{"last hour", 1610247600, nil, 0, 2, &thirty, 0, 1610319600},
		{"before 1970", -90000, nil, 0, 2, &four, 0, -158400 + 86400},
	} {
		today, next := collection.Days(crt, c.now, c.creationOffset, c.offset, c.sched, c.rollover)
		if today != c.today || next != c.next {
			t.Errorf("%s: got day %d until %d, want %d until %d", c.name, today, next, c.today, c.next)
		}
	}
}

// TestUnburyRecordsDays runs the vectors through a file: what is stored, and which day is found.
func TestUnburyRecordsDays(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	for _, c := range dayCases(t) {
		mustExec(t, db, "DELETE FROM config WHERE key IN ('rollover', 'localOffset', 'lastUnburied', 'creationOffset')")
		mustExec(t, db, "UPDATE col SET crt = ?", c.Crt)
		putInt(t, db, "schedVer", &c.SchedVer)
		putInt(t, db, "creationOffset", c.CreationOffset)
		putInt(t, db, "rollover", c.Rollover)
		if _, err := collection.Unbury(db, coretest.NewClock(time.Unix(c.Now, 0), c.Offset)); err != nil {
			t.Fatal(err)
		}
		wantConfigInt(t, db, "localOffset", c.LocalOffset)
		wantConfigInt(t, db, "rollover", c.Rollover)
		if today := int(c.Today); today > 0 {
			wantConfigInt(t, db, "lastUnburied", &today)
		}
	}
}

func TestToday(t *testing.T) {
	t.Parallel()
	db := openFile(t, filepath.Join(t.TempDir(), host.Collection), host.Create)
	if err := collection.New(db, noonClock(), coretest.NewRandom(1)); err != nil {
		t.Fatal(err)
	}
	before := dump(t, db)
	later := coretest.NewClock(noon.Add(50*time.Hour), noonWest)
	today, next, err := collection.Today(db, later)
	if err != nil || today != 2 || next <= later.Now().Unix() || next > later.Now().Unix()+86400 {
		t.Error(today, next, err)
	}
	compareDumps(t, dump(t, db), before)
}
