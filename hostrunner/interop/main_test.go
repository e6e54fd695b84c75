// Package interop_test syncs collections of ours with those of the real Anki, through its real server, and looks whether
// anything is lost: hostrunner/anki has the real programs, this package the scenarios.
//
// CARDFERRY_SERVER=ours puts our server (hostrunner/syncserver) in the place of the real one, in all of them; make test runs them both ways.
// The second time the native engine runs alone, unless all cases are to run.
//
// CARDFERRY_FULL=1 runs every case with every engine; without it the native engine runs them, and the others a sample. With
// -short the native engine runs a sample of the large tables, too, and nothing runs under Node and in Chromium.
package interop_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/cardferry/cardferry/hostrunner"
	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/guestfile"
)

// shared is what all tests use: one server, one Python process, one compiled guest. Each is started by the first test that
// needs it.
var shared struct {
	dir     string
	server  func() (*anki.Server, error)
	own     func() (*anki.Server, error) // ours
	ownData func() (*ownServer, error)
	agent   func() (*anki.Agent, error)
	runtime func() (*hostrunner.Runtime, error)
	seed    func() (*world, error)
	apart   func() (*apart, error)
}

func TestMain(m *testing.M) {
	time.Local = time.UTC // as the real client and server run
	if job := os.Getenv(childEnv); job != "" {
		os.Exit(runChild(job))
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "cardferry-interop-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	var server *anki.Server
	var agent *anki.Agent
	var own *ownServer
	shared.dir = dir
	shared.server = sync.OnceValues(func() (_ *anki.Server, err error) {
		if throughOwn() {
			return shared.own()
		}
		server, err = anki.NewServer(filepath.Join(dir, "server"), 12)
		return server, err
	})
	shared.ownData = sync.OnceValues(func() (_ *ownServer, err error) {
		own, err = startOwn(filepath.Join(dir, "own"), ownUsers)
		return own, err
	})
	shared.own = func() (*anki.Server, error) {
		o, err := shared.ownData()
		if err != nil {
			return nil, err
		}
		return o.server, nil
	}
	shared.agent = sync.OnceValues(func() (_ *anki.Agent, err error) {
		agent, err = anki.NewAgent()
		return agent, err
	})
	shared.runtime = sync.OnceValues(func() (*hostrunner.Runtime, error) {
		guest, err := guest()
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(guestPath(), guest, 0o600); err != nil {
			return nil, err
		}
		return hostrunner.New(context.Background(), hostrunner.Options{Guest: guest, CacheDir: cacheDir()})
	})
	shared.seed = sync.OnceValues(func() (*world, error) { return newWorld(filepath.Join(dir, "seed.anki2")) })
	shared.apart = sync.OnceValues(func() (*apart, error) { return newApart(dir) })
	defer func() {
		if server != nil {
			server.Kill()
		}
		if own != nil {
			own.close()
		}
		if agent != nil {
			agent.Close()
		}
	}()
	return m.Run()
}

// guest returns the guest of this source tree, or the one that CARDFERRY_GUEST names.
func guest() ([]byte, error) {
	if os.Getenv(guestfile.Env) != "" {
		return guestfile.Load()
	}
	return guestfile.Build()
}

// guestPath is where the guest is for child processes, cacheDir where it is compiled.
func guestPath() string { return filepath.Join(shared.dir, guestfile.Name) }
func cacheDir() string  { return filepath.Join(shared.dir, "cache") }

// full reports whether every case is to run.
func full() bool { return os.Getenv("CARDFERRY_FULL") != "" }

// sampled reports whether a case belongs to the sample of one in n; always the same ones. Every case does if all are to run.
func sampled(name string, n uint32) bool { return full() || chosen(name, n) }

// chosen reports whether the name falls into a fixed sample of one in n.
func chosen(name string, n uint32) bool {
	h := fnv.New32a()
	h.Write([]byte(name))
	return h.Sum32()%n == 0
}

// nativeOnly reports whether other engines are left out: what they do differently has nothing to do with the server, and the real one has
// run a sample of them.
func nativeOnly() bool { return throughOwn() && !full() }

func get[T any](t testing.TB, f func() (T, error)) T {
	t.Helper()
	anki.Need(t)
	v, err := f()
	if err != nil {
		t.Fatal(err)
	}
	return v
}
