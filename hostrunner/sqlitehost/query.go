package sqlitehost

import (
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/rows"
)

// ReadOnlyQuery runs one statement that only reads and returns the names of its columns and its rows: nil, int64,
// float64, string, []byte. Arguments are of the types of rows.Pack.
//
// Everything else is refused with fault.InvalidInput: writing, also to TEMP tables, ATTACH, transactions, and pragmas
// other than those that look something up. sqlite3_stmt_readonly alone would let ATTACH, BEGIN and most pragmas pass.
func (d *DB) ReadOnlyQuery(sql string, args ...any) (cols []string, result [][]any, err error) {
	defer guard(&err)
	if d.conn == nil {
		return nil, nil, closedError()
	}
	params, err := packQuery(args)
	if err != nil {
		return nil, nil, err
	}
	if err := d.conn.SetAuthorizer(allowReading); err != nil {
		return nil, nil, d.fail(err, "query")
	}
	// Pragmas used as tables are compiled while the statement runs, so the authorizer stays until the end.
	defer d.conn.SetAuthorizer(nil)
	compiled, err := d.compile(sql) // none that was kept: the authorizer has to see it
	if err != nil {
		return nil, nil, queryError(err)
	}
	own := d.newStmt("", compiled)
	defer own.Close()
	if own.params != len(args) {
		return nil, nil, fault.New(fault.InvalidInput, "query: %d values for %d parameters", len(args), own.params)
	}
	if !own.st.ReadOnly() {
		return nil, nil, errNotReading()
	}
	for i := range own.st.ColumnCount() {
		cols = append(cols, own.st.ColumnName(i))
	}
	for row, err := range rows.Each(own, params) {
		if err != nil {
			return nil, nil, queryError(err)
		}
		result = append(result, anyRow(row))
	}
	return cols, result, nil
}

func anyRow(row rows.Row) []any {
	values := make([]any, len(row))
	for i, v := range row {
		values[i] = v.Any()
	}
	return values
}

// packQuery packs the arguments of a query; they come from outside, so a wrong type is an error and no panic.
func packQuery(args []any) ([]byte, error) {
	if len(args) == 0 {
		return nil, nil
	}
	for i, a := range args {
		switch a.(type) {
		case nil, bool, int, int32, int64, float64, string, []byte:
		default:
			return nil, fault.New(fault.InvalidInput, "query: parameter %d has a type that SQLite does not know", i+1)
		}
	}
	return rows.Pack(nil, args...), nil
}

func errNotReading() error { return fault.New(fault.InvalidInput, "query: only reading is allowed") }

// queryError makes what is wrong with the caller's statement fault.InvalidInput.
func queryError(err error) error {
	if sqliteCode(err) == sqlite3.AUTH {
		return errNotReading()
	}
	if e, ok := err.(*fault.Error); ok && e.Kind == fault.Other && sqliteCode(err) == sqlite3.ERROR {
		return &fault.Error{Kind: fault.InvalidInput, Message: "query", Err: e.Err}
	}
	return err
}

// allowReading is the authorizer of a query.
func allowReading(action sqlite3.AuthorizerActionCode, arg, value, _, _ string) sqlite3.AuthorizerReturnCode {
	switch action {
	case sqlite3.AUTH_SELECT, sqlite3.AUTH_READ, sqlite3.AUTH_FUNCTION, sqlite3.AUTH_RECURSIVE:
		return sqlite3.AUTH_OK
	case sqlite3.AUTH_PRAGMA:
		takesName, known := lookups[strings.ToLower(arg)]
		if known && (takesName || value == "") {
			return sqlite3.AUTH_OK
		}
	}
	return sqlite3.AUTH_DENY
}

// lookups are the pragmas that only look something up; the value says whether an argument is a name (of a table, an
// index), where for the others it would be a new setting.
var lookups = map[string]bool{
	"table_info": true, "table_xinfo": true, "table_list": true, "index_list": true, "index_info": true,
	"index_xinfo": true, "foreign_key_list": true, "integrity_check": true, "quick_check": true,
	"database_list": false, "collation_list": false, "function_list": false, "compile_options": false,
	"user_version": false, "schema_version": false, "application_id": false, "encoding": false, "page_size": false,
	"page_count": false, "freelist_count": false, "journal_mode": false, "data_version": false,
}
