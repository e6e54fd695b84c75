package interop_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/anki"
)

// Each status of each request becomes the kind that the contract names, and nothing is lost.
func TestStatusCodes(t *testing.T) {
	t.Parallel()
	kinds := map[int]fault.Kind{
		400: fault.DatabaseCheck, 401: fault.Network, 403: fault.Auth, 404: fault.Network, 405: fault.Network, 407: fault.ProxyAuth,
		408: fault.Network, 409: fault.Conflict, 413: fault.TooLarge, 429: fault.Network, 500: fault.ServerError, 501: fault.ClientTooOld,
		502: fault.ServerError, 503: fault.ServerError, 504: fault.ServerError, 505: fault.Network, 599: fault.Network,
		301: fault.Network, 302: fault.Network, 304: fault.Network, 307: fault.Network,
	}
	for _, op := range operations() {
		t.Run(op.name, func(t *testing.T) {
			t.Parallel()
			hosts(t, 4, func(t *testing.T, e engine) {
				s, a, before := op.start(t, e, point{n: 1})
				for _, p := range op.points {
					if p.after {
						continue
					}
					for status, kind := range kinds {
						if e.hides(status) {
							continue
						}
						s.proxy.Use(p.at(func(ex *anki.Exchange) anki.Verdict {
							ex.Refuse(status, "a text of the server")
							return anki.Pass
						}))
						if err := op.run(t.Context(), s.ours); fault.KindOf(err) != kind {
							t.Errorf("%d %s: got %v, want kind %v", status, p, err, kind)
						}
					}
				}
				op.resume(t, s, a, point{}, before)
			})
		})
	}
}

// hides reports whether what sends the engine's requests keeps a status to itself: fetch takes 407 from anybody but its proxy for a broken
// connection, and Chromium sends a request again that was answered with 408.
func (e engine) hides(status int) bool {
	switch status {
	case http.StatusProxyAuthRequired:
		return e == inPage || e == nodeReactor || e == nodeProgram
	case http.StatusRequestTimeout:
		return e == inPage
	}
	return false
}

// What meta says before anything else happens.
func TestMeta(t *testing.T) {
	t.Parallel()
	hosts(t, 1, func(t *testing.T, e engine) {
		s, a := newApartSetup(t, e, false)
		before := s.ours.dump(t)
		meta := func(old, new string) func(*anki.Exchange) anki.Verdict {
			return func(ex *anki.Exchange) anki.Verdict {
				if plain := string(ex.Plain()); ex.Method == "meta" && strings.Contains(plain, old) {
					ex.Answer([]byte(strings.Replace(plain, old, new, 1)))
				}
				return anki.Pass
			}
		}
		s.proxy.Use(anki.Hooks{After: meta(`"cont":true`, `"cont":false`)})
		if _, err := s.ours.try(t.Context()); fault.KindOf(err) != fault.ServerMessage {
			t.Errorf("cont false: %v", err)
		}
		for _, seconds := range []int64{-400, 400} {
			s.proxy.Use(anki.Hooks{After: meta(`"ts":`, fmt.Sprintf(`"ts":%d,"was":`, time.Now().Unix()+seconds))})
			_, err := s.ours.try(t.Context())
			var f *fault.Error
			if !errors.As(err, &f) || f.Kind != fault.Clock || f.Details["server_time"] == nil || f.Details["local_time"] == nil {
				t.Errorf("clock off by %d s: %v", seconds, err)
			}
		}
		s.same(t, "before", s.ours.dump(t), before)

		s.proxy.Use(anki.Hooks{After: meta(`"msg":""`, `"msg":"Grüße"`)})
		r, err := s.ours.try(t.Context())
		if err != nil || r.Message != "Grüße" {
			t.Fatalf("message %q %v", r.Message, err)
		}
		a.keeps(t, s.agree(t))
	})
}

// A 308 of meta leads the whole sync to another base; a second one, or one of another request, is an error.
func TestRedirect(t *testing.T) {
	t.Parallel()
	// Where fetch follows a redirect by itself, hostrunner/browsertest has one.
	locals(t, 1, func(t *testing.T, e engine) {
		s, a := newApartSetup(t, e, false)
		other := anki.NewProxy(t, get(t, shared.server).URL)
		to := func(p *anki.Proxy, method string) anki.Hooks {
			return anki.Hooks{Before: func(ex *anki.Exchange) anki.Verdict {
				if ex.Method == method {
					ex.Status, ex.Header = 308, http.Header{"Location": {p.URL}}
				}
				return anki.Pass
			}}
		}
		s.proxy.Use(to(other, "start"))
		if _, err := s.ours.try(t.Context()); fault.KindOf(err) != fault.Network {
			t.Errorf("308 of start: %v", err)
		}
		s.proxy.Use(to(other, "meta"))
		other.Use(to(s.proxy, "meta"))
		if _, err := s.ours.try(t.Context()); fault.KindOf(err) != fault.Network {
			t.Errorf("two 308: %v", err)
		}
		s.proxy.Use(to(other, "meta"))
		other.Use(anki.Hooks{})
		r, err := s.ours.try(t.Context())
		if err != nil || r.NewEndpoint != other.URL {
			t.Fatalf("new endpoint %q, want %q: %v", r.NewEndpoint, other.URL, err)
		}
		if log := s.proxy.Log(); len(log) != 1 {
			t.Errorf("the old base got %v", log)
		}
		a.keeps(t, s.agree(t))
	})
}

// A server whose slices never end, or a cache that answers each request for one alike, is not asked for ever.
func TestSliceAgainAndAgain(t *testing.T) {
	t.Parallel()
	hosts(t, 1, func(t *testing.T, e engine) {
		s, a := newApartSetup(t, e, true)
		for _, answer := range []string{`{"done":false}`, `{"done":false,"revlog":[[1764000000123,1700000000777,0,3,12,5,2500,4312,1]]}`} {
			s.proxy.Use(anki.Hooks{After: func(ex *anki.Exchange) anki.Verdict {
				if ex.Method == "chunk" {
					ex.Answer([]byte(answer))
				}
				return anki.Pass
			}})
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			if _, err := s.ours.try(ctx); fault.KindOf(err) != fault.DamagedDownload {
				t.Errorf("%s: got %v, want kind %v", answer, err, fault.DamagedDownload)
			}
			cancel()
		}
		s.proxy.Use(anki.Hooks{})
		if _, err := s.ours.try(t.Context()); err != nil {
			t.Fatal(err)
		}
		a.keeps(t, s.agree(t))
	})
}

// An answer of few bytes that unpacks to very many, in a frame that does not say to how many, is refused before it fills the
// memory of the guest.
func TestAnswersOfManyBytes(t *testing.T) {
	t.Parallel()
	hosts(t, 1, func(t *testing.T, e engine) {
		s, a := newApartSetup(t, e, true)
		for _, size := range []int{64 << 20, 64<<20 + 1, 500_000_000} {
			var frame bytes.Buffer
			z, err := zstd.NewWriter(&frame)
			if err != nil {
				t.Fatal(err)
			}
			spaces := bytes.Repeat([]byte(" "), 1<<20)
			for left := size; left > 0; left -= len(spaces) {
				z.Write(spaces[:min(left, len(spaces))])
			}
			z.Close()
			for _, method := range []string{"meta", "chunk"} {
				s.proxy.Use(anki.Hooks{After: func(ex *anki.Exchange) anki.Verdict {
					if ex.Method == method {
						ex.Body = frame.Bytes()
						setSize(ex, size)
					}
					return anki.Pass
				}})
				if _, err := s.ours.try(t.Context()); fault.KindOf(err) != fault.DamagedDownload {
					t.Errorf("%d bytes for %s: got %v, want kind %v", size, method, err, fault.DamagedDownload)
				}
			}
		}
		s.proxy.Use(anki.Hooks{})
		if _, err := s.ours.try(t.Context()); err != nil {
			t.Fatal(err)
		}
		a.keeps(t, s.agree(t))
	})
}
