package ankitest

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3"
)

// Row is a row of a table: column name to a readable form of the value that tells storage classes apart.
type Row map[string]string

// Table is a table's rows by their key.
type Table map[string]Row

// Dump is the content of a collection file: its tables by name, without the statistics of SQLite.
type Dump map[string]Table

// keys are the columns that identify a row.
var keys = map[string][]string{
	"col": {"id"}, "notes": {"id"}, "cards": {"id"}, "revlog": {"id"}, "graves": {"type", "oid"}, "decks": {"id"},
	"deck_config": {"id"}, "notetypes": {"id"}, "fields": {"ntid", "ord"}, "templates": {"ntid", "ord"},
	"config": {"KEY"}, "tags": {"tag"},
}

// ReadDump reads a collection file, which an idle program may have open. It also checks the file's integrity.
func ReadDump(path string) (Dump, error) {
	dir, err := tempDir()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	copied, err := copyCollection(path, dir)
	if err != nil {
		return nil, err
	}
	db, err := OpenSQL(copied)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	if err := checkIntegrity(db); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return dumpTables(db)
}

// MustDump is ReadDump for a test.
func MustDump(t TB, path string) Dump {
	t.Helper()
	d, err := ReadDump(path)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func checkIntegrity(db *sqlite3.Conn) error {
	st, _, err := db.Prepare("PRAGMA integrity_check")
	if err != nil {
		return err
	}
	defer st.Close()
	var report []string
	for st.Step() {
		report = append(report, st.ColumnText(0))
	}
	if err := st.Err(); err != nil {
		return err
	}
	if !slices.Equal(report, []string{"ok"}) {
		return errors.New("integrity check: " + strings.Join(report, "; "))
	}
	return nil
}

func dumpTables(db *sqlite3.Conn) (Dump, error) {
	names, err := column(db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
	if err != nil {
		return nil, err
	}
	d := Dump{}
	for _, name := range names {
		if d[name], err = dumpTable(db, name); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return d, nil
}

func column(db *sqlite3.Conn, sql string) (values []string, err error) {
	st, _, err := db.Prepare(sql)
	if err != nil {
		return nil, err
	}
	defer st.Close()
	for st.Step() {
		values = append(values, st.ColumnText(0))
	}
	return values, st.Err()
}

func dumpTable(db *sqlite3.Conn, name string) (Table, error) {
	st, _, err := db.Prepare("SELECT * FROM " + name)
	if err != nil {
		return nil, err
	}
	defer st.Close()
	t := Table{}
	for st.Step() {
		r := Row{}
		for i := range st.ColumnCount() {
			r[st.ColumnName(i)] = literal(st, i)
		}
		t[rowKey(name, r)] = r
	}
	return t, st.Err()
}

// literal writes a value as SQL does, so that 1, '1' and 1.0 stay different.
func literal(st *sqlite3.Stmt, i int) string {
	switch st.ColumnType(i) {
	case sqlite3.INTEGER:
		return strconv.FormatInt(st.ColumnInt64(i), 10)
	case sqlite3.FLOAT:
		f := strconv.FormatFloat(st.ColumnFloat(i), 'g', -1, 64)
		if !strings.ContainsAny(f, ".eIN") {
			f += ".0"
		}
		return f
	case sqlite3.TEXT:
		return "'" + st.ColumnText(i) + "'"
	case sqlite3.BLOB:
		return "x" + hex.EncodeToString(st.ColumnRawBlob(i))
	}
	return "NULL"
}

func rowKey(table string, r Row) string {
	var parts []string
	for _, c := range keys[table] {
		parts = append(parts, r[c])
	}
	return strings.Join(parts, "/")
}

// Pending counts the rows of a table that have not been sent.
func (d Dump) Pending(table string) (n int) {
	for _, r := range d[table] {
		if r["usn"] == "-1" {
			n++
		}
	}
	return n
}
