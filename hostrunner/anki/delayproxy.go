package anki

import (
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"time"
)

// DelayProxy stands before a server and delays what passes as a distance with a round trip of that time would. It moves
// bytes, so framing, streaming and the number of connections stay what they are.
type DelayProxy struct {
	// URL is the endpoint for clients, ending in "/".
	URL string

	target   string
	delay    time.Duration // one way
	listener net.Listener
	mu       sync.Mutex
	open     map[net.Conn]bool
}

// NewDelayProxy starts a proxy with the given round-trip time before target. The caller closes it.
func NewDelayProxy(target string, roundTrip time.Duration) (*DelayProxy, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &DelayProxy{
		URL: "http://" + l.Addr().String() + "/", target: u.Host, delay: roundTrip / 2, listener: l, open: map[net.Conn]bool{},
	}
	go p.accept()
	return p, nil
}

func (p *DelayProxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.serve(c)
	}
}

func (p *DelayProxy) serve(client net.Conn) {
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		_ = client.Close()
		return
	}
	p.mu.Lock()
	p.open[client], p.open[server] = true, true
	p.mu.Unlock()
	opened := time.Now()
	var both sync.WaitGroup
	// The handshake of a connection takes a round trip before the first byte can leave.
	both.Go(func() { carry(server, client, p.delay, opened.Add(2*p.delay)) })
	both.Go(func() { carry(client, server, p.delay, opened) })
	both.Wait()
	p.mu.Lock()
	delete(p.open, client)
	delete(p.open, server)
	p.mu.Unlock()
	_, _ = client.Close(), server.Close()
}

// parcel is some bytes and when they arrive.
type parcel struct {
	b  []byte
	at time.Time
}

// carry moves bytes with a delay, none before ready. A connection may hold as much on its way as a real one with a
// large window.
func carry(to io.Writer, from io.Reader, delay time.Duration, ready time.Time) {
	const parcels, size = 256, 64 << 10
	way := make(chan parcel, parcels)
	go func() {
		defer close(way)
		for {
			b := make([]byte, size)
			n, err := from.Read(b)
			sent := time.Now()
			if sent.Before(ready) {
				sent = ready
			}
			if n > 0 {
				way <- parcel{b[:n], sent.Add(delay)}
			}
			if err != nil {
				return
			}
		}
	}()
	var failed error
	for p := range way {
		if failed != nil {
			continue
		}
		time.Sleep(time.Until(p.at)) // the delay is what this is for
		_, failed = to.Write(p.b)
	}
	if c, ok := to.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite()
	}
	if failed != nil {
		if c, ok := from.(io.Closer); ok {
			_ = c.Close() // nobody takes what still comes
		}
	}
}

// Close ends the proxy and its connections.
func (p *DelayProxy) Close() error {
	err := p.listener.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		err = errors.Join(err, c.Close())
	}
	return err
}
