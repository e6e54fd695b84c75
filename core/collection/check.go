package collection

import (
	"slices"
	"strings"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

// CheckHeader looks at what every other use of a file relies on: the table col with its one row, and a schema
// version that we open (11, 14 to 18), which it returns. Errors: fault.DamagedFile, fault.UnsupportedFile.
func CheckHeader(db host.DB) (ver int, err error) {
	if err := wantTable(db, "col"); err != nil {
		return 0, err
	}
	c, err := ReadCol(db)
	if err != nil {
		return 0, err
	}
	switch {
	case c.Ver < 11:
		return 0, fault.New(fault.UnsupportedFile, "the collection has schema version %d, which is too old", c.Ver).
			WithHint("Open it once in a 2.1 version of the desktop program, then try again.")
	case c.Ver == 12, c.Ver == 13, c.Ver > Schema:
		// 12 and 13 were used by test versions only; what they look like is not known (trap T28).
		return 0, fault.New(fault.UnsupportedFile, "the collection has schema version %d, which is not supported", c.Ver).
			WithHint("It was written by another or a newer program: update this one, or restore a backup.")
	}
	return c.Ver, nil
}

// CheckStructure checks that every table and column of the file's schema version is there, and no table of a later one,
// which an upgrade would run into. Indexes may be missing, and other tables and columns do not matter. Errors:
// fault.DamagedFile.
func CheckStructure(db host.DB) error {
	c, err := ReadCol(db)
	if err != nil {
		return err
	}
	have, err := columns(db)
	if err != nil {
		return err
	}
	for _, t := range tables {
		switch {
		case t.since > c.Ver && have[t.name] != nil:
			return damaged("its table %q is newer than its schema version %d", t.name, c.Ver)
		case t.since > c.Ver:
			continue
		case have[t.name] == nil:
			return damaged("it has no table %q", t.name)
		}
		for _, name := range t.names() {
			if t.name == "tags" && c.Ver < 17 && (name == "collapsed" || name == "config") {
				continue
			}
			if !slices.Contains(have[t.name], strings.ToLower(name)) {
				return damaged("its table %q has no column %q", t.name, name)
			}
		}
	}
	return nil
}

// columns lists the columns of all tables, in lower case. It is one query, as every opening waits for it: asked for table by table, they took
// forty. What has no pages is a view, or a virtual table, which may belong to a module that is not here.
func columns(db host.DB) (map[string][]string, error) {
	have := map[string][]string{}
	const query = "SELECT lower(t.name), lower(c.name) FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table' AND t.rootpage > 0"
	for row, err := range rows.Query(db, query) {
		if err != nil {
			return nil, asDamaged(err, "read the structure")
		}
		table := row[0].String()
		have[table] = append(have[table], row[1].String())
	}
	return have, nil
}

// wantTable fails with fault.DamagedFile if there is no such table. A view does not count.
func wantTable(db host.DB, name string) error {
	n, err := rows.IntOf(db, "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND lower(name) = ?", name)
	if err != nil {
		return asDamaged(err, "read the structure")
	}
	if n == 0 {
		return damaged("it has no table %q", name)
	}
	return nil
}

// integrityLines is how many complaints of the integrity check are passed on.
const integrityLines = 5

// CheckIntegrity runs SQLite's integrity check, which also finds indexes that another program has built with another
// order of names. It reads the whole file. Complaints are fault.DamagedFile with the first of them.
func CheckIntegrity(db host.DB) error {
	lines, err := db.CheckIntegrity(integrityLines)
	if err != nil {
		return asDamaged(err, "check the collection's integrity")
	}
	if len(lines) == 0 {
		return nil
	}
	return damaged("%s", strings.Join(lines, "; ")).With("integrity", lines)
}
