package sqlitehost

import (
	"unsafe"

	"github.com/ncruces/go-sqlite3"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

var _ host.Stmt = (*Stmt)(nil)

// batch is how many bytes of rows Next packs before it returns.
const batch = 64 << 10

// Stmt is a prepared statement.
type Stmt struct {
	db      *DB
	sql     string // "" if it is not to be kept
	st      *sqlite3.Stmt
	row     rows.Row // decoded parameters, reused
	params  int
	running bool // Query was called, and the end not reached
}

// Run executes the statement once for each packed row (see host.Stmt). Rows that triggers change count as well.
func (s *Stmt) Run(params []byte) (n int64, err error) {
	defer guard(&err)
	if err := s.restart(); err != nil {
		return 0, err
	}
	before := s.db.conn.TotalChanges()
	for {
		if params, err = s.bind(params); err != nil {
			break
		}
		if err = s.st.Exec(); err != nil {
			err = s.db.fail(err, "execute")
			break
		}
		if len(params) == 0 {
			break
		}
	}
	return s.db.conn.TotalChanges() - before, err
}

// Query binds one packed row and starts the statement (see host.Stmt).
func (s *Stmt) Query(params []byte) (err error) {
	defer guard(&err)
	if err := s.restart(); err != nil {
		return err
	}
	rest, err := s.bind(params)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return fault.New(fault.Internal, "query: more than one row of parameters")
	}
	s.running = true
	return nil
}

// restart makes the statement ready to be bound and run.
func (s *Stmt) restart() error {
	if s.st == nil || s.db.conn == nil {
		return closedError()
	}
	s.running = false
	_ = s.st.Reset() // reports the error of the previous run again
	s.db.useLog(s.st)
	return nil
}

// bind binds the first packed row of params and returns the others.
func (s *Stmt) bind(params []byte) (rest []byte, err error) {
	s.row = s.row[:0]
	if len(params) > 0 {
		if s.row, rest, err = rows.Decode(params, s.row); err != nil {
			return nil, fault.Wrap(fault.Internal, err, "bind")
		}
	}
	if len(s.row) != s.params {
		return nil, fault.New(fault.Internal, "bind: %d values for %d parameters", len(s.row), s.params)
	}
	for i := range s.row {
		if err := s.bindValue(i+1, &s.row[i]); err != nil {
			return nil, s.db.fail(err, "bind")
		}
	}
	return rest, nil
}

func (s *Stmt) bindValue(i int, v *rows.Value) error {
	switch v.Tag {
	case rows.TagInt:
		return s.st.BindInt64(i, int64(v.Bits))
	case rows.TagFloat:
		return s.st.BindFloat(i, v.Float())
	case rows.TagText:
		// BindText copies the text into SQLite's memory before it returns; a string made from the bytes without
		// unsafe would be a second copy.
		return s.st.BindText(i, unsafe.String(unsafe.SliceData(v.Bytes), len(v.Bytes)))
	case rows.TagBlob:
		return s.st.BindBlob(i, v.Bytes)
	}
	return s.st.BindNull(i)
}

// Next appends packed result rows to buf (see host.Stmt).
func (s *Stmt) Next(buf []byte) (_ []byte, done bool, err error) {
	defer guard(&err)
	if s.st == nil || s.db.conn == nil {
		return buf, true, closedError()
	}
	if !s.running {
		return buf, true, nil
	}
	columns := 0
	for limit := len(buf) + batch; len(buf) < limit; {
		if !s.st.Step() {
			s.running = false
			err := s.db.fail(s.st.Err(), "read")
			_ = s.st.Reset() // ends the read transaction
			return buf, true, err
		}
		if columns == 0 { // only now, as SQLite may have compiled it again
			columns = s.st.ColumnCount()
		}
		if buf, err = s.appendRow(buf, columns); err != nil {
			return buf, true, err
		}
	}
	return buf, false, nil
}

func (s *Stmt) appendRow(buf []byte, columns int) ([]byte, error) {
	buf = rows.Begin(buf, columns)
	for i := range columns {
		switch s.st.ColumnType(i) {
		case sqlite3.INTEGER:
			buf = rows.Int(buf, s.st.ColumnInt64(i))
		case sqlite3.FLOAT:
			buf = rows.Float(buf, s.st.ColumnFloat(i))
		case sqlite3.TEXT:
			buf = rows.Text(buf, s.st.ColumnRawText(i))
		case sqlite3.BLOB:
			buf = rows.Blob(buf, s.st.ColumnRawBlob(i))
		default:
			buf = rows.Null(buf)
		}
	}
	return buf, s.db.fail(s.st.Err(), "read")
}

// Close ends the use of the statement. It may be called more than once.
func (s *Stmt) Close() (err error) {
	defer guard(&err)
	st := s.st
	s.st = nil
	switch {
	case st == nil || s.db.conn == nil:
	case s.sql == "":
		_ = st.Close() // reports the last error of the statement again
	default:
		s.db.keep(s.sql, st)
	}
	return nil
}
