package interop_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner"
	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/nodetest"
)

// engine is where the core of a device of ours runs.
type engine string

const (
	inProcess engine = "native"
	wazero    engine = "wazero"
	// The guest under Node, as the file that is shipped and as a GOOS=js build, and in a page of Chromium. What edits the
	// collection there gets it as a file, and puts it back (remote).
	nodeReactor engine = "node wasip1"
	nodeProgram engine = "node js"
	inPage      engine = "page"
)

func (e engine) String() string { return string(e) }

// runner is the engine of the Go library.
func (e engine) runner() hostrunner.Engine {
	if e == wazero {
		return hostrunner.Wazero
	}
	return hostrunner.Native
}

// cancels is how long a cancel may take. To a page, the order itself takes its time.
func (e engine) cancels() time.Duration {
	if e == inPage {
		return 3 * time.Second
	}
	return time.Second
}

// profile is an open profile on any engine; hostrunner.Profile says what the methods do.
type profile interface {
	Status(context.Context, service.StatusParams) (service.StatusResult, error)
	Sync(context.Context, service.SyncParams) (service.SyncResult, error)
	Upload(context.Context, service.TransferParams) (service.TransferResult, error)
	Download(context.Context, service.TransferParams) (service.TransferResult, error)
	Backups(context.Context) (service.BackupsResult, error)
	Restore(context.Context, service.RestoreParams) (service.RestoreResult, error)
	Close() error
}

// open opens the profile whose collection is, or is to be, at path.
func (e engine) open(t testing.TB, acc *anki.Account, endpoint, path string) (profile, error) {
	t.Helper()
	switch e {
	case nodeReactor:
		return newRemote(t, startNode(t, nodetest.Reactor), path), nil
	case nodeProgram:
		return newRemote(t, startNode(t, nodetest.Program), path), nil
	case inPage:
		return newRemote(t, startPage(t, acc, endpoint), path), nil
	}
	o := hostrunner.OpenOptions{Dir: filepath.Dir(path), Engine: e.runner(), Create: true}
	return get(t, shared.runtime).Open(t.Context(), o)
}

// locals runs do with the native engine and, if the sample of one in n has this test, with wazero. Tests with a large n are
// many of a kind.
func locals(t *testing.T, n uint32, do func(t *testing.T, e engine)) {
	for _, e := range []engine{inProcess, wazero} {
		every := uint32(1)
		switch {
		case e == wazero && nativeOnly():
			continue
		case e == wazero && testing.Short():
			every = n * n
		case e == wazero:
			every = n
		case testing.Short() && n >= 4:
			every = 6
		}
		if sampled(t.Name(), every) {
			t.Run(e.String(), func(t *testing.T) {
				t.Parallel()
				do(t, e)
			})
		}
	}
}

// engines is locals with the engines of the Go library.
func engines(t *testing.T, n uint32, do func(t *testing.T, e hostrunner.Engine)) {
	locals(t, n, func(t *testing.T, e engine) { do(t, e.runner()) })
}

// hosts is locals, and for a smaller sample the other engines. Their collection is edited between two calls only, and they are
// not killed here (hostrunner/browsertest does that).
func hosts(t *testing.T, n uint32, do func(t *testing.T, e engine)) {
	cutOff(t, n, do)
	remotes(t, map[engine]uint32{inPage: 4 * n}, do)
}

// cutOff is hosts for tests in which a connection breaks, so without the page: Chromium itself sends a request again if a
// connection that was used before breaks.
func cutOff(t *testing.T, n uint32, do func(t *testing.T, e engine)) {
	locals(t, n, do)
	remotes(t, map[engine]uint32{nodeReactor: 3 * n, nodeProgram: 4 * n}, do)
}

// remotes runs do on those engines whose sample of one in so many has this test.
func remotes(t *testing.T, samples map[engine]uint32, do func(t *testing.T, e engine)) {
	for e, every := range samples {
		if testing.Short() || nativeOnly() || !sampled(t.Name()+e.String(), every) {
			continue
		}
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			do(t, e)
		})
	}
}
