package syncserver_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
)

// archiveOf is the archive of an upload with one file, whose member has any name.
func archiveOf(t testing.TB, name, content, member string) []byte {
	t.Helper()
	index, err := json.Marshal([][2]string{{name, member}})
	coretest.Must(t, err)
	return zipped(t, zip.Store, map[string]io.Reader{"_meta": bytes.NewReader(index), member: strings.NewReader(content)})
}

func zipped(t testing.TB, method uint16, members map[string]io.Reader) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, content := range members {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		coretest.Must(t, err)
		_, err = io.Copy(w, content)
		coretest.Must(t, err)
	}
	coretest.Must(t, z.Close())
	return b.Bytes()
}

// abuses are payloads that no client sends.
func abuses() map[string]string {
	deep := strings.Repeat("[", 50_000)
	return map[string]string{
		"nothing": "", "null": "null", "a number": "7", "a text": `"x"`, "a list": "[]", "a list of lists": "[[[]]]", "cut off": `{"v":`, "two values": "{}{}",
		"deep lists": deep, "deep lists, closed": deep + strings.Repeat("]", 50_000), "deep objects": strings.Repeat(`{"a":`, 10_000),
		"deep in a member": `{"chunk":` + deep, "huge number": `{"v":1e999,"lastUsn":1e999,"local":1e999,"minUsn":1e999}`,
		"long number": `{"lastUsn":` + strings.Repeat("9", 60_000) + `,"minUsn":` + strings.Repeat("9", 1000) + `}`,
		"not UTF-8":   "{\"v\":\"\xff\xfe\",\"files\":[\"\xff\"]}", "half a surrogate": `{"v":"\ud800","files":["\ud800"]}`, "NUL": `{"v":"\u0000","files":["\u0000"]}`,
		"raw NUL": "{\"v\":\"\x00\"}", "byte order mark": "\ufeff{}", "same key twice": `{"v":11,"v":12,"lastUsn":0,"lastUsn":-1,"local":1,"local":2}`,
		"other types":         `{"v":[],"cv":{},"lastUsn":[],"local":{},"files":{},"minUsn":{},"lnewer":"x","graves":[],"changes":[],"chunk":[]}`,
		"nulls":               `{"v":null,"lastUsn":null,"local":null,"files":null,"minUsn":null,"lnewer":null,"graves":null,"changes":null,"chunk":null}`,
		"rows of other forms": `{"chunk":{"done":true,"revlog":[[1]],"cards":[[]],"notes":[["x","y"]]},"changes":{"models":[1],"decks":[[1],[2]],"tags":[1]},"graves":{"cards":["x"]}}`,
		"many keys":           `{"a":1` + strings.Repeat(`,"a":1`, 8000) + `}`, "long text": `{"v":"` + strings.Repeat("x", 60_000) + `"}`,
		"comments": "{/**/}", "an entity": `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY y "z">]><x>&y;</x>`, "SQL": `{"v":"'; DROP TABLE col; --","files":["' OR 1=1 --"]}`,
	}
}

// TestAbuse sends what no client sends to every method, within a session and without: none of it is our mistake (5xx), none of it is
// stored, and the next good request is served.
func TestAbuse(t *testing.T) {
	t.Parallel()
	s, c := newServer(t)
	c.must("sync/upload", fixture(t, "stock.anki2"))
	c.put(file("a.jpg", "content"))
	before := dumpOf(t, c)
	for _, method := range append(syncserver.MethodsWithKey(), "sync/hostKey") {
		if method == "sync/download" {
			continue // changes the collection's number
		}
		for name, payload := range abuses() {
			for _, session := range []bool{false, true} {
				if session && strings.HasPrefix(method, "sync/") {
					c.must("sync/start", []byte(startRequest))
				}
				status, answer := c.call(method, []byte(payload))
				if status >= 500 || status == 200 && method == "sync/upload" && string(answer) == "OK" {
					t.Errorf("%s, %s: %d %.100q", method, name, status, answer)
				}
				if session && strings.HasPrefix(method, "sync/") {
					c.must("sync/abort", []byte("{}"))
				}
			}
		}
	}
	if after := dumpOf(t, c); after != before {
		t.Errorf("before %s\nafter  %s", before, after)
	}
	c.wantFiles(map[string]string{"a.jpg": "content"})
	if n := s.Sweep(s.Now().Add(s.Limits.Session)); n != 0 {
		t.Errorf("%d accounts are still in use", n)
	}
}

// dumpOf sums up an account's collection.
func dumpOf(t *testing.T, c *client) string {
	t.Helper()
	db := opened(t, c.must("sync/download", []byte("{}")))
	coretest.Must(t, collection.CheckIntegrity(db))
	n, err := collection.Counts(db)
	coretest.Must(t, err)
	return fmt.Sprint(n)
}

// TestMediaBombs: archives that are small on the way and large when they are unpacked are refused, and nothing of them stays.
func TestMediaBombs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := onDisk(t, dir)
	c := newClient(t, s, serve(t, s), "ada")
	c.put(file("a.jpg", "content"))
	for name, body := range map[string][]byte{
		"zeros":          compressed(t, io.LimitReader(zeros{}, 400<<20)),
		"a large member": wire.NewCodec().Compress(nil, zipped(t, zip.Deflate, map[string]io.Reader{"0": io.LimitReader(zeros{}, 400<<20)})),
		"many members":   wire.NewCodec().Compress(nil, manyMembers(t, 5_000)),
		"a large index":  wire.NewCodec().Compress(nil, zipped(t, zip.Deflate, map[string]io.Reader{"_meta": io.LimitReader(zeros{}, 100<<20)})),
	} {
		if status, _ := c.raw("msync/uploadChanges", body); status != 400 && status != 413 {
			t.Errorf("%s: %d", name, status)
		}
	}
	c.wantFiles(map[string]string{"a.jpg": "content"})
	s.Sweep(s.Now().Add(s.Limits.Session))
	coretest.Must(t, s.Blobs.Close())
	size := int64(0)
	coretest.Must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			info, ierr := d.Info()
			coretest.Must(t, ierr)
			size += info.Size()
		}
		return err
	}))
	if size > 1<<20 {
		t.Errorf("%d bytes are left", size)
	}
}

func manyMembers(t testing.TB, n int) []byte {
	t.Helper()
	members := map[string]io.Reader{}
	for i := range n {
		members[fmt.Sprint(i)] = strings.NewReader("x")
	}
	return zipped(t, zip.Store, members)
}

// TestOversized: a body that is longer than bodies may be is refused by every method, whether its length is told, hidden or a lie.
func TestOversized(t *testing.T) {
	t.Parallel()
	s := &syncserver.Server{Limits: syncserver.Limits{Payload: 256 << 10}}
	c := newClient(t, s, serve(t, s), "ada")
	long := wire.NewCodec().Compress(nil, randomBytes(300<<10))
	for _, method := range append(syncserver.MethodsWithKey(), "sync/hostKey", "api/signup") {
		for name, body := range map[string]io.Reader{"told": bytes.NewReader(long), "hidden": onlyReader{bytes.NewReader(long)}} {
			if status := c.post(method, body); status != 413 && status != 400 && status != 0 { // 0: cut off while it was sending
				t.Errorf("%s, %s: %d", method, name, status)
			}
		}
	}
	c.must("sync/meta", []byte(metaRequest))
}

type onlyReader struct{ io.Reader }

// randomBytes cannot be compressed.
func randomBytes(n int) []byte {
	b := make([]byte, n)
	state := uint64(1)
	for i := range b {
		state = state*6364136223846793005 + 1442695040888963407
		b[i] = byte(state >> 56)
	}
	return b
}

// TestErrorLog: what any client can cause, however often, is no error of the server's.
func TestErrorLog(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := &syncserver.Server{Passwords: cheap, Log: slog.New(slog.NewTextHandler(&log, nil))}
	h := httptest.NewServer(s)
	c := newClient(t, s, h.URL+"/", "ada")
	c.want(501, "sync/meta", `{"v":12,"cv":""}`)
	old := strings.Replace(c.header(), `"v":11`, `"v":10`, 1)
	if resp := do(t, "POST", c.url+"sync/meta", nil, map[string]string{"anki-sync": old}); resp.StatusCode != 501 {
		t.Errorf("an old client: %d", resp.StatusCode)
	}
	conn, err := net.Dial("tcp", h.Listener.Addr().String())
	coretest.Must(t, err)
	defer conn.Close()
	fmt.Fprintf(conn, "POST /sync/upload HTTP/1.1\r\nHost: x\r\nanki-sync: %s\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n", c.header())
	lines := bufio.NewReader(conn)
	for _, want := range []string{" 100 ", "\r\n", " 503 "} { // once somebody reads the body, another upload begins
		if line, err := lines.ReadString('\n'); err != nil || !strings.Contains(line, want) {
			t.Fatalf("%q %v, want %q", line, err, want)
		}
		if want == " 100 " {
			c.must("sync/upload", fixture(t, "stock.anki2"))
		}
	}
	h.Close()
	if err := s.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	if text := log.String(); strings.Contains(text, "level=ERROR") || strings.Count(text, "status=501") != 2 || !strings.Contains(text, "another upload of this account has begun") {
		t.Errorf("the log has %s", text)
	}
}

// TestLogText: what clients send is not in the log, but for what they call themselves, of which nobody can make much.
func TestLogText(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := &syncserver.Server{Passwords: cheap, Log: slog.New(slog.NewJSONHandler(&log, nil))}
	c := newClient(t, s, serve(t, s), "ada")
	long := strings.Repeat("x\u202e\n", 150)
	anybody := fmt.Sprintf(`{"v":11,"k":"none","c":%q,"s":%[1]q}`, long)
	for _, header := range []string{anybody, strings.Replace(c.header(), `"s":"`, `"s":"`+strings.Repeat("s", 3000), 1)} {
		before := log.Len()
		do(t, "POST", c.url+"sync/meta", nil, map[string]string{"anki-sync": header})
		if line := log.String()[before:]; len(line) > 800 || strings.Contains(line, "\u202e") {
			t.Errorf("a line of %d bytes: %.1000s", len(line), line)
		}
	}
	for _, names := range [][]string{{"my/secret.png"}, {"secret.png", "secret.png"}, {"secret" + strings.Repeat("e\u0301", 40)}} {
		var files []anki.MediaFile
		for _, name := range names {
			files = append(files, file(name, "x"))
		}
		c.want(400, "msync/uploadChanges", string(archive(t, files...)))
	}
	if text := log.String(); strings.Contains(text, "secret") || strings.Count(text, "media upload: entry ") != 3 {
		t.Errorf("the log has %s", text)
	}
}
