package simtest

import (
	"strings"

	"github.com/cardferry/cardferry/core/rows"
)

// temp is a TEMP table of a media index. Each sync makes some and drops them, and each time SQLite compiles every statement of the connection
// again: a tenth of a simulation's time. So a table that is dropped is emptied, and stays for the next one of the same definition.
type temp struct {
	create, index string // what has made them
	dropped       bool   // it is not there, for all that may be seen
}

// execTemp runs a statement that makes or drops such a table. What happens in a transaction, which may be taken back, is SQLite's.
func (s *statements) execTemp(sql string) (done bool, err error) {
	switch {
	case strings.HasPrefix(sql, "CREATE TEMP TABLE t"):
		name, _, _ := strings.Cut(strings.TrimPrefix(sql, "CREATE TEMP TABLE "), " ")
		if t := s.temps[name]; t != nil && t.dropped {
			if t.create == sql && s.Resting() {
				t.dropped = false
				return true, nil
			}
			delete(s.temps, name)
			if err := s.DB.Exec("DROP TABLE temp." + name); err != nil {
				return true, err
			}
		}
		if err := s.DB.Exec(sql); err != nil || !s.Resting() {
			return true, err
		}
		s.temps[name] = &temp{create: sql}
		return true, nil
	case strings.HasPrefix(sql, "CREATE INDEX temp.t"):
		_, rest, _ := strings.Cut(sql, " ON ")
		name, _, _ := strings.Cut(rest, " ")
		t := s.temps[name]
		if t != nil && !t.dropped && t.index == sql {
			return true, nil
		}
		if err = s.DB.Exec(sql); err == nil && t != nil {
			t.index = sql
		}
		return true, err
	case strings.HasPrefix(sql, "DROP TABLE IF EXISTS temp.t"):
		name := strings.TrimPrefix(sql, "DROP TABLE IF EXISTS temp.")
		t := s.temps[name]
		switch {
		case t == nil:
			return false, nil
		case t.dropped:
			return true, nil
		case s.Resting():
			if _, err = rows.Exec(s, "DELETE FROM temp."+name); err == nil {
				t.dropped = true
				return true, nil
			}
		}
		delete(s.temps, name)
	}
	return false, nil
}

// dropTemps drops those that are left, and reports whether there are no other TEMP tables.
func (s *statements) dropTemps() bool {
	for row, err := range rows.Query(s, "SELECT tbl_name FROM sqlite_temp_schema") {
		if err != nil || s.temps[row[0].String()] == nil {
			return false
		}
	}
	for name := range s.temps {
		if _, err := s.execTemp("DROP TABLE IF EXISTS temp." + name); err != nil || s.temps[name] == nil {
			return false
		}
	}
	return true
}
