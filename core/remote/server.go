// Package remote speaks to a sync server as one client: one base URL, one key, one session. It has what requests for the
// collection and for media have in common: header, zstd bodies, statuses, redirects.
//
// Section numbers in comments are those of shared/spec/collection-sync.md.
package remote

import (
	"context"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/wire"
)

const (
	// stallTime is how long a request may make no progress (§3.4).
	stallTime = 30 * time.Second
	// maxAnswer bounds a decompressed answer other than a collection file. A slice of 250 notes is rarely over 1 MiB;
	// the limit keeps an endless answer from filling the memory.
	maxAnswer = 64 << 20
	// maxBody bounds the same answer before decompression.
	maxBody = 32 << 20
)

// Account says where to sync and with which key. The key is a secret: it is never logged.
type Account struct {
	Endpoint string `json:"endpoint"`
	Key      string `json:"key"`
}

// Server is the server as one client object sees it.
type Server struct {
	Host   *host.Host
	Base   string // ends in "/"
	Client string
	// Requests counts what was sent.
	Requests int
	// NewEndpoint is the literal Location of a redirect, to be kept by the caller (§2.3).
	NewEndpoint string
	Codec       *wire.Codec

	hostZstd bool   // the host compresses bodies
	service  string // "sync/" or "msync/"
	key      string
	session  string
	numbered int64 // the last number that a request got
}

// The services of a server.
const (
	Sync  = "sync/"
	MSync = "msync/"
)

// New returns the server of an account. Errors: those of ParseEndpoint.
func New(h *host.Host, acc Account, client, service string) (*Server, error) {
	base, err := ParseEndpoint(acc.Endpoint)
	if err != nil {
		return nil, err
	}
	r := &Server{Host: h, Base: base, Client: client, Codec: wire.NewCodec(), service: service, key: acc.Key}
	r.NewSession()
	return r, nil
}

// NewSession takes a new session key, eight random base-62 digits (§3.2).
func (r *Server) NewSession() {
	const digits = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	b := make([]byte, 8)
	r.Host.Random.Random(b)
	for i := range b {
		b[i] = digits[int(b[i])%len(digits)]
	}
	r.session = string(b)
}

// Once reports whether a request of a method must not come twice. The network makes two of one now and then: browsers send a request again of
// which a connection in use has brought no answer. What a second chunk takes from the server reaches nobody, as the first one's answer does; the
// second answer to applyChanges has our own objects in it as if they were the server's. So these have numbers, by which our server and gateway
// know a second one; and from the first number on, with applyGraves, a copy of start, which would drop what was sent since. Every other request
// may come twice, but for finish: after the first one there is no session (our server and gateway answer it again).
func Once(method string) bool { return slices.Contains(OnceMethods(), method) }

// OnceMethods lists them.
func OnceMethods() []string { return []string{"chunk", "applyChanges", "applyGraves"} }

// ErrTwice is that of such a request that may be the second one; the first one's answer is lost, so the sync starts again.
var ErrTwice error = fault.New(fault.Network, "the connection broke, and a request came twice").WithHint("Sync again.")

// StatusTwice is the status that our server, our gateway and hosts answer with then (RFC 8470: a request that may be a replay).
const StatusTwice = 425

// Request returns the request for a method with its payload, if it has one, compressed, or to be compressed by a host
// that can.
func (r *Server) Request(method string, payload []byte) *host.Request {
	body := payload
	if payload != nil && !r.hostZstd {
		body = r.Codec.Compress(nil, payload)
	}
	number := int64(0)
	if Once(method) {
		r.numbered++
		number = r.numbered
	}
	return &host.Request{
		Method: "POST",
		URL:    r.Base + r.service + method,
		Header: map[string]string{
			"anki-sync":    wire.Header(r.key, r.Client, r.session, number),
			"content-type": "application/octet-stream",
		},
		Body:   body,
		Zstd:   payload != nil && r.hostZstd,
		Unzstd: true,
		Limit:  maxBody,
		Stall:  stallTime,
	}
}

// Send sends a request without waiting for the answer.
func (r *Server) Send(ctx context.Context, req *host.Request) host.Call {
	r.Requests++
	return r.Host.HTTP.Start(ctx, req)
}

// Start sends payload without waiting for the answer.
func (r *Server) Start(ctx context.Context, method string, payload []byte) host.Call {
	return r.Send(ctx, r.Request(method, payload))
}

// Post sends payload and returns the decompressed answer.
func (r *Server) Post(ctx context.Context, method string, payload []byte) ([]byte, error) {
	call := r.Start(ctx, method, payload)
	defer call.Close()
	if err := r.Wait(ctx, call); err != nil {
		return nil, err
	}
	return r.Answer(method, call)
}

// PostFollowing is Post that follows one redirect.
func (r *Server) PostFollowing(ctx context.Context, method string, payload []byte) ([]byte, error) {
	return r.PostDuring(ctx, method, payload, func() error { return nil })
}

// PostDuring is PostFollowing that does something else while the request is under way.
func (r *Server) PostDuring(ctx context.Context, method string, payload []byte, do func() error) ([]byte, error) {
	for redirected := false; ; redirected = true {
		call := r.Start(ctx, method, payload)
		err := error(nil)
		if !redirected {
			err = do()
		}
		if err == nil {
			err = r.Wait(ctx, call)
		}
		if err != nil {
			call.Close()
			return nil, err
		}
		resp, err := call.Response()
		if err != nil || resp.Status != 308 || redirected {
			body, err := r.Answer(method, call)
			call.Close()
			if redirected && fault.KindOf(err) == fault.InvalidInput { // the host's network stack has the last word
				err = noAddress(method, r.NewEndpoint)
			}
			return body, err
		}
		call.Close()
		if err := r.Redirect(method, resp); err != nil {
			return nil, err
		}
	}
}

// Redirect makes the Location of a 308 the new base; it is the base URL, not that of the method (§2.3).
func (r *Server) Redirect(method string, resp *host.Response) error {
	location := resp.Header["location"]
	base, err := ParseEndpoint(location)
	if err != nil || !strings.Contains(location, "://") {
		return noAddress(method, location)
	}
	r.Base, r.NewEndpoint = base, location
	return nil
}

func noAddress(method, location string) error {
	return fault.New(fault.Network, "%s: the server redirects to %q, which is no address", method, location)
}

// WithRedirect adds where a redirect has led to the details of an error, as new_endpoint: the caller keeps it also when
// the sync has failed later (§2.3).
func (r *Server) WithRedirect(err error) error {
	e, ok := err.(*fault.Error)
	if !ok || r.NewEndpoint == "" {
		return err
	}
	c := *e
	c.Details = maps.Clone(e.Details)
	return c.With("new_endpoint", r.NewEndpoint)
}

// Wait blocks until the call has its answer.
func (r *Server) Wait(ctx context.Context, call host.Call) error {
	calls := []host.Call{call}
	for {
		i, err := r.Host.HTTP.Wait(ctx, calls)
		if err != nil {
			return err
		}
		if i == 0 {
			return nil
		}
	}
}

// Answer decodes the answer of a call that has one.
func (r *Server) Answer(method string, call host.Call) ([]byte, error) {
	return r.AnswerInto(nil, method, call)
}

// AnswerInto is Answer, possibly into the memory of dst.
func (r *Server) AnswerInto(dst []byte, method string, call host.Call) ([]byte, error) {
	resp, size, err := head(method, call)
	if err != nil {
		return nil, err
	}
	if size > maxAnswer {
		return nil, fault.Step(method, wire.TooLong(maxAnswer))
	}
	r.hostZstd = r.hostZstd || resp.Decoded
	body := resp.Body
	if !resp.Decoded {
		if body, err = r.Codec.Decompress(dst, resp.Body, size+1); err != nil {
			return nil, fault.Step(method, err)
		}
	}
	if int64(len(body)) != size {
		return nil, SizeError(method, int64(len(body)), size)
	}
	return body, nil
}

// Stream returns the decompressed body of a streamed answer and the size that was announced for it. What is read is
// not compared with it.
func (r *Server) Stream(ctx context.Context, method string, call host.Call) (body io.ReadCloser, size int64, err error) {
	resp, size, err := head(method, call)
	if err != nil {
		return nil, 0, err
	}
	body = io.NopCloser(&bodyReader{ctx, call})
	if !resp.Decoded {
		body, err = wire.NewReader(body)
	}
	return body, size, fault.Step(method, err)
}

// bodyReader makes a call's body an io.Reader.
type bodyReader struct {
	ctx  context.Context
	call host.Call
}

func (b *bodyReader) Read(p []byte) (int, error) { return b.call.Read(b.ctx, p) }

// head checks status and size of an answer.
func head(method string, call host.Call) (*host.Response, int64, error) {
	resp, err := call.Response()
	if err != nil {
		return nil, 0, fault.Step(method, err)
	}
	if err := CheckStatus(method, resp); err != nil {
		return nil, 0, err
	}
	size, err := originalSize(method, resp)
	return resp, size, err
}

// originalSize reads the header that every success must carry (§3.3).
func originalSize(method string, resp *host.Response) (int64, error) {
	size, err := strconv.ParseUint(resp.Header["anki-original-size"], 10, 32)
	if err != nil {
		return 0, fault.New(fault.DamagedDownload, "%s: the answer is not one of a sync server", method).
			WithHint("Check the address of the sync server, and whether this network asks you to log in first.")
	}
	return int64(size), nil
}

// SizeError says that an answer is not as long as announced.
func SizeError(method string, got, want int64) error {
	return fault.New(fault.DamagedDownload, "%s: the answer has %d bytes, announced were %d", method, got, want).
		WithHint("Try again; if it stays, a proxy on the way changes answers.")
}

// CheckStatus maps an HTTP status to an error kind (§19, contract §3).
func CheckStatus(method string, resp *host.Response) error {
	s := resp.Status
	switch {
	case s >= 200 && s < 300:
		return nil
	case s == 400:
		return fault.New(fault.DatabaseCheck, "%s: the server cannot use what it was sent (400)", method).
			WithHint("Run Check Database on this and your other devices, then sync again.")
	case s == 403:
		return fault.New(fault.Auth, "%s: the server refuses the login (403)", method).
			WithHint("Log in again.")
	case s == 407:
		return fault.New(fault.ProxyAuth, "%s: the proxy asks for a login (407)", method).
			WithHint("Set the user and password of your proxy.")
	case s == 409:
		return fault.New(fault.Conflict, "%s: another device is syncing this account (409)", method).
			WithHint("Wait until the other device has finished, then sync again.")
	case s == 413:
		return fault.New(fault.TooLarge, "%s: the server or a proxy before it refuses the size (413)", method).
			WithHint("Raise the size limit of the server, or make the collection smaller.")
	case s == StatusTwice && Once(method):
		return ErrTwice
	case s == 429:
		return fault.New(fault.Network, "%s: too many requests (429)", method).
			WithHint("Try again later.")
	case s == 501:
		return fault.New(fault.ClientTooOld, "%s: the server asks for a newer client (501)", method).
			WithHint("Update this program.")
	case s == 500, s == 502, s == 503, s == 504:
		return fault.New(fault.ServerError, "%s: the server has a problem (%d)", method, s).
			WithHint("Try again later.")
	}
	return fault.New(fault.Network, "%s: unexpected answer (%d)", method, s).
		WithHint("Check the address of the sync server.")
}
