package host

import (
	"context"
	"time"
)

// Request is one HTTP request. Its body is Body or, if BodyFile is set, that file of the profile or, if Parts is set, these
// one after the other; in any case the request carries a content-length: the reference server's cost of collecting a body grows with the number of its
// HTTP chunks (design §3).
type Request struct {
	Method   string
	URL      string
	Header   map[string]string // lower-case names
	Body     []byte
	BodyFile string
	Parts    []BodyPart
	// Stream leaves the body of a 2xx answer to Call.Read; otherwise the host collects the body before it reports the call.
	Stream bool
	// Unzstd asks a host that can to decompress the body, one zstd frame, of a 2xx answer, which is much faster
	// outside of the guest. A host that cannot leaves it as it is. A collected body that is no such frame, or longer
	// than Limit or the host's own bound when decompressed, is left as it is as well.
	Unzstd bool
	// Zstd lets the host compress Body into one zstd frame, beside what the core does meanwhile. It may be set once an
	// collected answer of this host was Decoded: hosts do both or neither.
	Zstd bool
	// Limit bounds the collected body in bytes; a longer one fails with fault.DamagedDownload.
	Limit int64
	// Stall fails the call with fault.Timeout when no byte was sent or received for that long.
	Stall time.Duration
}

// Response is the head of an answer and, unless streamed, its body.
type Response struct {
	Status int
	Header map[string]string // lower-case names; at least location, anki-original-size, content-length, retry-after
	Body   []byte
	// Decoded says that the body is decompressed, or being decompressed while it is streamed, as Request.Unzstd asked.
	Decoded bool
}

// HTTP sends requests. It never follows redirects, never retries, keeps no cookies, and does not decode bodies. A browser does retry; where its
// host notices, the status is 425 (core/remote, Once).
type HTTP interface {
	// Start sends the request and returns at once. Failures are reported by the call. The request's Body is not changed
	// before the call has an answer or is closed.
	Start(ctx context.Context, req *Request) Call
	// Wait blocks until one of the calls has its answer or has failed, and returns its index; the caller leaves a
	// call that was reported out of the next Wait. It returns -1 without an error as a wake-up while a large body is being sent (at least 10 a second),
	// so that progress can be reported. It fails only with the context.
	Wait(ctx context.Context, calls []Call) (int, error)
}

// Call is a request in flight.
type Call interface {
	// Response returns the answer, after Wait has reported the call. Errors: fault.Offline (no route, no name),
	// fault.Timeout, fault.Network, fault.DamagedDownload (over Limit), fault.Cancelled.
	Response() (*Response, error)
	// Sent returns how many bytes of the body have been sent, as far as the host knows.
	Sent() int64
	// Read reads the streamed body of a 2xx answer, blocking; io.EOF at its end. Errors as for Response.
	Read(ctx context.Context, p []byte) (int, error)
	// Close ends the call, closing its connection if it is still in flight. It may be called more than once.
	Close()
}
