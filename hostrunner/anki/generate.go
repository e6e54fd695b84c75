package anki

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

// Size is the number of rows of a generated collection.
type Size struct{ Notes, Cards, Reviews int }

// The sizes of design.md §8: 24 MB and 162 MB.
var (
	SizeM = Size{Notes: 20_000, Cards: 20_000, Reviews: 100_000}
	SizeL = Size{Notes: 100_000, Cards: 150_000, Reviews: 1_000_000}
)

// Generated describes a collection to generate. Collections with the same Seed have the same notetypes, decks, crt and
// scm, and each has the rows of the smaller ones, so that two of them are sides of a normal sync.
type Generated struct {
	Seed uint64
	Size Size
	// RowUSN is the usn of notes, cards and reviews: -1 for rows that a client has not sent.
	RowUSN int64
	// USN, Mod and LS are those of the collection; times in milliseconds.
	USN, Mod, LS int64
}

// GeneratedTime is when generated collections were made: an hour before the day of this process, so that crt and due dates
// are those of a living collection.
var GeneratedTime = time.Now().Truncate(24 * time.Hour).Add(-time.Hour)

// generator writes one collection.
type generator struct {
	Generated
	db  *sqlite3.Conn
	rng *rand.Rand
	err error

	ntids map[string]int64
	decks []int64
	last  []int64 // the time of each card's last review
}

// Generate writes a collection file of schema 18, which must not exist. The real client's database check finds nothing
// in it.
func Generate(path string, g Generated) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := newCollection(path, g.Seed); err != nil {
		return err
	}
	db, err := OpenSQL(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	gen := &generator{Generated: g, db: db, rng: rand.New(rand.NewChaCha8(seed(g.Seed)))}
	gen.write()
	return gen.err
}

func seed(n uint64) (b [32]byte) {
	binary.LittleEndian.PutUint64(b[:], n)
	return b
}

// clock is the host.Clock of generated collections.
type clock struct{}

func (clock) Now() time.Time { return GeneratedTime.AddDate(-1, 0, 0) }

func (clock) MinutesWest(t time.Time) int {
	_, east := t.Local().Zone()
	return -east / 60
}

// source is a host.Random that repeats itself.
type source struct{ *rand.ChaCha8 }

func (s source) Random(p []byte) { _, _ = s.Read(p) }

// newCollection makes an empty collection with the stock objects.
func newCollection(path string, n uint64) error {
	db, err := sqlitehost.OpenFile(path, host.Create)
	if err != nil {
		return err
	}
	err = collection.New(db, clock{}, source{rand.NewChaCha8(seed(n))})
	return errors.Join(err, db.Close())
}

func (g *generator) write() {
	g.exec("PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF; PRAGMA cache_size = -100000; BEGIN")
	g.objects()
	// Making an index is faster than keeping it up to date.
	g.exec("DROP INDEX ix_revlog_cid; DROP INDEX ix_revlog_usn")
	g.reviews()
	g.notes()
	g.exec("CREATE INDEX ix_revlog_cid ON revlog (cid); CREATE INDEX ix_revlog_usn ON revlog (usn)")
	g.exec(fmt.Sprintf("UPDATE col SET usn = %d, mod = %d, ls = %d", g.USN, g.Mod, g.LS))
	for _, table := range []string{"notetypes", "decks", "deck_config", "tags", "config"} {
		g.exec("UPDATE " + table + " SET usn = 0")
	}
	g.exec("COMMIT; ANALYZE; PRAGMA journal_mode = WAL")
}

func (g *generator) exec(sql string) {
	if g.err == nil {
		g.err = g.db.Exec(sql)
	}
}

// insert prepares an insert of n columns and returns what runs it, and what ends it.
func (g *generator) insert(into string, n int) (run func(values ...any), end func()) {
	sql := "INSERT INTO " + into + " VALUES (?"
	for range n - 1 {
		sql += ", ?"
	}
	if g.err != nil {
		return func(...any) {}, func() {}
	}
	st, _, err := g.db.Prepare(sql + ")")
	if err != nil {
		g.err = err
		return func(...any) {}, func() {}
	}
	run = func(values ...any) {
		if g.err != nil {
			return
		}
		for i, v := range values {
			switch v := v.(type) {
			case int:
				g.err = errors.Join(g.err, st.BindInt64(i+1, int64(v)))
			case int64:
				g.err = errors.Join(g.err, st.BindInt64(i+1, v))
			case string:
				g.err = errors.Join(g.err, st.BindText(i+1, v))
			case []byte:
				g.err = errors.Join(g.err, st.BindBlob(i+1, v))
			}
		}
		g.err = errors.Join(g.err, st.Exec())
	}
	return run, func() { g.err = errors.Join(g.err, st.Close()) }
}
