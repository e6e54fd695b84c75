package sqlitehost

import (
	"context"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/unicase"
)

var _ host.DB = (*DB)(nil)

// DB is one connection of a database. It is used by one goroutine at a time; only SetContext may be called beside it.
type DB struct {
	conn     *sqlite3.Conn
	task     *task
	path     string
	profile  string // folder that names are relative to
	access   access
	switched bool // the journal is what it should be
	kept     []keptStmt
	alone    bool // see Alone
	logged   int  // see KeepLog
}

// settings are the same for every connection. FULL, because a commit that a sync counts on must survive a loss of power, which
// NORMAL does not promise for a write-ahead log; there are two commits in a sync. TEMP tables go to files, as they hold
// every pending row. The cache is what is left of the 64 MB for guest and SQLite.
const settings = `PRAGMA synchronous = FULL; PRAGMA temp_store = FILE; PRAGMA cache_size = -16000;
PRAGMA foreign_keys = OFF; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;`

// configure sets the connection up and reads the header, so that a locked file, or one that is no database, fails now.
func (d *DB) configure(ctx context.Context) error {
	d.conn.SetInterrupt(ctx)
	if err := d.conn.BusyTimeout(openTimeout); err != nil {
		return err
	}
	if err := d.conn.CreateCollation("unicase", unicase.Compare); err != nil {
		return err
	}
	if err := d.leaveLog(); err != nil {
		return err
	}
	if err := d.conn.Exec(settings); err != nil {
		return err
	}
	if d.access.memory() { // memdb has no file for what a statement changes in a TEMP table beyond 64 kB, which must be there to be taken back
		if err := d.conn.Exec("PRAGMA temp_store = MEMORY"); err != nil {
			return err
		}
	}
	mode, err := d.journalMode()
	if err != nil {
		return err
	}
	d.switched = d.access.readOnly() || d.access.memory() || mode == "wal"
	d.conn.SetInterrupt(d.task)
	return d.conn.BusyTimeout(busyTimeout)
}

// leaveLog makes a besideLog connection leave the log as it is. It comes before anything that reads the file: then the
// log is opened, and with it, unless locking is exclusive, its index on disk.
func (d *DB) leaveLog() error {
	if d.access != besideLog {
		return nil
	}
	if _, err := d.conn.Config(sqlite3.DBCONFIG_NO_CKPT_ON_CLOSE, true); err != nil {
		return err
	}
	return d.conn.Exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA query_only = ON")
}

// journalMode reads the header (a transaction is needed to learn the mode of the file) and returns the mode.
func (d *DB) journalMode() (string, error) {
	if err := d.conn.Exec("SELECT count(*) FROM sqlite_schema"); err != nil {
		return "", err
	}
	return d.pragma("PRAGMA journal_mode")
}

func (d *DB) pragma(sql string) (string, error) {
	st, _, err := d.conn.Prepare(sql)
	if err != nil {
		return "", err
	}
	defer st.Close()
	if !st.Step() {
		return "", st.Err()
	}
	return st.ColumnText(0), st.Err()
}

// useLog switches a file with a rollback journal to a write-ahead log, before the first statement that writes. If
// another connection is in the way the next write tries again; either mode is safe.
func (d *DB) useLog(st *sqlite3.Stmt) {
	if d.switched || st.ReadOnly() || !d.conn.GetAutocommit() {
		return
	}
	if mode, err := d.pragma("PRAGMA journal_mode = wal"); err == nil && mode == "wal" {
		d.switched = true
	}
}

// fail gives an error its kind. A wait for a lock that the end of the task cut short comes back as busy.
func (d *DB) fail(err error, step string) error {
	if err == nil {
		return nil // in every row's way
	}
	if sqliteCode(err) == sqlite3.BUSY && d.task.Err() != nil {
		err = sqlite3.INTERRUPT
	}
	return convert(err, step)
}

// Distrust keeps what a stranger may have put into the file from running: triggers and views. It is for collections that
// others have made.
func (d *DB) Distrust() (err error) {
	defer guard(&err)
	if d.conn == nil {
		return closedError()
	}
	for _, what := range []sqlite3.DBConfig{sqlite3.DBCONFIG_ENABLE_TRIGGER, sqlite3.DBCONFIG_ENABLE_VIEW} {
		if _, err := d.conn.Config(what, false); err != nil {
			return d.fail(err, "configure database")
		}
	}
	return nil
}

// KeepLog leaves to the caller when the write-ahead log is brought into the file. SQLite would do it in the commit that makes the log a thousand
// pages long, which then waits for the disk twice more.
func (d *DB) KeepLog() {
	d.conn.WALHook(func(_ *sqlite3.Conn, _ string, pages int) error {
		d.logged = pages
		return nil
	})
}

// Logged returns how many pages the log had after the last commit (see KeepLog).
func (d *DB) Logged() int { return d.logged }

// Checkpoint brings the log into the file, as far as nobody reads an older state (see KeepLog).
func (d *DB) Checkpoint() (err error) {
	defer guard(&err)
	if d.conn == nil {
		return closedError()
	}
	d.logged = 0
	_, _, err = d.conn.WALCheckpoint("main", sqlite3.CHECKPOINT_PASSIVE)
	return d.fail(err, "checkpoint")
}

// SetContext makes the end of ctx interrupt the running statement and refuse further ones, until the next call.
// Databases of one SQL share their context.
func (d *DB) SetContext(ctx context.Context) { d.task.set(ctx) }

// Exec runs one or more statements (see host.DB).
func (d *DB) Exec(sql string) (err error) {
	defer guard(&err)
	if d.conn == nil {
		return closedError()
	}
	for rest := sql; rest != ""; {
		st, tail, err := d.conn.Prepare(rest)
		if err != nil {
			return d.fail(err, "prepare")
		}
		if st == nil {
			return nil // only white space or a comment was left
		}
		d.useLog(st)
		err = st.Exec()
		st.Close()
		if err != nil {
			return d.fail(err, "execute")
		}
		rest = tail
	}
	return nil
}

// Prepare compiles exactly one statement (see host.DB).
func (d *DB) Prepare(sql string) (_ host.Stmt, err error) {
	defer guard(&err)
	if d.conn == nil {
		return nil, closedError()
	}
	st := d.takeKept(sql)
	if st == nil {
		if st, err = d.compile(sql); err != nil {
			return nil, err
		}
	}
	return d.newStmt(sql, st), nil
}

func (d *DB) newStmt(sql string, st *sqlite3.Stmt) *Stmt {
	return &Stmt{db: d, sql: sql, st: st, params: st.BindCount()}
}

// compile compiles exactly one statement.
func (d *DB) compile(sql string) (*sqlite3.Stmt, error) {
	st, tail, err := d.conn.Prepare(sql)
	switch {
	case err != nil:
		return nil, d.fail(err, "prepare")
	case st == nil:
		return nil, fault.New(fault.InvalidInput, "prepare: no statement")
	case strings.TrimSpace(tail) != "":
		st.Close()
		return nil, fault.New(fault.InvalidInput, "prepare: more than one statement")
	}
	return st, nil
}

// Resting reports whether the connection is in no transaction.
func (d *DB) Resting() bool { return d.conn != nil && d.conn.GetAutocommit() }

// Rollback ends an open transaction, even after a cancel (see host.DB).
func (d *DB) Rollback() (err error) {
	defer guard(&err)
	if d.conn == nil || d.conn.GetAutocommit() {
		return nil
	}
	defer d.conn.SetInterrupt(d.conn.SetInterrupt(context.Background()))
	return d.fail(d.conn.Exec("ROLLBACK"), "roll back")
}

// Close finalizes the statements, checkpoints a write-ahead log and closes. It may be called more than once.
func (d *DB) Close() (err error) {
	defer guard(&err)
	if d.conn == nil {
		return nil
	}
	rollback := d.Rollback()
	if err := d.discard(); err != nil {
		return d.fail(err, "close database")
	}
	return rollback
}

func (d *DB) discard() error {
	conn := d.conn
	d.conn, d.kept = nil, nil
	conn.SetInterrupt(context.Background())
	for _, st := range slices.Collect(conn.Stmts()) {
		st.Close() // reports the last error of the statement again
	}
	return conn.Close()
}
