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
