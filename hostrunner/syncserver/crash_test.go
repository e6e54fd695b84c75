package syncserver_test

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/hosttest"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
)

const crashVar = "CARDFERRY_TEST_SERVE"

// mediaWorkers is how many of the eight clients send media.
const mediaWorkers = 3

// startChild runs a server on the folder in a process of its own and returns its address, its number and how to kill it.
func startChild(t *testing.T, dir string) (url string, pid int, kill func()) {
	t.Helper()
	exe, err := os.Executable()
	coretest.Must(t, err)
	cmd := exec.Command(exe, "-test.run=^TestKilledServer$")
	cmd.Env = append(os.Environ(), crashVar+"="+dir)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	coretest.Must(t, err)
	out, err := cmd.StdoutPipe()
	coretest.Must(t, err)
	coretest.Must(t, cmd.Start())
	var once sync.Once
	kill = func() {
		once.Do(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			in.Close()
		})
	}
	t.Cleanup(kill)
	url, err = bufio.NewReader(out).ReadString('\n')
	coretest.Must(t, err)
	return strings.TrimSpace(url), cmd.Process.Pid, kill
}

// serveUntilKilled is the child.
func serveUntilKilled(t *testing.T, dir string) {
	s := onDisk(t, dir)
	s.Passwords = cheap
	h := httptest.NewServer(s)
	fmt.Println(h.URL + "/")
	_, _ = io.Copy(io.Discard, os.Stdin) // the parent's end is ours
}

// worker is a client that syncs again and again, and knows what was acknowledged.
type worker struct {
	*client
	acked    []int64 // ids of decks and notes
	tried    int64
	first    int64 // its ids are above it, and no other worker's
	notetype int64
	usn      int64             // of the last upload that was acknowledged
	files    map[string]string // media that were acknowledged
	doubt    map[string]bool   // names in the upload that was cut off
}

const deckRequest = `{"changes":{"models":[],"decks":[[{"id":%d,"mod":9,"name":"deck %d","usn":0,"lrnToday":[0,0],"revToday":[0,0],"newToday":[0,0],` +
	`"timeToday":[0,0],"collapsed":false,"dyn":0,"conf":1}],[]],"tags":["tag %d"]}}`

// noteRequest is a chunk with a note of the notetype that every new collection has first.
const noteRequest = `{"chunk":{"done":true,"revlog":[],"cards":[],"notes":[[%d,"guid %d",%d,9,0,"","%s\u001fback","",0,0,""]]}}`

// sync makes a sync that adds a deck and a note; ok says that it was acknowledged.
func (w *worker) sync() (ok bool) {
	w.tried++
	id := w.first + w.tried
	for _, r := range [][2]string{
		{"sync/start", startRequest}, {"sync/applyChanges", fmt.Sprintf(deckRequest, id, id, id)}, {"sync/chunk", "{}"},
		{"sync/applyChunk", fmt.Sprintf(noteRequest, id, id, w.notetype, strings.Repeat("front ", int(id%500)))}, {"sync/finish", "{}"},
	} {
		if w.post(r[0], frame(r[1])) != 200 {
			return false
		}
	}
	w.acked = append(w.acked, id)
	return true
}

// upload replaces the collection by one with the next usn.
func (w *worker) upload(file []byte, usn int64) (ok bool) {
	if w.post("sync/upload", frame(string(file))) != 200 {
		return false
	}
	w.usn = usn
	return true
}

// media sends three files, of which one is large, one is the content of another, and one replaces an older one, and deletes a fourth.
func (w *worker) media() (ok bool) {
	w.tried++
	now := map[string]string{
		fmt.Sprintf("new %d.png", w.tried): fmt.Sprint("content ", w.tried), fmt.Sprintf("large %d.png", w.tried%3): strings.Repeat(fmt.Sprint(w.tried), 100_000),
		"same.png": fmt.Sprint("content ", w.tried), fmt.Sprintf("new %d.png", w.tried-2): "",
	}
	var sent []anki.MediaFile
	for name, content := range now {
		sent = append(sent, file(name, content))
	}
	b, err := anki.MediaArchive(sent)
	if err != nil {
		return false
	}
	w.doubt = map[string]bool{}
	for name := range now {
		w.doubt[name] = true
	}
	if w.post("msync/uploadChanges", frame(string(b))) != 200 {
		return false
	}
	w.doubt = nil
	maps.Copy(w.files, now)
	maps.DeleteFunc(w.files, func(_, content string) bool { return content == "" })
	return true
}

// checkMedia fails unless all files that were acknowledged are there, whole, and of those in doubt all or none. It returns with no doubt.
func (w *worker) checkMedia() {
	w.t.Helper()
	got := w.changes()
	for name, content := range w.files {
		if w.doubt[name] {
			continue
		}
		if names, contents := w.download(name); got[name] != hashOf(content) || names["0"] != name || contents["0"] != content {
			w.t.Errorf("%s: %d bytes, %q", name, len(contents["0"]), got[name])
		}
	}
	n := 0
	for name, sum := range got {
		if sum == "" {
			continue
		}
		n++
		if _, contents := w.download(name); hashOf(contents["0"]) != sum {
			w.t.Errorf("%s is not what is listed: %d bytes", name, len(contents["0"]))
		}
		if w.files[name] == "" && !w.doubt[name] {
			w.t.Errorf("%s is there, and should not be", name)
		}
	}
	if answer := w.data("mediaSanity", fmt.Sprintf(`{"local":%d}`, n)); answer != `"OK"` {
		w.t.Errorf("the server counts other than %d files", n)
	}
	for name := range w.doubt { // the client sends it again
		delete(w.files, name)
		w.put(deletion(name))
	}
	w.doubt = nil
}

// addUsers adds user0, user1, … to a data folder that no server has open.
func addUsers(t *testing.T, dir string, n int) {
	t.Helper()
	s := onDisk(t, dir)
	s.Passwords = cheap
	for i := range n {
		_, err := s.Users().Add(t.Context(), fmt.Sprint("user", i), password)
		coretest.Must(t, err)
	}
	coretest.Must(t, s.Close(t.Context()))
}

// TestKilledServer: a server is killed again and again under the load of eight clients. No acknowledged sync is lost, nothing is half
// done, and the files are sound.
func TestKilledServer(t *testing.T) {
	if dir := os.Getenv(crashVar); dir != "" {
		serveUntilKilled(t, dir)
		return
	}
	t.Parallel()
	dir := t.TempDir()
	addUsers(t, dir, 8)
	url, _, kill := startChild(t, dir)
	var workers []*worker
	for i := range 8 {
		workers = append(workers, &worker{client: login(t, url, fmt.Sprint("user", i), password), files: map[string]string{}})
	}
	for i, w := range workers {
		w.first = int64(i+1) * 1_000_000
		db := opened(t, w.must("sync/download", []byte("{}")))
		var err error
		w.notetype, err = rows.IntOf(db, "SELECT min(id) FROM notetypes")
		coretest.Must(t, err)
	}
	files := map[int64][]byte{}
	for usn := range int64(64) {
		files[usn] = changed(t, "stock.anki2", fmt.Sprint("UPDATE col SET usn = ", usn))
	}
	seed := rand.Uint64()
	t.Log("seed", seed)
	random := rand.New(rand.NewPCG(seed, 2))
	rounds := 6
	if testing.Short() {
		rounds = 3
	}
	for range rounds {
		var done atomic.Int64
		goal := 20 + random.Int64N(80)
		enough := make(chan struct{})
		var wg sync.WaitGroup
		for i, w := range workers {
			wg.Go(func() {
				for {
					ok := false
					switch {
					case i == 0:
						ok = w.upload(files[(w.usn+1)%64], (w.usn+1)%64)
					case i <= mediaWorkers:
						ok = w.media()
					default:
						ok = w.sync()
					}
					if !ok {
						return // the server is gone
					}
					if done.Add(1) == goal {
						close(enough)
					}
				}
			})
		}
		<-enough
		kill()
		wg.Wait()
		url, _, kill = startChild(t, dir)
		for _, w := range workers {
			w.url = url
		}
		checkAfterCrash(t, workers)
		if !workers[0].upload(files[0], 0) { // the download has changed the usn
			t.Fatal("an upload after the crash is refused")
		}
	}
}

// checkAfterCrash fails unless everything that was acknowledged is there.
func checkAfterCrash(t *testing.T, workers []*worker) {
	t.Helper()
	m, err := wire.ParseMeta(workers[0].must("sync/meta", []byte(metaRequest)))
	if usn := int64(m.USN); err != nil || usn != workers[0].usn && usn != (workers[0].usn+1)%64 {
		t.Errorf("the upload with usn %d was acknowledged, the collection has %d: %v", workers[0].usn, usn, err)
	}
	for _, w := range workers[1 : 1+mediaWorkers] {
		w.checkMedia()
	}
	for i, w := range workers[1+mediaWorkers:] {
		w.must("sync/start", []byte(startRequest))
		got, err := wire.ParseChanges(w.must("sync/applyChanges", []byte(noChanges)))
		coretest.Must(t, err)
		w.must("sync/abort", []byte("{}"))
		all := ""
		for _, d := range got.Decks {
			all += string(d)
		}
		for _, id := range w.acked {
			if !strings.Contains(all, fmt.Sprintf(`"deck %d"`, id)) {
				t.Errorf("worker %d: deck %d is lost", i, id)
			}
		}
		if len(got.Tags) != len(got.Decks)-1 { // each sync makes one of both
			t.Errorf("worker %d: half a sync: %d decks, %d tags", i, len(got.Decks), len(got.Tags))
		}
	}
	for _, w := range workers {
		db := opened(t, w.must("sync/download", []byte("{}")))
		coretest.Must(t, collection.CheckIntegrity(db))
		for _, id := range w.acked {
			if n, err := rows.IntOf(db, "SELECT count(*) FROM notes WHERE id = ?", id); err != nil || n != 1 {
				t.Errorf("note %d is lost: %d, %v", id, n, err)
			}
		}
	}
}

// TestFullDisk: on a full disk an upload is refused and the collection stays; with room again everything goes on.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := hosttest.TinyDisk(t, 3<<20)
	s := onDisk(t, dir)
	c := newClient(t, s, serve(t, s), "ada")
	c.must("sync/upload", fixture(t, "stock.anki2"))
	before := opened(t, c.must("sync/download", []byte("{}")))
	col, err := collection.ReadCol(before)
	coretest.Must(t, err)
	ballast, err := os.Create(dir + "/ballast")
	coretest.Must(t, err)
	_, err = io.CopyN(ballast, zeros{}, 3<<20)
	if err == nil {
		t.Fatal("the disk is not full")
	}
	coretest.Must(t, ballast.Close())
	c.want(500, "sync/upload", string(fixture(t, "unicode.anki2")))
	c.want(500, "sync/download", "{}")
	// A sync fails somewhere, and is not half done.
	refused := false
	if status, _ := c.call("sync/start", []byte(startRequest)); status == 200 {
		for i := range 200 {
			id := 5000 + i
			status, _ := c.call("sync/applyChanges", fmt.Appendf(nil, strings.Replace(deckRequest, `"deck %d"`, `"deck %d`+strings.Repeat("x", 20_000)+`"`, 1), id, id, id))
			if refused = status == 500; refused {
				break
			}
			if status != 200 {
				t.Fatal(status)
			}
		}
		if !refused {
			if status, _ := c.call("sync/finish", []byte("{}")); status != 500 {
				t.Errorf("finish: %d", status)
			}
		}
	}
	coretest.Must(t, os.Remove(dir+"/ballast"))
	after := opened(t, c.must("sync/download", []byte("{}")))
	coretest.Must(t, collection.CheckIntegrity(after))
	if now, err := collection.ReadCol(after); err != nil || now.Scm != col.Scm || now.LS != col.LS {
		t.Errorf("%+v, before %+v: %v", now, col, err)
	}
	c.must("sync/start", []byte(startRequest))
	c.must("sync/finish", []byte("{}"))
}

// TestFullDiskMedia: on a full disk media are refused, and what was acknowledged stays; with room again everything goes on.
func TestFullDiskMedia(t *testing.T) {
	t.Parallel()
	dir := hosttest.TinyDisk(t, 4<<20)
	s := onDisk(t, dir)
	c := newClient(t, s, serve(t, s), "ada")
	want := map[string]string{}
	for i, size := range []int{1_000, 300_000, 10, 50_000, 200_000, 1_000, 90_000, 400_000, 700_000, 800_000, 60_000, 5, 900_000, 1_000, 40_000} {
		name, content := fmt.Sprintf("%d.png", i), strings.Repeat(fmt.Sprint(i%10), size)
		switch status, _ := c.call("msync/uploadChanges", archive(t, file(name, content))); status {
		case 200:
			want[name] = content
		case 500:
		default:
			t.Errorf("%s: %d", name, status)
		}
	}
	if len(want) < 4 || len(want) == 15 {
		t.Fatalf("%d files found room", len(want))
	}
	for name, content := range want {
		if _, contents := c.download(name); contents["0"] != content {
			t.Errorf("%s: %d bytes", name, len(contents["0"]))
		}
	}
	for name := range want { // deletions make room
		if len(want[name]) >= 200_000 {
			c.put(deletion(name))
			delete(want, name)
		}
	}
	s.Sweep(s.Now().Add(s.Limits.Session))
	coretest.Must(t, s.Blobs.Close())
	content := strings.Repeat("again", 100_000)
	c.put(file("again.png", content))
	want["again.png"] = content
	c.wantFiles(want)
}

// TestReadOnlyFolder: a data folder that cannot be written is a 500, not a crash.
func TestReadOnlyFolder(t *testing.T) {
	if !hosttest.Unprivileged(t) {
		return
	}
	dir := t.TempDir()
	s := onDisk(t, dir)
	c := newClient(t, s, serve(t, s), "ada")
	coretest.Must(t, os.Chmod(dir, 0o500))
	t.Cleanup(func() { os.Chmod(dir, 0o700) })
	c.want(500, "sync/meta", metaRequest)
	c.want(500, "msync/uploadChanges", string(archive(t, file("a.png", "x"))))
	coretest.Must(t, os.Chmod(dir, 0o700))
	c.must("sync/meta", []byte(metaRequest))
	c.put(file("a.png", "x"))
	// And one that becomes so later, when the account's files are there.
	s.Sweep(s.Now().Add(s.Limits.Session))
	a, err := s.Accounts.ByName(t.Context(), "ada")
	coretest.Must(t, err)
	own := filepath.Join(dir, "accounts", string(a.ID))
	coretest.Must(t, os.Chmod(own, 0o500))
	t.Cleanup(func() { os.Chmod(own, 0o700) })
	if status, _ := c.call("msync/uploadChanges", archive(t, file("b.png", "y"))); status != 500 {
		t.Errorf("media in a folder that cannot be written: %d", status)
	}
	coretest.Must(t, os.Chmod(own, 0o700))
	c.wantFiles(map[string]string{"a.png": "x"})
	c.put(file("b.png", "y"))
}

// TestClockJumps: a clock that goes back or forth harms nothing.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	now := newClock()
	s := &syncserver.Server{Now: now.now}
	c := newClient(t, s, serve(t, s), "ada")
	var last int64
	for _, hours := range []int64{0, -24 * 365, 24 * 365 * 2, -1, 0} {
		now.ms.Add(hours * 3_600_000)
		c.must("sync/start", []byte(startRequest))
		ms, err := wire.ParseFinish(c.must("sync/finish", []byte("{}")))
		if err != nil || ms <= last {
			t.Errorf("finish: %d after %d, %v", ms, last, err)
		}
		last = ms
		c.put(file("a.png", fmt.Sprint("at ", ms)))
		c.wantFiles(map[string]string{"a.png": fmt.Sprint("at ", ms)})
		login(t, c.url, "ada", password)
		s.Sweep(now.now())
	}
}

// TestClockJumpsInSession: a session goes on over a clock that is set back, and one that is set ahead ends it as if its client had been away; with
// either the next sync is served, what was finished stays, and the numbers of the syncs ascend.
func TestClockJumpsInSession(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, s *syncserver.Server) {
		now := newClock()
		s.Now = now.now
		c := newClient(t, s, serve(t, s), "ada")
		deck := func(id int) string { return fmt.Sprintf(deckRequest, id, id, id) }
		var last int64
		finish := func() {
			t.Helper()
			ms, err := wire.ParseFinish(c.must("sync/finish", []byte("{}")))
			if err != nil || ms <= last {
				t.Errorf("finish: %d after %d, %v", ms, last, err)
			}
			last = ms
		}
		c.must("sync/start", []byte(startRequest))
		c.must("sync/applyChanges", []byte(deck(5)))
		now.advance(-7 * time.Hour)
		s.Sweep(now.now())
		finish()

		c.must("sync/start", []byte(startRequest))
		c.must("sync/applyChanges", []byte(deck(6)))
		now.advance(5 * time.Hour)
		c.want(409, "sync/finish", "{}")
		c.must("sync/meta", []byte(metaRequest))
		c.must("sync/start", []byte(startRequest))
		c.must("sync/applyChanges", []byte(deck(7)))
		finish()

		// Back and forth within one session, and what the sweep makes of it while a request is not under way.
		c.must("sync/start", []byte(startRequest))
		now.advance(-3 * time.Hour)
		c.must("sync/applyChanges", []byte(deck(8)))
		now.advance(3 * time.Hour)
		if n := s.Sweep(now.now()); n != 0 {
			t.Errorf("%d accounts are open", n)
		}
		c.want(409, "sync/finish", "{}")
		c.must("sync/start", []byte(startRequest))
		got, err := wire.ParseChanges(c.must("sync/applyChanges", []byte(noChanges)))
		coretest.Must(t, err)
		finish()
		names := ""
		for _, d := range got.Decks {
			names += string(d)
		}
		for id, want := range map[int]bool{5: true, 6: false, 7: true, 8: false} {
			if strings.Contains(names, fmt.Sprintf(`"deck %d"`, id)) != want {
				t.Errorf("deck %d: there is %v, want %v", id, !want, want)
			}
		}
		c.put(file("a.png", "content"))
		c.wantFiles(map[string]string{"a.png": "content"})
	})
}
