package interop_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner/anki"
)

// secondReal is a real client in the place of a device of ours. What a sync has done is not known of it.
type secondReal struct{ *realMedia }

// try syncs, which must succeed.
func (r secondReal) try(context.Context, service.MediaSyncParams) (service.MediaSyncResult, error) {
	for range 3 {
		if _, err := r.SyncMedia(r.endpoint, r.key); err == nil || !strings.Contains(err.Error(), "sync again") {
			return service.MediaSyncResult{}, err
		}
	}
	return service.MediaSyncResult{}, fmt.Errorf("the real client's sync does not come to an end")
}

// twoReals are two real clients of a new account, through a proxy.
func twoReals(t testing.TB, server *anki.Server) *mediaSetup {
	t.Helper()
	acc := server.Take()
	proxy := anki.NewProxy(t, server.URL)
	return &mediaSetup{acc: acc, proxy: proxy, ours: secondReal{newRealMedia(t, acc, proxy.URL)}, real: newRealMedia(t, acc, proxy.URL)}
}

// TestRealsMedia plays the media scenarios with two real clients, through the real server and through ours: in the end both have the
// same files as the server, the same as with the real server; and every request that they have sent to the real one has the same
// answer from ours.
func TestRealsMedia(t *testing.T) {
	once(t)
	t.Parallel()
	anki.Need(t)
	users := 2 * len(mediaScenarios)
	realServer, err := anki.NewServer(t.TempDir(), users)
	must(t, err)
	t.Cleanup(realServer.Kill)
	servers := [2]*anki.Server{realServer, ownAlone(t, users).server}
	for i, sc := range mediaScenarios {
		if testing.Short() && i%4 > 0 {
			continue
		}
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			var ends [2]anki.Media
			var requests []recordedRequest
			for i, server := range servers {
				s := twoReals(t, server)
				list := record(s.proxy)
				s.start(t)
				sc.do(t, s)
				s.settle(t)
				ends[i] = s.acc.Media(t)
				s.same(t, ends[i], s.ours, s.real)
				if i == 0 {
					requests = list()
				}
			}
			if d := anki.CompareMedia(ends[0], ends[1]); len(d) > 0 {
				t.Errorf("through the real server, and through ours: %q", d)
			}
			replayMedia(t, requests, servers[1].Take())
		})
	}
}

// replayMedia sends recorded requests to a new account of ours and fails unless it answers as the real server did.
func replayMedia(t *testing.T, requests []recordedRequest, acc *anki.Account) {
	t.Helper()
	if len(requests) < 8 {
		t.Errorf("only %d requests", len(requests))
	}
	for i, r := range requests {
		status, answer, err := acc.MediaCall(r.method, r.payload)
		must(t, err)
		if status != r.status {
			t.Errorf("request %d, %s: status %d, the real server's is %d", i, r.method, status, r.status)
			continue
		}
		if got, want := normalMedia(t, &r, status, answer), normalMedia(t, &r, status, r.answer); got != want {
			t.Errorf("request %d, %s:\ngot  %.1000s\nwant %.1000s", i, r.method, got, want)
		}
	}
}

// normalMedia returns an answer in the form in which answers are compared. Only the key, which begin repeats, differs from account to
// account; the archive of a download is compared by what is in it; of errors nobody reads the body.
func normalMedia(t *testing.T, r *recordedRequest, status int, answer []byte) string {
	t.Helper()
	switch {
	case status != http.StatusOK:
		return ""
	case r.method == "downloadFiles":
		return unpacked(t, answer)
	}
	var v struct {
		Data any
		Err  *string
	}
	d := json.NewDecoder(bytes.NewReader(answer))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v: %.200s", r.method, err, answer)
	}
	if m, ok := v.Data.(map[string]any); ok && m["sk"] != nil {
		m["sk"] = "the key"
	}
	b, err := json.Marshal(v)
	must(t, err)
	return string(b)
}

// unpacked lists what is in an archive.
func unpacked(t *testing.T, b []byte) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	must(t, err)
	members, names := map[string]string{}, map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		must(t, err)
		content, err := io.ReadAll(r)
		must(t, err)
		if f.Name == "_meta" {
			must(t, json.Unmarshal(content, &names))
			continue
		}
		members[f.Name] = anki.SHA1(content)
	}
	var lines []string
	for _, member := range slices.Sorted(maps.Keys(members)) {
		lines = append(lines, fmt.Sprintf("%s %q %s", member, names[member], members[member]))
	}
	return strings.Join(lines, "\n")
}

// TestRealsMediaRandomly lets three real clients write, delete and sync in random order, sometimes two at once, through our server: in the
// end all have the same, and no file is gone that nobody has deleted.
func TestRealsMediaRandomly(t *testing.T) {
	once(t)
	t.Parallel()
	seeds := uint64(2)
	if full() {
		seeds = 20
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			acc := get(t, shared.own).Account(t)
			random := rand.New(rand.NewPCG(seed, 21))
			var devices []*realMedia
			for range 3 {
				devices = append(devices, newRealMedia(t, acc, get(t, shared.own).URL))
			}
			put, removed := map[string]bool{}, map[string]bool{}
			for n := range 40 {
				d := devices[random.IntN(3)]
				name := fmt.Sprintf("play %d.png", random.IntN(8))
				switch _, here := d.media(t)[name]; {
				case random.IntN(5) == 0:
					atOnce(t, d, devices[random.IntN(3)])
				case random.IntN(3) == 0:
					d.syncMedia(t)
				case here && random.IntN(3) == 0:
					d.remove(t, name)
					removed[name] = true
				default:
					d.put(t, name, fmt.Sprint("version ", n))
					put[name] = true
				}
			}
			end := func() anki.Media {
				for range 3 {
					for _, d := range devices {
						d.syncMedia(t)
					}
				}
				return acc.Media(t)
			}
			final := end()
			for _, d := range devices {
				if len(anki.CompareMedia(final, d.media(t))) > 0 {
					d.ForgetMedia(t) // it may have missed changes of others for good (media-sync.md §7.6), whatever the server does
				}
			}
			final = end()
			for i, d := range devices {
				if diff := anki.CompareMedia(final, d.media(t)); len(diff) > 0 {
					t.Errorf("the server, and device %d: %q", i, diff)
				}
			}
			for name := range put {
				if final[name] == "" && !removed[name] {
					t.Errorf("%s is gone, and nobody has deleted it", name)
				}
			}
		})
	}
}

// atOnce syncs two devices at the same time.
func atOnce(t *testing.T, a, b *realMedia) {
	t.Helper()
	if a == b {
		a.syncMedia(t)
		return
	}
	results := make(chan error, 2)
	for _, d := range []*realMedia{a, b} {
		go func() {
			_, err := secondReal{d}.try(context.Background(), service.MediaSyncParams{})
			results <- err
		}()
	}
	for range 2 {
		// A file that was listed may be gone when it is asked for, which is answered with 409: the client says so in one of two ways, and
		// syncs again later.
		if err := <-results; err != nil && !strings.Contains(err.Error(), "409") && !strings.Contains(err.Error(), "Only one copy of Anki") {
			t.Errorf("a sync beside another one: %v", err)
		}
	}
}

// notTaken are the recorded requests by hand that our server refuses on purpose: names that the reference's own clients cannot keep, or
// that the reference fails with, and one name twice in an archive.
var notTaken = []string{
	"name twice in one zip", "add and delete in one zip", "member not in _meta: ignored", "name ", "name .", "name ..", "name nul\x00.txt",
	"name w\\x.txt", "name con.txt", "name q?.txt", "name end.", "name thumbs.db",
}

// TestMediaRequestsByHand sends the recorded requests that were made by hand to the real server and to ours: equal answers, but for those
// that ours refuses on purpose, which neither gets.
func TestMediaRequestsByHand(t *testing.T) {
	once(t)
	t.Parallel()
	anki.Need(t)
	server, err := anki.NewServer(t.TempDir(), 1)
	must(t, err)
	t.Cleanup(server.Kill)
	acc, own := server.Take(), ownAlone(t, 1).server.Take()
	b, err := os.ReadFile(filepath.Join("..", "syncserver", "testdata", "media-requests.jsonl"))
	must(t, err)
	same := 0
	for line := range bytes.Lines(b) {
		label, r := requestByHand(t, line)
		if r == nil || slices.Contains(notTaken, label) {
			continue
		}
		if r.status, r.answer, err = acc.MediaCall(r.method, r.payload); err != nil {
			t.Fatal(err)
		}
		status, answer, err := own.MediaCall(r.method, r.payload)
		must(t, err)
		if status != r.status || normalMedia(t, r, status, answer) != normalMedia(t, r, status, r.answer) {
			t.Errorf("%s:\ngot  %d %.500s\nwant %d %.500s", label, status, answer, r.status, r.answer)
		}
		same++
	}
	if same < 40 {
		t.Errorf("only %d requests were compared", same)
	}
}

// requestByHand reads a line of the recording; nil if it has a header of its own, or a method that there is not.
func requestByHand(t *testing.T, line []byte) (label string, _ *recordedRequest) {
	t.Helper()
	var r struct {
		Label, Method, Header string
		Body                  json.RawMessage
	}
	must(t, json.Unmarshal(line, &r))
	payload := []byte(r.Body)
	var upload struct{ Base64 []byte }
	if r.Method == "uploadChanges" && json.Unmarshal(r.Body, &upload) == nil {
		payload = upload.Base64
	}
	if r.Header != "" || r.Method == "frob" {
		return r.Label, nil
	}
	return r.Label, &recordedRequest{method: r.Method, payload: payload}
}
