package anki

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

// Dump is the content of a collection file by table.
type Dump map[string]Table

// Table has a table's rows by their key.
type Table struct {
	Columns []string
	Rows    map[string][]any // nil, int64, float64, string, []byte
}

// keys are the columns that identify a row in both files.
var keys = map[string][]string{
	"col": {"id"}, "notes": {"id"}, "cards": {"id"}, "revlog": {"id"}, "decks": {"id"}, "deck_config": {"id"},
	"notetypes": {"id"}, "fields": {"ntid", "ord"}, "templates": {"ntid", "ord"}, "tags": {"tag"}, "config": {"key"},
	"graves": {"oid", "type"},
}

// ignored are the fields that may differ between two collections that are in sync, with the reason.
var ignored = map[string][]string{
	// mod and ls follow the last sync of each side, usn is the next one to ask for: a side that synced later has more.
	"col": {"mod", "ls", "usn"},
	// A row's usn says when it last travelled, which depends on who sent it (sync spec 6.3).
	"notes": {"usn"}, "cards": {"usn"}, "revlog": {"usn"}, "decks": {"usn"}, "deck_config": {"usn"}, "notetypes": {"usn"},
	// Template rows received by sync get 0 (6.2).
	"templates": {"usn", "mtime_secs"},
	// Whether a tag is folded in the tag list stays on the device (8.4).
	"tags": {"usn", "collapsed"},
	// Whole sets of keys travel, without these (8.5).
	"config": {"usn", "mtime_secs"},
}

// skipped are whole tables that may differ: graves are not part of the content (11, a full upload clears them), the
// others are SQLite's statistics.
func skipped(table string) bool { return table == "graves" || strings.HasPrefix(table, "sqlite_") }

// Read reads a file that nobody has locked.
func Read(t testing.TB, path string) Dump {
	t.Helper()
	d, err := read(path)
	if err != nil {
		t.Fatalf("read %s: %v", path, err)
	}
	return d
}

func read(path string) (Dump, error) {
	db, err := sqlitehost.OpenFile(path, host.ReadOnly)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	return ReadDB(db)
}

// ReadDB reads an open database in one transaction.
func ReadDB(db host.DB) (Dump, error) {
	d := Dump{}
	if err := db.Exec("BEGIN"); err != nil {
		return nil, err
	}
	defer db.Rollback()
	var names []string
	for row, err := range rows.Query(db, "SELECT name FROM sqlite_schema WHERE type = 'table'") {
		if err != nil {
			return nil, err
		}
		names = append(names, row[0].String())
	}
	for _, name := range names {
		t, err := readTable(db, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		d[name] = t
	}
	return d, nil
}

func readTable(db host.DB, name string) (t Table, err error) {
	for row, err := range rows.Query(db, "SELECT lower(name) FROM pragma_table_info(?)", name) {
		if err != nil {
			return t, err
		}
		t.Columns = append(t.Columns, row[0].String())
	}
	t.Rows = map[string][]any{}
	for row, err := range rows.Query(db, "SELECT * FROM "+name) {
		if err != nil {
			return t, err
		}
		values := make([]any, len(row))
		for i, v := range row {
			values[i] = v.Any()
		}
		key := t.key(name, values)
		if _, twice := t.Rows[key]; twice {
			key += fmt.Sprint(" #", len(t.Rows))
		}
		t.Rows[key] = values
	}
	return t, nil
}

func (t Table) key(name string, values []any) string {
	columns := keys[name]
	if columns == nil {
		columns = t.Columns
	}
	var parts []string
	for _, c := range columns {
		parts = append(parts, fmt.Sprint(values[slices.Index(t.Columns, c)]))
	}
	return strings.Join(parts, "/")
}

// Get returns a field of a row, nil if the row is missing.
func (d Dump) Get(table, column string, key any) any {
	t := d[table]
	row := t.Rows[fmt.Sprint(key)]
	if row == nil {
		return nil
	}
	return row[slices.Index(t.Columns, column)]
}

// Has reports whether a row is there.
func (d Dump) Has(table string, key any) bool { return d[table].Rows[fmt.Sprint(key)] != nil }

// Config returns the JSON text of a config key, "" if it is missing.
func (d Dump) Config(key string) string {
	b, _ := d.Get("config", "val", key).([]byte)
	return string(b)
}

// Pending returns the tables that have rows with usn -1. Those of config do not count: they travel as a whole (6.2).
func (d Dump) Pending() (tables []string) {
	for name, t := range d {
		i := slices.Index(t.Columns, "usn")
		if i < 0 || name == "config" {
			continue
		}
		for _, row := range t.Rows {
			if row[i] == int64(-1) {
				tables = append(tables, name)
				break
			}
		}
	}
	slices.Sort(tables)
	return tables
}

// maxDifferences bounds what Compare lists for each table.
const maxDifferences = 5

// Compare returns how two collections differ in what a sync carries; nothing means that they are equal.
func Compare(a, b Dump) (differences []string) {
	names := map[string]bool{}
	for n := range a {
		names[n] = true
	}
	for n := range b {
		names[n] = true
	}
	for n := range names {
		if !skipped(n) {
			differences = append(differences, compareTable(n, a[n], b[n])...)
		}
	}
	slices.Sort(differences)
	return differences
}

func compareTable(name string, a, b Table) (out []string) {
	add := func(format string, args ...any) {
		if len(out) < maxDifferences {
			out = append(out, name+": "+fmt.Sprintf(format, args...))
		}
	}
	if !slices.Equal(a.Columns, b.Columns) {
		add("columns %v and %v", a.Columns, b.Columns)
		return out
	}
	for key, x := range a.Rows {
		y, ok := b.Rows[key]
		if !ok {
			add("%s is only in the first: %v", key, x)
			continue
		}
		for i, column := range a.Columns {
			if !slices.Contains(ignored[name], column) && !equal(name, x[i], y[i]) {
				add("%s %s: %s and %s", key, column, show(x[i]), show(y[i]))
			}
		}
	}
	for key, y := range b.Rows {
		if _, ok := a.Rows[key]; !ok {
			add("%s is only in the second: %v", key, y)
		}
	}
	return out
}

// equal compares two values. The order of a JSON object's members is nobody's business: that of config values, and of the
// unknown members that the protobuf blobs keep.
func equal(table string, x, y any) bool {
	bx, isBytes := x.([]byte)
	by, both := y.([]byte)
	if !isBytes || !both {
		return x == y
	}
	if table == "config" {
		return bytes.Equal(canonical(bx), canonical(by))
	}
	return bytes.Equal(bx, by) || bytes.Equal(sortOther(bx), sortOther(by))
}

// otherTag begins a field "other", number 255, of a protobuf message; a length and JSON follow.
const otherTag = "\xfa\x0f"

// sortOther returns a copy of a blob with the JSON in its fields "other" in canonical form.
func sortOther(blob []byte) []byte {
	out := bytes.Clone(blob)
	for rest := out; ; {
		i := bytes.Index(rest, []byte(otherTag))
		if i < 0 {
			return out
		}
		rest = rest[i+len(otherTag):]
		size, n := binary.Uvarint(rest)
		if n <= 0 || size > uint64(len(rest)-n) {
			continue // these bytes were something else
		}
		value := rest[n : n+int(size)]
		if sorted := canonical(value); len(sorted) == len(value) {
			copy(value, sorted)
		}
	}
}

// canonical returns JSON with sorted keys and without spaces.
func canonical(b []byte) []byte {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return b
	}
	out, err := json.Marshal(v)
	if err != nil {
		return b
	}
	return out
}

func show(v any) string {
	if b, ok := v.([]byte); ok {
		return fmt.Sprintf("%q", b)
	}
	return fmt.Sprintf("%#v", v)
}
