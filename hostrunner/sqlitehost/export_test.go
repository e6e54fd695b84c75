package sqlitehost

import "github.com/ncruces/go-sqlite3"

// Recompiled returns how often SQLite has compiled a statement again that nobody has closed yet.
func (s *Stmt) Recompiled() int {
	if s.st == nil {
		return 0
	}
	return s.st.Status(sqlite3.STMTSTATUS_REPREPARE, false)
}

// Parts are those of a shared check.
func (d *DB) Parts() ([]string, error) { return d.parts() }
