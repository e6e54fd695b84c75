package syncserver_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardferry/cardferry/hostrunner/syncserver"
)

// Another handler has the server's limits, and is counted as well.
func TestRest(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var seen []syncserver.Observation
	s := &syncserver.Server{
		Limits: syncserver.Limits{Payload: 1000},
		Rest: func(r *http.Request) (string, http.Handler) {
			if r.URL.Path != "/other" {
				return "", nil
			}
			return "other", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if b, err := io.ReadAll(r.Body); err != nil {
					w.WriteHeader(413)
				} else {
					w.Write(b)
				}
			})
		},
		Observe: func(o syncserver.Observation) {
			mu.Lock()
			seen = append(seen, o)
			mu.Unlock()
		},
	}
	url := serve(t, s)
	if resp := do(t, "POST", url+"other", []byte("short"), nil); resp.StatusCode != 200 || string(resp.body) != "short" {
		t.Error(resp.StatusCode, string(resp.body))
	}
	if resp := do(t, "POST", url+"other", make([]byte, 1001), nil); resp.StatusCode != 413 {
		t.Error(resp.StatusCode)
	}
	if resp := do(t, "POST", url+"else", nil, nil); resp.StatusCode != 404 {
		t.Error(resp.StatusCode)
	}
	newClient(t, s, url, "ada").must("sync/start", []byte(`{"minUsn":0,"lnewer":true,"graves":null}`))
	if got := s.Stats(); got != (syncserver.Stats{Accounts: 1, Collections: 1, Sessions: 1}) {
		t.Errorf("%+v", got)
	}
	mu.Lock()
	defer mu.Unlock()
	if o := seen[0]; o.Endpoint != "other" || o.In != 5 || o.Out != 5 || o.Status != 200 {
		t.Errorf("%+v", o)
	}
}

// A body that stops coming, and an answer that nobody takes, end the connection, whoever serves the path.
func TestStalled(t *testing.T) {
	t.Parallel()
	s := &syncserver.Server{
		Limits: syncserver.Limits{Stall: 20 * time.Millisecond},
		Rest: func(*http.Request) (string, http.Handler) {
			return "other", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, err := io.Copy(io.Discard, r.Body)
				for err == nil {
					_, err = w.Write(make([]byte, 1<<20))
				}
				panic(http.ErrAbortHandler)
			})
		},
	}
	url := serve(t, s)
	c := newClient(t, s, url, "ada")
	for name, head := range map[string]string{
		"message": "POST /sync/meta HTTP/1.1\r\nanki-sync: " + c.header() + "\r\nContent-Length: 100",
		"upload":  "POST /sync/upload HTTP/1.1\r\nanki-sync: " + c.header() + "\r\nContent-Length: 100",
		"chunked": "POST /sync/meta HTTP/1.1\r\nanki-sync: " + c.header() + "\r\nTransfer-Encoding: chunked",
		"sign-up": "POST /api/signup HTTP/1.1\r\nContent-Length: 100",
		"other":   "POST /x HTTP/1.1\r\nContent-Length: 100",
	} {
		conn, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "%s\r\nHost: h\r\n\r\n", head)
		_, _ = io.Copy(io.Discard, conn) // hangs, if it is not cut off
		if name == "other" {
			taker, err := net.Dial("tcp", conn.RemoteAddr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer taker.Close()
			fmt.Fprint(taker, "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
			// Close waits for the requests that are under way: the test ends only if this one does.
		}
	}
}

// 10,000 sign-ups from as many addresses make no more accounts than the server allows on the whole, and the rest costs no password hash.
func TestFloodOfSignUps(t *testing.T) {
	t.Parallel()
	now := newClock()
	s := &syncserver.Server{Now: now.now, ClientIP: fromHeader, Passwords: cheap}
	statuses := map[int]int{}
	for i := range 10_000 {
		r := httptest.NewRequest("POST", "/api/signup", strings.NewReader(fmt.Sprintf(`{"user":"u%d","password":%q}`, i, password)))
		r.Header.Set("from", fmt.Sprintf("192.%d.%d.1", i/256, i%256))
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		statuses[w.Code]++
	}
	list, err := s.Accounts.List(t.Context())
	if err != nil || len(list) != 400 || statuses[201] != 400 || statuses[429] != 9600 {
		t.Errorf("%d accounts, %v: %v", len(list), statuses, err)
	}
}
