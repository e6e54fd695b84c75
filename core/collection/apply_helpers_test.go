package collection_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

// syncUSN is the server's usn in these tests, syncTime the time of the merge.
const syncUSN = 40

var syncTime = time.Unix(1_800_000_000, 0)

// mergeDB opens a copy of a fixture.
func mergeDB(t testing.TB, fixture string) host.DB {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata/collections", fixture))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, host.Collection), b, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sqlitehost.New(dir).Open(t.Context(), host.Collection, host.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func mustExec(t testing.TB, db host.DB, sql string, args ...any) {
	t.Helper()
	if _, err := rows.Exec(db, sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// listRows returns the rows of a query as text, one string per row, values divided by "|".
func listRows(t testing.TB, db host.DB, sql string, args ...any) []string {
	t.Helper()
	list := []string{}
	for row, err := range rows.Query(db, sql, args...) {
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		var b strings.Builder
		for i, v := range row {
			if i > 0 {
				b.WriteByte('|')
			}
			fmt.Fprint(&b, v.Any())
		}
		list = append(list, b.String())
	}
	return list
}

// wantRows compares the rows of a query with the expected ones.
func wantRows(t testing.TB, db host.DB, sql string, want ...string) {
	t.Helper()
	got := listRows(t, db, sql)
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s:\ngot  %q\nwant %q", sql, got, want)
	}
}

// applyTo runs do with an Applier of a client, or of a server if pendingFrom is not -1, in one transaction.
func applyTo(t testing.TB, db host.DB, pendingFrom int64, do func(a *collection.Applier) error) error {
	t.Helper()
	return rows.Transaction(db, func() error {
		a, err := collection.NewApplier(db, coretest.Text{}, syncUSN, pendingFrom, syncTime)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		return do(a)
	})
}

func applyChunk(t testing.TB, db host.DB, pendingFrom int64, c *wire.Chunk) error {
	t.Helper()
	return applyTo(t, db, pendingFrom, func(a *collection.Applier) error { return a.Chunk(c) })
}

func applyChanges(t testing.TB, db host.DB, pendingFrom int64, c *wire.Changes) error {
	t.Helper()
	return applyTo(t, db, pendingFrom, func(a *collection.Applier) error { return a.Changes(c) })
}

// notetypeJSON is a notetype as it arrives, with the named fields and templates.
func notetypeJSON(id int64, name string, mod, usn int64, fields, templates []string) []byte {
	var flds, tmpls []string
	for i, f := range fields {
		flds = append(flds, fmt.Sprintf(`{"name":%q,"ord":%d,"sticky":false,"rtl":false,"font":"Arial","size":20}`, f, len(fields)-i))
	}
	for i, t := range templates {
		tmpls = append(tmpls, fmt.Sprintf(`{"name":%q,"ord":%d,"qfmt":"{{%s}}","afmt":"a"}`, t, i, t))
	}
	return []byte(fmt.Sprintf(`{"id":%d,"name":%q,"type":0,"mod":%d,"usn":%d,"sortf":0,"did":null,"tmpls":[%s],"flds":[%s],"css":"x"}`,
		id, name, mod, usn, strings.Join(tmpls, ","), strings.Join(flds, ",")))
}

// deckJSON is a normal deck as it arrives.
func deckJSON(id int64, name string, mod, usn int64) []byte {
	return []byte(fmt.Sprintf(`{"id":%d,"mod":%d,"name":%q,"usn":%d,"lrnToday":[0,0],"revToday":[0,0],"newToday":[0,0],`+
		`"timeToday":[0,0],"collapsed":false,"dyn":0,"conf":1}`, id, mod, name, usn))
}

// deckConfigJSON is a deck config as it arrives.
func deckConfigJSON(id int64, name string, mod, usn int64) []byte {
	return []byte(fmt.Sprintf(`{"id":%d,"mod":%d,"name":%q,"usn":%d,"maxTaken":60,"autoplay":true,"timer":0,"new":{},"rev":{},"lapse":{}}`,
		id, mod, name, usn))
}
