package collection_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/host"
)

// newAnkiFile makes a collection of ours for the real program, whose clock is that of the machine.
func newAnkiFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), host.Collection)
	db := openFile(t, path, host.Create)
	if err := collection.New(db, coretest.NewClock(time.Now(), noonWest), coretest.NewRandom(2)); err != nil {
		t.Fatal(err)
	}
	closeFile(t, db)
	return path
}

// checkReport is the verdict of the real program's database check.
type checkReport struct {
	OK   bool
	Text string
}

// clean fails if the database check found something.
func (r checkReport) clean(t *testing.T) {
	t.Helper()
	if !r.OK || r.Text != "Database rebuilt and optimized." {
		t.Errorf("the real program's database check says %q", r.Text)
	}
}

func TestRealProgramOpensNew(t *testing.T) {
	t.Parallel()
	var report checkReport
	realAnki(t, &report, "check", newAnkiFile(t))
	report.clean(t)
}

func TestRealProgramStudiesNew(t *testing.T) {
	t.Parallel()
	path := newAnkiFile(t)
	var report struct {
		checkReport
		Cards, Answered int
	}
	realAnki(t, &report, "study", path)
	report.clean(t)
	if report.Cards != 7 || report.Answered != 3 {
		t.Errorf("%+v", report)
	}
	db := openFile(t, path, host.ReadWrite)
	if err := checkAll(db); err != nil {
		t.Error(err)
	}
	if c, err := collection.Counts(db); err != nil || c.Cards != 7 || c.Notes != 5 || c.Revlog != 3 {
		t.Error(c, err)
	}
}

func TestRealServerTakesNew(t *testing.T) {
	t.Parallel()
	path := newAnkiFile(t)
	var report checkReport
	realAnki(t, &report, "study", path) // an upload of an empty collection is no sync at all
	var results []struct {
		checkReport
		Required, After int
	}
	folder := t.TempDir()
	realAnki(t, &results, "upload", path, folder)
	for _, r := range results {
		r.clean(t)
		if r.Required < 2 || r.After != 0 {
			t.Errorf("%+v", r)
		}
	}
	if len(results) != 2 {
		t.Fatal(results)
	}
	if c, err := collection.Counts(openFile(t, filepath.Join(folder, "second.anki2"), host.ReadWrite)); err != nil || c.Cards != 7 {
		t.Error(c, err)
	}
}
