package hostrunner

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/unicase"
	"github.com/cardferry/cardferry/wasm/abi"
)

// testGuest builds the guest with the service of testdata/testguest behind the boundary, once.
var testGuest = sync.OnceValues(func() (*guest, error) {
	dir, err := os.MkdirTemp("", "testguest")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	root, err := filepath.Abs("..")
	if err != nil {
		return nil, err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(root, "wasm", "guest", "main.go"): filepath.Join(root, "hostrunner", "testdata", "testguest", "main.go"),
	}})
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600)
	}
	if err != nil {
		return nil, err
	}
	out := filepath.Join(dir, "test.wasm")
	cmd := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-buildmode=c-shared", "-o", out, "./wasm/guest")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, text)
	}
	file, err := os.ReadFile(out)
	if err != nil {
		return nil, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = dir
	}
	return compile(context.Background(), file, filepath.Join(cache, "cardferry", "test"))
})

func newTestInstance(t *testing.T, o OpenOptions) *instance {
	t.Helper()
	g, err := testGuest()
	if err != nil {
		t.Fatal(err)
	}
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	e, err := newInstance(t.Context(), g, newPorts(o))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.close() })
	return e
}

func TestInstanceCalls(t *testing.T) {
	t.Parallel()
	var reports []host.Progress
	e := newTestInstance(t, OpenOptions{Progress: func(p host.Progress) { reports = append(reports, p) }})
	tests := []struct{ method, params, want string }{
		{"echo", `{"n":5,"name":"größer"}`, `{"url":"","n":5,"sql":"","name":"größer","stream":false}`},
		{"query", `{"name":"a.db","sql":"SELECT 1 UNION ALL SELECT 'x' UNION ALL SELECT NULL UNION ALL SELECT 2.5"}`, `[1,"x",null,2.5]`},
		{"query", `{"name":"a.db","sql":"SELECT x FROM (SELECT 'b' x UNION ALL SELECT 'A' UNION ALL SELECT 'a') ORDER BY x COLLATE unicase, x"}`, `["A","a","b"]`},
		{"query", `{"name":"a.db","sql":"SELECT length(hex(zeroblob(100000)))"}`, `[200000]`},
		{"query", `{"name":"a.db","sql":"SELECT count(*) FROM (WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c LIMIT 50000) SELECT x, hex(randomblob(100)) FROM c)"}`, `[50000]`},
		{"file", `{"name":"cardferry.tmp/x","n":3000000}`, `[3000000,true,1]`},
	}
	for _, tt := range tests {
		got, err := e.call(t.Context(), tt.method, []byte(tt.params))
		if err != nil || string(got) != tt.want {
			t.Errorf("%s %s: got %s, %v", tt.method, tt.params, got, err)
		}
	}
	got, err := e.call(t.Context(), "ports", nil)
	var r struct {
		Random []byte
		Now    int64
		West   int
	}
	if err != nil || json.Unmarshal(got, &r) != nil || bytes.Equal(r.Random, make([]byte, 16)) ||
		time.Since(time.UnixMilli(r.Now)) > time.Minute || r.West != (clock{}).MinutesWest(time.Now()) {
		t.Errorf("got %s, %v", got, err)
	}
	if len(reports) != 1 || reports[0] != (host.Progress{Stage: host.StageChunks, Done: 1, Total: 2}) {
		t.Errorf("reports %v", reports)
	}
	_, err = e.call(t.Context(), "query", []byte(`{"name":"../x"}`))
	if fault.KindOf(err) != fault.InvalidInput || !strings.Contains(err.Error(), "not a file name") {
		t.Errorf("an error lost its kind or message: %v", err)
	}
}

// TestInstanceRows reads rows that fit, that go over the guest's buffer, and that are larger than it.
func TestInstanceRows(t *testing.T) {
	t.Parallel()
	e := newTestInstance(t, OpenOptions{})
	for _, size := range []int{1, 100, 20_000, 70_000, 90_000, 3_000_000} {
		n := min(200_000/size+2, 5000)
		sql := fmt.Sprintf("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c LIMIT %d) SELECT length(hex(b)) FROM (SELECT zeroblob(%d) b FROM c)", n, size)
		text := fmt.Sprintf("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c LIMIT %d) SELECT x || substr(hex(zeroblob(%d)), 1, %d) FROM c", n, size, size)
		for _, q := range []string{sql, text} {
			params, _ := json.Marshal(map[string]any{"name": "r.db", "sql": q})
			got, err := e.call(t.Context(), "query", params)
			var values []any
			if err != nil || json.Unmarshal(got, &values) != nil || len(values) != n {
				t.Fatalf("%d bytes: %d rows, want %d: %v", size, len(values), n, err)
			}
			if s, ok := values[n-1].(string); ok && s != fmt.Sprint(n)+strings.Repeat("0", size) {
				t.Errorf("%d bytes: the last row is %.20q…", size, s)
			}
		}
	}
}

func TestInstanceCrashes(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]string{
		"panic": "panic: ouch", "memory": "out of memory", "stack": "fatal error", "exit": "exit", "nothing": "waits for nothing",
	} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			var logged strings.Builder
			e := newTestInstance(t, OpenOptions{Log: func(line string) { logged.WriteString(line) }})
			_, err := e.call(t.Context(), method, nil)
			if fault.KindOf(err) != fault.Internal || !strings.Contains(err.Error(), want) || !e.crashed() {
				t.Errorf("got %v, crashed %v", err, e.crashed())
			}
			if method == "panic" && !strings.Contains(logged.String(), "testservice.Service.run") {
				t.Errorf("the stack was not logged: %s", logged.String())
			}
		})
	}
}

// TestInstanceClosesDatabases: what the core has left open is rolled back and released.
func TestInstanceClosesDatabases(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := newTestInstance(t, OpenOptions{Dir: dir})
	if _, err := e.call(t.Context(), "left open", []byte(`{"name":"a.db"}`)); err != nil {
		t.Fatal(err)
	}
	if err := e.close(); err != nil {
		t.Fatal(err)
	}
	again := newTestInstance(t, OpenOptions{Dir: dir})
	got, err := again.call(t.Context(), "query", []byte(`{"name":"a.db","sql":"SELECT count(*) FROM t"}`))
	if err != nil || string(got) != "[0]" {
		t.Errorf("got %s, %v", got, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*-wal")); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

// TestInstanceHTTP: many requests at once, streamed bodies beside collected ones, a file as body.
func TestInstanceHTTP(t *testing.T) {
	t.Parallel()
	const n = 20
	var mu sync.Mutex
	together := sync.NewCond(&mu)
	inside := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/together": // answers when all requests are there
			mu.Lock()
			if inside++; inside == n {
				together.Broadcast()
			}
			for inside < n {
				together.Wait()
			}
			mu.Unlock()
			w.Write(bytes.Repeat([]byte("x"), 1000))
		case "/large":
			w.Write(bytes.Repeat([]byte("y"), 3<<20))
		case "/length":
			fmt.Fprint(w, strings.Repeat("z", len(body)))
		default:
			w.WriteHeader(404)
		}
	}))
	defer srv.Close()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "body"), make([]byte, 500_000), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, params, want string
		kind               fault.Kind
	}{
		{"together", `{"url":"` + srv.URL + `/together","n":20}`, `{"got":[` + strings.TrimSuffix(strings.Repeat("[200,1000],", n), ",") + `],"wakes":0}`, 0},
		{"streamed", `{"url":"` + srv.URL + `/large","stream":true,"n":3}`, `{"got":[[200,3145728],[200,3145728],[200,3145728]],"wakes":0}`, 0},
		{"over the limit", `{"url":"` + srv.URL + `/large"}`, "", fault.DamagedDownload},
		{"from a file", `{"url":"` + srv.URL + `/length","name":"body"}`, `{"got":[[200,500000]],"wakes":1}`, 0},
		{"from bytes", `{"url":"` + srv.URL + `/length"}`, `{"got":[[200,4]],"wakes":0}`, 0},
		{"status", `{"url":"` + srv.URL + `/none","stream":true}`, `{"got":[[404,0]],"wakes":0}`, 0},
		{"missing file", `{"url":"` + srv.URL + `/length","name":"none"}`, "", fault.NotFound},
		{"no server", `{"url":"http://127.0.0.1:1/"}`, "", fault.Network},
		{"no URL", `{"url":"::"}`, "", fault.InvalidInput},
	}
	e := newTestInstance(t, OpenOptions{Dir: dir})
	for _, tt := range tests {
		got, err := e.call(t.Context(), "get", []byte(tt.params))
		if fault.KindOf(err) != tt.kind || string(got) != tt.want {
			t.Errorf("%s: got %s, %v", tt.name, got, err)
		}
	}
}

// TestInstanceCancel cancels at each place where a task can be.
func TestInstanceCancel(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{}, 10)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the server notices a closed connection only after the body
		if r.URL.Path == "/stream" {
			w.Write([]byte("x"))
			w.(http.Flusher).Flush()
		}
		arrived <- struct{}{}
		<-r.Context().Done()
	}))
	defer srv.Close()
	for name, params := range map[string]string{
		"get":   `{"url":"` + srv.URL + `/","n":5}`,
		"read":  `{"url":"` + srv.URL + `/stream","stream":true}`,
		"query": `{"name":"a.db","sql":"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT count(*) FROM c"}`,
		"spin":  `{}`,
	} {
		t.Run(name, func(t *testing.T) {
			e := newTestInstance(t, OpenOptions{})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			method := strings.Replace(name, "read", "get", 1)
			done := make(chan error)
			go func() {
				_, err := e.call(ctx, method, []byte(params))
				done <- err
			}()
			if method == "get" {
				<-arrived
			} else {
				runtime.Gosched()
			}
			cancel()
			began := time.Now()
			if err := <-done; fault.KindOf(err) != fault.Cancelled {
				t.Errorf("got %v", err)
			}
			if d := time.Since(began); d > 10*time.Second {
				t.Errorf("took %v", d)
			}
			if got, err := e.call(t.Context(), "echo", nil); err != nil {
				t.Errorf("the next call: %s, %v", got, err)
			}
		})
	}
}

// TestMemoryStaysSmall: the guest's memory never shrinks, so it must not grow with what was used and dropped.
func TestMemoryStaysSmall(t *testing.T) {
	t.Parallel()
	e := newTestInstance(t, OpenOptions{})
	if _, err := e.call(t.Context(), "garbage", []byte(`{"n":1000}`)); err != nil {
		t.Fatal(err)
	}
	if mb := e.module.Memory().Size() >> 20; mb > 40 {
		t.Errorf("%d MB", mb)
	} else {
		t.Logf("%d MB", mb)
	}
}

// TestMemory: both kinds of memory keep their content when they grow, and refuse nothing up to the maximum.
func TestMemory(t *testing.T) {
	t.Parallel()
	for _, m := range []interface {
		Reallocate(uint64) []byte
		Free()
	}{new(grown), allocate(0, 1<<20)} {
		b := m.Reallocate(10)
		b[9] = 7
		if b = m.Reallocate(1 << 20); len(b) != 1<<20 || b[9] != 7 || b[1<<20-1] != 0 {
			t.Errorf("%T: the memory changed", m)
		}
		m.Free()
	}
	if b := allocate(0, 1<<16).Reallocate(1<<16 + 1); b != nil {
		t.Error("memory above the maximum")
	}
}

// TestCollate compares the guest's collation with the one that native SQLite uses, and checks its borders.
func TestCollate(t *testing.T) {
	t.Parallel()
	e := newTestInstance(t, OpenOptions{})
	buffer, collate := e.module.ExportedFunction(abi.ExportCollateBuffer), e.module.ExportedFunction(abi.ExportCollate)
	words := []string{"", "a", "A", "b", "ä", "Ä", "ß", "ẞ", "Straße", "STRASSE", "İ", "i", "日本", "\xff", strings.Repeat("long ", 2000)}
	for _, a := range words {
		for _, b := range words {
			r, err := buffer.Call(e.ctx, uint64(len(a)+len(b)))
			if err != nil {
				t.Fatal(err)
			}
			e.module.Memory().Write(uint32(r[0]), []byte(a+b))
			got, err := collate.Call(e.ctx, r[0], uint64(len(a)), r[0]+uint64(len(a)), uint64(len(b)))
			if err != nil {
				t.Fatal(err)
			}
			if want := unicase.Compare([]byte(a), []byte(b)); sign(int(i32(got[0]))) != sign(want) {
				t.Errorf("%q %q: got %d, want %d", a, b, i32(got[0]), want)
			}
		}
	}
	for _, args := range [][]uint64{{0, 1, 0, 1}, {1 << 31, 1, 1 << 31, 1}} {
		if _, err := collate.Call(e.ctx, args...); err == nil {
			t.Errorf("texts at %#x outside of the buffer were compared", args[0])
		}
	}
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

type instanceText struct {
	t *testing.T
	e *instance
}

func (x instanceText) NFC(s string) string  { return x.normalize("nfc", s) }
func (x instanceText) NFKD(s string) string { return x.normalize("nfkd", s) }

func (x instanceText) normalize(form, s string) string {
	params, err := json.Marshal(map[string]string{"name": s})
	if err != nil {
		x.t.Fatal(err)
	}
	got, err := x.e.call(x.t.Context(), form, params)
	if err == nil {
		err = json.Unmarshal(got, &s)
	}
	if err != nil {
		x.t.Error(err)
	}
	return s
}

// TestInstanceText is the contract of host.Text through a guest's memory.
func TestInstanceText(t *testing.T) {
	t.Parallel()
	coretest.TestText(t, instanceText{t, newTestInstance(t, OpenOptions{})})
}
