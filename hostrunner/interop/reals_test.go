package interop_test

import (
	"encoding/base64"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/cardferry/cardferry/hostrunner/anki"
)

// reals are a user's devices, all with the real client, and the account on our server.
type reals struct {
	*world
	acc     *anki.Account
	devices []*real
}

// once skips a test that uses our server anyway, or to which the server does not matter, when the scenarios for the real one are run with
// ours.
func once(t *testing.T) {
	t.Helper()
	if nativeOnly() {
		t.Skip("it runs with the others")
	}
}

// newReals gives a user n devices that all start as the world.
func newReals(t testing.TB, n int) *reals {
	t.Helper()
	return realsAt(t, get(t, shared.own), n)
}

func realsAt(t testing.TB, server *anki.Server, n int) *reals {
	t.Helper()
	w := get(t, shared.seed)
	r := &reals{world: w, acc: server.Account(t)}
	r.acc.Install(t, w.file)
	for range n {
		path := filepath.Join(t.TempDir(), "collection.anki2")
		if err := os.WriteFile(path, w.file, 0o600); err != nil {
			t.Fatal(err)
		}
		r.devices = append(r.devices, &real{realEditor{get(t, shared.agent).Client(t, path)}, server.URL, r.acc.Key})
	}
	return r
}

// settle syncs all devices in turn until each has what the others had.
func (r *reals) settle(t testing.TB) {
	t.Helper()
	for range 2 {
		for _, d := range r.devices {
			d.sync(t)
		}
	}
}

// agree fails unless all devices and the server have the same, nothing is pending, and the database check finds nothing.
func (r *reals) agree(t testing.TB) anki.Dump {
	t.Helper()
	path := r.acc.Download(t)
	server := anki.Read(t, path)
	for i, d := range r.devices {
		if diff := anki.Compare(server, d.dump(t)); len(diff) > 0 {
			for _, line := range diff {
				t.Log(line)
			}
			t.Fatalf("the server (first) and device %d differ", i)
		}
	}
	if p := server.Pending(); len(p) > 0 {
		t.Errorf("pending on the server: %v", p)
	}
	if found, err := get(t, shared.agent).Check(path); err != nil || found != "" {
		t.Fatalf("database check of the server's file: %s %v", found, err)
	}
	return server
}

// Each kind of change reaches another real client through our server, alone and together with all others.
func TestRealsExchangeEdits(t *testing.T) {
	once(t)
	t.Parallel()
	groups := [][]edit{edits}
	for _, c := range edits {
		if !testing.Short() {
			groups = append(groups, []edit{c})
		}
	}
	for _, group := range groups {
		name := group[0].name
		if len(group) > 1 {
			name = "all"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReals(t, 2)
			var seen []func(anki.Dump) bool
			for _, c := range group {
				seen = append(seen, c.do(t, r.world, r.devices[0]))
			}
			r.settle(t)
			d := r.agree(t)
			for i, c := range group {
				if !seen[i](d) {
					t.Errorf("%s is lost", c.name)
				}
			}
		})
	}
}

// Notes with pictures in their fields: real clients make slices of a number of rows, whatever is in them, and what such a slice has can hardly be
// compressed.
func TestRealsLargeNotes(t *testing.T) {
	once(t)
	t.Parallel()
	r := newReals(t, 2)
	noise := make([]byte, 150_000)
	for i := range 80 {
		_, _ = rand.NewChaCha8([32]byte{byte(i)}).Read(noise)
		r.devices[0].Do(t, "add_note", anki.Args{"fields": []string{fmt.Sprint("picture ", i), base64.StdEncoding.EncodeToString(noise)}}, nil)
	}
	r.settle(t)
	r.agree(t)
}

// Changes to the same objects on two devices are decided by our server as by the real one.
func TestRealsConflict(t *testing.T) {
	t.Parallel()
	if throughOwn() {
		t.Skip("the real server is not there to compare with")
	}
	for name, newer := range map[string]int64{"second is newer": 10, "second is older": -10, "same second": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := conflictAt(t, get(t, shared.server), newer)
			got := conflictAt(t, get(t, shared.own), newer)
			for _, k := range slices.Sorted(maps.Keys(want)) {
				if got[k] != want[k] {
					t.Errorf("%s: %s, through the real server %s", k, got[k], want[k])
				}
			}
		})
	}
}

// conflictAt makes conflicting changes on two devices and returns what each has in the end.
func conflictAt(t *testing.T, server *anki.Server, newer int64) map[string]string {
	t.Helper()
	r := realsAt(t, server, 2)
	s := &setup{world: r.world, acc: r.acc}
	return s.fight(t, r.devices[0], r.devices[1], newer)
}

// A change that cannot be merged makes the other device choose; each choice leaves both equal, and the server keeps what an upload
// replaces.
func TestRealsOneWay(t *testing.T) {
	once(t)
	t.Parallel()
	for _, upload := range []bool{true, false} {
		t.Run(fmt.Sprint("upload ", upload), func(t *testing.T) {
			t.Parallel()
			r := newReals(t, 2)
			a, b := r.devices[0], r.devices[1]
			a.Do(t, "edit_notetype", anki.Args{"id": r.notetype, "add_field": "More"}, nil)
			a.editNote(t, r.notes[1], "a")
			b.editNote(t, r.notes[1], "b")
			if err := a.Full(a.endpoint, a.key, true); err != nil {
				t.Fatal(err)
			}
			if o, err := b.Sync(b.endpoint, b.key); err != nil || o.Required != "FULL_SYNC" {
				t.Fatalf("%+v %v", o, err)
			}
			if err := b.Full(b.endpoint, b.key, upload); err != nil {
				t.Fatal(err)
			}
			if upload {
				if o, err := a.Sync(a.endpoint, a.key); err != nil || o.Required != "FULL_SYNC" {
					t.Fatalf("%+v %v", o, err)
				}
				if err := a.Full(a.endpoint, a.key, false); err != nil {
					t.Fatal(err)
				}
			}
			r.settle(t)
			if got, want := r.agree(t).Get("notes", "sfld", r.notes[1]), map[bool]string{true: "b", false: "a"}[upload]; got != want {
				t.Errorf("the note is %v, want %v", got, want)
			}
		})
	}
}

// New devices, and new accounts: what the server says is required is what the real server says.
func TestRealsFirstSync(t *testing.T) {
	once(t)
	t.Parallel()
	server := get(t, shared.own)
	w := get(t, shared.seed)
	acc := server.Account(t)
	device := func(file []byte) *real {
		path := filepath.Join(t.TempDir(), "collection.anki2")
		if file != nil {
			if err := os.WriteFile(path, file, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return &real{realEditor{get(t, shared.agent).Client(t, path)}, server.URL, acc.Key}
	}
	want := func(d *real, required string) {
		t.Helper()
		if o, err := d.Sync(d.endpoint, d.key); err != nil || o.Required != required {
			t.Fatalf("got %+v %v, want %s", o, err, required)
		}
	}
	fresh, full := device(nil), device(w.file)
	want(full, "FULL_UPLOAD")
	if err := full.Full(server.URL, acc.Key, true); err != nil {
		t.Fatal(err)
	}
	want(fresh, "FULL_DOWNLOAD")
	if err := fresh.Full(server.URL, acc.Key, false); err != nil {
		t.Fatal(err)
	}
	want(full, "NO_CHANGES")
	r := &reals{world: w, acc: acc, devices: []*real{fresh, full}}
	r.settle(t)
	r.agree(t)
	for user, password := range map[string]string{acc.User: "wrong", "nobody": anki.Password} {
		if _, err := fresh.Login(server.URL, user, password); err == nil {
			t.Errorf("%s logged in with %q", user, password)
		}
	}
	key, err := fresh.Login(server.URL, acc.User, anki.Password)
	if err != nil || key == acc.Key {
		t.Fatalf("login: %q %v", key, err) // a key of its own
	}
	fresh.key = key
	fresh.sync(t)
}

// Three real clients edit and sync in random order, and sometimes two of them at once.
func TestRealsRandomly(t *testing.T) {
	once(t)
	t.Parallel()
	seeds := []uint64{1, 2}
	if full() {
		seeds = []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			r := newReals(t, 3)
			random := rand.New(rand.NewPCG(seed, 9))
			mod := time.Now().Unix() - 3000
			var players []*player
			for i, d := range r.devices {
				players = append(players, &player{editor: d, world: r.world, rand: random, name: fmt.Sprint("device ", i), mod: &mod})
			}
			for range 30 {
				i := random.IntN(3)
				switch random.IntN(4) {
				case 0, 1:
					players[i].edit(t, r.devices[i].dump(t))
				case 2:
					r.devices[i].sync(t)
				case 3:
					r.compete(t, i, (i+1)%3)
				}
			}
			r.settle(t)
			r.agree(t)
		})
	}
}

// compete syncs two devices at once: each succeeds, or is told that the other one is syncing.
func (r *reals) compete(t *testing.T, i, j int) {
	t.Helper()
	results := make(chan error, 2)
	for _, d := range []*real{r.devices[i], r.devices[j]} {
		go func() {
			_, err := d.Sync(d.endpoint, d.key)
			results <- err
		}()
	}
	for range 2 {
		if err := <-results; err != nil {
			if e, ok := err.(*anki.Error); !ok || e.Kind != "SERVER_CONFLICT" && e.Class != "SyncError" {
				t.Errorf("a sync beside another one: %v", err)
			}
		}
	}
}
