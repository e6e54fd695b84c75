package syncserver_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cardferry/cardferry/hostrunner/syncserver"
)

// holdEnv makes TestHoldListeners a client: address, number of connections, key.
const holdEnv = "CARDFERRY_TEST_HOLD"

// TestHoldListeners is no test: it is what TestListenerMemory runs in another process, which then has the clients' memory and
// file descriptors.
func TestHoldListeners(t *testing.T) {
	job := os.Getenv(holdEnv)
	if job == "" {
		t.Skip("not the other process")
	}
	var address, key string
	var n int
	if _, err := fmt.Sscan(job, &address, &n, &key); err != nil {
		t.Fatal(err)
	}
	for range n {
		if strings.HasPrefix(address, "https://") {
			transport := noRedirects.Transport.(*http.Transport).Clone() // with a connection of its own
			if l := listenWith(t, transport, address, key); l.resp.ProtoMajor != 2 {
				t.Fatal(l.resp.Proto)
			}
			continue
		}
		conn, err := net.Dial("tcp", strings.Trim(strings.TrimPrefix(address, "http:"), "/"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "GET /api/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\nOrigin: https://app.example\r\n\r\n", key)
		r := bufio.NewReader(conn)
		for line := ""; line != ": listening"; {
			if line, err = r.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			line = strings.TrimSpace(line)
		}
	}
	fmt.Println("listening")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// TestListenerMemory measures what an idle listener costs the server. It is not parallel: it looks at the whole process.
func TestListenerMemory(t *testing.T) {
	n := 10_000
	if testing.Short() {
		n = 1000
	}
	if heap, resident := listenerMemory(t, n, serve); heap > 20_000 || resident > 20_000 && n >= 10_000 {
		t.Errorf("more than 20 kB each")
	}
}

// TestListenerMemoryHTTP2 is the same where the connection cannot be taken from the HTTP server: nearly all is what Go needs for a connection
// with TLS and HTTP/2, which the listener's page has anyway.
func TestListenerMemoryHTTP2(t *testing.T) {
	if heap, _ := listenerMemory(t, 1000, serveHTTP2); heap > 75_000 {
		t.Errorf("more than 75 kB each")
	}
}

// listenerMemory returns how many bytes of heap and stacks, and how many of the process, each of n listeners costs; they are in another process.
func listenerMemory(t *testing.T, n int, serve func(testing.TB, *syncserver.Server) string) (perHeap, perResident int64) {
	t.Helper()
	// On a machine that is slow enough for a heartbeat to come, it may also be too slow to write one in time, and a listener is gone.
	s := &syncserver.Server{Limits: syncserver.Limits{Listeners: n, Heartbeat: time.Hour}}
	url := serve(t, s)
	c := newClient(t, s, url, "ada")
	c.listen().resp.Body.Close() // what is made once is there
	heap, resident := memory(t)

	clients := exec.Command(os.Args[0], "-test.run=^TestHoldListeners$", "-test.v")
	clients.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %s", holdEnv, url, n, c.key))
	stdin, err := clients.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := clients.StdoutPipe()
	if err == nil {
		err = clients.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		stdin.Close()
		_ = clients.Wait()
	}()
	for out := bufio.NewScanner(stdout); ; {
		if !out.Scan() {
			t.Fatal("the clients have ended")
		}
		if out.Text() == "listening" {
			break
		}
		t.Log(out.Text())
	}
	waitFor(t, func() bool { return s.Listeners() >= n })
	heapNow, residentNow := memory(t)
	perHeap, perResident = (heapNow-heap)/int64(n), (residentNow-resident)/int64(n)
	t.Logf("%d listeners: %d bytes of heap and stacks each, %d bytes resident", n, perHeap, perResident)
	return perHeap, perResident
}

// memory returns how many bytes of heap and stacks are in use, and how many the process has.
func memory(t *testing.T) (used, resident int64) {
	t.Helper()
	for range 3 {
		debug.FreeOSMemory()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b, err := os.ReadFile("/proc/self/statm")
	if err == nil {
		if fields := strings.Fields(string(b)); len(fields) > 1 {
			pages, _ := strconv.ParseInt(fields[1], 10, 64)
			resident = pages * int64(os.Getpagesize())
		}
	}
	return int64(m.HeapInuse + m.StackInuse), resident
}
