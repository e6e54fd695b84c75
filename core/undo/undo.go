// Package undo keeps what an edit needs to be taken back: the rows as they were before it.
//
// The history lies in TEMP tables of the connection, filled by TEMP triggers, so that no edit can forget a row, memory stays
// bounded, and closing the connection (a download, a restored backup) ends the history. Taking back restores rows exactly, as
// the reference does, with their old mod and usn. That is right as long as nothing that can be taken back has been sent: so a
// sync discards the history in each place where it reads what it will send, and again when it merges. A deletion that is taken
// back can then do without its graves, an addition needs none.
package undo

import (
	"strings"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

// depth is how many steps can be taken back.
const depth = 30

// tables are those that edits write, with their keys. The row of col is not among them: of it only mod goes back.
var tables = [...]struct{ name, key string }{
	{"notes", "id"}, {"cards", "id"}, {"revlog", "id"}, {"decks", "id"}, {"notetypes", "id"}, {"templates", "ntid,ord"},
	{"config", "key"}, {"tags", "tag"}, {"graves", "oid,type"},
}

// Record runs do, which makes one edit inside the caller's transaction, and keeps it as a step that Back takes back. An
// edit without changes, which leaves col.mod as it is, is no step.
func Record(db host.DB, name string, do func() error) error {
	if err := prepare(db); err != nil {
		return fault.Step("keep for undo", err)
	}
	before, err := colMod(db)
	if err == nil {
		_, err = rows.Exec(db, "UPDATE temp.undo_now SET step = last + 1")
	}
	if err == nil {
		err = do()
	}
	if err != nil {
		return err
	}
	if _, err = rows.Exec(db, "INSERT INTO temp.undo_steps SELECT step, ?1, ?2, mod FROM temp.undo_now, main.col WHERE mod <> ?2", name, before); err != nil {
		return err
	}
	if _, err = rows.Exec(db, "UPDATE temp.undo_now SET step = NULL, last = max(last, (SELECT ifnull(max(step), 0) FROM temp.undo_steps))"); err != nil {
		return err
	}
	return forget(db, "step <= (SELECT max(step) FROM temp.undo_steps) - ?", depth)
}

// Back takes the last step back, inside the caller's transaction, and returns its name. fault.NotFound if there is none.
func Back(db host.DB, nowMillis int64) (name string, err error) {
	ready, err := exists(db)
	if err != nil {
		return "", err
	}
	var last rows.Row
	if ready {
		if last, err = rows.One(db, "SELECT step, name, before, after FROM temp.undo_steps ORDER BY step DESC LIMIT 1"); err != nil {
			return "", err
		}
	}
	if last == nil {
		return "", fault.New(fault.NotFound, "there is nothing to take back")
	}
	step := last[0].Int()
	for _, t := range tables {
		if err := restore(db, t.name, t.key, step); err != nil {
			return "", fault.Step("take back "+t.name, err)
		}
	}
	// mod goes back as well, unless something else has moved it on, or a sync has ended meanwhile: by the server's clock that may be later.
	_, err = rows.Exec(db, "UPDATE col SET mod = iif(mod = ?1 AND ls <= ?2, ?2, max(?3, mod + 1))", last[3].Int(), last[2].Int(), nowMillis)
	if err != nil {
		return "", err
	}
	if _, err = rows.Exec(db, "UPDATE temp.undo_now SET last = ?1 - 1", step); err != nil {
		return "", err
	}
	return last[1].String(), forget(db, "step >= ?", step)
}

// fewRows is how many rows are written faster with the triggers than new triggers are made.
const fewRows = 1000

// Discard forgets all steps. It is done before anything that they could take back is sent, or changed by other means. next is
// how many rows are written then: the triggers would slow down many, so they go then. If it fails half way, the steps are
// forgotten, and what they kept is in no one's way: the steps that follow have other numbers.
func Discard(db host.DB, next int64) error {
	ready, err := exists(db)
	if err != nil || !ready {
		return err
	}
	if next > fewRows {
		return drop(db)
	}
	if _, err := rows.Exec(db, "UPDATE temp.undo_now SET last = last + 1"); err != nil {
		return err
	}
	return forget(db, "step > ?", 0)
}

// drop drops the tables and triggers, or what another drop has left of them.
func drop(db host.DB) error {
	var sql strings.Builder
	sql.WriteString(dropTable + "steps;") // without it, nothing is ready
	for _, t := range tables {
		for _, event := range [...]string{"insert", "update", "delete"} {
			sql.WriteString("DROP TRIGGER IF EXISTS temp.undo_" + t.name + "_" + event + ";")
		}
		sql.WriteString(dropTable + t.name + ";")
	}
	return db.Exec(sql.String() + dropTable + "now") // the triggers read it
}

const dropTable = "DROP TABLE IF EXISTS temp.undo_"

func exists(db host.DB) (bool, error) {
	n, err := rows.IntOf(db, "SELECT count(*) FROM sqlite_temp_schema WHERE name = 'undo_steps'")
	return n != 0, err
}

func colMod(db host.DB) (int64, error) { return rows.IntOf(db, "SELECT mod FROM col") }

// prepare makes the tables and triggers unless they are there.
func prepare(db host.DB) error {
	ready, err := exists(db)
	if err != nil || ready {
		return err
	}
	if err := drop(db); err != nil {
		return err
	}
	if err := db.Exec("CREATE TEMP TABLE undo_steps (step INTEGER PRIMARY KEY, name, before, after);" +
		"CREATE TEMP TABLE undo_now (step, last); INSERT INTO undo_now VALUES (NULL, 0)"); err != nil {
		return err
	}
	for _, t := range tables {
		columns, err := columnsOf(db, t.name)
		if err != nil {
			return err
		}
		if err := db.Exec(schema(t.name, t.key, columns)); err != nil {
			return err
		}
	}
	return nil
}

// schema returns the statements for one table. A row is kept when it is first touched in a step; had says whether it was there
// before. The columns have no types, so that they take values as they are.
func schema(table, key string, columns []string) string {
	kept := "undo_" + table
	sql := "CREATE TEMP TABLE " + kept + " (step, had, " + strings.Join(columns, ", ") + ", PRIMARY KEY (step, " + key + "));"
	for _, e := range [...]struct{ event, when, had, row string }{
		{"insert", "AFTER", "0", "NEW."}, {"update", "BEFORE", "1", "OLD."}, {"delete", "BEFORE", "1", "OLD."},
	} {
		of := "+" + e.row + strings.ReplaceAll(key, ",", ",+"+e.row) // without an affinity, or the index could not be used
		// Not INSERT OR IGNORE: an upsert that fires the trigger would make it fail all the same.
		sql += "CREATE TEMP TRIGGER " + kept + "_" + e.event + " " + e.when + " " + e.event + " ON main." + table +
			" WHEN (SELECT step FROM undo_now) NOTNULL BEGIN INSERT INTO " + kept +
			" SELECT step, " + e.had + ", " + e.row + strings.Join(columns, ", "+e.row) + " FROM undo_now" +
			" WHERE NOT EXISTS (SELECT 1 FROM " + kept + " WHERE (step, " + key + ") = (undo_now.step, " + of + ")); END;"
	}
	return sql
}

func columnsOf(db host.DB, table string) (names []string, err error) {
	for row, err := range rows.Query(db, "SELECT lower(name) FROM pragma_table_info('"+table+"')") {
		if err != nil {
			return nil, err
		}
		names = append(names, row[0].String())
	}
	return names, nil
}

// restore puts the rows of one table back.
func restore(db host.DB, table, key string, step int64) error {
	kept := " FROM temp.undo_" + table + " WHERE step = ?"
	if _, err := rows.Exec(db, "DELETE FROM main."+table+" WHERE ("+key+") IN (SELECT "+key+kept+")", step); err != nil {
		return err
	}
	columns, err := columnsOf(db, table)
	if err != nil {
		return err
	}
	list := strings.Join(columns, ", ")
	_, err = rows.Exec(db, "INSERT INTO main."+table+" ("+list+") SELECT "+list+kept+" AND had", step)
	return err
}

// forget drops the steps for which the condition holds.
func forget(db host.DB, where string, arg int64) error {
	_, err := rows.Exec(db, "DELETE FROM temp.undo_steps WHERE "+where, arg)
	for _, t := range tables {
		if err == nil {
			_, err = rows.Exec(db, "DELETE FROM temp.undo_"+t.name+" WHERE "+where, arg)
		}
	}
	return err
}
