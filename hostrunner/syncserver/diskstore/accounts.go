package diskstore

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

var _ store.Accounts = (*Accounts)(nil)

// Accounts keeps accounts in a database, which several processes may use.
//
// Reading has a connection of its own: with a write-ahead log it never waits for writing, which waits for the disk.
type Accounts struct {
	reading, writing connection
	keys             keys
}

// connection is a database connection with the statements that were prepared on it.
type connection struct {
	mu         sync.Mutex
	db         host.DB
	statements map[string]host.Stmt
	// synchronous is the setting; "" is FULL, which a connection has.
	synchronous string
}

const accountsSchema = `
CREATE TABLE IF NOT EXISTS accounts (
	id TEXT PRIMARY KEY, folded TEXT NOT NULL UNIQUE, name TEXT NOT NULL, verifier TEXT NOT NULL,
	fixed INTEGER NOT NULL, disabled INTEGER NOT NULL, created INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS devices (
	number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, account TEXT NOT NULL, name TEXT NOT NULL,
	key BLOB NOT NULL UNIQUE, created INTEGER NOT NULL, seen INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS devices_account ON devices (account);
PRAGMA user_version = 1;`

// removedSchema came later; programs that do not know it leave it alone.
const removedSchema = "CREATE TABLE IF NOT EXISTS removed (id TEXT PRIMARY KEY) WITHOUT ROWID"

// OpenAccounts opens the accounts of a data folder, which is created. Whoever makes the folder may let others look into it: the file itself
// is its owner's only, and so is its log.
func OpenAccounts(dir string) (*Accounts, error) {
	path := filepath.Join(dir, AccountsFile)
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fault.New(fault.UnsupportedFile, "%s is not a file", AccountsFile).WithHint("Move it away.")
	}
	if f, err := create(path); err == nil {
		f.Close()
	}
	s := &Accounts{}
	for _, c := range []*connection{&s.writing, &s.reading} {
		db, err := sqlitehost.OpenFile(path, host.Create)
		if err != nil {
			s.Close()
			return nil, fault.Step("open the accounts", err)
		}
		c.db, c.statements = db, map[string]host.Stmt{}
		if err := prepareAccounts(db, c == &s.writing); err != nil {
			s.Close()
			return nil, fault.Step("open the accounts", err)
		}
	}
	s.keys.stamp = newStamp(path)
	return s, nil
}

// prepareAccounts sets a connection up and, to write, makes the tables.
func prepareAccounts(db host.DB, write bool) error {
	if err := db.Exec("PRAGMA cache_size = -2000"); err != nil || !write {
		return err
	}
	switch version, err := rows.IntOf(db, "PRAGMA user_version"); {
	case err != nil:
		return err
	case version > 1:
		return fault.New(fault.UnsupportedFile, "the accounts were written by a newer program")
	case version == 1:
		return db.Exec(removedSchema)
	}
	return rows.Transaction(db, func() error { return db.Exec(accountsSchema + removedSchema) })
}

// Close closes the database (see store.Accounts).
func (s *Accounts) Close() (err error) {
	for _, c := range []*connection{&s.reading, &s.writing} {
		c.mu.Lock()
		if c.db != nil {
			if cerr := c.db.Close(); err == nil {
				err = cerr
			}
			c.db = nil
		}
		c.mu.Unlock()
	}
	s.keys.close()
	return err
}

// statement returns the prepared form of sql; c.mu is held.
func (c *connection) statement(sql string) (host.Stmt, error) {
	if c.db == nil {
		return nil, fault.New(fault.Closed, "the accounts are closed")
	}
	if st := c.statements[sql]; st != nil {
		return st, nil
	}
	st, err := c.db.Prepare(sql)
	if err == nil {
		c.statements[sql] = st
	}
	return st, err
}

// each calls do with every row of a query.
func (c *connection) each(do func(rows.Row), sql string, args ...any) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	st, err := c.statement(sql)
	if err != nil {
		return err
	}
	var packed []byte
	if len(args) > 0 {
		packed = rows.Pack(nil, args...)
	}
	for row, err := range rows.Each(st, packed) {
		if err != nil {
			return err
		}
		do(row)
	}
	return nil
}

// run runs one statement and returns the number of rows that it changed; c.mu is held.
func (c *connection) run(sql string, args ...any) (int64, error) {
	st, err := c.statement(sql)
	if err != nil {
		return 0, err
	}
	return st.Run(rows.Pack(nil, args...))
}

// write runs do in a transaction that is durable when it ends.
func (s *Accounts) write(do func(c *connection) error) error { return s.writeAs("FULL", do) }

// writeAs runs do in a transaction. With synchronous at NORMAL it is as whole as any, and gets durable with the next one at FULL.
func (s *Accounts) writeAs(synchronous string, do func(c *connection) error) error {
	c := &s.writing
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.db == nil {
		return fault.New(fault.Closed, "the accounts are closed")
	}
	if c.synchronous != synchronous {
		if err := c.db.Exec("PRAGMA synchronous = " + synchronous); err != nil {
			return err
		}
		c.synchronous = synchronous
	}
	return rows.Transaction(c.db, func() error { return do(c) })
}

func errNoAccount() error { return fault.New(fault.NotFound, "there is no such account") }
func errNoDevice() error  { return fault.New(fault.NotFound, "there is no such device") }

// changed makes missing an error if nothing was changed.
func changed(n int64, err, missing error) error {
	if err == nil && n == 0 {
		return missing
	}
	return err
}

// fromMillis is the time of a column; 0 is none.
func fromMillis(v rows.Value) time.Time {
	if v.Int() == 0 {
		return time.Time{}
	}
	return time.UnixMilli(v.Int())
}

func toMillis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

const accountColumns = "a.id, a.name, a.verifier, a.fixed, a.disabled, a.created"

func accountOf(row rows.Row) store.Account {
	return store.Account{
		ID: store.AccountID(row[0].String()), Name: row[1].String(), Verifier: row[2].String(),
		Fixed: row[3].Int() != 0, Disabled: row[4].Int() != 0, Created: fromMillis(row[5]),
	}
}

const deviceColumns = "d.id, d.name, d.key, d.created, d.seen"

func deviceOf(row rows.Row) store.Device {
	d := store.Device{ID: store.DeviceID(row[0].String()), Name: row[1].String(), Created: fromMillis(row[3]), Seen: fromMillis(row[4])}
	copy(d.Key[:], row[2].Bytes)
	return d
}

// Create adds an account (see store.Accounts).
func (s *Accounts) Create(_ context.Context, a store.Account) error {
	return s.write(func(c *connection) error {
		n, err := c.run("INSERT INTO accounts (id, folded, name, verifier, fixed, disabled, created) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
			string(a.ID), store.FoldName(a.Name), a.Name, a.Verifier, a.Fixed, a.Disabled, toMillis(a.Created))
		return changed(n, err, store.ErrTaken)
	})
}

// ByName returns an account (see store.Accounts).
func (s *Accounts) ByName(_ context.Context, name string) (store.Account, error) {
	return s.one("folded", store.FoldName(name))
}

// ByID returns an account (see store.Accounts).
func (s *Accounts) ByID(_ context.Context, id store.AccountID) (store.Account, error) {
	return s.one("id", string(id))
}

func (s *Accounts) one(column, value string) (a store.Account, err error) {
	found := false
	err = s.reading.each(func(row rows.Row) { a, found = accountOf(row), true },
		"SELECT "+accountColumns+" FROM accounts a WHERE "+column+" = ?", value)
	if err == nil && !found {
		err = errNoAccount()
	}
	return a, err
}

// List returns all accounts (see store.Accounts).
func (s *Accounts) List(context.Context) (list []store.Account, err error) {
	err = s.reading.each(func(row rows.Row) { list = append(list, accountOf(row)) },
		"SELECT "+accountColumns+" FROM accounts a ORDER BY folded")
	return list, err
}

// Update replaces an account (see store.Accounts).
func (s *Accounts) Update(_ context.Context, a store.Account) error {
	return s.write(func(c *connection) error { return c.update(a) })
}

func (c *connection) update(a store.Account) error {
	n, err := c.run("UPDATE accounts SET verifier = ?, fixed = ?, disabled = ?, created = ? WHERE id = ?",
		a.Verifier, a.Fixed, a.Disabled, toMillis(a.Created), string(a.ID))
	return changed(n, err, errNoAccount())
}

// Remove removes an account (see store.Accounts).
func (s *Accounts) Remove(_ context.Context, id store.AccountID) error {
	return s.write(func(c *connection) error {
		if _, err := c.run("DELETE FROM devices WHERE account = ?", string(id)); err != nil {
			return err
		}
		n, err := c.run("DELETE FROM accounts WHERE id = ?", string(id))
		if err = changed(n, err, errNoAccount()); err != nil {
			return err
		}
		_, err = c.run("INSERT INTO removed (id) VALUES (?) ON CONFLICT DO NOTHING", string(id))
		return err
	})
}

// Removed reports whether an account was removed (see store.Accounts).
func (s *Accounts) Removed(_ context.Context, id store.AccountID) (removed bool, err error) {
	err = s.reading.each(func(rows.Row) { removed = true }, "SELECT 1 FROM removed WHERE id = ?", string(id))
	return removed, err
}
