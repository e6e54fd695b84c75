package simtest

import (
	"context"
	"strings"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
	"github.com/cardferry/cardferry/hostrunner/syncserver/memstore"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// statements is a connection that keeps its compiled statements for the next time: half of a simulation's time was spent on compiling
// the same ones again. It also applies a seeded fault to them.
type statements struct {
	*sqlitehost.DB
	rewrite func(sql string) string // nil, or a seeded fault
	idle    map[string]host.Stmt
	out     map[*keptStmt]bool // in use
	temps   map[string]*temp
	history history
	plain   bool        // see script
	looks   *statements // the same connection past the seeded fault, for what looks into a device
}

func keepStatements(db *sqlitehost.DB, rewrite func(string) string) *statements {
	return &statements{db, rewrite, map[string]host.Stmt{}, map[*keptStmt]bool{}, map[string]*temp{}, newHistory(), false, nil}
}

func (s *statements) changed(sql string) string {
	if s.rewrite == nil {
		return sql
	}
	return s.rewrite(sql)
}

// Prepare takes a statement that is idle, or compiles one.
func (s *statements) Prepare(sql string) (host.Stmt, error) {
	sql = s.history.seen(s.changed(sql))
	st := s.idle[sql]
	if st == nil {
		var err error
		if st, err = s.DB.Prepare(sql); err != nil {
			return nil, err
		}
	}
	delete(s.idle, sql)
	k := &keptStmt{Stmt: st, of: s, sql: sql}
	s.out[k] = true
	return k, nil
}

// rest makes the connection as a new one, for the next who opens the file. It reports whether it could.
func (s *statements) rest() bool {
	if s.plain {
		return false
	}
	for k := range s.out { // closing a connection ends them
		_ = k.Close()
	}
	return s.DB.Resting() && s.dropTemps()
}

// execKept runs a statement on TEMP tables that outlast their use.
func (s *statements) execKept(sql string) (done bool, err error) {
	if s.plain {
		return false, nil
	}
	if done, err = s.execTemp(sql); done {
		return done, err
	}
	return s.execHistory(sql)
}

// Exec runs statements. Those that begin and end a transaction are kept as well.
func (s *statements) Exec(sql string) error {
	sql = s.changed(sql)
	if done, err := s.execKept(sql); done {
		return err
	}
	word, _, _ := strings.Cut(sql, " ")
	if strings.Contains(sql, ";") || word != "BEGIN" && word != "COMMIT" && word != "SAVEPOINT" && word != "RELEASE" {
		return s.DB.Exec(sql)
	}
	st, err := s.Prepare(sql)
	if err != nil {
		return err
	}
	_, err = st.Run(nil)
	_ = st.Close()
	if s.Resting() { // a commit; one that fails is rolled back
		s.history.before = nil
	}
	return err
}

// keptStmt goes back to its connection when it is closed.
type keptStmt struct {
	host.Stmt
	of     *statements
	sql    string
	active bool // it may hold a lock, so it is not kept
	closed bool
}

func (k *keptStmt) Run(params []byte) (int64, error) {
	n, err := k.Stmt.Run(params)
	k.active = err != nil
	return n, err
}

func (k *keptStmt) Query(params []byte) error {
	k.active = true
	return k.Stmt.Query(params)
}

func (k *keptStmt) Next(buf []byte) ([]byte, bool, error) {
	buf, done, err := k.Stmt.Next(buf)
	k.active = !done || err != nil
	return buf, done, err
}

func (k *keptStmt) Close() error {
	if k.closed {
		return nil
	}
	k.closed = true
	delete(k.of.out, k)
	if k.active || k.of.idle[k.sql] != nil {
		return k.Stmt.Close()
	}
	k.of.idle[k.sql] = k.Stmt
	return nil
}

// serverCollection looks into the server's collection of an account, what is committed of it.
func (w *world) serverCollection(a *account) (*statements, error) {
	name, _ := w.stores.Collections.(kept).Names(a.owner)
	return serverEye(&a.eye, name)
}

// serverMedia looks into the server's media state of an account.
func (w *world) serverMedia(a *account) (*statements, error) {
	_, name := w.stores.Collections.(kept).Names(a.owner)
	return serverEye(&a.index, name)
}

// each calls do for each row, as far as they can be read: a session may hold the server's collection.
func (s *statements) each(sql string, do func(rows.Row), args ...any) {
	for row, err := range rows.Query(s, sql, args...) {
		if err != nil {
			return
		}
		do(row)
	}
}

func serverEye(e *eye, name string) (*statements, error) {
	if name == "" {
		return nil, fault.New(fault.NotFound, "the server has none yet")
	}
	return e.into(name)
}

// kept are the server's collections with such connections.
type kept struct {
	*memstore.Collections
	rewrite func(string) string
}

// collections wraps the server's store.
func (w *world) collections(c *memstore.Collections) store.Collections {
	return kept{c, w.mutant.serverRewrite()}
}

// Open opens the collection.
func (c kept) Open(ctx context.Context, id store.AccountID) (host.DB, error) {
	db, err := c.Collections.Open(ctx, id)
	if err != nil {
		return nil, err
	}
	return keepStatements(db.(*sqlitehost.DB), c.rewrite), nil
}

// Media opens the media state.
func (c kept) Media(ctx context.Context, id store.AccountID, mode host.OpenMode) (host.DB, error) {
	db, err := c.Collections.Media(ctx, id, mode)
	if err != nil {
		return nil, err
	}
	return keepStatements(db.(*sqlitehost.DB), nil), nil
}
