package sqlitehost

import (
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/cardferry/cardferry/core/rows"
)

// Of all that the integrity check does, looking up each row of a table in each index takes most of the time. What it finds out can
// be had by reading both from one end to the other: an index is right if its entries are in order, and are those of the table. That they are
// the same is told by a sum over the hashes of them, under a key that nobody can know who made the file.

// index is an index over integers of a table.
type index struct {
	name    string
	columns []string
	skips   string // it leaves out the rows in which this column is 0; "" if it has all
}

// indexesMatch reports whether all indexes of a table certainly have what they should. If not, or if there is one of a
// kind that is not looked at here, the integrity check has to say what is wrong.
func (d *DB) indexesMatch(table string) bool {
	list, ok := d.integerIndexes(table)
	if !ok {
		return false
	}
	key := [2]uint64{rand.Uint64() | 1, rand.Uint64()}
	want := make([]contents, len(list))
	if len(list) > 0 && !d.sumTable(table, list, key, want) {
		return false
	}
	for i, ix := range list {
		if got, ok := d.sumIndex(table, ix, key); !ok || got != want[i] {
			return false
		}
	}
	return true
}

// integerIndexes returns the indexes of a table; ok is false if there is one of another kind.
func (d *DB) integerIndexes(table string) (list []index, ok bool) {
	// A column of that name would hide the rowid.
	if n, err := rows.IntOf(d, "SELECT count(*) FROM pragma_table_xinfo(?) WHERE lower(name) = '_rowid_'", table); err != nil || n > 0 {
		return nil, false
	}
	const sql = "SELECT l.name, l.\"unique\", l.partial, s.sql FROM pragma_index_list(?1) AS l LEFT JOIN sqlite_schema AS s ON s.type = 'index' AND s.name = l.name"
	for row, err := range rows.Query(d, sql, table) {
		if err != nil || row[1].Int() != 0 {
			return nil, false
		}
		ix := index{name: row[0].String()}
		if ix.columns, ok = d.indexColumns(ix.name); !ok {
			return nil, false
		}
		if row[2].Int() != 0 {
			if ix.skips = skipped(row[3].String()); !slices.Contains(ix.columns, ix.skips) {
				return nil, false
			}
		}
		list = append(list, ix)
	}
	return list, true
}

// indexColumns returns the columns of an index; ok is false if one is not a column of the table, or descends, or if rows are not told by
// their rowid.
func (d *DB) indexColumns(name string) (list []string, ok bool) {
	for row, err := range rows.Query(d, "SELECT cid, name, \"desc\", key FROM pragma_index_xinfo(?) ORDER BY seqno", name) {
		if err != nil {
			return nil, false
		}
		if row[3].Int() == 0 {
			return list, row[0].Int() == -1
		}
		if row[0].Int() < 0 || row[2].Int() != 0 {
			return nil, false
		}
		list = append(list, row[1].String())
	}
	return nil, false
}

// skipped returns the column in the condition of a partial index "… WHERE column != 0", "" if it is another one.
func skipped(sql string) string {
	words := strings.Fields(sql)
	if n := len(words); n > 4 && strings.EqualFold(words[n-4], "where") && words[n-2] == "!=" && words[n-1] == "0" {
		return words[n-3]
	}
	return ""
}

// contents are what an index has, in any order.
type contents struct {
	entries int
	sum     uint64
}

// add adds an entry: the values of the columns, then the rowid.
func (c *contents) add(entry []int64, key [2]uint64) {
	h := key[1]
	for _, v := range entry {
		high, low := bits.Mul64(h^uint64(v), key[0])
		h = high ^ low + key[1]
	}
	c.entries++
	c.sum += h
}

// entries is the query for the columns of a table, then the rowid.
func entries(table string, columns []string) string {
	sql := "SELECT "
	for _, c := range columns {
		sql += sqlite3.QuoteIdentifier(c) + ", "
	}
	return sql + "_rowid_ FROM " + sqlite3.QuoteIdentifier(table)
}

// sumTable adds up what the indexes should have.
func (d *DB) sumTable(table string, list []index, key [2]uint64, want []contents) bool {
	var columns []string
	for _, ix := range list {
		columns = append(columns, ix.columns...)
	}
	sql := entries(table, columns) + " NOT INDEXED"
	var entry []int64
	return d.eachRow(sql, func(row []int64) bool {
		id := row[len(row)-1]
		for i := range list {
			ix, n := &list[i], len(list[i].columns)
			entry = append(append(entry[:0], row[:n]...), id)
			row = row[n:]
			if ix.skips == "" || entry[slices.Index(ix.columns, ix.skips)] != 0 {
				want[i].add(entry, key)
			}
		}
		return true
	})
}

// sumIndex adds up what an index has; ok is false if it is not in order.
func (d *DB) sumIndex(table string, ix index, key [2]uint64) (got contents, ok bool) {
	sql := entries(table, ix.columns) + " INDEXED BY " + sqlite3.QuoteIdentifier(ix.name)
	if ix.skips != "" {
		sql += " WHERE " + sqlite3.QuoteIdentifier(ix.skips) + " != 0"
	}
	var last []int64
	return got, d.eachRow(sql, func(entry []int64) bool {
		if last != nil && slices.Compare(last, entry) >= 0 {
			return false
		}
		last = append(last[:0], entry...)
		got.add(entry, key)
		return true
	})
}

// eachRow hands over the rows of a query until take returns false; ok is false then, or if a value is not an integer, or on any error.
func (d *DB) eachRow(sql string, take func(row []int64) bool) (ok bool) {
	st, _, err := d.conn.Prepare(sql)
	if err != nil {
		return false
	}
	defer st.Close()
	row := make([]int64, st.ColumnCount())
	for st.Step() {
		for i := range row {
			if st.ColumnType(i) != sqlite3.INTEGER {
				return false
			}
			row[i] = st.ColumnInt64(i)
		}
		if !take(row) {
			return false
		}
	}
	return st.Err() == nil
}
