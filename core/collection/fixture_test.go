package collection_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

// noon is a time at which new collections are made here, in a zone two hours west of UTC.
var noon = time.UnixMilli(1_800_000_000_123)

const noonWest = 120

// fixtureFile copies a fixture to a folder of its own and returns its path.
func fixtureFile(t testing.TB, fixture string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata/collections", fixture))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), host.Collection)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// openFile opens a database file until the test ends or it is closed.
func openFile(t testing.TB, path string, mode host.OpenMode) host.DB {
	t.Helper()
	db, err := sqlitehost.OpenFile(path, mode)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func closeFile(t testing.TB, db host.DB) {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// noonClock stands still at noon.
func noonClock() *coretest.Clock { return coretest.NewClock(noon, noonWest) }

// dump returns all rows of all tables but SQLite's own, as text with the storage class of each value.
func dump(t testing.TB, db host.DB) map[string][]string {
	t.Helper()
	tables := map[string][]string{}
	for _, name := range listRows(t, db, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'") {
		tables[name] = []string{}
		for row, err := range rows.Query(db, "SELECT * FROM "+name+"") {
			if err != nil {
				t.Fatal(err)
			}
			tables[name] = append(tables[name], rowText(row))
		}
		slices.Sort(tables[name])
	}
	return tables
}

func rowText(row rows.Row) string {
	var b strings.Builder
	for i, v := range row {
		if i > 0 {
			b.WriteByte('|')
		}
		switch v := v.Any().(type) {
		case nil:
			b.WriteString("NULL")
		case []byte:
			fmt.Fprintf(&b, "x%q", v)
		default:
			fmt.Fprintf(&b, "%#v", v)
		}
	}
	return b.String()
}

// compareDumps reports tables that differ.
func compareDumps(t testing.TB, got, want map[string][]string) {
	t.Helper()
	for name := range want {
		if _, ok := got[name]; !ok {
			t.Errorf("table %s is missing", name)
		}
	}
	for name := range got {
		for _, line := range missingFrom(want[name], got[name]) {
			t.Errorf("table %s: unexpected %s", name, line)
		}
		for _, line := range missingFrom(got[name], want[name]) {
			t.Errorf("table %s: missing    %s", name, line)
		}
	}
}

// missingFrom returns the lines of all that are not in list.
func missingFrom(list, all []string) (missing []string) {
	has := map[string]int{}
	for _, line := range list {
		has[line]++
	}
	for _, line := range all {
		if has[line]--; has[line] < 0 {
			missing = append(missing, line)
		}
	}
	return missing
}
