package hostrunner

import (
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

func (l *lender) SQLOpen(name string, mode int32) int32 {
	db, err := l.ports.host.SQL.Open(l.ctx(), name, host.OpenMode(mode))
	if err != nil {
		return l.fail(err)
	}
	return l.dbs.add(db)
}

// onDB runs do on an open database.
func (l *lender) onDB(n int32, do func(host.DB) error) int32 {
	db, ok := l.dbs.m[n]
	if !ok {
		return l.unknown("database", n)
	}
	return l.code(do(db))
}

func (l *lender) SQLExec(n int32, sql string) int32 {
	return l.onDB(n, func(db host.DB) error { return db.Exec(sql) })
}

// SQLCheck lends the complaints as a statement that has run already.
func (l *lender) SQLCheck(n, limit int32) int32 {
	db, ok := l.dbs.m[n]
	if !ok {
		return l.unknown("database", n)
	}
	lines, err := db.CheckIntegrity(int(limit))
	if err != nil {
		return l.fail(err)
	}
	var packed []byte
	for _, line := range lines {
		packed = rows.Pack(packed, line)
	}
	return l.stmts.add(&lentStmt{Stmt: &listing{packed: packed}, db: n})
}

// started is what statements without SQLite have in common: they have run already.
type started struct{}

func (started) Run([]byte) (int64, error) {
	return 0, fault.New(fault.Internal, "a listing cannot be run again")
}
func (started) Query([]byte) error { return fault.New(fault.Internal, "a listing cannot be run again") }

// listing is a statement without SQLite, whose rows are known.
type listing struct {
	started
	packed []byte
}

func (*listing) Close() error { return nil }

// Next returns all rows at once: a check has few lines.
func (s *listing) Next(buf []byte) ([]byte, bool, error) {
	return append(buf, s.packed...), true, nil
}

func (l *lender) SQLCopyInto(n int32, name string, compact int32) int32 {
	return l.onDB(n, func(db host.DB) error { return db.CopyInto(name, compact != 0) })
}

func (l *lender) SQLRollback(n int32) int32 { return l.onDB(n, host.DB.Rollback) }

func (l *lender) SQLClose(n int32) int32 {
	db, ok := l.dbs.take(n)
	if !ok {
		return l.unknown("database", n)
	}
	for h, st := range l.stmts.m {
		if st.db == n {
			_ = st.Close() // its error is the one of its last run, reported then
			delete(l.stmts.m, h)
		}
	}
	return l.code(db.Close())
}

func (l *lender) SQLPrepare(n int32, sql string) int32 {
	db, ok := l.dbs.m[n]
	if !ok {
		return l.unknown("database", n)
	}
	st, err := db.Prepare(sql)
	if err != nil {
		return l.fail(err)
	}
	return l.stmts.add(&lentStmt{Stmt: st, db: n})
}

func (l *lender) SQLRun(n int32, params []byte) int64 {
	st, ok := l.stmts.m[n]
	if !ok {
		return int64(l.unknown("statement", n))
	}
	st.restart()
	changed, err := st.Run(orNil(params))
	if err != nil {
		return int64(l.fail(err))
	}
	return changed
}

func (l *lender) SQLQuery(n int32, params []byte) int32 {
	st, ok := l.stmts.m[n]
	if !ok {
		return l.unknown("statement", n)
	}
	st.restart()
	return l.code(st.Query(orNil(params)))
}

// orNil: no parameters are nil for a host.Stmt, and a length of 0 at the boundary.
func orNil(params []byte) []byte {
	if len(params) == 0 {
		return nil
	}
	return params
}

func (l *lender) SQLNext(n int32, buf []byte) int64 {
	st, ok := l.stmts.m[n]
	if !ok {
		return int64(l.unknown("statement", n))
	}
	r, err := st.next(buf)
	if err != nil {
		return int64(l.fail(err))
	}
	return r
}

func (l *lender) SQLFinalize(n int32) int32 {
	st, ok := l.stmts.take(n)
	if !ok {
		return 0 // closed with its database
	}
	return l.code(st.Close())
}
