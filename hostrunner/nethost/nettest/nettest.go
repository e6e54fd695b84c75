// Package nettest is the server that the contract suite of host.HTTP (coretest.TestHTTP) talks to.
package nettest

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Server starts the server and returns its address, without a slash at the end. It ends with the test.
func Server(t testing.TB) string {
	t.Helper()
	s := httptest.NewUnstartedServer(Handler())
	s.Listener = smallBuffers{s.Listener}
	s.Start()
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s.URL
}

// smallBuffers keeps the system from taking a large body before the handler reads it.
type smallBuffers struct{ net.Listener }

func (l smallBuffers) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok {
		tcp.SetReadBuffer(64 << 10)
	}
	return c, err
}

// DeadURL returns an address where nothing answers.
func DeadURL(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

// Handler has the paths that are listed at coretest.HTTPFixture. It allows pages of any origin.
func Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/echo", echo)
	mux.HandleFunc("/status/{code}", status)
	mux.HandleFunc("/redirect", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "/echo")
		w.WriteHeader(http.StatusPermanentRedirect)
	})
	mux.HandleFunc("/big", big)
	mux.HandleFunc("/gzip", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		io.WriteString(w, "not gzip")
	})
	mux.HandleFunc("/cookie", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b", Path: "/"})
	})
	mux.HandleFunc("/silent", func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	mux.HandleFunc("/halt", func(w http.ResponseWriter, r *http.Request) {
		tenOfHundred(w, r)
		<-r.Context().Done()
	})
	mux.HandleFunc("/cut", tenOfHundred) // net/http closes the connection of an answer that is too short
	mux.HandleFunc("/drip", drip)
	mux.HandleFunc("/slow", slow)
	return allowOrigins(mux)
}

func allowOrigins(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Allow-Headers", "*")
		h.Set("Access-Control-Expose-Headers", "*")
		if r.Method == http.MethodOptions {
			return
		}
		next.ServeHTTP(w, r)
	})
}

func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	header := map[string]string{}
	for name, values := range r.Header {
		header[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	if len(r.TransferEncoding) > 0 {
		header["transfer-encoding"] = r.TransferEncoding[0]
	}
	json.NewEncoder(w).Encode(map[string]any{
		"method": r.Method, "header": header, "length": r.ContentLength, "body": string(body),
	})
}

func status(w http.ResponseWriter, r *http.Request) {
	code, err := strconv.Atoi(r.PathValue("code"))
	if err != nil {
		code = http.StatusNotFound
	}
	io.Copy(io.Discard, r.Body)
	w.WriteHeader(code)
	fmt.Fprintf(w, "status %d", code)
}

func big(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.FormValue("n"))
	if r.FormValue("length") != "0" {
		w.Header().Set("Content-Length", strconv.Itoa(n))
	} else {
		w.(http.Flusher).Flush()
	}
	part := []byte(strings.Repeat("x", 64<<10))
	for n > 0 {
		m, err := w.Write(part[:min(n, len(part))])
		if err != nil {
			return
		}
		n -= m
	}
}

func tenOfHundred(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Length", "100")
	io.WriteString(w, "0123456789")
	w.(http.Flusher).Flush()
}

func drip(w http.ResponseWriter, r *http.Request) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for range 6 {
		<-tick.C
		io.WriteString(w, ".")
		w.(http.Flusher).Flush()
	}
}

func slow(w http.ResponseWriter, r *http.Request) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	var total int64
	for {
		<-tick.C
		n, err := io.CopyN(io.Discard, r.Body, 40<<10)
		total += n
		if err != nil {
			break
		}
	}
	fmt.Fprint(w, total)
}
