// Package hostrunner runs the core on this machine: it loads the Wasm guest into wazero, lends it SQLite, the network
// and the files of a profile folder, and offers what the core does as typed methods.
//
//	rt, err := hostrunner.New(ctx, hostrunner.Options{})
//	defer rt.Close(ctx)
//	p, err := rt.Open(ctx, hostrunner.OpenOptions{Dir: "/home/me/cards", Create: true})
//	defer p.Close()
//	login, err := p.Login(ctx, service.LoginParams{Endpoint: "https://sync.example.org/", User: "me", Password: "…"})
//	report, err := p.Sync(ctx, service.SyncParams{Account: &colsync.Account{Endpoint: login.Endpoint, Key: login.Key}})
//
// Errors are *fault.Error, the same for both engines, so errors.Is(err, fault.Auth) works.
package hostrunner

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"sync"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/guestfile"
)

// Options are those of a Runtime. The zero value is ready.
type Options struct {
	// CacheDir keeps the compiled guest between runs; several processes may share it. Empty means the user's cache
	// folder, "-" none.
	CacheDir string
	// Guest is the guest file, core.wasm. Nil means guestfile.Load.
	Guest []byte
}

// Runtime has the compiled guest. It may be used by several goroutines.
type Runtime struct {
	opts Options

	mu     sync.Mutex
	guest  *guest // nil until a profile needs it
	closed bool
}

// New returns a runtime. The guest is read and compiled when the first profile with engine Wazero makes its first call; with
// a filled cache that takes a few milliseconds.
func New(_ context.Context, opts Options) (*Runtime, error) {
	return &Runtime{opts: opts}, nil
}

// Close releases the compiled guest, at once or with the last profile that uses it. Profiles that have made no call yet, and new ones,
// get fault.Closed.
func (rt *Runtime) Close(ctx context.Context) error {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	rt.closed = true
	if rt.guest == nil {
		return nil
	}
	g := rt.guest
	rt.guest = nil
	return g.release(ctx)
}

// GuestSHA256 returns the SHA-256 of the guest file as hexadecimal digits.
func (rt *Runtime) GuestSHA256() (string, error) {
	b, err := rt.guestBytes()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

func (rt *Runtime) guestBytes() ([]byte, error) {
	if rt.opts.Guest != nil {
		return rt.opts.Guest, nil
	}
	return guestfile.Load()
}

func (rt *Runtime) isClosed() bool {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	return rt.closed
}

// compiled returns the guest, compiling it the first time. The caller releases it.
func (rt *Runtime) compiled(ctx context.Context) (*guest, error) {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	if rt.guest != nil {
		rt.guest.use()
		return rt.guest, nil
	}
	b, err := rt.guestBytes()
	if err != nil {
		return nil, err
	}
	g, err := compile(ctx, b, rt.cacheDir())
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "load the guest")
	}
	rt.guest = g
	g.use()
	return g, nil
}

// cacheDir returns the folder of the compilation cache, "" for none: a machine without a home works, only slower.
func (rt *Runtime) cacheDir() string {
	switch rt.opts.CacheDir {
	case "-":
		return ""
	case "":
		dir, err := os.UserCacheDir()
		if err != nil {
			return ""
		}
		return filepath.Join(dir, "cardferry", "guest")
	}
	return rt.opts.CacheDir
}
