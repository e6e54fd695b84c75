package coretest

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

// TestSQL is the contract of host.SQL. open returns the databases of a new, empty profile.
func TestSQL(t *testing.T, open func(t *testing.T) host.SQL) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s host.SQL)
	}{
		{"values keep type and content", testValues},
		{"run takes batches", testRun},
		{"run stops at the first error", testRunError},
		{"prepare takes one statement", testPrepare},
		{"exec takes several statements", testExec},
		{"next returns whole rows in batches", testNext},
		{"query starts anew", testRequery},
		{"transactions", testTransactions},
		{"content persists", testPersistence},
		{"open modes", testModes},
		{"hostile names", testSQLNames},
		{"unicase", testUnicase},
		{"check integrity", testCheckIntegrity},
		{"copy into", testCopyInto},
		{"big values", testBigValues},
		{"temporary tables", testTemp},
		{"closed", testClosed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, open(t))
		})
	}
}

// OpenDB opens a database that is closed with the test.
func OpenDB(t testing.TB, s host.SQL, name string, mode host.OpenMode) host.DB {
	t.Helper()
	db, err := s.Open(context.Background(), name, mode)
	if err != nil {
		t.Fatalf("open %s: %v", name, err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// Must ends the test on an error.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// WantKind ends the test if err has another kind.
func WantKind(t testing.TB, err error, kind fault.Kind) {
	t.Helper()
	if got := fault.KindOf(err); got != kind {
		t.Fatalf("error %v has kind %v, want %v", err, got, kind)
	}
}

// newTable returns a new database with the table t (a, b).
func newTable(t *testing.T, s host.SQL) host.DB {
	db := OpenDB(t, s, host.Collection, host.Create)
	Must(t, db.Exec("CREATE TABLE t (a INTEGER PRIMARY KEY, b)"))
	return db
}

func prepare(t *testing.T, db host.DB, sql string) host.Stmt {
	t.Helper()
	st, err := db.Prepare(sql)
	Must(t, err)
	t.Cleanup(func() { st.Close() })
	return st
}

func intOf(t *testing.T, db host.DB, sql string, args ...any) int64 {
	t.Helper()
	n, err := rows.IntOf(db, sql, args...)
	Must(t, err)
	return n
}

func testValues(t *testing.T, s host.SQL) {
	db := newTable(t, s)
	for i, v := range []any{
		nil, int64(0), int64(-1), int64(math.MaxInt64), int64(math.MinInt64), 0.5, -1e300, math.Inf(1),
		"", "a", "żółć 𝄞 日本", "nul \x00 inside", strings.Repeat("x", 100_000),
		[]byte{}, []byte{0}, []byte("text\x00bytes\xff"), bytes.Repeat([]byte{7}, 100_000),
	} {
		_, err := rows.Exec(db, "INSERT INTO t VALUES (?, ?)", i, v)
		Must(t, err)
		row, err := rows.One(db, "SELECT b, typeof(b), hex(b), length(CAST(b AS BLOB)) FROM t WHERE a = ?", i)
		Must(t, err)
		if got := row[0].Any(); fmt.Sprintf("%T %v", got, got) != fmt.Sprintf("%T %v", v, v) {
			t.Errorf("value %d: got %.40v (%T), want %.40v (%T)", i, got, got, v, v)
		}
		want := map[string]string{"<nil>": "null", "int64": "integer", "float64": "real", "string": "text", "[]uint8": "blob"}
		if got := row[1].String(); got != want[fmt.Sprintf("%T", v)] {
			t.Errorf("value %d: stored as %s", i, got)
		}
		if text, ok := v.(string); ok && (row[3].Int() != int64(len(text)) || row[2].String() != fmt.Sprintf("%X", text)) {
			t.Errorf("value %d: %d bytes stored, want %d", i, row[3].Int(), len(text))
		}
	}
	// Text that is not UTF-8 goes through as it is: a collection can have it, and it must not be changed by reading.
	row, err := rows.One(db, "SELECT CAST(x'61ff62' AS TEXT)")
	Must(t, err)
	if row[0].Tag != rows.TagText || row[0].String() != "a\xffb" {
		t.Errorf("invalid UTF-8 came back as %q", row[0].String())
	}
}

func testRun(t *testing.T, s host.SQL) {
	db := newTable(t, s)
	st := prepare(t, db, "INSERT INTO t VALUES (?1, ?2)")
	var batch []byte
	for i := range 1000 {
		batch = rows.Pack(batch, i, "v")
	}
	n, err := st.Run(batch)
	if err != nil || n != 1000 {
		t.Fatalf("run: %d rows, %v", n, err)
	}
	n, err = rows.Exec(db, "UPDATE t SET b = 'w' WHERE a < ?", 10)
	if err != nil || n != 10 {
		t.Fatalf("update: %d rows, %v", n, err)
	}
	if n, err = rows.Exec(db, "CREATE TABLE u (a)"); err != nil || n != 0 {
		t.Fatalf("create: %d rows, %v", n, err)
	}
	if n, err = rows.Exec(db, "SELECT * FROM t"); err != nil || n != 0 {
		t.Fatalf("select: %d rows, %v", n, err)
	}
	if n, err = rows.Exec(db, "DELETE FROM t"); err != nil || n != 1000 {
		t.Fatalf("delete: %d rows, %v", n, err)
	}
}

func testRunError(t *testing.T, s host.SQL) {
	db := newTable(t, s)
	st := prepare(t, db, "INSERT INTO t VALUES (?, ?)")
	batch := rows.Pack(rows.Pack(rows.Pack(nil, 1, nil), 1, nil), 2, nil)
	n, err := st.Run(batch)
	if err == nil || n > 1 { // the count of a failed run does not cross the Wasm boundary
		t.Fatalf("run with a duplicate key: %d rows, %v", n, err)
	}
	if n := intOf(t, db, "SELECT count(*) FROM t"); n != 1 {
		t.Fatalf("%d rows are stored", n)
	}
	if n, err := st.Run(rows.Pack(nil, 2, nil)); err != nil || n != 1 {
		t.Fatalf("run after an error: %d rows, %v", n, err)
	}
	for name, params := range map[string][]byte{
		"none": nil, "too few": rows.Pack(nil, 1), "too many": rows.Pack(nil, 5, 6, 7),
		"truncated": rows.Pack(nil, 8, "text")[:9], "unknown tag": {2, 0, 9, 9},
	} {
		if n, err := st.Run(params); err == nil || n != 0 {
			t.Errorf("parameters %s: %d rows, %v", name, n, err)
		}
	}
}

func testPrepare(t *testing.T, s host.SQL) {
	db := newTable(t, s)
	for _, sql := range []string{"SELECT 1", "SELECT 1;", " SELECT 1 ;\n\t "} {
		st, err := db.Prepare(sql)
		if err != nil {
			t.Errorf("prepare %q: %v", sql, err)
			continue
		}
		Must(t, st.Close())
		Must(t, st.Close())
	}
	for _, sql := range []string{"", "  ", "SELECT 1; SELECT 2", "SELEC 1", "SELECT * FROM missing", "SELECT 1; x"} {
		if _, err := db.Prepare(sql); err == nil {
			t.Errorf("prepare %q succeeded", sql)
		}
	}
}

func testExec(t *testing.T, s host.SQL) {
	db := newTable(t, s)
	Must(t, db.Exec("INSERT INTO t VALUES (1, 'a;b'); SELECT * FROM t; INSERT INTO t VALUES (2, 'c') -- end"))
	Must(t, db.Exec(""))
	Must(t, db.Exec("-- nothing"))
	if err := db.Exec("INSERT INTO t VALUES (3, ''); INSERT INTO t VALUES (3, ''); INSERT INTO t VALUES (4, '')"); err == nil {
		t.Error("a duplicate key was accepted")
	}
	if n := intOf(t, db, "SELECT count(*) * 100 + max(a) FROM t"); n != 303 {
		t.Errorf("got %d, want 3 rows up to 3", n)
	}
}

func testNext(t *testing.T, s host.SQL) {
	db := newTable(t, s)
	const count, size = 1000, 1000
	Must(t, db.Exec(fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		INSERT INTO t SELECT i, printf('%%.*c', %d, 'x') FROM n`, count, size)))
	st := prepare(t, db, "SELECT a, b FROM t WHERE a > ? ORDER BY a")
	Must(t, st.Query(rows.Pack(nil, 0)))
	buf, batches, want := []byte("kept"), 0, int64(1)
	for done := false; !done; batches++ {
		var err error
		buf, done, err = st.Next(buf[:4])
		Must(t, err)
		if string(buf[:4]) != "kept" {
			t.Fatal("what was in the buffer is gone")
		}
		if len(buf) > 4+128<<10 {
			t.Fatalf("a batch has %d bytes", len(buf))
		}
		var row rows.Row
		for rest := buf[4:]; len(rest) > 0; want++ {
			row, rest, err = rows.Decode(rest, row)
			Must(t, err)
			if row[0].Int() != want || len(row[1].Bytes) != size {
				t.Fatalf("row %d came as %d with %d bytes", want, row[0].Int(), len(row[1].Bytes))
			}
		}
	}
	if want != count+1 || batches < 3 || batches > 100 {
		t.Errorf("%d rows in %d batches", want-1, batches)
	}
	if rest, done, err := st.Next(nil); len(rest) != 0 || !done || err != nil {
		t.Errorf("after the end: %d bytes, done %v, %v", len(rest), done, err)
	}
}

func testRequery(t *testing.T, s host.SQL) {
	db := newTable(t, s)
	Must(t, db.Exec("INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')"))
	st := prepare(t, db, "SELECT b FROM t WHERE a >= ?")
	for _, from := range []int64{1, 3, 4, 2} {
		Must(t, st.Query(rows.Pack(nil, from)))
		buf, done, err := st.Next(nil)
		Must(t, err)
		n := int64(0)
		for rest := buf; len(rest) > 0; n++ {
			_, rest, err = rows.Decode(rest, nil)
			Must(t, err)
		}
		if n != 4-from || !done {
			t.Errorf("from %d: %d rows, done %v", from, n, done)
		}
	}
	Must(t, st.Query(rows.Pack(nil, 1))) // left unread: it must not keep what follows from working
	Must(t, st.Query(rows.Pack(nil, 2)))
	Must(t, st.Close())
	Must(t, db.Exec("DROP TABLE t"))
}

func testTransactions(t *testing.T, s host.SQL) {
	db := newTable(t, s)
	Must(t, db.Rollback())
	Must(t, db.Exec("BEGIN IMMEDIATE; INSERT INTO t VALUES (1, 1)"))
	Must(t, db.Rollback())
	Must(t, db.Rollback())
	if n := intOf(t, db, "SELECT count(*) FROM t"); n != 0 {
		t.Error("rolled back, but there")
	}
	stop := fault.New(fault.Conflict, "stop")
	err := rows.Transaction(db, func() error {
		_, err := rows.Exec(db, "INSERT INTO t VALUES (2, 2)")
		Must(t, err)
		return stop
	})
	WantKind(t, err, fault.Conflict)
	Must(t, rows.Transaction(db, func() error { return db.Exec("INSERT INTO t VALUES (3, 3)") }))
	if n := intOf(t, db, "SELECT sum(a) FROM t"); n != 3 {
		t.Errorf("sum is %d", n)
	}
	// A statement that is in the middle of its rows does not keep a rollback from working.
	Must(t, db.Exec("INSERT INTO t VALUES (4, zeroblob(100000)), (5, zeroblob(100000)); BEGIN; DELETE FROM t WHERE a = 3"))
	st := prepare(t, db, "SELECT * FROM t")
	Must(t, st.Query(nil))
	_, _, err = st.Next(nil)
	Must(t, err)
	Must(t, db.Rollback())
	if n := intOf(t, db, "SELECT count(*) FROM t"); n != 3 {
		t.Errorf("%d rows after the rollback", n)
	}
}

func testPersistence(t *testing.T, s host.SQL) {
	db := newTable(t, s)
	Must(t, db.Exec("INSERT INTO t VALUES (1, 'kept'); BEGIN; INSERT INTO t VALUES (2, 'not committed')"))
	Must(t, db.Close())
	for _, mode := range []host.OpenMode{host.ReadOnly, host.ReadWrite, host.Create, host.ReadOnly} {
		db := OpenDB(t, s, host.Collection, mode)
		row, err := rows.One(db, "SELECT group_concat(b) FROM t")
		Must(t, err)
		if row[0].String() != "kept" {
			t.Errorf("mode %d: content is %q", mode, row[0].String())
		}
		Must(t, db.Close())
	}
}

func testModes(t *testing.T, s host.SQL) {
	for _, mode := range []host.OpenMode{host.ReadOnly, host.ReadWrite} {
		_, err := s.Open(context.Background(), "cardferry.tmp/missing.db", mode)
		WantKind(t, err, fault.NotFound)
	}
	db := OpenDB(t, s, "cardferry.tmp/deep/new.db", host.Create)
	Must(t, db.Exec("CREATE TABLE t (a)"))
	Must(t, db.Close())
	db = OpenDB(t, s, "cardferry.tmp/deep/new.db", host.ReadOnly)
	WantKind(t, db.Exec("INSERT INTO t VALUES (1)"), fault.NotWritable)
	WantKind(t, db.Exec("PRAGMA user_version = 5"), fault.NotWritable)
	if n := intOf(t, db, "SELECT count(*) FROM t"); n != 0 {
		t.Error("a read-only database was written")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := s.Open(ctx, "cardferry.tmp/deep/new.db", host.ReadWrite)
	WantKind(t, err, fault.Cancelled)
}

// hostileNames are names that a host must refuse.
var hostileNames = []string{
	"", ".", "..", "/", "../x", "a/../../x", "/etc/passwd", "a//b", "a/", "./a", `..\x`, `a\b`, "C:/x", "C:x", "a\x00b", "a\nb",
	"file:x?mode=memory", ":memory:",
}

func testSQLNames(t *testing.T, s host.SQL) {
	for _, name := range hostileNames {
		for _, mode := range []host.OpenMode{host.ReadOnly, host.ReadWrite, host.Create} {
			_, err := s.Open(context.Background(), name, mode)
			if fault.KindOf(err) != fault.InvalidInput {
				t.Errorf("open %q: %v", name, err)
			}
		}
	}
	for _, name := range []string{"per%20cent %41.db", "quest?mode=ro.db", "hash#tag.db", "quo'te\".db", "ünï.db", "a&b=c.db"} {
		db := OpenDB(t, s, name, host.Create)
		Must(t, db.Exec("CREATE TABLE t (a)"))
		Must(t, db.Close())
		db = OpenDB(t, s, name, host.ReadOnly)
		Must(t, db.Exec("SELECT * FROM t"))
		Must(t, db.Close())
	}
}

func testUnicase(t *testing.T, s host.SQL) {
	db := OpenDB(t, s, host.Collection, host.Create)
	Must(t, db.Exec("CREATE TABLE n (name TEXT COLLATE unicase PRIMARY KEY) WITHOUT ROWID"))
	Must(t, db.Exec("INSERT INTO n VALUES ('straße'), ('Ärger'), ('zebra'), ('Apfel'), ('')"))
	for _, name := range []string{"STRASSE", "ärger", "ZEBRA"} {
		if n := intOf(t, db, "SELECT count(*) FROM n WHERE name = ?", name); n != 1 {
			t.Errorf("%s: found %d", name, n)
		}
		if _, err := rows.Exec(db, "INSERT INTO n VALUES (?)", name); err == nil {
			t.Errorf("%s: a second one was accepted", name)
		}
	}
	row, err := rows.One(db, "SELECT group_concat(name, ' ') FROM (SELECT name FROM n ORDER BY name)")
	Must(t, err)
	if got := row[0].String(); got != " Apfel straße zebra Ärger" {
		t.Errorf("order is %q", got)
	}
	row, err = rows.One(db, "PRAGMA integrity_check")
	Must(t, err)
	if row[0].String() != "ok" {
		t.Errorf("integrity check: %s", row[0].String())
	}
}

// testCheckIntegrity: of a sound file; damaged ones are fixtures of core/collection.
func testCheckIntegrity(t *testing.T, s host.SQL) {
	db := newTable(t, s)
	Must(t, db.Exec("CREATE INDEX i ON t (b); CREATE TABLE u (v TEXT COLLATE unicase PRIMARY KEY) WITHOUT ROWID; INSERT INTO u VALUES ('ß'), ('SS2')"))
	for range 2 {
		if lines, err := db.CheckIntegrity(5); err != nil || len(lines) != 0 {
			t.Error(lines, err)
		}
		Must(t, db.Exec("INSERT INTO u VALUES (hex(randomblob(9)))"))
	}
}

func testCopyInto(t *testing.T, s host.SQL) {
	db := newTable(t, s)
	Must(t, db.Exec("INSERT INTO t VALUES (1, 'x'); PRAGMA user_version = 7"))
	const name = host.Staging + "copy.anki2"
	Must(t, db.CopyInto(name, true))
	Must(t, db.CopyInto(host.Staging+"any copy.anki2", false))
	for _, compact := range []bool{true, false} {
		if err := db.CopyInto(name, compact); err == nil {
			t.Error("an existing file was written over")
		}
		for _, name := range hostileNames {
			if err := db.CopyInto(name, compact); fault.KindOf(err) != fault.InvalidInput {
				t.Errorf("copy into %q: %v", name, err)
			}
		}
		Must(t, db.Exec("BEGIN"))
		if err := db.CopyInto(host.Staging+"other.anki2", compact); err == nil {
			t.Error("a copy inside a transaction was made")
		}
		Must(t, db.Rollback())
		_, err := s.Open(context.Background(), host.Staging+"other.anki2", host.ReadOnly)
		WantKind(t, err, fault.NotFound)
	}
	// What is written after a copy is not in it, and in the next one.
	Must(t, db.Exec("INSERT INTO t VALUES (2, 'y')"))
	Must(t, db.CopyInto(host.Staging+"next.anki2", false))

	for name, want := range map[string]int64{name: 1, host.Staging + "any copy.anki2": 1, host.Staging + "next.anki2": 3} {
		cp := OpenDB(t, s, name, host.ReadOnly)
		if n := intOf(t, cp, "SELECT sum(a) FROM t"); n != want {
			t.Errorf("%s is not complete: %d", name, n)
		}
		if n := intOf(t, cp, "PRAGMA user_version"); n != 7 {
			t.Errorf("%s has no user_version", name)
		}
		if lines, err := cp.CheckIntegrity(5); err != nil || len(lines) != 0 {
			t.Error(name, lines, err)
		}
	}
	for _, compact := range []bool{true, false} {
		cp := OpenDB(t, s, name, host.ReadOnly)
		Must(t, cp.CopyInto(fmt.Sprint(host.Staging, "copy of copy ", compact, ".anki2"), compact))
	}
}

func testBigValues(t *testing.T, s host.SQL) {
	db := newTable(t, s)
	big := strings.Repeat("0123456789abcdef", 5<<20/16)
	st := prepare(t, db, "INSERT INTO t VALUES (?, ?)")
	n, err := st.Run(rows.Pack(rows.Pack(nil, 1, big), 2, []byte(big)))
	if err != nil || n != 2 {
		t.Fatalf("run: %d rows, %v", n, err)
	}
	count := 0
	for row, err := range rows.Query(db, "SELECT b FROM t ORDER BY a") {
		Must(t, err)
		count++
		if string(row[0].Bytes) != big {
			t.Fatalf("row %d differs", count)
		}
	}
	if count != 2 {
		t.Errorf("%d rows", count)
	}
}

func testTemp(t *testing.T, s host.SQL) {
	db := newTable(t, s)
	Must(t, db.Exec("CREATE TEMP TABLE x AS SELECT 1 AS a; BEGIN IMMEDIATE; INSERT INTO temp.x VALUES (2)"))
	Must(t, db.Rollback())
	if n := intOf(t, db, "SELECT sum(a) FROM x"); n != 1 {
		t.Errorf("sum is %d", n)
	}
	Must(t, db.Close())
	db = OpenDB(t, s, host.Collection, host.ReadOnly)
	if _, err := db.Prepare("SELECT * FROM x"); err == nil {
		t.Error("the temporary table outlived its connection")
	}
}

func testClosed(t *testing.T, s host.SQL) {
	db := newTable(t, s)
	open, err := db.Prepare("SELECT * FROM t")
	Must(t, err)
	Must(t, open.Query(nil))
	finalized, err := db.Prepare("SELECT 1")
	Must(t, err)
	Must(t, finalized.Close())
	if err := finalized.Query(nil); err == nil {
		t.Error("a closed statement works")
	}
	Must(t, db.Close())
	if err := db.Exec("SELECT 1"); err == nil {
		t.Error("exec on a closed database works")
	}
	if _, err := db.Prepare("SELECT 1"); err == nil {
		t.Error("prepare on a closed database works")
	}
	if _, err := open.Run(nil); err == nil {
		t.Error("run on a closed database works")
	}
	if _, _, err := open.Next(nil); err == nil {
		t.Error("next on a closed database works")
	}
	Must(t, open.Close())
	_ = db.Rollback()
	_ = db.Close()
}
