package simtest

import (
	"context"
	"maps"
	"strings"

	"github.com/cardferry/cardferry/core/rows"
)

// history is what a connection has of the undo history's tables and triggers (core/undo). To make them takes as long as a sync, and so does
// to open a connection and to compile its statements, so the connection of a device that dies is that of the device that comes to life
// again: its tables are empty then, and hidden until they are made.
type history struct {
	made  map[string]bool // the scripts whose tables are there
	shown map[string]bool // those that may be seen
	// before is what the two were when the transaction began that has changed them; nil: unchanged.
	before *history
}

const (
	historyMakes = "CREATE TEMP TABLE undo_"
	historyDrops = "DROP TABLE IF EXISTS temp.undo_"
	historyFirst = "CREATE TEMP TABLE undo_steps " // with undo_now, which has one row
	historyThere = "SELECT count(*) FROM sqlite_temp_schema WHERE name = 'undo_steps'"
)

func newHistory() history { return history{made: map[string]bool{}, shown: map[string]bool{}} }

// execHistory runs a script that makes or drops such tables.
func (s *statements) execHistory(sql string) (done bool, err error) {
	h := &s.history
	switch {
	case strings.HasPrefix(sql, historyMakes):
		s.changeHistory()
		if h.made[sql] && !h.shown[sql] {
			if h.shown[sql] = true; strings.HasPrefix(sql, historyFirst) {
				_, err = rows.Exec(s, "INSERT INTO temp.undo_now VALUES (NULL, 0)")
			}
			return true, err
		}
		if err = s.DB.Exec(sql); err == nil {
			h.made[sql], h.shown[sql] = true, true
		}
		return true, err
	case strings.HasPrefix(sql, historyDrops):
		if len(h.shown) == 0 && len(h.made) > 0 {
			return true, nil // for all that may be seen, nothing is there
		}
		s.changeHistory()
		if err = s.DB.Exec(sql); err == nil {
			clear(h.made)
			clear(h.shown)
		}
		return true, err
	}
	return false, nil
}

// changeHistory keeps what a rollback brings back.
func (s *statements) changeHistory() {
	if s.history.before == nil && !s.Resting() {
		s.history.before = &history{made: maps.Clone(s.history.made), shown: maps.Clone(s.history.shown)}
	}
}

// seen is a query as it is with tables that are hidden.
func (h *history) seen(sql string) string {
	if sql == historyThere && len(h.shown) == 0 && len(h.made) > 0 {
		return "SELECT 0"
	}
	return sql
}

// Rollback rolls back.
func (s *statements) Rollback() error {
	if h := s.history.before; h != nil {
		s.history = *h
	}
	return s.DB.Rollback()
}

// outlive makes the connection of a dead device one that nobody has used. It reports whether it could.
func (s *statements) outlive() bool {
	if s.plain {
		return false
	}
	for k := range s.out {
		_ = k.Close()
	}
	s.SetContext(context.Background())
	if s.Rollback() != nil || !s.Resting() || s.DB.Exec("DROP TABLE IF EXISTS temp.cardferry_inbox") != nil {
		return false
	}
	var tables []string
	for row, err := range rows.Query(s, "SELECT name FROM sqlite_temp_schema WHERE type = 'table'") {
		if err != nil {
			return false
		}
		tables = append(tables, row[0].String())
	}
	for _, name := range tables {
		if _, err := rows.Exec(s, "DELETE FROM temp."+name); err != nil {
			return false
		}
	}
	clear(s.history.shown)
	return true
}
