package colsync

import (
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
)

// inboxMemory is how many bytes of received slices stay in memory; the rest waits, compressed, in a temporary table,
// which the host's SQLite spills to disk.
const inboxMemory = 4 << 20

// inbox stages received slices until the merge.
type inbox struct {
	db     host.DB
	codec  *wire.Codec
	bodies [][]byte
	bytes  int
	stmt   host.Stmt // nil until the table is needed
	packed []byte
}

func newInbox(db host.DB, codec *wire.Codec) (*inbox, error) {
	b := &inbox{db: db, codec: codec}
	return b, b.drop()
}

// add keeps the body of one slice; b must not be changed afterwards.
func (b *inbox) add(body []byte) error {
	if b.bytes += len(body); b.bytes <= inboxMemory {
		b.bodies = append(b.bodies, body)
		return nil
	}
	if b.stmt == nil {
		if err := b.db.Exec("CREATE TEMP TABLE cardferry_inbox (id INTEGER PRIMARY KEY, body BLOB)"); err != nil {
			return err
		}
		st, err := b.db.Prepare("INSERT INTO temp.cardferry_inbox (body) VALUES (?)")
		if err != nil {
			return err
		}
		b.stmt = st
	}
	b.packed = rows.Pack(b.packed[:0], b.codec.Compress(nil, body))
	_, err := b.stmt.Run(b.packed)
	return err
}

// each decodes the slices in the order in which they came.
func (b *inbox) each(do func(*wire.Chunk) error) error {
	var c wire.Chunk
	visit := func(body []byte) error {
		if err := wire.ParseChunk(body, &c); err != nil {
			return err
		}
		return do(&c)
	}
	for _, body := range b.bodies {
		if err := visit(body); err != nil {
			return err
		}
	}
	if b.stmt == nil {
		return nil
	}
	var buf []byte
	for row, err := range rows.Query(b.db, "SELECT body FROM temp.cardferry_inbox ORDER BY id") {
		if err != nil {
			return err
		}
		if buf, err = b.codec.Decompress(buf[:0], row[0].Bytes, maxAnswer+1); err != nil {
			return err
		}
		if err := visit(buf); err != nil {
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
	b.bodies, b.bytes = nil, 0
	return b.db.Exec("DROP TABLE IF EXISTS temp.cardferry_inbox")
}
