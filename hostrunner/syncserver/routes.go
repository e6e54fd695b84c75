package syncserver

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Observation is what a request was and cost.
type Observation struct {
	// Endpoint is "sync/meta", "api/signup" and so on, "" for paths that are none of ours.
	Endpoint string
	Status   int
	Elapsed  time.Duration
	In, Out  int64 // bytes of the bodies as they were sent
}

// ServeHTTP serves the paths of contract.md §5 but for the gateway and the app: /sync/, /msync/, /api/, /health.
// What is none of them is a 404, as with the reference (§2.2).
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.start()
	s.requests.Add(1)
	defer s.requests.Done()
	c := newCall(s, w, r)
	defer c.end()
	if s.isClosing() {
		c.fail(unavailable("the server is being stopped"))
		return
	}
	if s.Origins.Handle(c.w, r) {
		return
	}
	s.route(c)
}

func (s *Server) isClosing() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

// route finds what a path stands for. Path is used, not RequestURI: methods have no characters to be escaped.
func (s *Server) route(c *call) {
	path := c.r.URL.Path
	switch {
	case path == "/health":
		if c.allow("GET", "HEAD") {
			c.endpoint = "health" // 200 as long as the process answers (contract.md §5): who finds the disk full should not restart it
		}
	case strings.HasPrefix(path, "/sync/"):
		s.protocol(c, "sync/", path[len("/sync/"):])
	case strings.HasPrefix(path, "/msync/"):
		s.protocol(c, "msync/", path[len("/msync/"):])
	case strings.HasPrefix(path, "/api/"):
		s.api(c, path[len("/api/"):])
	default:
		s.rest(c)
	}
}

// protocol serves a method of the sync protocol.
func (s *Server) protocol(c *call, prefix, name string) {
	if name == "" || strings.Contains(name, "/") {
		c.empty(http.StatusNotFound)
		return
	}
	if prefix+name == "msync/begin" && c.r.Method == http.MethodGet {
		// The form of the protocol up to version 10 (media-sync.md §4.1), see readHeader. The key in its query is not looked at.
		c.endpoint = prefix + name
		c.fail(refuse(http.StatusNotImplemented, "a client of protocol version 10 or older"))
		return
	}
	if !c.allow("POST") {
		return
	}
	m := methodNamed(prefix + name)
	if m == nil {
		c.text(http.StatusBadRequest, "unknown method")
		return
	}
	c.endpoint = prefix + name
	c.serve(m)
}

// allow reports whether the request has one of the given verbs, and answers it if not.
func (c *call) allow(verbs ...string) bool {
	for _, v := range verbs {
		if c.r.Method == v {
			return true
		}
	}
	c.w.Header().Set("Allow", strings.Join(verbs, ", "))
	c.empty(http.StatusMethodNotAllowed)
	return false
}

// empty answers with a status alone. Its length is told, as of all short answers by the reference: we send them before net/http could see it.
func (c *call) empty(status int) {
	c.w.Header().Set("Content-Length", "0")
	c.w.WriteHeader(status)
}

// text answers with a plain text.
func (c *call) text(status int, text string) {
	c.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	c.w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	c.w.WriteHeader(status)
	_, _ = io.WriteString(c.w, text)
}

// remoteIP is where the connection comes from.
func remoteIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
