package collection

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/jsontext"
	"github.com/cardferry/cardferry/core/rows"
)

// bulkRows is from how many rows on indexes are left out of the way. Sorting all rows into a new index takes a third of the
// time, for each, of inserting them one by one.
const bulkRows = 10_000

// bulk runs do, which adds or changes n rows of a table, inside the caller's transaction. If that is most of the table, its
// indexes (those over the given column, if there is one) are dropped before and made again afterwards, as they were.
// Indexes that keep rows unique stay.
func bulk(db host.DB, table, column string, n int64, do func() error) error {
	indexes, err := indexesToDrop(db, table, column, n)
	if err != nil {
		return err
	}
	if err := dropIndexes(db, indexes); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return makeIndexes(db, indexes)
}

type index struct{ name, sql string }

func dropIndexes(db host.DB, list []index) error {
	for _, x := range list {
		if err := db.Exec(`DROP INDEX main."` + strings.ReplaceAll(x.name, `"`, `""`) + `"`); err != nil {
			return fmt.Errorf("drop index %s: %w", x.name, err)
		}
	}
	return nil
}

// makeIndexes makes dropped indexes again. SQLite sorts in memory as much as its page cache may take, besides the cache itself: so there is a
// small one meanwhile. A database of a million rows would need 18 MB more than all that comes before.
func makeIndexes(db host.DB, list []index) error {
	if len(list) == 0 {
		return nil
	}
	cache, err := rows.IntOf(db, "PRAGMA main.cache_size")
	if err == nil {
		err = setCache(db, cache/4)
	}
	for _, x := range list {
		if err == nil {
			err = db.Exec(x.sql)
		}
		if err != nil {
			err = fmt.Errorf("make index %s: %w", x.name, err)
			break
		}
	}
	return cmp.Or(err, setCache(db, cache))
}

func setCache(db host.DB, size int64) error {
	return db.Exec("PRAGMA main.cache_size = " + string(jsontext.AppendInt(nil, size)))
}

// indexesToDrop returns what bulk drops, nothing if that would not be quicker.
func indexesToDrop(db host.DB, table, column string, n int64) (list []index, err error) {
	if n < bulkRows {
		return nil, nil
	}
	present, err := rows.IntOf(db, "SELECT count(*) FROM main."+table)
	if err != nil || n < present/2 {
		return nil, err
	}
	return droppable(db, table, column)
}

// droppable returns the indexes of a table that do not keep rows unique, those over the given column, if there is one.
func droppable(db host.DB, table, column string) (list []index, err error) {
	for row, err := range rows.Query(db, `SELECT s.name, s.sql FROM main.sqlite_schema AS s, pragma_index_list(?1, 'main') AS l
		WHERE s.type = 'index' AND s.tbl_name = ?1 AND s.sql IS NOT NULL AND l.name = s.name AND NOT l."unique"
		AND (?2 = '' OR EXISTS (SELECT 1 FROM pragma_index_info(s.name, 'main') AS c WHERE c.name = ?2)) ORDER BY s.rowid`, table, column) {
		if err != nil {
			return nil, fmt.Errorf("list indexes of %s: %w", table, err)
		}
		list = append(list, index{row[0].String(), row[1].String()})
	}
	return list, nil
}
