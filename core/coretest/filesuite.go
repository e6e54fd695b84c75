package coretest

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

// TestFiles is the contract of host.Files. open returns the files of a new, empty profile.
func TestFiles(t *testing.T, open func(t *testing.T) host.Files) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, f host.Files)
	}{
		{"write and read", testWriteRead},
		{"create replaces", testCreateReplaces},
		{"missing files", testMissing},
		{"list", testList},
		{"remove takes journals", testRemove},
		{"replace", testReplace},
		{"hostile names", testFileNames},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, open(t))
		})
	}
}

func write(t *testing.T, f host.Files, name, content string) {
	t.Helper()
	Must(t, WriteFile(f, name, []byte(content)))
}

func wantContent(t *testing.T, f host.Files, name, want string) {
	t.Helper()
	got, err := ReadFile(f, name)
	Must(t, err)
	if string(got) != want {
		t.Fatalf("%s has %.60q, want %.60q", name, got, want)
	}
}

func wantNames(t *testing.T, f host.Files, prefix string, want ...string) {
	t.Helper()
	list, err := f.List(prefix)
	Must(t, err)
	var names []string
	for _, info := range list {
		names = append(names, info.Name)
	}
	if strings.Join(names, " ") != strings.Join(want, " ") {
		t.Fatalf("files with prefix %q are %q, want %q", prefix, names, want)
	}
}

func testWriteRead(t *testing.T, f host.Files) {
	file, err := f.Create(host.Staging + "body")
	Must(t, err)
	part := bytes.Repeat([]byte("0123456789"), 10_000)
	for i := range 5 {
		n, err := file.Write(part)
		if n != len(part) || err != nil {
			t.Fatalf("write: %d, %v", n, err)
		}
		if size, err := file.Size(); size != int64((i+1)*len(part)) || err != nil {
			t.Fatalf("size: %d, %v", size, err)
		}
	}
	buf := make([]byte, 5)
	if n, err := file.ReadAt(buf, 99_998); n != 5 || string(buf) != "89012" || err != nil {
		t.Fatalf("read while writing: %q, %v", buf[:n], err)
	}
	Must(t, file.Sync())
	n, err := file.Write([]byte("end"))
	if n != 3 || err != nil {
		t.Fatalf("write after a read: %d, %v", n, err)
	}
	Must(t, file.Close())
	wantContent(t, f, host.Staging+"body", strings.Repeat(string(part), 5)+"end")

	file, err = f.Open(host.Staging + "body")
	Must(t, err)
	defer file.Close()
	if n, err := file.ReadAt(buf, 500_000); n != 3 || err != io.EOF || string(buf[:n]) != "end" {
		t.Errorf("read over the end: %q, %v", buf[:n], err)
	}
	if n, err := file.ReadAt(buf, 600_000); n != 0 || err != io.EOF {
		t.Errorf("read after the end: %d, %v", n, err)
	}
	if _, err := file.Write([]byte("x")); err == nil {
		t.Error("a file opened for reading was written")
	}
	info, err := f.Stat(host.Staging + "body")
	if err != nil || info.Size != 500_003 || info.Name != host.Staging+"body" {
		t.Errorf("stat: %+v, %v", info, err)
	}
}

func testCreateReplaces(t *testing.T, f host.Files) {
	write(t, f, "cardferry.tmp/a", "long content")
	write(t, f, "cardferry.tmp/a-wal", "log")
	write(t, f, "cardferry.tmp/a", "new")
	wantContent(t, f, "cardferry.tmp/a", "new")
	file, err := f.Create("cardferry.tmp/empty")
	Must(t, err)
	Must(t, file.Close())
	wantContent(t, f, "cardferry.tmp/empty", "")
}

func testMissing(t *testing.T, f host.Files) {
	_, err := f.Open("cardferry.tmp/none")
	WantKind(t, err, fault.NotFound)
	_, err = f.Stat(host.Collection)
	WantKind(t, err, fault.NotFound)
	Must(t, f.Remove(host.Collection))
	Must(t, f.Remove("cardferry.tmp/deep/none"))
	WantKind(t, f.Replace("cardferry.tmp/none", host.Collection), fault.NotFound)
	wantNames(t, f, host.Staging)
	write(t, f, host.Collection, "still here")
	WantKind(t, f.Replace("cardferry.tmp/none", host.Collection), fault.NotFound)
	wantContent(t, f, host.Collection, "still here")
}

func testList(t *testing.T, f host.Files) {
	for _, name := range []string{
		"cardferry.tmp/b", "cardferry.tmp/a", "cardferry.tmp/a.b", "cardferry.tmp/a/c", "cardferry.tmpx", "cardferry.backups/1", "z",
	} {
		if name == "cardferry.tmp/a/c" {
			continue // "a" is a file; a folder store could not have both
		}
		write(t, f, name, name)
	}
	wantNames(t, f, "cardferry.tmp/", "cardferry.tmp/a", "cardferry.tmp/a.b", "cardferry.tmp/b")
	wantNames(t, f, "cardferry.tmp/a", "cardferry.tmp/a", "cardferry.tmp/a.b")
	wantNames(t, f, "cardferry.tmp", "cardferry.tmp/a", "cardferry.tmp/a.b", "cardferry.tmp/b", "cardferry.tmpx")
	wantNames(t, f, "cardferry.none/")
	wantNames(t, f, "", "cardferry.backups/1", "cardferry.tmp/a", "cardferry.tmp/a.b", "cardferry.tmp/b", "cardferry.tmpx", "z")
	list, err := f.List("z")
	if err != nil || len(list) != 1 || list[0].Size != 1 {
		t.Errorf("list: %+v, %v", list, err)
	}
}

func testRemove(t *testing.T, f host.Files) {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal", ".other"} {
		write(t, f, "cardferry.tmp/x"+suffix, "1")
	}
	Must(t, f.Remove("cardferry.tmp/x"))
	wantNames(t, f, "", "cardferry.tmp/x.other")
	write(t, f, "cardferry.tmp/y-wal", "1")
	Must(t, f.Remove("cardferry.tmp/y"))
	wantNames(t, f, "", "cardferry.tmp/x.other")
}

func testReplace(t *testing.T, f host.Files) {
	write(t, f, "cardferry.tmp/new", "new")
	Must(t, f.Replace("cardferry.tmp/new", host.Collection))
	wantContent(t, f, host.Collection, "new")
	wantNames(t, f, "", host.Collection)
	write(t, f, "cardferry.tmp/newer", "newer, and longer")
	Must(t, f.Replace("cardferry.tmp/newer", host.Collection))
	wantContent(t, f, host.Collection, "newer, and longer")
	Must(t, f.Replace(host.Collection, "cardferry.backups/1.anki2"))
	wantNames(t, f, "", "cardferry.backups/1.anki2")
}

func testFileNames(t *testing.T, f host.Files) {
	write(t, f, "good", "1")
	for _, name := range hostileNames {
		_, create := f.Create(name)
		_, open := f.Open(name)
		_, stat := f.Stat(name)
		for step, err := range map[string]error{
			"create": create, "open": open, "stat": stat, "remove": f.Remove(name),
			"replace by": f.Replace(name, "good"), "replace": f.Replace("good", name),
		} {
			if fault.KindOf(err) != fault.InvalidInput {
				t.Errorf("%s %q: %v", step, name, err)
			}
		}
	}
	wantContent(t, f, "good", "1")
	for _, name := range []string{"ünï", "with space", "per%20cent", "quest?", "quo'te\"", "..hidden", "a..b"} {
		write(t, f, "cardferry.tmp/"+name, name)
		wantContent(t, f, "cardferry.tmp/"+name, name)
	}
}

// TestStorage is the contract of host.SQL and host.Files that belong together. open returns those of a new profile.
func TestStorage(t *testing.T, open func(t *testing.T) (host.SQL, host.Files)) {
	t.Run("replace a database", func(t *testing.T) {
		t.Parallel()
		s, f := open(t)
		writeDB(t, s, host.Collection, "old")
		for i, name := range []string{"first", "second"} {
			writeDB(t, s, host.Staging+"new.db", name)
			Must(t, f.Replace(host.Staging+"new.db", host.Collection))
			wantDB(t, s, host.Collection, name)
			wantNames(t, f, host.Staging)
			if i == 0 {
				db := OpenDB(t, s, host.Collection, host.ReadWrite)
				Must(t, db.Exec("UPDATE t SET a = 'edited'"))
				Must(t, db.Close())
			}
		}
	})
	t.Run("damaged files", func(t *testing.T) {
		t.Parallel()
		s, f := open(t)
		write(t, f, host.Collection, strings.Repeat("this is not a database. ", 500))
		for _, mode := range []host.OpenMode{host.ReadOnly, host.ReadWrite, host.Create} {
			_, err := s.Open(context.Background(), host.Collection, mode)
			WantKind(t, err, fault.DamagedFile)
		}
		wantContent(t, f, host.Collection, strings.Repeat("this is not a database. ", 500))
	})
	t.Run("reading changes nothing", func(t *testing.T) {
		t.Parallel()
		s, f := open(t)
		writeDB(t, s, host.Collection, "x")
		before, err := ReadFile(f, host.Collection)
		Must(t, err)
		wantDB(t, s, host.Collection, "x")
		db := OpenDB(t, s, host.Collection, host.ReadWrite)
		Must(t, db.Exec("SELECT * FROM t"))
		Must(t, db.Close())
		wantContent(t, f, host.Collection, string(before))
		wantNames(t, f, "", host.Collection)
	})
	t.Run("remove a database", func(t *testing.T) {
		t.Parallel()
		s, f := open(t)
		writeDB(t, s, host.State, "x")
		Must(t, f.Remove(host.State))
		_, err := s.Open(context.Background(), host.State, host.ReadWrite)
		WantKind(t, err, fault.NotFound)
		wantNames(t, f, "")
	})
}

func writeDB(t *testing.T, s host.SQL, name, content string) {
	t.Helper()
	db := OpenDB(t, s, name, host.Create)
	Must(t, db.Exec("CREATE TABLE t (a)"))
	_, err := rows.Exec(db, "INSERT INTO t VALUES (?)", content)
	Must(t, err)
	Must(t, db.Close())
}

func wantDB(t *testing.T, s host.SQL, name, content string) {
	t.Helper()
	db := OpenDB(t, s, name, host.ReadOnly)
	row, err := rows.One(db, "SELECT a FROM t")
	Must(t, err)
	if row[0].String() != content {
		t.Errorf("%s has %q, want %q", name, row[0].String(), content)
	}
	Must(t, db.Close())
}
