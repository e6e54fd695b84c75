package coretest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
)

// HTTPFixture is what TestHTTP needs: an implementation, its files and media files, and a server.
//
// The server (hostrunner/nethost/nettest has it) answers, below BaseURL:
//
//	/echo        200, JSON {method, header (lower-case names), length (content-length), body}
//	/status/N    status N with the body "status N"
//	/redirect    308 with location /echo
//	/big?n=N     200, N bytes "x"; with &length=0 without a content-length
//	/gzip        200, header content-encoding: gzip, the raw body "not gzip"
//	/cookie      200, set-cookie; /echo then must not show one
//	/silent      reads the body, answers nothing until the client goes
//	/halt        200, content-length 100, 10 bytes, then nothing until the client goes
//	/drip        200, 6 bytes, one every 100 ms
//	/cut         200, content-length 100, 10 bytes, end of the connection
//	/slow        reads the body at about 4 MiB/s, answers its length
type HTTPFixture struct {
	HTTP    host.HTTP
	Files   host.Files
	Media   host.Media
	BaseURL string // without a slash at the end
	DeadURL string // an address where nothing answers
}

// TestHTTP is the contract of host.HTTP.
func TestHTTP(t *testing.T, open func(t *testing.T) *HTTPFixture) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, f *HTTPFixture)
	}{
		{"request and answer", testEcho},
		{"body from a file", testBodyFile},
		{"body of parts", testBodyParts},
		{"parts that changed", testChangedParts},
		{"statuses are answers", testStatuses},
		{"redirects are not followed", testRedirect},
		{"bodies are not decoded", testGzip},
		{"no cookies", testCookies},
		{"limit", testLimit},
		{"stream", testStream},
		{"several calls", testSeveral},
		{"stall", testStall},
		{"no total deadline", testDrip},
		{"broken answers", testBroken},
		{"cancel", testHTTPCancel},
		{"close", testClose},
		{"progress of a large body", testProgress},
		{"bad requests", testBadRequests},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, open(t))
		})
	}
}

// Do sends a request and waits for its answer.
func Do(ctx context.Context, h host.HTTP, req *host.Request) (*host.Response, error) {
	call := h.Start(ctx, req)
	defer call.Close()
	if err := WaitFor(ctx, h, call); err != nil {
		return nil, err
	}
	return call.Response()
}

// WaitFor waits until the call has its answer.
func WaitFor(ctx context.Context, h host.HTTP, call host.Call) error {
	for {
		if i, err := h.Wait(ctx, []host.Call{call}); i == 0 || err != nil {
			return err
		}
	}
}

func (f *HTTPFixture) request(path string) *host.Request {
	return &host.Request{Method: "POST", URL: f.BaseURL + path, Limit: 1 << 20, Stall: 10 * time.Second}
}

func (f *HTTPFixture) do(t *testing.T, req *host.Request) *host.Response {
	t.Helper()
	resp, err := Do(context.Background(), f.HTTP, req)
	Must(t, err)
	return resp
}

// echoed is the answer of /echo.
type echoed struct {
	Method string
	Header map[string]string
	Length int64
	Body   string
}

func (f *HTTPFixture) echo(t *testing.T, req *host.Request) echoed {
	t.Helper()
	resp := f.do(t, req)
	var e echoed
	if resp.Status != 200 {
		t.Fatalf("status %d", resp.Status)
	}
	Must(t, json.Unmarshal(resp.Body, &e))
	return e
}

func testEcho(t *testing.T, f *HTTPFixture) {
	for _, body := range []string{"", "hello", strings.Repeat("long ", 100_000)} {
		req := f.request("/echo?a=b%20c")
		req.Header = map[string]string{"anki-sync": `{"v":11}`, "content-type": "application/octet-stream"}
		req.Body = []byte(body)
		e := f.echo(t, req)
		if e.Method != "POST" || e.Body != body || e.Length != int64(len(body)) {
			t.Errorf("arrived: %s, %d bytes of %d announced", e.Method, len(e.Body), e.Length)
		}
		if e.Header["anki-sync"] != `{"v":11}` || e.Header["content-type"] != "application/octet-stream" {
			t.Errorf("header: %v", e.Header)
		}
		if e.Header["transfer-encoding"] != "" {
			t.Errorf("the body came without a length")
		}
	}
	req := f.request("/echo")
	req.Method = "GET"
	if e := f.echo(t, req); e.Method != "GET" {
		t.Errorf("method %s", e.Method)
	}
}

func testBodyFile(t *testing.T, f *HTTPFixture) {
	body := strings.Repeat("0123456789", 300_000)
	Must(t, WriteFile(f.Files, "cardferry.tmp/up", []byte(body)))
	req := f.request("/echo")
	req.BodyFile, req.Limit = "cardferry.tmp/up", 8<<20
	call := f.HTTP.Start(context.Background(), req)
	defer call.Close()
	Must(t, WaitFor(context.Background(), f.HTTP, call))
	resp, err := call.Response()
	Must(t, err)
	var e echoed
	Must(t, json.Unmarshal(resp.Body, &e))
	if e.Body != body || e.Length != int64(len(body)) || call.Sent() != int64(len(body)) {
		t.Errorf("arrived: %d bytes, announced %d, sent %d", len(e.Body), e.Length, call.Sent())
	}
	req = f.request("/echo")
	req.BodyFile = "cardferry.tmp/none"
	_, err = Do(context.Background(), f.HTTP, req)
	WantKind(t, err, fault.NotFound)
}

func testStatuses(t *testing.T, f *HTTPFixture) {
	for _, s := range []string{"200", "400", "403", "404", "409", "413", "500", "501", "503"} {
		for _, stream := range []bool{false, s != "200"} {
			req := f.request("/status/" + s)
			req.Stream = stream
			if resp := f.do(t, req); string(resp.Body) != "status "+s {
				t.Errorf("%s: status %d, body %q", s, resp.Status, resp.Body)
			}
		}
	}
}

func testRedirect(t *testing.T, f *HTTPFixture) {
	resp := f.do(t, f.request("/redirect"))
	if resp.Status != 308 || resp.Header["location"] != "/echo" {
		t.Errorf("got %d, location %q", resp.Status, resp.Header["location"])
	}
}

func testGzip(t *testing.T, f *HTTPFixture) {
	resp := f.do(t, f.request("/gzip"))
	if string(resp.Body) != "not gzip" {
		t.Errorf("body %q", resp.Body)
	}
}

func testCookies(t *testing.T, f *HTTPFixture) {
	f.do(t, f.request("/cookie"))
	if e := f.echo(t, f.request("/echo")); e.Header["cookie"] != "" {
		t.Errorf("sent the cookie %q", e.Header["cookie"])
	}
}

func testLimit(t *testing.T, f *HTTPFixture) {
	for _, query := range []string{"", "&length=0"} {
		for _, n := range []string{"0", "999", "1000"} {
			req := f.request("/big?n=" + n + query)
			req.Limit = 1000
			if resp := f.do(t, req); strings.Repeat("x", len(resp.Body)) != string(resp.Body) {
				t.Errorf("%s bytes: wrong body", n)
			}
		}
		for _, n := range []string{"1001", "100000000"} {
			req := f.request("/big?n=" + n + query)
			req.Limit = 1000
			_, err := Do(context.Background(), f.HTTP, req)
			WantKind(t, err, fault.DamagedDownload)
		}
	}
}

func testStream(t *testing.T, f *HTTPFixture) {
	const size = 5_000_000
	req := f.request("/big?n=5000000")
	req.Stream, req.Limit = true, 10 // a streamed body has no limit
	ctx := context.Background()
	call := f.HTTP.Start(ctx, req)
	defer call.Close()
	Must(t, WaitFor(ctx, f.HTTP, call))
	resp, err := call.Response()
	Must(t, err)
	if resp.Status != 200 || len(resp.Body) != 0 || resp.Header["content-length"] != "5000000" {
		t.Errorf("head: %d, %v, %d bytes", resp.Status, resp.Header, len(resp.Body))
	}
	total, buf := 0, make([]byte, 100_000)
	for {
		n, err := call.Read(ctx, buf)
		if n == 0 && err == nil {
			t.Fatal("read nothing, without an error")
		}
		if bytes.Count(buf[:n], []byte("x")) != n {
			t.Fatal("wrong content")
		}
		total += n
		if err == io.EOF {
			break
		}
		Must(t, err)
	}
	if total != size {
		t.Errorf("%d bytes arrived", total)
	}
	if _, err := call.Read(ctx, buf); err != io.EOF {
		t.Errorf("read after the end: %v", err)
	}
}

func testSeveral(t *testing.T, f *HTTPFixture) {
	ctx := context.Background()
	const count = 40
	calls := make([]host.Call, count)
	index := make([]int, count) // of calls
	for i := range calls {
		req := f.request("/echo")
		req.Body = []byte{byte('A' + i)}
		calls[i], index[i] = f.HTTP.Start(ctx, req), i
	}
	for len(calls) > 0 {
		i, err := f.HTTP.Wait(ctx, calls)
		Must(t, err)
		if i < 0 {
			t.Fatal("woken up without a large body")
		}
		resp, err := calls[i].Response()
		Must(t, err)
		var e echoed
		Must(t, json.Unmarshal(resp.Body, &e))
		if e.Body != string(rune('A'+index[i])) {
			t.Errorf("call %d got the answer to %q", index[i], e.Body)
		}
		calls[i].Close()
		calls = append(calls[:i], calls[i+1:]...)
		index = append(index[:i], index[i+1:]...)
	}
}

func testStall(t *testing.T, f *HTTPFixture) {
	for _, path := range []string{"/silent", "/halt"} {
		req := f.request(path)
		req.Stall, req.Body = 200*time.Millisecond, []byte("x")
		_, err := Do(context.Background(), f.HTTP, req)
		WantKind(t, err, fault.Timeout)
	}
	req := f.request("/halt")
	req.Stall, req.Stream = 200*time.Millisecond, true
	call := f.HTTP.Start(context.Background(), req)
	defer call.Close()
	Must(t, WaitFor(context.Background(), f.HTTP, call))
	_, err := io.Copy(io.Discard, Body(context.Background(), call))
	WantKind(t, err, fault.Timeout)
}

// Body returns the streamed body of a call as a reader.
func Body(ctx context.Context, call host.Call) io.Reader { return bodyReader{ctx, call} }

type bodyReader struct {
	ctx  context.Context
	call host.Call
}

func (r bodyReader) Read(p []byte) (int, error) { return r.call.Read(r.ctx, p) }

func testDrip(t *testing.T, f *HTTPFixture) {
	req := f.request("/drip") // takes 600 ms
	req.Stall = 400 * time.Millisecond
	if resp := f.do(t, req); len(resp.Body) != 6 {
		t.Errorf("body %q", resp.Body)
	}
}

func testBroken(t *testing.T, f *HTTPFixture) {
	_, err := Do(context.Background(), f.HTTP, f.request("/cut"))
	WantKind(t, err, fault.Network)
	req := f.request("/cut")
	req.Stream = true
	call := f.HTTP.Start(context.Background(), req)
	defer call.Close()
	Must(t, WaitFor(context.Background(), f.HTTP, call))
	n, err := io.Copy(io.Discard, Body(context.Background(), call))
	WantKind(t, err, fault.Network)
	if n != 10 {
		t.Errorf("%d bytes before the end", n)
	}
	req = f.request("")
	req.URL = f.DeadURL + "/secret-path"
	_, err = Do(context.Background(), f.HTTP, req)
	WantKind(t, err, fault.Network)
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("the URL is in %q", err)
	}
}

func testHTTPCancel(t *testing.T, f *HTTPFixture) {
	ctx, cancel := context.WithCancel(context.Background())
	req := f.request("/silent")
	call := f.HTTP.Start(ctx, req)
	defer call.Close()
	time.AfterFunc(50*time.Millisecond, cancel)
	start := time.Now()
	_, err := f.HTTP.Wait(ctx, []host.Call{call})
	WantKind(t, err, fault.Cancelled)
	Must(t, WaitFor(context.Background(), f.HTTP, call))
	_, err = call.Response()
	WantKind(t, err, fault.Cancelled)

	ctx, cancel = context.WithCancel(context.Background())
	defer cancel()
	req = f.request("/halt")
	req.Stream = true
	call = f.HTTP.Start(context.Background(), req)
	defer call.Close()
	Must(t, WaitFor(context.Background(), f.HTTP, call))
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err = io.Copy(io.Discard, Body(ctx, call))
	WantKind(t, err, fault.Cancelled)
	if d := time.Since(start); d > time.Second {
		t.Errorf("two cancels took %v", d)
	}
}

func testClose(t *testing.T, f *HTTPFixture) {
	ctx := context.Background()
	start := time.Now()
	for _, path := range []string{"/silent", "/halt", "/big?n=100000000"} {
		for _, wait := range []bool{false, true} {
			req := f.request(path)
			req.Stream = true
			call := f.HTTP.Start(ctx, req)
			if wait && path != "/silent" {
				Must(t, WaitFor(ctx, f.HTTP, call))
			}
			call.Close()
			call.Close()
		}
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("closing took %v", d)
	}
}

func testProgress(t *testing.T, f *HTTPFixture) {
	body := make([]byte, 4<<20)
	req := f.request("/slow")
	req.Body = body
	ctx := context.Background()
	start := time.Now()
	call := f.HTTP.Start(ctx, req)
	defer call.Close()
	wakes, last := 0, int64(0)
	for {
		i, err := f.HTTP.Wait(ctx, []host.Call{call})
		Must(t, err)
		if sent := call.Sent(); sent < last || sent > int64(len(body)) {
			t.Errorf("sent %d after %d", sent, last)
		} else {
			last = sent
		}
		if i == 0 {
			break
		}
		wakes++
	}
	if last != int64(len(body)) {
		t.Errorf("sent %d in the end", last)
	}
	if most := int(time.Since(start)/(50*time.Millisecond)) + 1; wakes < 2 || wakes > most {
		t.Errorf("%d wake-ups in %v", wakes, time.Since(start))
	}
}

func testBadRequests(t *testing.T, f *HTTPFixture) {
	for _, u := range []string{
		"", "no scheme", "ftp://127.0.0.1/", "http://", "http:///path", "http://user:secret@[bad/", "http://127.0.0.1:secret/", "javascript:secret()",
		"http://127.0.0.1/%zzsecret", "http://secret\x7f/",
	} {
		req := f.request("")
		req.URL = u
		_, err := Do(context.Background(), f.HTTP, req)
		WantKind(t, err, fault.InvalidInput)
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("the URL is in %q", err)
		}
	}
	req := f.request("/echo")
	req.Header = map[string]string{"x-bad": "a\r\nInjected: secret"}
	_, err := Do(context.Background(), f.HTTP, req)
	WantKind(t, err, fault.InvalidInput)
}
