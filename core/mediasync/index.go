package mediasync

import (
	"context"
	"strconv"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/mediawire"
	"github.com/cardferry/cardferry/core/rows"
)

// schema of the index. Contents are BLOBs, NULL for nothing. size is NULL if there is no file here; why is an absence
// then. A row may lack everything about either side.
const schema = `PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS media (
	name TEXT PRIMARY KEY,
	usn INTEGER, server BLOB,
	here BLOB, size INTEGER, modified INTEGER, crc INTEGER, aside INTEGER NOT NULL DEFAULT 0,
	agreed BLOB, offered BLOB,
	why INTEGER NOT NULL DEFAULT 0,
	came INTEGER
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS media_here ON media (here) WHERE here IS NOT NULL;
CREATE INDEX IF NOT EXISTS media_absent ON media (why) WHERE here IS NULL;
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;`

// index is the open index. It may be lost: then everything is looked at anew, on both sides, and nothing counts as deleted.
type index struct {
	db host.DB
	// usn is the server's change number up to which the list was read; account is whose list it is.
	usn     int64
	account string
	tables  int // temporary tables made so far
	byName  host.Stmt
	byHere  host.Stmt
	put     host.Stmt
	// Memory of lookups, of which there are several for each file.
	params, buf []byte
	decoded     rows.Row
}

// row is what is known of one name.
type row struct {
	name    string
	usn     int64 // of server
	server  content
	here    content
	file    host.MediaFile // of here
	crc     uint32
	aside   reason // why here is opaque
	agreed  content
	offered content
	why     absence
	came    int64 // usn of the server's file that was installed here; 0 if it was not
}

const columns = "name, usn, server, here, size, modified, crc, aside, agreed, offered, why, came"

// openIndex opens the index; a damaged one is made anew.
func openIndex(ctx context.Context, h *host.Host) (*index, error) {
	x, err := tryIndex(ctx, h)
	if k := fault.KindOf(err); k == fault.DamagedFile || k == fault.Other && err != nil {
		if err := h.Files.Remove(host.MediaIndex); err != nil {
			return nil, err
		}
		x, err = tryIndex(ctx, h)
	}
	return x, fault.Step("open "+host.MediaIndex, err)
}

func tryIndex(ctx context.Context, h *host.Host) (*index, error) {
	db, err := h.SQL.Open(ctx, host.MediaIndex, host.Create)
	if err != nil {
		return nil, err
	}
	x := &index{db: db}
	if err := x.prepare(); err != nil {
		db.Close()
		return nil, err
	}
	return x, nil
}

func (x *index) prepare() (err error) {
	if err = x.db.Exec(schema); err != nil {
		return err
	}
	if x.byName, err = x.db.Prepare("SELECT " + columns + " FROM media WHERE name = ?"); err != nil {
		return err
	}
	if x.byHere, err = x.db.Prepare("SELECT " + columns + " FROM media WHERE here = ? LIMIT 1"); err != nil {
		return err
	}
	if x.put, err = x.db.Prepare("INSERT OR REPLACE INTO media (" + columns + ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"); err != nil {
		return err
	}
	if _, err := x.row(""); err != nil { // a damaged table shows here
		return err
	}
	for r, err := range rows.Query(x.db, "SELECT key, value FROM meta") {
		if err != nil {
			return err
		}
		switch r[0].String() {
		case "usn":
			x.usn, _ = strconv.ParseInt(r[1].String(), 10, 64)
		case "account":
			x.account = r[1].String()
		}
	}
	return nil
}

func (x *index) close() error { return x.db.Close() }

// row returns what is known of a name.
func (x *index) row(name string) (row, error) {
	x.params = rows.Text(rows.Begin(x.params[:0], 1), name)
	r, err := x.first(x.byName)
	r.name = name
	return r, err
}

// holder returns a row with the content here, one without a name if there is none.
func (x *index) holder(c content) (row, error) {
	x.params = packContent(rows.Begin(x.params[:0], 1), c)
	return x.first(x.byHere)
}

// first returns the first row of a query for params.
func (x *index) first(st host.Stmt) (r row, err error) {
	if err = st.Query(x.params); err == nil {
		x.buf, _, err = st.Next(x.buf[:0])
	}
	if err == nil && len(x.buf) > 0 {
		if x.decoded, _, err = rows.Decode(x.buf, x.decoded); err == nil {
			r = rowOf(x.decoded)
		}
	}
	return r, err
}

func rowOf(v rows.Row) row {
	return row{
		name: v[0].String(), usn: v[1].Int(), server: content(v[2].Bytes), here: content(v[3].Bytes),
		file: host.MediaFile{Size: v[4].Int(), Modified: v[5].Int()}, crc: uint32(v[6].Int()), aside: reason(v[7].Int()),
		agreed: content(v[8].Bytes), offered: content(v[9].Bytes), why: absence(v[10].Int()), came: v[11].Int(),
	}
}

// pack appends the row as parameters of put.
func (r *row) pack(b []byte) []byte {
	b = rows.Text(rows.Begin(b, 12), r.name)
	b = packContent(rows.Int(b, r.usn), r.server)
	b = packContent(b, r.here)
	if r.here == nothing {
		b = rows.Null(rows.Null(rows.Null(b)))
	} else {
		b = rows.Int(rows.Int(rows.Int(b, r.file.Size), r.file.Modified), int64(r.crc))
	}
	b = rows.Int(b, int64(r.aside))
	b = packContent(packContent(b, r.agreed), r.offered)
	return rows.Int(rows.Int(b, int64(r.why)), r.came)
}

func packContent(b []byte, c content) []byte {
	if c == nothing {
		return rows.Null(b)
	}
	return rows.Blob(b, []byte(c))
}

// store writes rows in one transaction; those that no one has a file of are deleted. durable says that a power cut must
// not undo it: what is offered has to be known before the server can have it.
func (x *index) store(durable bool, list ...row) error {
	if len(list) == 0 {
		return nil
	}
	if durable {
		if err := x.db.Exec("PRAGMA synchronous = FULL"); err != nil {
			return err
		}
	}
	err := rows.Transaction(x.db, func() error { return x.write(list) })
	if durable {
		if perr := x.db.Exec("PRAGMA synchronous = NORMAL"); err == nil {
			err = perr
		}
	}
	return err
}

// write is store inside a transaction.
func (x *index) write(list []row) error {
	var b []byte
	for i := range list {
		b = list[i].pack(b)
	}
	_, err := x.put.Run(b)
	return err
}

// missing notes that there is no file here any more.
func (r *row) missing() {
	r.here, r.file, r.crc, r.aside, r.came = nothing, host.MediaFile{}, 0, 0, 0
}

// action is decide for the row. An empty file for which nothing was ever agreed or offered is what a power cut leaves of
// one that was being installed: the server's file replaces it.
func (r *row) action() action {
	if r.here == opaque && r.aside == empty && r.agreed == nothing && r.offered == nothing && r.server.known() {
		return download
	}
	return decide(r.here, r.server, r.agreed, r.why)
}

// contentOf is what a row of the server's list says.
func contentOf(c mediawire.Change) content {
	// emptySHA1 is the sum of no bytes at all.
	const emptySHA1 = "\xda\x39\xa3\xee\x5e\x6b\x4b\x0d\x32\x55\xbf\xef\x95\x60\x18\x90\xaf\xd8\x07\x09"
	switch {
	case c.Bad:
		return opaque
	case c.SHA1 == "":
		return deleted
	case c.SHA1 == emptySHA1:
		return hollow
	}
	return content(c.SHA1)
}

// mergeRule takes rows of the server's list into the index. If it shows what was last offered, that is what both have
// agreed on. A number that has gone down belongs to another history of the server: nothing is agreed with it.
const mergeRule = ` ON CONFLICT (name) DO UPDATE SET
	agreed = CASE WHEN here IS excluded.server THEN here WHEN offered IS excluded.server THEN nullif(offered, x'2d')
		WHEN usn > excluded.usn AND here IS NOT NULL THEN NULL ELSE agreed END,
	offered = CASE WHEN offered IS excluded.server THEN NULL ELSE offered END,
	usn = excluded.usn, server = excluded.server`

// The rows come as parameters, or as n, u, s from a table. A deletion of a name that is unknown here says nothing.
const (
	merge     = ` WHERE ?3 IS NOT x'2d' OR EXISTS (SELECT 1 FROM media WHERE name = ?1)` + mergeRule
	mergeFrom = ` WHERE s IS NOT x'2d' OR EXISTS (SELECT 1 FROM media m WHERE m.name = n)` + mergeRule
)

// apply merges one page of the list and notes how far it was read.
func (x *index) apply(page []mediawire.Change) error {
	b := packChanges(nil, page)
	return rows.Transaction(x.db, func() error {
		if _, err := run(x.db, "INSERT INTO media (name, usn, server) SELECT ?1, ?2, ?3"+merge, b); err != nil {
			return err
		}
		return x.readTo(int64(page[len(page)-1].USN))
	})
}

func packChanges(b []byte, page []mediawire.Change) []byte {
	for _, c := range page {
		b = rows.Text(rows.Begin(b, 3), c.Name)
		b = packContent(rows.Int(b, int64(c.USN)), contentOf(c))
	}
	return b
}

// readTo notes how far the list was read, in the running transaction or by itself.
func (x *index) readTo(usn int64) error {
	x.usn = usn
	return x.remember("usn", strconv.FormatInt(usn, 10))
}

func (x *index) remember(key, value string) error {
	_, err := rows.Exec(x.db, "INSERT OR REPLACE INTO meta VALUES (?, ?)", key, value)
	return err
}

// run prepares a statement and runs it for packed rows, if there are any.
func run(db host.DB, sql string, params []byte) (int64, error) {
	if len(params) == 0 {
		return 0, nil
	}
	st, err := db.Prepare(sql)
	if err != nil {
		return 0, err
	}
	defer st.Close()
	return st.Run(params)
}

// after is what comes next after a name, in the order of bytes.
func after(name string) string { return name + "\x00" }

// count returns the number of rows with a condition.
func (x *index) count(where string) (int64, error) {
	return rows.IntOf(x.db, "SELECT count(*) FROM media WHERE "+where)
}

// tempTable makes a temporary table; several tasks may have one at the same time.
func (x *index) tempTable(columns string) (name string, err error) {
	x.tables++
	name = "temp.t" + strconv.Itoa(x.tables)
	return name, x.db.Exec("CREATE TEMP TABLE " + name[len("temp."):] + " " + columns)
}

func (x *index) drop(table string) {
	if table != "" {
		_ = x.db.Exec("DROP TABLE IF EXISTS " + table) // it goes with the connection at the latest
	}
}
