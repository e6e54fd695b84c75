package hostrunner_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner"
)

// slow is a server that answers nothing until it is told to, and then nonsense.
type slow struct {
	account *colsync.Account
	arrived chan string // paths
	open    func()
}

func newSlow(t *testing.T) *slow {
	opened := make(chan struct{})
	s := &slow{arrived: make(chan string, 100), open: sync.OnceFunc(func() { close(opened) })}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the server notices a closed connection only after the body
		s.arrived <- r.URL.Path
		select {
		case <-opened:
			w.WriteHeader(http.StatusInternalServerError)
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(srv.Close)
	t.Cleanup(s.open)
	s.account = &colsync.Account{Endpoint: srv.URL, Key: "k"}
	return s
}

// wantArrived waits for a request to a path.
func (s *slow) wantArrived(t *testing.T, path string) {
	t.Helper()
	if got := <-s.arrived; got != path {
		t.Errorf("a request to %s, want %s", got, path)
	}
}

func (s *slow) status(ctx context.Context, p *hostrunner.Profile) <-chan error {
	return async(func() error {
		_, err := p.Status(ctx, service.StatusParams{Account: s.account})
		return err
	})
}

func (s *slow) mediaSync(ctx context.Context, p *hostrunner.Profile) <-chan error {
	return async(func() error {
		_, err := p.MediaSync(ctx, service.MediaSyncParams{Account: s.account})
		return err
	})
}

func async(do func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	return done
}

func wantRunning(t *testing.T, done <-chan error) {
	t.Helper()
	if len(done) > 0 {
		t.Fatalf("the call has ended: %v", <-done)
	}
}

// putImage makes a media file a.png.
func putImage(t *testing.T, dir string) {
	t.Helper()
	folder := filepath.Join(dir, "collection.media")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "a.png"), []byte("image"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestMediaBeside: while a status and a media sync wait for the server, a file that is here is handed out at once; a
// second media sync is refused; a second status waits; the cancel of one leaves the others.
func TestMediaBeside(t *testing.T) {
	eachEngine(t, func(t *testing.T, o hostrunner.OpenOptions) {
		s := newSlow(t)
		p := open(t, o)
		putImage(t, o.Dir)
		status := s.status(t.Context(), p)
		s.wantArrived(t, "/sync/meta")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		media := s.mediaSync(ctx, p)
		s.wantArrived(t, "/msync/begin")

		get := service.GetMediaParams{Account: s.account, Name: "a.png"}
		f, err := p.GetMedia(t.Context(), get)
		if err != nil || f.Size != 5 || f.SHA1 != "0e76292794888d4f1fa75fb3aff4ca27c58f56a6" {
			t.Errorf("%+v, %v", f, err)
		}
		wantKind(t, <-s.mediaSync(t.Context(), p), fault.Busy)
		wantKind(t, p.ForgetMedia(t.Context()), fault.Busy)
		short, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer stop()
		wantKind(t, <-s.status(short, p), fault.Cancelled)
		wantRunning(t, status)
		wantRunning(t, media)

		cancel()
		began := time.Now()
		wantKind(t, <-media, fault.Cancelled)
		if d := time.Since(began); d > 10*time.Second {
			t.Errorf("the cancel took %v", d)
		}
		wantRunning(t, status)
		s.open()
		wantKind(t, <-status, fault.ServerError)
		if err := p.ForgetMedia(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestMediaCheck(t *testing.T) {
	eachEngine(t, func(t *testing.T, o hostrunner.OpenOptions) {
		p := open(t, o)
		putImage(t, o.Dir)
		r, err := p.MediaCheck(t.Context(), service.MediaCheckParams{})
		if err != nil || !slices.Equal(r.Unused, []string{"a.png"}) || len(r.Missing) != 0 || r.Trashed != 0 {
			t.Errorf("%+v, %v", r, err)
		}
		r, err = p.MediaCheck(t.Context(), service.MediaCheckParams{Apply: true})
		if err != nil || r.Trashed != 1 {
			t.Errorf("%+v, %v", r, err)
		}
		r, err = p.MediaCheck(t.Context(), service.MediaCheckParams{})
		if err != nil || len(r.Unused) != 0 {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

// TestCloseWaits: Close waits for the calls that run, also those that run beside others, and refuses new ones.
func TestCloseWaits(t *testing.T) {
	eachEngine(t, func(t *testing.T, o hostrunner.OpenOptions) {
		s := newSlow(t)
		p := open(t, o)
		putImage(t, o.Dir)
		media := s.mediaSync(t.Context(), p)
		s.wantArrived(t, "/msync/begin")
		closed := async(p.Close)
		var err error
		for err == nil { // until Close has begun
			_, err = p.GetMedia(t.Context(), service.GetMediaParams{Account: s.account, Name: "a.png"})
		}
		wantKind(t, err, fault.Closed)
		wantRunning(t, closed)
		wantRunning(t, media)
		s.open()
		wantKind(t, <-media, fault.ServerError)
		if err := <-closed; err != nil {
			t.Error(err)
		}
		_, err = p.GetMedia(t.Context(), service.GetMediaParams{Account: s.account, Name: "a.png"})
		wantKind(t, err, fault.Closed)
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

// crashing is a network that panics at requests to one path.
type crashing struct {
	host.HTTP
	path string
}

func (c *crashing) Start(ctx context.Context, req *host.Request) host.Call {
	if c.path != "" && strings.HasSuffix(req.URL, c.path) {
		c.path = ""
		panic("ouch")
	}
	return c.HTTP.Start(ctx, req)
}

// TestCrashBeside: the crash of one call ends the others; then a new engine is started, with the collection opened again.
func TestCrashBeside(t *testing.T) {
	eachEngine(t, func(t *testing.T, o hostrunner.OpenOptions) {
		s := newSlow(t)
		o.Wrap = func(h host.Host) host.Host {
			h.HTTP = &crashing{h.HTTP, "/msync/begin"}
			return h
		}
		p := open(t, o)
		status := s.status(t.Context(), p)
		s.wantArrived(t, "/sync/meta")
		wantKind(t, <-s.mediaSync(t.Context(), p), fault.Internal)
		wantKind(t, <-status, fault.Internal)
		if st, err := p.Status(t.Context(), service.StatusParams{Offline: true}); err != nil || st.Required != "none" {
			t.Errorf("%+v, %v", st, err)
		}
		_, _, err := p.Query(t.Context(), "SELECT 1 FROM col")
		if err != nil {
			t.Error(err)
		}
	})
}
