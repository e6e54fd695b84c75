package browsertest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/anki"
)

// real is the real Anki that all tests share: each part is started by the first test that needs it.
var real struct {
	server func() (*anki.Server, error)
	agent  func() (*anki.Agent, error)
}

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "cardferry-browsertest-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	var server *anki.Server
	var agent *anki.Agent
	real.server = sync.OnceValues(func() (_ *anki.Server, err error) {
		server, err = anki.NewServer(dir, 12)
		return server, err
	})
	real.agent = sync.OnceValues(func() (_ *anki.Agent, err error) {
		agent, err = anki.NewAgent()
		return agent, err
	})
	defer func() {
		if server != nil {
			server.Kill()
		}
		if agent != nil {
			agent.Close()
		}
	}()
	return m.Run()
}

// account returns the endpoint of the real server and an empty account.
func account(t testing.TB) (endpoint string, acc *anki.Account) {
	t.Helper()
	anki.Need(t)
	server, err := real.server()
	if err != nil {
		t.Fatal(err)
	}
	return server.URL, server.Account(t)
}

// desktop is a collection of the real client, and the account that it syncs with.
type desktop struct {
	*anki.Client
	endpoint string
	*anki.Account
}

func agent(t *testing.T) *anki.Agent {
	t.Helper()
	anki.Need(t)
	a, err := real.agent()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func newDesktop(t *testing.T, endpoint string, acc *anki.Account) *desktop {
	t.Helper()
	return &desktop{agent(t).Client(t, filepath.Join(t.TempDir(), "collection.anki2")), endpoint, acc}
}

// sync runs a sync that must not need a one-way sync.
func (d *desktop) sync(t *testing.T) {
	t.Helper()
	if r, err := d.Sync(d.endpoint, d.Key); err != nil || r.Required != "NO_CHANGES" {
		t.Fatalf("sync of the real client: %+v, %v", r, err)
	}
}

// full uploads or downloads the whole collection.
func (d *desktop) full(t *testing.T, upload bool) {
	t.Helper()
	if err := d.Full(d.endpoint, d.Key, upload); err != nil {
		t.Fatal(err)
	}
}

// wantSame compares the collection file at path with the real client's, and lets the real program check it.
func (d *desktop) wantSame(t *testing.T, when, path string) {
	t.Helper()
	if found, err := agent(t).Check(path); found != "" || err != nil {
		t.Fatalf("%s: the database check: %s %v", when, found, err)
	}
	ours, theirs := anki.Read(t, path), d.Dump(t)
	for _, difference := range anki.Compare(ours, theirs) {
		t.Errorf("%s: ours and the desktop's collection: %s", when, difference)
	}
	if tables := ours.Pending(); len(tables) > 0 {
		t.Errorf("%s: rows of %v are still to be sent", when, tables)
	}
	if t.Failed() {
		t.FailNow()
	}
}
