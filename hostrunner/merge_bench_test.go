package hostrunner_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"sync"
	"testing"

	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner"
	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
)

// tape is a server that keeps the answers of another one, and gives them again in the same order once it is rewound. So a
// sync with it costs what the client does, and little else.
type tape struct {
	server http.Handler
	mu     sync.Mutex
	kept   map[string][]*httptest.ResponseRecorder
	played map[string]int
}

func (p *tape) rewind() {
	p.server, p.played = nil, map[string]int{}
}

func (p *tape) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	method := path.Base(r.URL.Path)
	if p.server != nil {
		answer := httptest.NewRecorder()
		p.server.ServeHTTP(answer, r)
		p.kept[method] = append(p.kept[method], answer)
	}
	_, _ = io.Copy(io.Discard, r.Body)
	answer := p.kept[method][p.played[method]]
	p.played[method]++
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// merged is a profile that knows nothing yet of what the server has.
type merged struct {
	dir     string
	account colsync.Account
}

// apart gives an account 2,000 notes, 2,000 cards and 10,000 reviews, which a profile is to receive.
func apart(b *testing.B, rt *hostrunner.Runtime) (*tape, merged) {
	b.Helper()
	dir := b.TempDir()
	ahead := filepath.Join(dir, "server", host.Collection)
	own := filepath.Join(dir, "own", host.Collection)
	now := anki.GeneratedTime.UnixMilli()
	size := anki.Size{Notes: anki.SizeM.Notes / 10, Cards: anki.SizeM.Cards / 10, Reviews: anki.SizeM.Reviews / 10}
	coretest.Must(b, anki.Generate(own, anki.Generated{Seed: 1, RowUSN: 6, USN: 7, Mod: now, LS: now}))
	coretest.Must(b, anki.Generate(ahead, anki.Generated{Seed: 1, Size: size, RowUSN: 7, USN: 8, Mod: now + 1000, LS: now}))

	s := &syncserver.Server{}
	b.Cleanup(func() { _ = s.Close(b.Context()) })
	_, err := s.Users().Add(b.Context(), "ada", "correct horse")
	coretest.Must(b, err)
	t := &tape{kept: map[string][]*httptest.ResponseRecorder{}, played: map[string]int{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if base := path.Base(r.URL.Path); base == "hostKey" || base == "upload" {
			s.ServeHTTP(w, r)
			return
		}
		t.ServeHTTP(w, r)
	}))
	b.Cleanup(server.Close)

	p, err := rt.Open(b.Context(), hostrunner.OpenOptions{Dir: filepath.Dir(own), Engine: hostrunner.Native})
	coretest.Must(b, err)
	login, err := p.Login(b.Context(), service.LoginParams{Endpoint: server.URL, User: "ada", Password: "correct horse"})
	coretest.Must(b, errors.Join(err, p.Close()))
	file, err := os.ReadFile(ahead)
	coretest.Must(b, err)
	req, err := http.NewRequestWithContext(b.Context(), "POST", server.URL+"/sync/upload", bytes.NewReader(wire.NewCodec().Compress(nil, file)))
	coretest.Must(b, err)
	req.Header.Set("anki-sync", wire.Header(login.Key, "bench/1", "abcdefgh", 0)) // as it is, with the usn it has
	answer, err := http.DefaultClient.Do(req)
	coretest.Must(b, err)
	coretest.Must(b, answer.Body.Close())
	if answer.StatusCode != http.StatusOK {
		b.Fatal(answer.Status)
	}
	t.server = s
	return t, merged{filepath.Dir(own), colsync.Account{Endpoint: server.URL, Key: login.Key}}
}

// sync receives everything into a copy of the profile.
func (m merged) sync(b *testing.B, rt *hostrunner.Runtime, e hostrunner.Engine) {
	b.StopTimer()
	dir := b.TempDir()
	coretest.Must(b, os.CopyFS(dir, os.DirFS(m.dir)))
	p, err := rt.Open(b.Context(), hostrunner.OpenOptions{Dir: dir, Engine: e})
	coretest.Must(b, err)
	_, err = p.Status(b.Context(), service.StatusParams{Offline: true}) // starts the engine
	coretest.Must(b, err)
	b.StartTimer()
	r, err := p.Sync(b.Context(), service.SyncParams{Account: &m.account})
	b.StopTimer()
	coretest.Must(b, err)
	if r.Received["notes"] != 2000 || r.Received["revlog"] != 10000 {
		b.Fatal(fmt.Sprintf("%+v", r.Received))
	}
	coretest.Must(b, p.Close())
	b.StartTimer()
}

// BenchmarkMerge merges 14,000 rows that another device has sent, in both engines.
func BenchmarkMerge(b *testing.B) {
	rt, err := shared()
	coretest.Must(b, err)
	t, m := apart(b, rt)
	m.sync(b, rt, hostrunner.Native) // is kept
	for _, e := range engines {
		b.Run(e.String(), func(b *testing.B) {
			for b.Loop() {
				t.rewind()
				m.sync(b, rt, e)
			}
			b.ReportMetric(14000*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
