package sqlitehost

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/ncruces/go-sqlite3"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

// CheckIntegrity runs SQLite's integrity check (see host.DB), in parts that two connections share: the structure of the
// whole file, then the indexes of each table (indexesMatch): 0.4 of the time of SQLite's own (BenchmarkCheckIntegrity).
func (d *DB) CheckIntegrity(limit int) (_ []string, err error) {
	defer guard(&err)
	parts, err := d.parts()
	if err != nil {
		return nil, err
	}
	if len(parts) > 2 {
		connections := []*DB{d}
		if !d.alone {
			if other, err := d.again(); err == nil {
				defer other.Close()
				connections = append(connections, other)
			}
		}
		found, err := checkShared(connections, parts, limit)
		return found[:min(len(found), limit)], err
	}
	return complaints(d, fmt.Sprintf("PRAGMA integrity_check(%d)", limit))
}

// Alone makes CheckIntegrity leave a processor to others: it takes about twice as long then.
func (d *DB) Alone() { d.alone = true }

// notOfAnki tells of a schema that is not checked in parts: each table costs several queries, which become slower with the number of tables
// and indexes (Anki has about 30), and what is behind a zero byte in a name is no part of it for SQLite.
const notOfAnki = "SELECT count(*) > 100 OR total(instr(name, char(0))) > 0 FROM sqlite_schema"

// parts lists the parts of a shared check: "" for the structure, then the tables, the one with the most rows first. There are none in
// a transaction, which another connection does not see, and where somebody has made it hard.
func (d *DB) parts() ([]string, error) {
	if d.conn == nil {
		return nil, closedError()
	}
	if !d.conn.GetAutocommit() {
		return nil, nil
	}
	if hard, err := rows.IntOf(d, notOfAnki); err != nil || hard != 0 {
		return nil, err
	}
	list := []string{""}
	for row, err := range rows.Query(d, "SELECT name FROM sqlite_schema WHERE lower(type) = 'table' AND rootpage > 0 ORDER BY name != 'revlog', name != 'cards', name != 'notes', name") {
		if err != nil {
			return nil, err
		}
		list = append(list, row[0].String())
	}
	return list, nil
}

// check checks a part.
func (d *DB) check(part string, limit int) (_ []string, err error) {
	defer guard(&err)
	switch {
	case part == "":
		return complaints(d, fmt.Sprintf("PRAGMA quick_check(%d)", limit))
	case d.indexesMatch(part):
		return nil, nil
	}
	return complaints(d, "PRAGMA integrity_check("+sqlite3.QuoteIdentifier(part)+")")
}

// again opens the same file once more, for reading.
func (d *DB) again() (*DB, error) {
	return connect(context.Background(), d.path, d.access, d.task)
}

// checkShared takes parts in turn on all connections until none is left.
func checkShared(connections []*DB, parts []string, limit int) ([]string, error) {
	var mu sync.Mutex
	var found []string
	var first error
	next := func() (part string, ok bool) {
		mu.Lock()
		defer mu.Unlock()
		if len(parts) == 0 || first != nil {
			return "", false
		}
		part, parts = parts[0], parts[1:]
		return part, true
	}
	run := func(db *DB) {
		for part, ok := next(); ok; part, ok = next() {
			lines, err := db.check(part, limit)
			mu.Lock()
			found = append(found, lines...)
			if first == nil {
				first = err
			}
			mu.Unlock()
		}
	}
	var wg sync.WaitGroup
	for _, db := range connections[1:] {
		wg.Go(func() { run(db) })
	}
	run(connections[0])
	wg.Wait()
	slices.Sort(found)
	return slices.Compact(found), first
}

// complaints runs a check and returns what it finds.
func complaints(db host.DB, pragma string) ([]string, error) {
	var lines []string
	for row, err := range rows.Query(db, pragma) {
		if err != nil {
			return nil, err
		}
		if text := row[0].String(); text != "ok" {
			lines = append(lines, text)
		}
	}
	return lines, nil
}
