package colsync

import (
	"context"
	"strconv"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/wire"
)

const (
	// stallTime is how long a request may make no progress (§3.4).
	stallTime = 30 * time.Second
	// abortStall bounds the wait for an answer to abort, which changes nothing for us.
	abortStall = 500 * time.Millisecond
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

// remote is the server as one client object sees it: one base URL, one session key.
type remote struct {
	host     *host.Host
	base     string // ends in "/"
	key      string
	session  string
	client   string
	codec    *wire.Codec
	requests int
	// newEndpoint is the literal Location of a redirect, to be kept by the caller (§2.3).
	newEndpoint string
}

func newRemote(h *host.Host, acc Account, client string) (*remote, error) {
	base, err := ParseEndpoint(acc.Endpoint)
	if err != nil {
		return nil, err
	}
	return &remote{
		host: h, base: base, key: acc.Key, client: client,
		session: sessionKey(h.Random), codec: wire.NewCodec(),
	}, nil
}

// sessionKey returns eight random base-62 digits (§3.2).
func sessionKey(r host.Random) string {
	const digits = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	b := make([]byte, 8)
	r.Random(b)
	for i := range b {
		b[i] = digits[int(b[i])%len(digits)]
	}
	return string(b)
}

// request returns the request for a method with its body already compressed.
func (r *remote) request(method string, body []byte) *host.Request {
	return &host.Request{
		Method: "POST",
		URL:    r.base + "sync/" + method,
		Header: map[string]string{
			"anki-sync":    wire.Header(r.key, r.client, r.session),
			"content-type": "application/octet-stream",
		},
		Body:  body,
		Limit: maxBody,
		Stall: stallTime,
	}
}

// start sends a request without waiting for the answer.
func (r *remote) start(ctx context.Context, method string, payload []byte) host.Call {
	r.requests++
	return r.host.HTTP.Start(ctx, r.request(method, r.codec.Compress(nil, payload)))
}

// post sends payload and returns the decompressed answer.
func (r *remote) post(ctx context.Context, method string, payload []byte) ([]byte, error) {
	call := r.start(ctx, method, payload)
	defer call.Close()
	if err := r.wait(ctx, call); err != nil {
		return nil, err
	}
	return r.answer(method, call)
}

// wait blocks until the call has its answer.
func (r *remote) wait(ctx context.Context, call host.Call) error {
	calls := []host.Call{call}
	for {
		i, err := r.host.HTTP.Wait(ctx, calls)
		if err != nil {
			return err
		}
		if i == 0 {
			return nil
		}
	}
}

// answer decodes the answer of a call that has one.
func (r *remote) answer(method string, call host.Call) ([]byte, error) {
	return r.answerInto(nil, method, call)
}

// answerInto is answer into the memory of dst.
func (r *remote) answerInto(dst []byte, method string, call host.Call) ([]byte, error) {
	resp, err := call.Response()
	if err != nil {
		return nil, fault.Step(method, err)
	}
	if err := checkStatus(method, resp); err != nil {
		return nil, err
	}
	size, err := originalSize(method, resp)
	if err != nil {
		return nil, err
	}
	body, err := r.codec.Decompress(dst, resp.Body, min(size, maxAnswer)+1)
	if err != nil {
		return nil, fault.Step(method, err)
	}
	if int64(len(body)) != size {
		return nil, sizeError(method, int64(len(body)), size)
	}
	return body, nil
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

func sizeError(method string, got, want int64) error {
	return fault.New(fault.DamagedDownload, "%s: the answer has %d bytes, announced were %d", method, got, want).
		WithHint("Try again; if it stays, a proxy on the way changes answers.")
}

// checkStatus maps an HTTP status to an error kind (§19, contract §3).
func checkStatus(method string, resp *host.Response) error {
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

// abort ends our session on the server; its outcome does not matter (§7.7). It works after a cancel as well.
func (r *remote) abort(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	req := r.request("abort", r.codec.Compress(nil, []byte("{}")))
	req.Stall = abortStall
	r.requests++
	call := r.host.HTTP.Start(ctx, req)
	defer call.Close()
	_ = r.wait(ctx, call)
}
