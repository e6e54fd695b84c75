package browsertest

import (
	"embed"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/anki"
)

//go:embed testdata/*.html testdata/*.js
var pages embed.FS

// Server is the one origin of a test: the page, the built package, and a sync server behind it. Each server has a
// port, so an origin and a storage, of its own.
type Server struct {
	URL string // ends in "/"

	http      *httptest.Server
	intercept atomic.Pointer[Interceptor]
	upstream  atomic.Pointer[url.URL]
	forward   http.Handler
}

// Forward sends the following requests to another sync server.
func (s *Server) Forward(t testing.TB, upstream string) {
	t.Helper()
	target, err := url.Parse(upstream)
	if err != nil {
		t.Fatal(err)
	}
	s.upstream.Store(target)
}

// Interceptor gets every request for the sync server first and reports whether it has answered it.
type Interceptor = func(w http.ResponseWriter, r *http.Request) bool

// Intercept sets the interceptor of the following requests; nil takes it away.
func (s *Server) Intercept(f Interceptor) {
	if f == nil {
		s.intercept.Store(nil)
	} else {
		s.intercept.Store(&f)
	}
}

// Drop closes the connections with all requests on them.
func (s *Server) Drop() { s.http.CloseClientConnections() }

// PassOn sends a request to the sync server that an interceptor has got.
func (s *Server) PassOn(w http.ResponseWriter, r *http.Request) { s.forward.ServeHTTP(w, r) }

// NewServer starts a server; upstream is the base URL of a sync server, "" for none.
func NewServer(t testing.TB, upstream string) *Server {
	t.Helper()
	return serve(t, upstream, (*httptest.Server).Start)
}

// NewSecureServer is NewServer with TLS, and so HTTP/2, as pages have it outside of this machine: requests share a connection, and there
// may be more than six at once.
func NewSecureServer(t testing.TB, upstream string) *Server {
	t.Helper()
	return serve(t, upstream, func(s *httptest.Server) {
		s.EnableHTTP2 = true
		s.StartTLS()
	})
}

func serve(t testing.TB, upstream string, start func(*httptest.Server)) *Server {
	t.Helper()
	dist := distFolder(t)
	s := &Server{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, pages, "testdata/page.html")
	})
	mux.HandleFunc("GET /testdata/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Service-Worker-Allowed", "/") // for those of apps
		http.FileServerFS(pages).ServeHTTP(w, r)
	})
	files := http.StripPrefix("/dist/", http.FileServer(http.Dir(dist)))
	mux.HandleFunc("GET /dist/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable") // as cardferry serve does: there the names have a hash
		files.ServeHTTP(w, r)
	})
	for _, name := range []string{"serviceWorker.js", "serviceWorker-1.js", "serviceWorker-2.js"} { // as two versions of an app name it
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
			http.ServeFile(w, r, filepath.Join(dist, "serviceWorker.js"))
		})
	}
	if upstream != "" {
		s.Forward(t, upstream)
		proxy := s.proxy()
		for _, path := range []string{"/sync/", "/msync/", "/api/", "/upstream/"} {
			mux.Handle(path, proxy)
		}
	}
	srv := httptest.NewUnstartedServer(mux)
	start(srv)
	s.http = srv
	s.URL = srv.URL + "/"
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
	})
	return s
}

func (s *Server) proxy() http.Handler {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 16 // as many requests of a page are under way at once
	forward := &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			target := s.upstream.Load()
			r.SetURL(target)
			r.Out.Host = target.Host
		},
		// A body that breaks off has begun to arrive: Chromium itself repeats a request that was not answered at all.
		FlushInterval: -1,
		// What the upstream does to a connection happens to the page's. A page that goes away is no defect.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	s.forward = anki.Reverse(forward)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f := s.intercept.Load(); f != nil && (*f)(w, r) {
			return
		}
		s.forward.ServeHTTP(w, r)
	})
}

// distFolder returns jsbridge/dist, and skips the test (see Start) if the package is not built.
func distFolder(t testing.TB) string {
	t.Helper()
	_, file, _, _ := runtime.Caller(0)
	dist := filepath.Join(filepath.Dir(file), "..", "..", "jsbridge", "dist")
	if _, err := os.Stat(filepath.Join(dist, "worker.js")); err != nil {
		missing(t, "the bridge is not built: run make")
	}
	return dist
}
