package rows

import (
	"iter"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
)

// Exec prepares and runs one statement with args (see Pack) and returns the number of changed rows.
func Exec(db host.DB, sql string, args ...any) (int64, error) {
	st, err := db.Prepare(sql)
	if err != nil {
		return 0, err
	}
	defer st.Close()
	return st.Run(packArgs(args))
}

func packArgs(args []any) []byte {
	if len(args) == 0 {
		return nil
	}
	return Pack(nil, args...)
}

// Query runs one statement and yields its rows. A yielded row is valid until the next step. After an error, which
// comes with a nil row, the sequence ends. The tables must not be modified inside the loop (host.Stmt.Next).
func Query(db host.DB, sql string, args ...any) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		st, err := db.Prepare(sql)
		if err != nil {
			yield(nil, err)
			return
		}
		defer st.Close()
		for row, err := range Each(st, packArgs(args)) {
			if !yield(row, err) {
				return
			}
		}
	}
}

// Each is Query for a statement that is prepared already; params is one packed row or nil.
func Each(st host.Stmt, params []byte) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		if err := st.Query(params); err != nil {
			yield(nil, err)
			return
		}
		Started(st)(yield)
	}
}

// Started is Each for a statement whose query runs already.
func Started(st host.Stmt) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		var buf []byte
		var row Row
		for done := false; !done; {
			var err error
			if buf, done, err = st.Next(buf[:0]); err != nil {
				yield(nil, err)
				return
			}
			for rest := buf; len(rest) > 0; {
				if row, rest, err = Decode(rest, row); err != nil {
					yield(nil, fault.Wrap(fault.Internal, err, "read rows"))
					return
				}
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}

// One returns the first row of a query as a copy that stays valid, nil if there is none.
func One(db host.DB, sql string, args ...any) (Row, error) {
	for row, err := range Query(db, sql, args...) {
		if err != nil {
			return nil, err
		}
		return row.Clone(), nil
	}
	return nil, nil
}

// Clone returns a copy of the row that does not share memory with it.
func (r Row) Clone() Row {
	c := make(Row, len(r))
	for i, v := range r {
		c[i] = v
		if v.Bytes != nil {
			c[i].Bytes = v.Clone()
		}
	}
	return c
}

// IntOf returns the first column of the first row as an integer, 0 if there is no row.
func IntOf(db host.DB, sql string, args ...any) (int64, error) {
	row, err := One(db, sql, args...)
	if err != nil || len(row) == 0 {
		return 0, err
	}
	return row[0].Int(), nil
}

// Transaction runs do inside BEGIN IMMEDIATE and COMMIT. An error of do, or of the commit, rolls everything back.
func Transaction(db host.DB, do func() error) error {
	if err := db.Exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := do()
	if err == nil {
		err = db.Exec("COMMIT")
	}
	if err != nil {
		// The first error is the one that matters; a rollback that fails leaves it to SQLite's recovery.
		_ = db.Rollback()
	}
	return err
}
