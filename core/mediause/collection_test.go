package mediause_test

import (
	"context"
	"crypto/sha1"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/mediause"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

// noon is the time at which collections are made here, in UTC: day 0, which began at four o'clock.
var noon = time.Date(2027, 1, 15, 12, 0, 0, 0, time.UTC)

// newCollection makes a collection with the stock notetypes and one more, "SVG".
func newCollection(t testing.TB) mediause.Collection {
	t.Helper()
	db, err := sqlitehost.OpenFile(filepath.Join(t.TempDir(), host.Collection), host.Create)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := collection.New(db, coretest.NewClock(noon, 0), coretest.NewRandom(1)); err != nil {
		t.Fatal(err)
	}
	c := mediause.Collection{DB: db, Text: coretest.Text{}, Yield: coretest.Yield{}}
	const latexSVG = "\x38\x01"
	run(t, c, "INSERT INTO notetypes SELECT 77, 'SVG', mtime_secs, usn, CAST(config || ? AS BLOB) FROM notetypes WHERE name = 'Basic'", []byte(latexSVG))
	return c
}

func run(t testing.TB, c mediause.Collection, sql string, args ...any) {
	t.Helper()
	if _, err := rows.Exec(c.DB, sql, args...); err != nil {
		t.Fatal(err)
	}
}

// addNote adds a note without cards and returns its id.
func addNote(t testing.TB, c mediause.Collection, notetype string, fields ...string) int64 {
	t.Helper()
	run(t, c, "INSERT INTO notes SELECT coalesce(max(n.id), 0) + 1, 'g' || count(n.id), t.id, 0, 0, '', ?, '', 0, 0, '' FROM notetypes t "+
		"LEFT JOIN notes n WHERE t.name = ?", strings.Join(fields, "\x1f"), notetype)
	id, err := rows.IntOf(c.DB, "SELECT max(id) FROM notes")
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// folder is a store in memory: names and contents. "->" in front makes a link.
type folder map[string]string

func (f folder) store(coming ...string) mediause.Store {
	return mediause.Store{
		Files: func(yield func(mediause.File, error) bool) {
			names := make([]string, 0, len(f))
			for name := range f {
				names = append(names, name)
			}
			slices.Sort(names)
			for _, name := range names {
				if !yield(mediause.File{Name: name, Size: int64(len(f[name])), Regular: f.isRegular(name)}, nil) {
					return
				}
			}
		},
		Sum: func(_ context.Context, name string) (sum [20]byte, err error) {
			if _, ok := f[name]; !ok || !f.isRegular(name) {
				return sum, fault.New(fault.NotFound, "no file %q", name)
			}
			return sha1.Sum([]byte(f[name])), nil
		},
		Coming: func(name string) (bool, error) { return slices.Contains(coming, name), nil },
	}
}

func (f folder) isRegular(name string) bool { return !strings.HasPrefix(f[name], "->") }

func check(t testing.TB, c mediause.Collection, s mediause.Store) *mediause.Report {
	t.Helper()
	r, err := mediause.Check(t.Context(), c, s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func sum(content string) string { return fmt.Sprintf("%x", sha1.Sum([]byte(content))) }
