package colsync

import (
	"slices"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
)

// inboxMemory is how many bytes of staged slices stay in memory; the rest waits in a temporary table, which the
// host's SQLite spills to disk.
const inboxMemory = 2 << 20

// inbox stages received slices until the merge.
type inbox struct {
	db     host.DB
	slices [][]byte
	bytes  int
	stmt   host.Stmt // nil until the table is needed
	buf    []byte
}

func newInbox(db host.DB) (*inbox, error) {
	b := &inbox{db: db}
	return b, b.drop()
}

// add stages one slice. It refuses rows with usn -1.
func (b *inbox) add(c *wire.Chunk) (err error) {
	if b.buf, err = collection.AppendStaged(b.buf[:0], c); err != nil {
		return err
	}
	if b.bytes += len(b.buf); b.bytes <= inboxMemory {
		b.slices = append(b.slices, append([]byte{}, b.buf...))
		return nil
	}
	if b.stmt == nil {
		if err := b.db.Exec("CREATE TEMP TABLE cardferry_inbox (id INTEGER PRIMARY KEY, slice BLOB)"); err != nil {
			return err
		}
		if b.stmt, err = b.db.Prepare("INSERT INTO temp.cardferry_inbox (slice) VALUES (?)"); err != nil {
			return err
		}
	}
	_, err = b.stmt.Run(rows.Pack(nil, b.buf))
	return err
}

// each visits the slices, the last one first: servers send large ids before small ones, and ascending inserts are
// much faster.
func (b *inbox) each(visit func(slice []byte) error) error {
	if b.stmt != nil {
		for row, err := range rows.Query(b.db, "SELECT slice FROM temp.cardferry_inbox ORDER BY id DESC") {
			if err != nil {
				return err
			}
			if err := visit(row[0].Bytes); err != nil {
				return err
			}
		}
	}
	for _, s := range slices.Backward(b.slices) {
		if err := visit(s); err != nil {
			return err
		}
	}
	return nil
}

// drop forgets everything.
func (b *inbox) drop() error {
	if b.stmt != nil {
		b.stmt.Close()
		b.stmt = nil
	}
	b.slices, b.bytes = nil, 0
	return b.db.Exec("DROP TABLE IF EXISTS temp.cardferry_inbox")
}
