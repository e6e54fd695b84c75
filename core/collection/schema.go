package collection

import (
	"slices"
	"strings"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

// Schema is the schema version of the files that we write.
const Schema = 18

// tableDef declares a table; a column is its name, its type and its constraints.
type tableDef struct {
	name    string
	since   int // first schema version with this table
	columns []string
	key     string // of a table without rowid with more than one key column
	keyed   bool   // the table is WITHOUT ROWID
}

// collated is the declaration of a name: compared without case, by the collation that indexes depend on (§1.2).
const collated = " text NOT NULL COLLATE unicase"

// tables is schema 18 (§1.3), in the order of creation.
var tables = []tableDef{
	{name: "col", since: 11, columns: append([]string{"id integer PRIMARY KEY"}, slices.Concat(
		typed("integer", "crt", "mod", "scm", "ver", "dty", "usn", "ls"),
		typed("text", "conf", "models", "decks", "dconf", "tags"))...)},
	{name: "notes", since: 11, columns: []string{
		"id integer PRIMARY KEY", "guid text NOT NULL", "mid integer NOT NULL", "mod integer NOT NULL",
		"usn integer NOT NULL", "tags text NOT NULL", "flds text NOT NULL",
		"sfld integer NOT NULL", // holds text; the affinity makes numbers sort as numbers (§5.3)
		"csum integer NOT NULL", "flags integer NOT NULL", "data text NOT NULL"}},
	{name: "cards", since: 11, columns: append([]string{"id integer PRIMARY KEY"}, slices.Concat(
		typed("integer", "nid", "did", "ord", "mod", "usn", "type", "queue", "due", "ivl", "factor", "reps",
			"lapses", "left", "odue", "odid", "flags"),
		typed("text", "data"))...)},
	{name: "revlog", since: 11, columns: append([]string{"id integer PRIMARY KEY"},
		typed("integer", "cid", "usn", "ease", "ivl", "lastIvl", "factor", "time", "type")...)},
	{name: "graves", since: 11, columns: typed("integer", "oid", "type", "usn"), key: "oid, type", keyed: true},
	{name: "deck_config", since: 14, columns: []string{"id integer PRIMARY KEY NOT NULL", "name" + collated,
		"mtime_secs integer NOT NULL", "usn integer NOT NULL", "config blob NOT NULL"}},
	{name: "config", since: 14, columns: []string{"KEY text NOT NULL PRIMARY KEY", "usn integer NOT NULL",
		"mtime_secs integer NOT NULL", "val blob NOT NULL"}, keyed: true},
	{name: "tags", since: 14, columns: []string{"tag text NOT NULL PRIMARY KEY COLLATE unicase", "usn integer NOT NULL",
		"collapsed boolean NOT NULL", "config blob NULL"}, keyed: true},
	{name: "fields", since: 15, columns: []string{"ntid integer NOT NULL", "ord integer NOT NULL", "name" + collated,
		"config blob NOT NULL"}, key: "ntid, ord", keyed: true},
	{name: "templates", since: 15, columns: []string{"ntid integer NOT NULL", "ord integer NOT NULL", "name" + collated,
		"mtime_secs integer NOT NULL", "usn integer NOT NULL", "config blob NOT NULL"}, key: "ntid, ord", keyed: true},
	{name: "notetypes", since: 15, columns: []string{"id integer NOT NULL PRIMARY KEY", "name" + collated,
		"mtime_secs integer NOT NULL", "usn integer NOT NULL", "config blob NOT NULL"}},
	{name: "decks", since: 15, columns: []string{"id integer PRIMARY KEY NOT NULL", "name" + collated,
		"mtime_secs integer NOT NULL", "usn integer NOT NULL", "common blob NOT NULL", "kind blob NOT NULL"}},
}

// indexes are those of schema 18 (§1.4): name, what follows CREATE, and what is indexed.
var indexes = [][3]string{
	{"ix_notes_usn", "INDEX", "notes (usn)"},
	{"ix_notes_csum", "INDEX", "notes (csum)"},
	{"idx_notes_mid", "INDEX", "notes (mid)"},
	{"ix_cards_usn", "INDEX", "cards (usn)"},
	{"ix_cards_nid", "INDEX", "cards (nid)"},
	{"ix_cards_sched", "INDEX", "cards (did, queue, due)"},
	{"idx_cards_odid", "INDEX", "cards (odid) WHERE odid != 0"},
	{"ix_revlog_usn", "INDEX", "revlog (usn)"},
	{"ix_revlog_cid", "INDEX", "revlog (cid)"},
	{"idx_fields_name_ntid", "UNIQUE INDEX", "fields (name, ntid)"},
	{"idx_templates_name_ntid", "UNIQUE INDEX", "templates (name, ntid)"},
	{"idx_templates_usn", "INDEX", "templates (usn)"},
	{"idx_notetypes_name", "UNIQUE INDEX", "notetypes (name)"},
	{"idx_notetypes_usn", "INDEX", "notetypes (usn)"},
	{"idx_decks_name", "UNIQUE INDEX", "decks (name)"},
	{"idx_graves_pending", "INDEX", "graves (usn)"},
}

// typed declares columns of one type that must not be NULL.
func typed(kind string, names ...string) []string {
	list := make([]string, len(names))
	for i, n := range names {
		list[i] = n + " " + kind + " NOT NULL"
	}
	return list
}

// tableNamed returns the declaration of a table.
func tableNamed(name string) *tableDef {
	i := slices.IndexFunc(tables, func(t tableDef) bool { return t.name == name })
	return &tables[i]
}

// create is the statement that makes the table.
func (t *tableDef) create() string {
	parts := t.columns
	if t.key != "" {
		parts = append(slices.Clone(parts), "PRIMARY KEY ("+t.key+")")
	}
	sql := "CREATE TABLE " + t.name + " (" + strings.Join(parts, ", ") + ")"
	if t.keyed {
		sql += " WITHOUT ROWID"
	}
	return sql
}

// names lists the columns.
func (t *tableDef) names() []string {
	list := make([]string, len(t.columns))
	for i, c := range t.columns {
		list[i], _, _ = strings.Cut(c, " ")
	}
	return list
}

// MissingIndexes reports whether a file of schema 18 lacks an index.
func MissingIndexes(db host.DB) (bool, error) {
	for _, x := range indexes {
		n, err := rows.IntOf(db, "SELECT count(*) FROM sqlite_master WHERE type = 'index' AND name = ?", x[0])
		if err != nil || n == 0 {
			return true, err
		}
	}
	return false, nil
}

// CreateIndexes makes the indexes that are missing.
func CreateIndexes(db host.DB) error {
	for _, x := range indexes {
		if err := db.Exec("CREATE " + x[1] + " IF NOT EXISTS " + x[0] + " ON " + x[2]); err != nil {
			return err
		}
	}
	return nil
}
