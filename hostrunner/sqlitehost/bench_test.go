package sqlitehost_test

import (
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

// BenchmarkNotes inserts 100,000 rows of the size of notes and reads them again (design.md §2: about 0.3 s and 20 ms
// with the plain API).
func BenchmarkNotes(b *testing.B) {
	const count = 100_000
	db := openFile(b, b.TempDir()+"/x.db", host.Create)
	coretest.Must(b, db.Exec("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT, c INTEGER, d TEXT)"))
	insert, err := db.Prepare("INSERT OR REPLACE INTO t VALUES (?, ?, ?, ?)")
	coretest.Must(b, err)
	scan, err := db.Prepare("SELECT * FROM t")
	coretest.Must(b, err)
	text := strings.Repeat("field ", 40)
	b.Run("insert", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			coretest.Must(b, rows.Transaction(db, func() error {
				var batch []byte
				for i := range count {
					batch = rows.Text(rows.Int(rows.Text(rows.Int(rows.Begin(batch, 4), int64(i)), "guid012345"), 7), text)
					if i%250 == 249 {
						if _, err := insert.Run(batch); err != nil {
							return err
						}
						batch = batch[:0]
					}
				}
				return nil
			}))
		}
	})
	b.Run("scan", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			n := 0
			for _, err := range rows.Each(scan, nil) {
				coretest.Must(b, err)
				n++
			}
			if n != count {
				b.Fatalf("%d rows", n)
			}
		}
	})
}

// BenchmarkCheckIntegrity compares the check in parts with SQLite's own, of a file like one of 100,000 reviews.
func BenchmarkCheckIntegrity(b *testing.B) {
	db := openFile(b, b.TempDir()+"/x.db", host.Create)
	coretest.Must(b, db.Exec(`CREATE TABLE revlog (id INTEGER PRIMARY KEY, cid INTEGER, usn INTEGER, ease INTEGER, ivl INTEGER, lastIvl INTEGER, factor INTEGER, time INTEGER, type INTEGER);
		CREATE INDEX ix_revlog_usn ON revlog (usn); CREATE INDEX ix_revlog_cid ON revlog (cid); CREATE TABLE other (a)`))
	coretest.Must(b, db.Exec(`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999)
		INSERT INTO revlog SELECT 1500000000000 + i * 60000, 1400000000000 + i * 7919 % 20000, 5, 3, 10, 5, 2500, 6000, 1 FROM n`))
	b.Run("in parts", func(b *testing.B) {
		for b.Loop() {
			if lines, err := db.CheckIntegrity(5); err != nil || len(lines) > 0 {
				b.Fatal(lines, err)
			}
		}
	})
	b.Run("by SQLite", func(b *testing.B) {
		for b.Loop() {
			if row, err := rows.One(db, "PRAGMA integrity_check"); err != nil || row[0].String() != "ok" {
				b.Fatal(row, err)
			}
		}
	})
}
