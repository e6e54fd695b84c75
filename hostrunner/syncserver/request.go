package syncserver

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// call is one request while it is served.
type call struct {
	server *Server
	w      *responseWriter
	r      *http.Request
	body   *bodyReader
	begun  time.Time
	ip     string

	endpoint string
	header   header
	account  store.Account // known once the key was looked up
	device   store.Device
	allowed  time.Time // when the key was looked up
	tenant   *tenant
	err      error  // what went wrong, for the log
	held     bool   // a place among the large messages
	isAlone  bool   // the only place of the very large ones
	tools    *tools // nil: none were needed yet
}

func newCall(s *Server, w http.ResponseWriter, r *http.Request) *call {
	c := &call{server: s, r: r, begun: time.Now(), ip: s.ClientIP(r)}
	control := http.NewResponseController(w)
	c.w = &responseWriter{ResponseWriter: w, control: control, stall: s.Limits.Stall, timer: timerOf(r)}
	// MaxBytesReader also ends the connection of who sends more.
	c.body = &bodyReader{r: http.MaxBytesReader(w, r.Body, s.Limits.Payload), control: control, stall: s.Limits.Stall, timer: timerOf(r), begun: c.begun}
	return c
}

// serve reads a request of the protocol, has the method do its work and sends the answer. The key is looked up before the
// body is collected: the reference does it the other way round, and takes hundreds of megabytes from anybody.
func (c *call) serve(m *method) {
	if err := c.run(m); err != nil {
		c.fail(err)
	}
}

func (c *call) run(m *method) (err error) {
	defer func() {
		// A defect of ours ends the request, and nothing else.
		if r := recover(); r != nil {
			err = fault.New(fault.Internal, "%v\n%s", r, debug.Stack())
		}
	}()
	if c.header, err = readHeader(c.r); err != nil {
		return err
	}
	if !m.open {
		if err := c.authenticate(c.r.Context()); err != nil {
			return err
		}
		if err := c.enter(m); err != nil {
			return err
		}
		defer c.server.tenants.leave(c.tenant)
	}
	// The work goes on to its end if the client hangs up: what it did is then done, and what it did not is rolled back.
	ctx := context.WithoutCancel(c.r.Context())
	var a answer
	if m.stream != nil {
		a, err = m.stream(ctx, c)
	} else {
		a, err = c.message(ctx, m)
	}
	if err != nil {
		return err
	}
	return c.send(a)
}

// message collects a message and has the method answer it.
func (c *call) message(ctx context.Context, m *method) (answer, error) {
	payload, err := c.collect(min(m.limit, c.server.Limits.Message))
	if err != nil {
		return answer{}, err
	}
	ctx, cancel := c.work(ctx)
	defer cancel()
	if !m.open && c.server.Now().Sub(c.allowed) >= atOnce {
		if err := c.stillAllowed(ctx); err != nil {
			return answer{}, err
		}
	}
	return m.serve(ctx, c, payload)
}

// work limits the time of what is done once everything was received.
func (c *call) work(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, c.server.Limits.Work)
}

// enter takes the account into service. If another node does that, a client that can is sent there.
func (c *call) enter(m *method) (err error) {
	c.tenant, err = c.server.tenants.enter(c.r.Context(), c.account.ID)
	if e, ok := errors.AsType[*store.Elsewhere](err); ok && e.URL != "" && m.redirects {
		return &statusError{status: http.StatusPermanentRedirect, reason: "another node serves the account", location: e.URL}
	}
	return err
}

// authenticate finds the account and the device that the key belongs to.
func (c *call) authenticate(ctx context.Context) error {
	c.allowed = c.server.Now()
	return asForbidden(c.server.authenticate(ctx, c, c.header.key, c.header.client))
}

// atOnce is how long a message may take without a second look at the key, which is a part of what a small request costs.
const atOnce = time.Second

// stillAllowed looks the key up again when the body was received, which takes as long as the client likes: what comes from a device
// that was revoked meanwhile must not count.
func (c *call) stillAllowed(ctx context.Context) error {
	_, _, err := c.server.byKey(ctx, c.header.key)
	return asForbidden(err)
}

// asForbidden gives an unknown key its status (§19).
func asForbidden(err error) error {
	if fault.KindOf(err) == fault.Auth {
		return refuse(http.StatusForbidden, "unknown key")
	}
	return err
}

// takeTools returns the tools of the request, which has them until its end.
func (c *call) takeTools() *tools {
	if c.tools == nil {
		c.tools = toolbox.Get().(*tools)
	}
	return c.tools
}

// collect reads the body, one zstd frame, and returns what is in it, until the request's end; what follows the frame is ignored (§3.3).
func (c *call) collect(limit int64) ([]byte, error) {
	t := c.takeTools()
	compressed, err := c.readAll(t.body[:0], limit)
	if err != nil {
		return nil, err
	}
	t.body = compressed
	payload, err := t.Decompress(t.payload[:0], compressed, min(limit, smallMessage))
	if err != nil && limit > smallMessage {
		// Perhaps it is larger than that; a broken frame fails again.
		if err := c.large(nil); err != nil {
			return nil, err
		}
		payload, err = t.Decompress(t.payload[:0], compressed, min(limit, hugeMessage))
	}
	if err != nil && limit > hugeMessage {
		if err := c.alone(); err != nil {
			return nil, err
		}
		payload, err = t.Decompress(t.payload[:0], compressed, limit)
	}
	if err == nil {
		t.payload = payload
	}
	return payload, err
}

// readAll reads the body as it was sent, into buf if it has room.
func (c *call) readAll(buf []byte, limit int64) ([]byte, error) {
	if c.r.ContentLength > limit {
		return nil, &http.MaxBytesError{Limit: limit}
	}
	buf = slices.Grow(buf, int(max(512, min(c.r.ContentLength+1, smallMessage))))
	var coming largeBody
	for {
		if len(buf) == cap(buf) {
			if len(buf) > smallMessage {
				if err := c.large(&coming); err != nil {
					return nil, err
				}
			}
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := c.body.Read(buf[len(buf):min(cap(buf), int(limit)+1)])
		buf = buf[:len(buf)+n]
		coming.got.Add(int64(n))
		switch {
		case int64(len(buf)) > limit:
			return nil, &http.MaxBytesError{Limit: limit}
		case err == io.EOF:
			if c.held {
				c.server.large.came(c)
			}
			return buf, nil
		case err != nil:
			return nil, err
		}
	}
}

// large waits for a place among the large messages, which is held until the end of the request. body is what is still coming, nil if nothing is.
func (c *call) large(body *largeBody) error {
	if c.held {
		return nil
	}
	err := c.server.large.enter(c.r.Context(), c, body)
	c.held = err == nil
	return err
}

// alone waits until no other very large message is being handled. The body is there, so that does not take long.
func (c *call) alone() error {
	select {
	case c.server.huge <- struct{}{}:
		c.isAlone = true
		return nil
	case <-c.r.Context().Done():
		return c.r.Context().Err()
	}
}

// end gives back what the request held, and tells the log.
func (c *call) end() {
	if c.tools != nil {
		c.tools.giveBack()
	}
	if c.isAlone {
		runtime.GC() // else what this one leaves lies beside what the next one needs
		<-c.server.huge
	}
	if c.held {
		c.server.large.leave(c)
	}
	c.body.leave() // before anything is sent: the server reads what is left of the body then
	if c.w.status >= http.StatusBadRequest {
		c.report() // who is refused may look for why
		c.w.settle()
		return
	}
	c.w.settle() // nobody waits for the log
	c.report()
}
