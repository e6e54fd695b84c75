package syncserver_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
	"github.com/cardferry/cardferry/hostrunner/syncserver/diskstore"
)

// onDisk returns a server with its data in a folder.
func onDisk(t testing.TB, dir string) *syncserver.Server {
	t.Helper()
	accounts, err := diskstore.OpenAccounts(dir)
	coretest.Must(t, err)
	return &syncserver.Server{
		Accounts: accounts, Blobs: diskstore.NewBlobs(dir), Collections: diskstore.NewCollections(dir), Leases: diskstore.NewLeases(dir, ""),
	}
}

// everywhere runs a test on a server in memory and on one on disk.
func everywhere(t *testing.T, do func(t *testing.T, s *syncserver.Server)) {
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		do(t, &syncserver.Server{})
	})
	t.Run("disk", func(t *testing.T) {
		t.Parallel()
		do(t, onDisk(t, t.TempDir()))
	})
}

// changed returns a fixture after statements were run on it.
func changed(t testing.TB, name string, statements ...string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "changed.anki2")
	coretest.Must(t, os.WriteFile(path, fixture(t, name), 0o600))
	db, err := sqlitehost.OpenFile(path, host.ReadWrite)
	coretest.Must(t, err)
	for _, sql := range statements {
		coretest.Must(t, db.Exec(sql))
	}
	coretest.Must(t, db.Close())
	b, err := os.ReadFile(path)
	coretest.Must(t, err)
	return b
}

// patched returns a fixture with other bytes in the header of the file.
func patched(t testing.TB, at int, values ...byte) []byte {
	t.Helper()
	b := fixture(t, "stock.anki2")
	copy(b[at:], values)
	return b
}

// opened writes a collection to a file and opens it.
func opened(t testing.TB, file []byte) host.DB {
	t.Helper()
	path := filepath.Join(t.TempDir(), "opened.anki2")
	coretest.Must(t, os.WriteFile(path, file, 0o600))
	db, err := sqlitehost.OpenFile(path, host.ReadWrite)
	coretest.Must(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

const corrupt = "Your upload was corrupt. Please use Check Database, or restore from backup."

// TestUpload has what the real server takes and refuses (§13.2), but for what would wipe an account there. A refused upload leaves
// the collection as it was.
func TestUpload(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, s *syncserver.Server) {
		c := newClient(t, s, serve(t, s), "ada")
		c.must("sync/upload", changed(t, "stock.anki2", "UPDATE col SET usn = 4711"))
		for _, u := range []struct {
			name string
			file []byte
			ok   bool
		}{
			{"stock", fixture(t, "stock.anki2"), true},
			{"plain journal", fixture(t, "plain-journal.anki2"), true},
			{"schema 11", fixture(t, "schema11.anki2"), true},
			{"schema 11 of 2.1.49", fixture(t, "schema11-2.1.49.anki2"), true},
			{"unicode", fixture(t, "unicode.anki2"), true},
			{"pending rows", fixture(t, "pending.anki2"), true},
			{"trailing bytes", append(fixture(t, "stock.anki2"), make([]byte, 100)...), true},
			{"an extra table", changed(t, "stock.anki2", "CREATE TABLE extra (a)"), true},
			{"a missing index", changed(t, "stock.anki2", "DROP INDEX ix_cards_usn"), true},
			{"a trigger", changed(t, "stock.anki2", "CREATE TRIGGER evil AFTER UPDATE ON col BEGIN DELETE FROM notes; END"), true},

			{"a late time", changed(t, "stock.anki2", "UPDATE col SET mod = 1 << 61, scm = 1 << 61, ls = 1 << 61"), true},
			{"a log for readers alone", patched(t, 18, 1, 2), true},
			{"a log for readers, and no format to write", patched(t, 18, 0, 2), true},
			{"a log for writers alone", patched(t, 18, 2, 1), true},

			{"nothing", nil, false},
			{"one byte", []byte("x"), false},
			{"junk", fixture(t, "damaged-not-a-database.anki2"), false},
			{"truncated", fixture(t, "damaged-truncated.anki2"), false},
			{"no row in col", fixture(t, "damaged-no-col-row.anki2"), false},
			{"index out of order", fixture(t, "damaged-index-order.anki2"), false},
			{"schema 12", fixture(t, "unsupported-ver-12.anki2"), false},
			{"schema 19", fixture(t, "unsupported-ver-19.anki2"), false},
			{"schema 10", changed(t, "stock.anki2", "UPDATE col SET ver = 10"), false},
			{"no cards", changed(t, "stock.anki2", "DROP TABLE cards"), false},
			{"a view as a table", changed(t, "stock.anki2", "ALTER TABLE cards RENAME TO c", "CREATE VIEW cards AS SELECT * FROM c"), false},
			{"only col", changed(t, "stock.anki2", "DROP TABLE notes", "DROP TABLE config", "DROP TABLE decks"), false},
			{"two rows in col", changed(t, "stock.anki2", "INSERT INTO col SELECT 2, crt, mod, scm, ver, dty, usn, ls, conf, models, decks, dconf, tags FROM col"), false},
			{"a text as usn", changed(t, "stock.anki2", "UPDATE col SET usn = 'many'"), false},
			{"a time after which there is hardly another", changed(t, "stock.anki2", "UPDATE col SET mod = (1 << 61) + 1"), false},
			{"an empty database", changed(t, "stock.anki2", dropAll), false},
			{"a newer format to write", patched(t, 18, 3), false},
			{"a much newer format to write", patched(t, 18, 9), false},
			{"a newer format to read", patched(t, 19, 3), false},
			{"a newer format of the schema", patched(t, 47, 7), false},
			{"no page size", patched(t, 16, 0), false},
		} {
			t.Run(u.name, func(t *testing.T) {
				c := c.other("s")
				c.t = t
				before := c.must("sync/meta", []byte(metaRequest))
				want := map[bool]string{true: "OK", false: corrupt}[u.ok]
				if got := c.must("sync/upload", u.file); string(got) != want {
					t.Fatalf("got %q, want %q", got, want)
				}
				m, err := wire.ParseMeta(c.must("sync/meta", []byte(metaRequest)))
				old, _ := wire.ParseMeta(before)
				if err != nil || !u.ok && (m.Mod != old.Mod || m.USN != old.USN || m.Scm != old.Scm) {
					t.Fatalf("%+v, before %+v: %v", m, old, err)
				}
				if !u.ok {
					return
				}
				db := opened(t, c.must("sync/download", []byte("{}")))
				coretest.Must(t, collection.CheckStructure(db))
				coretest.Must(t, collection.CheckIntegrity(db))
				if pending, err := collection.AnyPending(db); err != nil || pending {
					t.Error("pending rows on the server:", err)
				}
				if missing, err := collection.MissingIndexes(db); err != nil || missing {
					t.Error("an index is missing:", err)
				}
				if n, err := rows.IntOf(db, "SELECT count(*) FROM notes"); err != nil || n == 0 {
					t.Errorf("%d notes, %v", n, err)
				}
			})
		}
	})
}

const dropAll = "DROP TABLE col; DROP TABLE notes; DROP TABLE cards; DROP TABLE revlog; DROP TABLE graves; DROP TABLE deck_config; " +
	"DROP TABLE config; DROP TABLE tags; DROP TABLE fields; DROP TABLE templates; DROP TABLE notetypes; DROP TABLE decks"

// TestTriggersDoNotRun: what somebody has put into a file is not run by the server.
func TestTriggersDoNotRun(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, s *syncserver.Server) {
		c := newClient(t, s, serve(t, s), "ada")
		c.must("sync/upload", changed(t, "stock.anki2",
			"CREATE TRIGGER evil AFTER INSERT ON graves BEGIN DELETE FROM notes; END",
			"CREATE TRIGGER endless AFTER UPDATE ON col BEGIN INSERT INTO graves WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, 0, 0 FROM n; END"))
		c.must("sync/start", []byte(startRequest))
		c.must("sync/applyGraves", []byte(`{"chunk":{"cards":[1],"decks":[],"notes":[]}}`))
		c.must("sync/finish", []byte("{}"))
		db := opened(t, c.must("sync/download", []byte("{}")))
		if n, err := rows.IntOf(db, "SELECT count(*) FROM notes"); err != nil || n == 0 {
			t.Errorf("%d notes, %v", n, err)
		}
	})
}

// TestDownload: the file is that of the collection, usn and mod have gone on, and the other device has to sync.
func TestDownload(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, s *syncserver.Server) {
		c := newClient(t, s, serve(t, s), "ada")
		c.must("sync/upload", fixture(t, "stock.anki2"))
		before, err := wire.ParseMeta(c.must("sync/meta", []byte(metaRequest)))
		coretest.Must(t, err)
		db := opened(t, c.must("sync/download", []byte("{}")))
		col, err := collection.ReadCol(db)
		coretest.Must(t, err)
		after, err := wire.ParseMeta(c.must("sync/meta", []byte(metaRequest)))
		coretest.Must(t, err)
		if col.USN != int64(before.USN)+1 || col.Mod <= before.Mod || col.Scm != before.Scm || after.USN != int32(col.USN) || after.Mod != col.Mod {
			t.Errorf("before %+v, in the file %+v, after %+v", before, col, after)
		}
		c.want(400, "sync/download", "null")

		c.must("sync/upload", changed(t, "stock.anki2", "UPDATE col SET usn = 2147483647"))
		for range 2 { // with a number that has reached its end it can still be fetched
			opened(t, c.must("sync/download", []byte("{}")))
		}
		c.must("sync/meta", []byte(metaRequest))
	})
}

// TestReplacedIsKept: what an upload replaces is kept as a backup, unless it is empty; old ones go, the last ones stay.
func TestReplacedIsKept(t *testing.T) {
	t.Parallel()
	now := newClock()
	dir := t.TempDir()
	s := onDisk(t, dir)
	s.Now, s.Limits = now.now, syncserver.Limits{Backups: 2, BackupAge: 10 * 24 * time.Hour, MaxBackups: 4}
	c := newClient(t, s, serve(t, s), "ada")
	a, err := s.Accounts.ByName(t.Context(), "ada")
	coretest.Must(t, err)
	usns := func() (list []int64) {
		backups, err := s.Collections.Backups(t.Context(), a.ID)
		coretest.Must(t, err)
		for _, b := range backups {
			f, err := s.Collections.OpenBackup(t.Context(), a.ID, b.ID)
			coretest.Must(t, err)
			content, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
			coretest.Must(t, err)
			coretest.Must(t, f.Close())
			usn, err := rows.IntOf(opened(t, content), "SELECT usn FROM col")
			coretest.Must(t, err)
			list = append(list, usn)
		}
		return list
	}
	for i, want := range []string{"[]", "[1]", "[1 2]", "[1 2 3]", "[1 2 3 4]", "[2 3 4 5]", "[5 6]", "[6 7]", "[6 7 8]", "[9 6 7 8]", "[9 10 7 8]"} {
		now.advance(time.Hour)
		switch i {
		case 6:
			now.advance(20 * 24 * time.Hour)
		case 9: // set back: what was made before looks newer, and goes first
			now.advance(-48 * time.Hour)
		}
		if got := c.must("sync/upload", changed(t, "stock.anki2", fmt.Sprint("UPDATE col SET usn = ", i+1))); string(got) != "OK" {
			t.Fatalf("%s", got)
		}
		if got := fmt.Sprint(usns()); got != want {
			t.Errorf("after upload %d: %s, want %s", i+1, got, want)
		}
	}
}

// TestLostCollection: an empty file, as a crash of the machine leaves, is no collection yet, as with the reference; one without its tables is
// replaced by an upload, and kept.
func TestLostCollection(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := onDisk(t, dir)
	c := newClient(t, s, serve(t, s), "ada")
	a, err := s.Accounts.ByName(t.Context(), "ada")
	coretest.Must(t, err)
	becomes := func(file []byte) {
		c.must("sync/upload", fixture(t, "stock.anki2"))
		s.Sweep(s.Now().Add(s.Limits.Session))
		coretest.Must(t, os.WriteFile(filepath.Join(dir, "accounts", string(a.ID), host.Collection), file, 0o600))
	}
	becomes(nil)
	if m, err := wire.ParseMeta(c.must("sync/meta", []byte(metaRequest))); err != nil || !m.Empty {
		t.Errorf("an empty file: %+v, %v", m, err)
	}
	becomes(changed(t, "stock.anki2", "DROP TABLE cards"))
	c.want(500, "sync/meta", metaRequest)
	c.must("sync/upload", fixture(t, "stock.anki2"))
	c.must("sync/meta", []byte(metaRequest))
	if list, err := s.Collections.Backups(t.Context(), a.ID); err != nil || len(list) != 1 {
		t.Errorf("backups: %v, %v", list, err)
	}
}

// TestUploadTooLarge: the size is that of the collection, not of what is sent.
func TestUploadTooLarge(t *testing.T) {
	t.Parallel()
	s := &syncserver.Server{Limits: syncserver.Limits{Payload: 100_000}} // 300,000 decompressed
	c := newClient(t, s, serve(t, s), "ada")
	for size, want := range map[int]string{300_000 - 1: corrupt, 300_000: "collection exceeds size limit", 2_000_000: "collection exceeds size limit"} {
		if got := c.must("sync/upload", make([]byte, size)); string(got) != want {
			t.Errorf("%d bytes: %q", size, got)
		}
	}
	if status, _ := c.raw("sync/upload", make([]byte, 200_000)); status != 400 { // no zstd
		t.Errorf("junk: %d", status)
	}
	noise := make([]byte, 200_000)
	coretest.NewRandom(1).Random(noise)
	if status, _ := c.raw("sync/upload", wire.NewCodec().Compress(nil, noise)); status != 413 {
		t.Errorf("a long body: %d", status)
	}
	// A file that has grown beyond the limit makes every client ask for an upload.
	small := &syncserver.Server{Collections: s.Collections, Accounts: s.Accounts, Leases: s.Leases, Limits: syncserver.Limits{Payload: 40_000}}
	c.must("sync/upload", fixture(t, "stock.anki2"))
	m, err := wire.ParseMeta(c.must("sync/meta", []byte(metaRequest)))
	coretest.Must(t, err)
	s.Sweep(time.Now().Add(time.Hour))
	c.url = serve(t, small)
	if now, err := wire.ParseMeta(c.must("sync/meta", []byte(metaRequest))); err != nil || now.Scm == m.Scm || now.Mod != m.Mod {
		t.Errorf("%+v, before %+v: %v", now, m, err)
	}
}

// TestBombs: a few bytes that decompress to much are refused, with bounded memory.
func TestBombs(t *testing.T) {
	t.Parallel()
	s := &syncserver.Server{}
	c := newClient(t, s, serve(t, s), "ada")
	bomb := compressed(t, io.LimitReader(zeros{}, 200<<20))
	for _, method := range []string{"sync/meta", "sync/applyChunk", "sync/hostKey"} {
		if status, _ := c.raw(method, bomb); status != 400 {
			t.Errorf("%s: %d", method, status)
		}
	}
	if status, answer := c.raw("sync/upload", bomb); status != 200 || !strings.Contains(string(answer), "corrupt") {
		t.Errorf("upload: %d %s", status, answer)
	}
	if status, _ := c.raw("sync/upload", compressed(t, io.LimitReader(zeros{}, 1<<20))[:20]); status != 400 {
		t.Errorf("half an upload: %d", status)
	}
	deep := strings.Repeat("[", 1<<20)
	for _, text := range []string{deep, `{"chunk":` + deep, `{"changes":{"models":[` + strings.Repeat(`{"a":`, 1<<18)} {
		c.want(400, "sync/applyChanges", text)
	}
}

// compressed returns a frame of what can be read.
func compressed(t testing.TB, from io.Reader) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := wire.NewWriter(&b)
	coretest.Must(t, err)
	_, err = io.Copy(w, from)
	coretest.Must(t, err)
	coretest.Must(t, w.Close())
	return b.Bytes()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// slowBody is a body that stops in its middle until it is let go on.
type slowBody struct {
	first, rest io.Reader
	stopped     chan struct{} // closed when the first part was read
	goOn        chan struct{}
	once        sync.Once
}

func newSlowBody(b []byte) *slowBody {
	return &slowBody{first: bytes.NewReader(b[:len(b)/2]), rest: bytes.NewReader(b[len(b)/2:]), stopped: make(chan struct{}), goOn: make(chan struct{})}
}

func (b *slowBody) Read(p []byte) (int, error) {
	if n, err := b.first.Read(p); err == nil {
		return n, nil
	}
	b.once.Do(func() { close(b.stopped) })
	<-b.goOn
	return b.rest.Read(p)
}

// post sends a body as it comes and returns the status, 0 if the connection broke.
func (c *client) post(method string, body io.Reader) int {
	resp, err := c.send(method, body)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// send sends a request whose answer its caller reads.
func (c *client) send(method string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequest("POST", c.url+method, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("anki-sync", c.header())
	return noRedirects.Do(req)
}

// TestSlowBodyBlocksNobody: while a body is arriving, the same account and others are served; an upload that its client has given
// up makes way for the next.
func TestSlowBodyBlocksNobody(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, s *syncserver.Server) {
		c := newClient(t, s, serve(t, s), "ada")
		other := newClient(t, s, c.url, "bob")
		file := wire.NewCodec().Compress(nil, fixture(t, "stock.anki2"))
		slow := newSlowBody(file)
		done := make(chan int)
		go func() { done <- c.post("sync/upload", slow) }()
		<-slow.stopped
		c.must("sync/start", []byte(startRequest))
		c.must("sync/finish", []byte("{}"))
		other.must("sync/upload", fixture(t, "stock.anki2"))
		if got := c.must("sync/upload", fixture(t, "unicode.anki2")); string(got) != "OK" {
			t.Fatalf("%s", got)
		}
		close(slow.goOn)
		if status := <-done; status == 200 {
			t.Error("the upload that was superseded was taken")
		}
		want, err := rows.IntOf(opened(t, fixture(t, "unicode.anki2")), "SELECT count(*) FROM notes")
		coretest.Must(t, err)
		if n, err := rows.IntOf(opened(t, c.must("sync/download", []byte("{}"))), "SELECT count(*) FROM notes"); err != nil || n != want {
			t.Errorf("%d notes, want %d: %v", n, want, err)
		}
	})
}

// TestStalledClient: a client that stops sending, in the head or in the body, or trickles, is cut off without an answer. It is made
// of bytes, as net/http's client waits for its body.
func TestStalledClient(t *testing.T) {
	t.Parallel()
	s := &syncserver.Server{Limits: syncserver.Limits{Stall: 50 * time.Millisecond}}
	c := newClient(t, s, serve(t, s), "ada")
	for _, method := range []string{"sync/upload", "sync/applyChunk", "sync/hostKey", "sync/meta", "msync/uploadChanges", "msync/downloadFiles", "api/signup", "sync/nothing"} {
		for name, rest := range map[string]string{"nothing": "", "a part": "4\r\n\x28\xb5\x2f\xfd\r\n"} {
			conn, err := net.Dial("tcp", strings.Trim(c.url, "htp:/"))
			coretest.Must(t, err)
			_, err = fmt.Fprintf(conn, "POST /%s HTTP/1.1\r\nHost: x\r\nanki-sync: %s\r\nTransfer-Encoding: chunked\r\n\r\n%s", method, c.header(), rest)
			coretest.Must(t, err)
			// The connection ends; only what does not want a body is answered before.
			if got, err := io.ReadAll(conn); len(got) > 0 && method != "sync/nothing" {
				t.Errorf("%s, %s: %.100q %v", method, name, got, err)
			}
			conn.Close()
		}
	}
	c.must("sync/meta", []byte(metaRequest))
}

// TestUnreadableRows: what a client has uploaded and the protocol cannot express is a 400 that ends the session (§17), and no failure of ours.
func TestUnreadableRows(t *testing.T) {
	t.Parallel()
	s := &syncserver.Server{}
	c := newClient(t, s, serve(t, s), "ada")
	for _, values := range []string{"x'00ff', ''", "CAST(x'ff41' AS TEXT), ''", "'guid', x'ff'", "'guid', CAST(x'ff41' AS TEXT)"} {
		c.must("sync/upload", changed(t, "stock.anki2",
			"INSERT INTO notes (id, mid, mod, usn, tags, sfld, csum, flags, data, guid, flds) VALUES (1, 1, 1, 0, '', 0, 0, 0, '', "+values+")"))
		c.must("sync/start", []byte(startRequest))
		c.want(400, "sync/chunk", "{}")
		c.want(409, "sync/chunk", "{}")
	}
}

// TestHungMediaUploads: uploads of media that their client has given up, as many as are received at once, do not keep its next one from the
// server until they are cut off. One of them makes way, and no more.
func TestHungMediaUploads(t *testing.T) {
	t.Parallel()
	const hung = 16
	s := &syncserver.Server{Limits: syncserver.Limits{Stall: 30 * time.Second}}
	c := newClient(t, s, serve(t, s), "ada")
	done := make(chan int, hung)
	var slow []*slowBody
	for i := range hung {
		b := newSlowBody(wire.NewCodec().Compress(nil, archive(t, file(fmt.Sprintf("%d.jpg", i), "hung"))))
		slow = append(slow, b)
		go func() { done <- c.post("msync/uploadChanges", b) }()
		<-b.stopped
	}
	c.put(file("next.jpg", "next"))
	for _, b := range slow {
		close(b.goOn)
	}
	taken := 0
	for range slow {
		if <-done == 200 {
			taken++
		}
	}
	if taken < hung-1 {
		t.Errorf("%d of %d uploads were taken that went on later", taken, hung)
	}
}

// TestHungMediaUploadsTwice: the place of one that made way may be taken by one that has waited for less time, and hangs as well. Then another makes way.
func TestHungMediaUploadsTwice(t *testing.T) {
	t.Parallel()
	const hung = 17
	s := &syncserver.Server{Limits: syncserver.Limits{Stall: 30 * time.Second}} // one makes way after a second
	c := newClient(t, s, serve(t, s), "ada")
	var all sync.WaitGroup
	put := func() {
		begun := time.Now()
		c.put(file("next.jpg", "next"))
		if took := time.Since(begun); took > 15*time.Second {
			t.Errorf("it took %v", took)
		}
	}
	for i := range hung {
		if i == hung-1 {
			all.Go(put)
			time.Sleep(500 * time.Millisecond)
		}
		b := newSlowBody(wire.NewCodec().Compress(nil, archive(t, file(fmt.Sprintf("%d.jpg", i), "hung"))))
		defer close(b.goOn)
		go func() { c.post("msync/uploadChanges", b) }()
		<-b.stopped
	}
	all.Wait()
}
