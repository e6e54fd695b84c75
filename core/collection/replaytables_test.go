package collection_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

// longBlob is the length from which recordings have the hash of a blob instead of its bytes.
const longBlob = 200

// A recordedBlob is how a value that is no JSON value was recorded.
type recordedBlob struct {
	Hex    *string
	Bytes  int
	SHA256 string
	JSON   *string
}

// loadTables replaces the content of the collection by a recorded state. A long blob that is not known is replaced
// by its hash: it can be kept and compared, though not read.
func loadTables(t *testing.T, db host.DB, blobs map[string][]byte, tables map[string]recordedTable) {
	t.Helper()
	for _, name := range append([]string{"col"}, mergedTables...) {
		table, ok := tables[name]
		if !ok {
			t.Fatalf("no table %s", name)
		}
		mustExec(t, db, "DELETE FROM "+name)
		marks := strings.TrimSuffix(strings.Repeat("?, ", len(table.Columns)), ", ")
		for _, row := range table.Rows {
			args := make([]any, len(row))
			for i, v := range row {
				args[i] = loadValue(t, blobs, v)
			}
			mustExec(t, db, "INSERT INTO "+name+" ("+strings.Join(table.Columns, ", ")+") VALUES ("+marks+")", args...)
		}
	}
}

func loadValue(t *testing.T, blobs map[string][]byte, v json.RawMessage) any {
	t.Helper()
	if v[0] != '{' {
		return scalar(t, v)
	}
	var b recordedBlob
	decode(t, v, &b)
	switch {
	case b.JSON != nil:
		return []byte(*b.JSON)
	case b.Hex != nil:
		bytes, err := hex.DecodeString(*b.Hex)
		if err != nil {
			t.Fatal(err)
		}
		return bytes
	}
	if known, ok := blobs[b.SHA256]; ok {
		return known
	}
	return []byte(hashMark + b.SHA256)
}

const hashMark = "sha256:"

// scalar returns null, text and numbers; integers stay exact.
func scalar(t *testing.T, v json.RawMessage) any {
	t.Helper()
	var n int64
	if err := json.Unmarshal(v, &n); err == nil && string(v) != "null" {
		return n
	}
	var x any
	decode(t, v, &x)
	return x
}

// compareTables compares the merged tables, and crt, with a recorded state. Times that the device took from its own
// clock during the sync may be two seconds off.
func compareTables(t *testing.T, db host.DB, tables map[string]recordedTable, now int64) {
	t.Helper()
	for _, name := range mergedTables {
		table := tables[name]
		var want []string
		for _, row := range table.Rows {
			cells := make([]string, len(row))
			for i, v := range row {
				cells[i] = recordedCell(t, v)
			}
			want = append(want, strings.Join(cells, " | "))
		}
		var got []string
		for row, err := range rows.Query(db, "SELECT "+strings.Join(table.Columns, ", ")+" FROM "+name) {
			if err != nil {
				t.Fatal(err)
			}
			cells := make([]string, len(row))
			for i, v := range row {
				cells[i] = fileCell(name, v)
			}
			got = append(got, strings.Join(cells, " | "))
		}
		mtime := slices.Index(table.Columns, "mtime_secs")
		compareRows(t, name, got, want, mtime, now)
	}
	var cols []string
	for _, row := range tables["col"].Rows {
		cols = append(cols, string(row[slices.Index(tables["col"].Columns, "crt")]))
	}
	wantRows(t, db, "SELECT crt FROM col", cols...)
}

func compareRows(t *testing.T, table string, got, want []string, mtime int, now int64) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if len(got) != len(want) {
		t.Errorf("%s: %d rows, want %d:\ngot  %q\nwant %q", table, len(got), len(want), got, want)
		return
	}
	for i := range got {
		if got[i] != want[i] && !sameButForClock(got[i], want[i], mtime, now) {
			t.Errorf("%s:\ngot  %s\nwant %s", table, got[i], want[i])
		}
	}
}

// sameButForClock reports whether two rows differ only in a time that was taken during the sync.
func sameButForClock(got, want string, mtime int, now int64) bool {
	g, w := strings.Split(got, " | "), strings.Split(want, " | ")
	if mtime < 0 || len(g) != len(w) || g[mtime] != fmt.Sprint(now) {
		return false
	}
	for n := now - 2; n <= now; n++ {
		if w[mtime] == fmt.Sprint(n) {
			g[mtime] = w[mtime]
			return slices.Equal(g, w)
		}
	}
	return false
}

func recordedCell(t *testing.T, v json.RawMessage) string {
	if v[0] != '{' {
		return fmt.Sprint(scalar(t, v))
	}
	var b recordedBlob
	decode(t, v, &b)
	switch {
	case b.JSON != nil:
		return "json " + *b.JSON
	case b.Hex != nil:
		return "hex " + *b.Hex
	}
	return hashMark + b.SHA256
}

func fileCell(table string, v rows.Value) string {
	switch {
	case v.Tag != rows.TagBlob:
		return fmt.Sprint(v.Any())
	case table == "config":
		return "json " + v.String()
	case strings.HasPrefix(string(v.Bytes), hashMark):
		return string(v.Bytes)
	case len(v.Bytes) >= longBlob:
		sum := sha256.Sum256(v.Bytes)
		return hashMark + hex.EncodeToString(sum[:])
	}
	return "hex " + hex.EncodeToString(v.Bytes)
}
