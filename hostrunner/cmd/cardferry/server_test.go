package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/mediahost"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

// outcome is what a run of the program in this process gave.
type outcome struct {
	code   int
	last   map[string]any // the last JSON line
	stdout string
	stderr string
}

// try runs the program in this process with --json.
func try(t *testing.T, args ...string) outcome {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(t.Context(), append(args, "--json", "--engine=native"), strings.NewReader("pass\n"), &out, &errs)
	if err := checkLines(out.String(), code); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out.String())
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	o := outcome{code: code, stdout: out.String(), stderr: errs.String()}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &o.last); err != nil {
		t.Fatal(err)
	}
	return o
}

// want checks exit code and kind of an error.
func (o outcome) want(t *testing.T, code int, kind fault.Kind) {
	t.Helper()
	if o.code != code || o.last["kind"] != kind.String() {
		t.Fatalf("exit code %d, want %d and kind %v: %s", o.code, code, kind, o.stdout)
	}
}

// answer writes an answer of a sync server.
func answer(w http.ResponseWriter, body string) {
	w.Header().Set("anki-original-size", fmt.Sprint(len(body)))
	w.Write(wire.NewCodec().Compress(nil, []byte(body)))
}

// meta is the answer of a server whose collection differs from ours in its schema.
func meta(ts int64) string {
	return fmt.Sprintf(`{"mod":5,"scm":6,"usn":7,"ts":%d,"msg":"","cont":true,"hostNum":0,"empty":false,"media_usn":0}`, ts)
}

// profileFor makes a profile that is logged in to a server, with a collection.
func profileFor(t *testing.T, endpoint, fixture string) string {
	t.Helper()
	dir := t.TempDir()
	if err := writeAccount(dir, &account{User: "u", Endpoint: endpoint, Key: "k"}); err != nil {
		t.Fatal(err)
	}
	if fixture != "" {
		copyFixture(t, fixture, dir)
	}
	return dir
}

func copyFixture(t *testing.T, fixture, dir string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(fixtures, fixture))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "collection.anki2"), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// editNote changes a note of a profile as another program would.
func editNote(t *testing.T, dir string) {
	t.Helper()
	db, err := sqlitehost.New(dir).Open(context.Background(), host.Collection, host.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Exec("UPDATE notes SET tags = tags || 'edited ', mod = mod + 10, usn = -1 WHERE id = (SELECT min(id) FROM notes); " +
		"UPDATE col SET mod = mod + 1000")
	if err != nil {
		t.Fatal(err)
	}
}

func TestServerAnswers(t *testing.T) {
	t.Parallel()
	now := time.Now().Unix()
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	text := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { answer(w, body) }
	}
	for name, test := range map[string]struct {
		serve http.HandlerFunc
		code  int
		kind  fault.Kind
		field string
	}{
		"400":      {status(400), 7, fault.DatabaseCheck, ""},
		"403":      {status(403), 4, fault.Auth, ""},
		"404":      {status(404), 5, fault.Network, ""},
		"407":      {status(407), 5, fault.ProxyAuth, ""},
		"409":      {status(409), 8, fault.Conflict, ""},
		"413":      {status(413), 6, fault.TooLarge, ""},
		"429":      {status(429), 5, fault.Network, ""},
		"500":      {status(500), 5, fault.ServerError, ""},
		"501":      {status(501), 6, fault.ClientTooOld, ""},
		"502":      {status(502), 5, fault.ServerError, ""},
		"503":      {status(503), 5, fault.ServerError, ""},
		"504":      {status(504), 5, fault.ServerError, ""},
		"HTML":     {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") }, 9, fault.DamagedDownload, ""},
		"not JSON": {text("{"), 9, fault.DamagedDownload, ""},
		"message":  {text(`{"mod":0,"scm":0,"usn":0,"ts":0,"msg":"closed today","cont":false,"hostNum":0,"empty":false,"media_usn":0}`), 6, fault.ServerMessage, "server_message"},
		"clock":    {text(meta(now + 4000)), 6, fault.Clock, "server_time"},
		"one way":  {text(meta(now)), 3, fault.OneWayNeeded, "upload_loses"},
		"lost redirect": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("location", "elsewhere")
			w.WriteHeader(308)
		}, 5, fault.Network, ""},
		"broken answers": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 5, fault.Network, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(test.serve)
			defer server.Close()
			dir := profileFor(t, server.URL, "stock.anki2")
			o := try(t, "sync", "--profile", dir)
			o.want(t, test.code, test.kind)
			if o.last["changed"] != false {
				t.Errorf("changed: %s", o.stdout)
			}
			if _, ok := o.last[test.field]; test.field != "" && !ok {
				t.Errorf("%s is missing: %s", test.field, o.stdout)
			}
		})
	}
}

// What a failed one-way sync has fetched is not kept: a profile may stay open, and the disk may be full of it.
func TestFailureTakesNoRoom(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/meta") {
			answer(w, meta(time.Now().Unix()))
			return
		}
		answer(w, strings.Repeat("no collection", 10000))
	}))
	defer server.Close()
	for _, command := range []string{"download", "sync --on-conflict=download", "upload"} {
		dir := profileFor(t, server.URL, "stock.anki2")
		try(t, append(strings.Fields(command), "--profile", dir)...).want(t, 9, fault.DamagedDownload)
		if left, err := os.ReadDir(filepath.Join(dir, host.Staging)); len(left) > 0 || err != nil {
			t.Errorf("%s left %v, %v", command, left, err)
		}
	}
}

// A sync that has replaced the collection here, and then fails with the media files, has changed the profile.
func TestChangedBeforeMedia(t *testing.T) {
	t.Parallel()
	other, err := os.ReadFile(filepath.Join(fixtures, "unicode.anki2"))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/sync/meta":
			answer(w, meta(time.Now().Unix()))
		case "/sync/download":
			answer(w, string(other))
		case "/sync/upload":
			_, _ = io.Copy(io.Discard, r.Body)
			answer(w, "OK")
		default:
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	defer server.Close()
	for direction, changed := range map[string]bool{"download": true, "upload": false} {
		dir := profileFor(t, server.URL, "stock.anki2")
		media := filepath.Join(dir, mediahost.Folder)
		if err := errors.Join(os.Mkdir(media, 0o700), os.WriteFile(filepath.Join(media, "a.png"), []byte("a"), 0o600)); err != nil {
			t.Fatal(err)
		}
		o := try(t, "sync", "--on-conflict="+direction, "--profile", dir)
		o.want(t, 5, fault.ServerError)
		if o.last["changed"] != changed || o.last["required"] != "none" {
			t.Errorf("%s: %s", direction, o.stdout)
		}
	}
}

func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(nil)
	server.Close()
	o := try(t, "sync", "--profile", profileFor(t, server.URL, ""))
	if o.code != 5 {
		t.Errorf("exit code %d: %s", o.code, o.stdout)
	}
}

// A redirect's address is kept when the sync fails later, is used by the next one, and is dropped when the login is
// refused there, or no sync server answers.
func TestRedirect(t *testing.T) {
	t.Parallel()
	status := 200
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if status != 200 {
			w.WriteHeader(status)
			return
		}
		answer(w, meta(time.Now().Unix()))
	}))
	defer target.Close()
	asked := 0
	first := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.Header().Set("location", target.URL+"/base/")
		w.WriteHeader(308)
	}))
	defer first.Close()
	dir := profileFor(t, first.URL, "stock.anki2")
	current := func() string {
		t.Helper()
		acc, err := readAccount(dir)
		if err != nil {
			t.Fatal(err)
		}
		return acc.CurrentEndpoint
	}

	for _, command := range []string{"sync", "sync", "status"} {
		o := try(t, command, "--profile", dir)
		if command == "sync" {
			o.want(t, 3, fault.OneWayNeeded)
		}
		if current() != target.URL+"/base/" || asked != 1 {
			t.Fatalf("%s: current endpoint %q, the first server was asked %d times", command, current(), asked)
		}
	}
	status = 403
	try(t, "upload", "--profile", dir).want(t, 4, fault.Auth)
	if current() != "" {
		t.Errorf("the address %q was kept after a refused login", current())
	}

	// Where an earlier redirect has led to, nobody answers any more.
	status = 200
	try(t, "sync", "--profile", dir).want(t, 3, fault.OneWayNeeded)
	status = 404
	try(t, "status", "--profile", dir).want(t, 5, fault.Network)
	if current() != "" {
		t.Errorf("the address %q was kept after a failed call", current())
	}
}

// A redirect to what is no address, or no sync server, is not kept: the next sync asks the first server again.
func TestRedirectAstray(t *testing.T) {
	t.Parallel()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>Log in</html>") }))
	defer page.Close()
	for location, want := range map[string]struct {
		code int
		kind fault.Kind
	}{
		"http://[::1/": {5, fault.Network}, "http://127.0.0.1:99999/": {5, fault.Network}, "http://127.0.0.1:1/": {5, fault.Network},
		page.URL + "/": {9, fault.DamagedDownload},
	} {
		astray := true
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if astray {
				w.Header().Set("location", location)
				w.WriteHeader(308)
				return
			}
			answer(w, meta(time.Now().Unix()))
		}))
		defer server.Close()
		dir := profileFor(t, server.URL, "stock.anki2")
		try(t, "sync", "--profile", dir).want(t, want.code, want.kind)
		astray = false
		try(t, "sync", "--profile", dir).want(t, 3, fault.OneWayNeeded)
	}
}

// What servers say reaches a terminal as text only, and is never missing.
func TestPlainText(t *testing.T) {
	t.Parallel()
	for said, shown := range map[string]string{
		`a\u001b]0;b\u0007\u202e\nc\u009b`: "cardferry: a\ufffd]0;b\ufffd\ufffd\nc\ufffd (server_message)\n",
		"":                                 "cardferry: the server refuses to sync, without saying why (server_message)\n",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			answer(w, `{"mod":0,"scm":0,"usn":0,"ts":0,"msg":"`+said+`","cont":false,"hostNum":0,"empty":false,"media_usn":0}`)
		}))
		defer server.Close()
		var out, errs bytes.Buffer
		code := run(t.Context(), []string{"sync", "--engine=native", "--profile", profileFor(t, server.URL, "stock.anki2")}, nil, &out, &errs)
		if code != 6 || errs.String() != shown || out.Len() > 0 {
			t.Errorf("%s: exit code %d, %q %q", said, code, &errs, &out)
		}
	}
}

// Every kind has the exit code of the contract.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	contract := map[int]string{
		1:  "other busy storage_full not_found not_writable closed internal unsupported_browser",
		2:  "invalid_input",
		3:  "one_way_needed",
		4:  "auth",
		5:  "offline timeout proxy_auth server_error network",
		6:  "server_message clock client_too_old too_large",
		7:  "sanity resync database_check",
		8:  "conflict",
		9:  "damaged_file unsupported_file damaged_download",
		10: "needs_decision", 130: "cancelled",
	}
	for _, kind := range fault.Kinds() {
		if code := exitCode(kind); !slices.Contains(strings.Fields(contract[code]), kind.String()) {
			t.Errorf("kind %v has exit code %d", kind, code)
		}
	}
}

// What a server sends out of turn does not appear among what we say.
func TestStrayAnswer(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 500 x\r\nContent-Length: 2\r\n\r\nno, and more")
	}))
	defer server.Close()
	p := newProcess(t, "status", "--engine=native", "--profile", profileFor(t, server.URL, "stock.anki2"))
	p.start(t)
	if code := p.code(t); code != 5 || p.err.Len() > 0 {
		t.Errorf("exit code %d, standard error %q", code, &p.err)
	}
}
