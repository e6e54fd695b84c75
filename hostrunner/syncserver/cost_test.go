package syncserver_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
	"github.com/cardferry/cardferry/hostrunner/syncserver/diskstore"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// The tests here look at the whole process, or load the machine: they are not parallel.

// TestLoginCostsTheSame: a login that is refused takes the work of one password hash, whatever is wrong with it: its memory is told apart from all
// that else is allocated.
func TestLoginCostsTheSame(t *testing.T) {
	const memory = 32 << 20
	s := &syncserver.Server{Passwords: syncserver.Passwords{Memory: memory >> 10, Passes: 1}, Limits: syncserver.Limits{Logins: 100}}
	c := newClient(t, s, serve(t, s), "ada")
	newClient(t, s, c.url, "eve")
	a, err := s.Accounts.ByName(t.Context(), "eve")
	coretest.Must(t, err)
	a.Disabled = true
	coretest.Must(t, s.Accounts.Update(t.Context(), a))
	for why, r := range map[string][2]string{
		"right": {"ada", password}, "wrong password": {"ada", "wrong password"}, "no such user": {"nobody", "wrong password"}, "disabled": {"eve", password},
		"no user": {"", "wrong password"}, "no password": {"ada", ""}, "a long password": {"ada", strings.Repeat("x", 5000)},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		status, _ := c.call("sync/hostKey", wire.LoginRequest(r[0], r[1]))
		runtime.ReadMemStats(&after)
		if want := map[bool]int{true: 200, false: 403}[why == "right"]; status != want {
			t.Errorf("%s: %d", why, status)
		}
		if hashes := float64(after.TotalAlloc-before.TotalAlloc) / memory; hashes < 1 || hashes > 1.9 {
			t.Errorf("%s: the memory of %.1f password hashes", why, hashes)
		}
	}
}

// fill adds n accounts with a device each to the accounts of a folder, as if they had signed up.
func fill(t testing.TB, dir string, n int) {
	t.Helper()
	db, err := sqlitehost.OpenFile(filepath.Join(dir, diskstore.AccountsFile), host.ReadWrite)
	coretest.Must(t, err)
	const numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
	coretest.Must(t, db.Exec("BEGIN; "+fmt.Sprintf(numbers+"INSERT INTO accounts SELECT printf('id%%024d', i), 'user' || i, 'user' || i, '', 0, 0, 1 FROM n; ", n)+
		fmt.Sprintf(numbers+"INSERT INTO devices SELECT i, 'device' || i, printf('id%%024d', i), 'a device', randomblob(32), 1, 1 FROM n; COMMIT", n)))
	coretest.Must(t, db.Close())
}

// TestManyAccounts: ten thousand accounts on disk, of which one is served, take no more memory than this one alone.
func TestManyAccounts(t *testing.T) {
	var heap [2]int64
	for i, n := range []int{1, 10_000} {
		dir := t.TempDir()
		s := onDisk(t, dir)
		fill(t, dir, n)
		for j := range min(n, 1000) { // most have never synced
			folder := filepath.Join(dir, "accounts", fmt.Sprintf("id%024d", j+1))
			coretest.Must(t, os.MkdirAll(folder, 0o700))
			coretest.Must(t, os.WriteFile(filepath.Join(folder, "collection.anki2"), fixture(t, "stock.anki2"), 0o600))
		}
		coretest.Must(t, s.Users().SetFixed(t.Context(), nil)) // as at the start of the program
		coretest.Must(t, s.RemoveLeftovers(t.Context()))
		c := newClient(t, s, serve(t, s), "ada")
		c.must("sync/upload", fixture(t, "stock.anki2"))
		c.must("sync/start", []byte(startRequest))
		c.must("sync/finish", []byte("{}"))
		if stats := s.Stats(); stats.Accounts != 1 || stats.Collections != 1 {
			t.Errorf("of %d accounts %+v are open", n, stats)
		}
		heap[i], _ = memory(t)
		runtime.KeepAlive(s)
	}
	t.Logf("heap and stacks with 1 account: %d KiB, with 10,000: %d KiB", heap[0]>>10, heap[1]>>10)
	// The first server is still there when the second is measured.
	if more := heap[1] - 2*heap[0]; more > 2<<20 {
		t.Errorf("%d KiB more", more>>10)
	}
}

// BenchmarkKeys looks a key up, which every request does, among one account and among ten thousand.
func BenchmarkKeys(b *testing.B) {
	for _, n := range []int{1, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			dir := b.TempDir()
			s := onDisk(b, dir)
			fill(b, dir, n)
			c := newClient(b, s, serve(b, s), "ada")
			for b.Loop() {
				if _, _, err := s.Accounts.ByKey(b.Context(), store.HashKey(c.key)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A few kilobytes can stand for a message of the largest size, of which a server takes several times as much to handle it: users who send such
// at once must not take that many times each.
func TestMemoryOfLargeMessages(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("the memory of another process cannot be seen")
	}
	dir := t.TempDir()
	addUsers(t, dir, 6)
	url, pid, _ := startChild(t, dir)
	note := `[1,"g",1,1,0,"","` + strings.Repeat("y", 100_000) + `","","",0,""],`
	bomb := wire.NewCodec().Compress(nil, []byte(`{"chunk":{"done":false,"notes":[`+strings.TrimSuffix(strings.Repeat(note, 600), ",")+`]}}`))
	var clients []*client
	for i := range 6 {
		c := login(t, url, fmt.Sprint("user", i), password)
		c.must("sync/start", []byte(startRequest))
		clients = append(clients, c)
	}
	before := peakOf(t, pid)
	var wg sync.WaitGroup
	for _, c := range clients {
		wg.Go(func() {
			if status := c.post("sync/applyChunk", bytes.NewReader(bomb)); status != 400 { // there is no such notetype
				t.Errorf("a large slice: %d", status)
			}
		})
	}
	wg.Wait()
	more := peakOf(t, pid) - before
	t.Logf("%d bytes six times, %d MiB of memory more", len(bomb), more>>10)
	if more > 500<<10 {
		t.Errorf("%d MiB more", more>>10)
	}
}

// TestMemoryOfRequests: eight clients at once send collections and archives that are large when they are unpacked, and the server's memory stays
// small: it is that of a process of its own.
func TestMemoryOfRequests(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("the memory of another process cannot be seen")
	}
	const size = 96 << 20
	dir := t.TempDir()
	addUsers(t, dir, 8)
	url, pid, _ := startChild(t, dir)
	stock := fixture(t, "stock.anki2")
	collection := compressed(t, io.MultiReader(bytes.NewReader(stock), io.LimitReader(zeros{}, size)))
	bomb := compressed(t, io.LimitReader(zeros{}, 4*size))
	var clients []*client
	for i := range 8 {
		c := login(t, url, fmt.Sprint("user", i), password)
		c.must("sync/upload", stock)
		clients = append(clients, c)
	}
	before := peakOf(t, pid)
	var wg sync.WaitGroup
	for i, c := range clients {
		wg.Go(func() {
			method, body, want := "sync/upload", collection, 200
			if i%2 == 1 {
				method, body, want = "msync/uploadChanges", bomb, 400
			}
			if status := c.post(method, bytes.NewReader(body)); status != want {
				t.Errorf("%s: %d", method, status)
			}
			if status := c.post("sync/download", frame("{}")); status != 200 {
				t.Errorf("download: %d", status)
			}
		})
	}
	wg.Wait()
	more := peakOf(t, pid) - before
	t.Logf("%d MiB at once, %d MiB of memory more", 4*(size+4*size)>>20, more>>10)
	if more > 96<<10 {
		t.Errorf("%d MiB more", more>>10)
	}
}

// peakOf is the most memory that a process has had, in KiB.
func peakOf(t *testing.T, pid int) (kib int64) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	coretest.Must(t, err)
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		t.Fatal(err)
	}
	return kib
}
