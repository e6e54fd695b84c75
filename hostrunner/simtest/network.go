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
	restarted   netFault = "the server restarts"
)

var netFaults = []netFault{
	lostBefore, lostAfter, silence, silentAfter, killBefore, killAfter, doubled, cutAnswer, cutRequest, foreign, unavailable, limited,
	stolen, edited, restarted,
}

// plan is what goes wrong during one action.
type plan struct {
	faults   map[int]netFault // by the number of the request
	rng      *rand.Rand
	requests int
	silent   bool
	replaced bool // another device has replaced the server's collection meanwhile
	hit      int  // faults that took place
	nested   bool // the action is part of another one: nothing goes wrong
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
		return w.serve(d, &cut)
	case stolen:
		w.nestedSync(d)
	case edited:
		if !d.dead {
			w.edit(d, p.rng)
		}
	case restarted:
		w.restartServer()
	case doubled:
		if method != "chunk" { // the client would miss a slice: no proxy repeats a POST (sync spec §2.2)
			defer func() { _, _ = w.serve(d, req) }()
		}
	}
	r, err := w.serve(d, req)
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
	case unavailable:
		return &host.Response{Status: 503, Header: map[string]string{"retry-after": "1"}}, nil
	case limited:
		return &host.Response{Status: 429, Header: map[string]string{"retry-after": "1"}}, nil
	}
	return r, err
}

// serve has the server answer a request.
func (w *world) serve(d *device, req *host.Request) (*host.Response, error) {
	method := path.Base(req.URL)
	w.checkOutgoing(d, method, req.Body)
	r := httptest.NewRequest(req.Method, "/"+strings.TrimPrefix(req.URL, endpoint), bytes.NewReader(w.mutant.request(w.codec, method, req.Body)))
	for k, v := range req.Header {
		r.Header.Set(k, v)
	}
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
