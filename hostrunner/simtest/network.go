package simtest

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/wire"
)

const (
	endpoint = "http://sim/"
	password = "a pass phrase"
)

// user names an account.
func user(account int) string { return fmt.Sprint("learner", account) }

// netFault is what happens to one request.
type netFault string

// The faults of the network, and what may come between two requests.
const (
	lostBefore  netFault = "request lost"
	lostAfter   netFault = "answer lost"
	silence     netFault = "everything lost from here on"
	silentAfter netFault = "everything lost after this one"
	killBefore  netFault = "killed before the request"
	killAfter   netFault = "killed after the request"
	doubled     netFault = "request doubled"
	cutAnswer   netFault = "answer cut"
	cutRequest  netFault = "request cut"
	foreign     netFault = "answer of a captive portal"
	unavailable netFault = "503"
	limited     netFault = "429"
	stolen      netFault = "another device syncs meanwhile"
	edited      netFault = "the learner edits meanwhile"
	removed     netFault = "the learner deletes a note meanwhile"
	restarted   netFault = "the server restarts"
	noRoute     netFault = "no route"
	stalled     netFault = "no answer in time"
	refused     netFault = "403"
	proxyLogin  netFault = "407"
	tooLarge    netFault = "413"
	tooOld      netFault = "501"
	closedDown  netFault = "the server has a message"
	cancelled   netFault = "the user cancels"
	badRequest  netFault = "request altered"
	badAnswer   netFault = "answer altered"
)

var netFaults = []netFault{
	lostBefore, lostAfter, silence, silentAfter, killBefore, killAfter, doubled, cutAnswer, cutRequest, foreign, unavailable, limited,
	stolen, edited, removed, restarted, noRoute, stalled, refused, proxyLogin, tooLarge, tooOld, closedDown, cancelled, badRequest, badAnswer,
}

// statuses are the answers of a server, or of something before it, that refuses.
var statuses = map[netFault]int{unavailable: 503, limited: 429, refused: 403, proxyLogin: 407, tooLarge: 413, tooOld: 501}

// plan is what goes wrong during one action.
type plan struct {
	faults   map[int]netFault // by the number of the request
	at       map[string]netFault
	rng      *rand.Rand
	requests int
	silent   bool
	deadly   bool          // one of the faults kills the device
	replaced bool          // another device has replaced the server's collection meanwhile
	hit      int           // faults that took place
	look     bool          // at what the sync meets (cells.go)
	nested   bool          // the action is part of another one: nothing goes wrong
	late     *host.Request // a copy that comes after the next request
}

// newPlan is one without faults.
func newPlan(d *device) *plan {
	return &plan{rng: rand.New(rand.NewPCG(uint64(d.id), uint64(d.w.syncs)))}
}

// disturbed reports whether anything went wrong, so that the action may fail.
func (p *plan) disturbed() bool { return p.hit > 0 }

var broken = fault.New(fault.Network, "the connection broke")

// maxRequests bounds an action: more is a loop.
const maxRequests = 3000

// answer is the network of a device.
func (d *device) answer(_ context.Context, req *host.Request) (*host.Response, error) {
	w, p := d.w, d.plan
	n := p.requests
	p.requests++
	method := path.Base(req.URL)
	if n > maxRequests {
		w.fail("device %d: no end after %d requests", d.id, n)
		d.dead = true
	}
	if d.dead {
		return nil, errDead
	}
	what, some := p.faults[n]
	if f, named := p.at[method]; named {
		what, some = f, true
		delete(p.at, method)
	}
	if p.silent {
		what, some = silence, true
	}
	if some {
		p.hit++
		w.cover.add("edge: " + method + ", " + string(what))
		w.note("device %d: %s: %s", d.id, method, what)
	}
	switch what {
	case lostBefore:
		return nil, broken
	case silence:
		p.silent = true
		return nil, broken
	case killBefore:
		d.dead = true
		return nil, errDead
	case cutRequest:
		cut := *req
		cut.Body = req.Body[:len(req.Body)/2]
		return w.forward(d, method, &cut)
	case stolen:
		w.nestedSync(d)
		d.own.media.overtaken(d)
	case edited:
		if !d.dead {
			w.edit(d, p.rng, "")
		}
	case removed:
		if !d.dead {
			w.edit(d, p.rng, focusRemove)
		}
	case restarted:
		w.restartServer()
	case noRoute:
		return nil, fault.New(fault.Offline, "no route to the server")
	case cancelled:
		d.cancel()
	case badRequest:
		broken := *req
		broken.Body = w.altered(req.Body, p.rng)
		return w.forward(d, method, &broken)
	}
	r, err := w.serve(d, req)
	if p.late != nil {
		_, _ = w.serve(d, p.late)
		p.late = nil
	}
	switch what {
	case lostAfter:
		return nil, broken
	case silentAfter:
		p.silent = true
	case killAfter:
		d.dead = true
		return nil, errDead
	case cutAnswer:
		if err == nil {
			r.Body = r.Body[:len(r.Body)/2]
		}
	case foreign:
		return &host.Response{Status: 200, Header: map[string]string{"content-type": "text/html"}, Body: []byte("<html>Log in</html>")}, nil
	case unavailable, limited, refused, proxyLogin, tooLarge, tooOld:
		return &host.Response{Status: statuses[what], Header: map[string]string{"retry-after": "1"}}, nil
	case stalled:
		return nil, fault.New(fault.Timeout, "no answer")
	case doubled: // by a proxy that repeats, or by a browser that has no answer when a connection ends
		if n%3 == 0 {
			p.late = req
		} else if second, err2 := w.serve(d, req); n%3 == 1 {
			return second, err2
		}
	case closedDown:
		return w.message(method), nil
	case badAnswer:
		if err == nil && r.Status == http.StatusOK {
			r.Body = w.altered(r.Body, p.rng)
		}
	}
	return r, err
}

// message is the answer of a server that wants no clients.
func (w *world) message(method string) *host.Response {
	if method != "meta" {
		return &host.Response{Status: http.StatusInternalServerError, Header: map[string]string{}}
	}
	plain := wire.AppendMeta(nil, &wire.Meta{Msg: "closed for maintenance"})
	return &host.Response{Status: http.StatusOK, Body: w.codec.Compress(nil, plain), Header: map[string]string{"anki-original-size": fmt.Sprint(len(plain))}}
}

// altered returns a body with a changed byte, in a way that can be noticed: messages have no checksums (sync spec §3.3), so a digit that
// became another one is what the sender said.
func (w *world) altered(body []byte, rng *rand.Rand) []byte {
	plain, err := w.codec.Decompress(nil, body, 64<<20)
	if err != nil { // an archive, whose content has sums
		return flipped(body, rng)
	}
	if len(plain) > 0 && rng.IntN(2) == 0 {
		switch marks := structure(plain); {
		case len(marks) > 0:
			plain[marks[rng.IntN(len(marks))]] = 1 // nowhere allowed in JSON
			return w.codec.Compress(nil, plain)
		case bytes.HasPrefix(plain, []byte("PK")):
			return w.codec.Compress(nil, flipped(plain, rng))
		}
	}
	for range 20 {
		bad := flipped(body, rng)
		if _, err := w.codec.Decompress(nil, bad, 64<<20); err != nil {
			return bad
		}
	}
	return nil
}

// structure lists where a JSON text has its signs.
func structure(text []byte) (at []int) {
	if !bytes.ContainsRune([]byte("[{"), rune(text[0])) {
		return nil
	}
	for i, c := range text {
		if bytes.IndexByte([]byte(`[]{},:`), c) >= 0 {
			at = append(at, i)
		}
	}
	return at
}

func flipped(b []byte, rng *rand.Rand) []byte {
	b = bytes.Clone(b)
	if len(b) > 0 {
		b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
	}
	return b
}

// serve has the server answer a request.
func (w *world) serve(d *device, req *host.Request) (*host.Response, error) {
	method := path.Base(req.URL)
	w.checkOutgoing(d, method, req.Body)
	return w.forward(d, method, req)
}

// forward is serve for what a network has made of a request.
func (w *world) forward(d *device, method string, req *host.Request) (*host.Response, error) {
	r := httptest.NewRequest(req.Method, "/"+strings.TrimPrefix(req.URL, endpoint), bytes.NewReader(w.mutant.request(w.codec, method, req.Body)))
	for k, v := range req.Header {
		r.Header.Set(k, v)
	}
	r.Header.Set("anki-sync", w.mutant.sent(r.Header.Get("anki-sync")))
	rec := httptest.NewRecorder()
	w.server.ServeHTTP(rec, r)
	out := &host.Response{Status: rec.Code, Header: map[string]string{}, Body: rec.Body.Bytes()}
	for k := range rec.Header() {
		out.Header[strings.ToLower(k)] = rec.Header().Get(k)
	}
	w.requests++
	w.trace("%d %s %d", d.id, method, rec.Code)
	if rec.Code == http.StatusOK {
		w.cover.add("request: " + method)
	} else {
		w.cover.add(fmt.Sprintf("status: %s %d", method, rec.Code))
	}
	return out, nil
}
