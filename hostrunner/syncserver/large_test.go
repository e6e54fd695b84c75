package syncserver_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cardferry/cardferry/hostrunner/syncserver"
)

// dripping is a body of which the first part comes at once, and then a byte now and then.
type dripping struct {
	first   io.Reader
	between time.Duration
	end     chan struct{}
}

func (d *dripping) Read(p []byte) (int, error) {
	if n, err := d.first.Read(p); err == nil {
		return n, nil
	}
	select {
	case <-d.end:
		return 0, io.EOF
	case <-time.After(d.between):
		p[0] = 'x'
		return 1, nil
	}
}

// Large messages of clients that hardly send must not keep those of others waiting: there are few places for them.
func TestSlowLargeMessages(t *testing.T) {
	t.Parallel()
	s := &syncserver.Server{Limits: syncserver.Limits{Stall: 6 * time.Second}}
	url := serve(t, s)
	end := make(chan struct{})
	const slow = 8
	ended := make(chan int, slow)
	for i := range slow {
		c := newClient(t, s, url, fmt.Sprintf("slow %d", i))
		go func() {
			ended <- c.post("sync/applyChunk", &dripping{bytes.NewReader(make([]byte, 8<<20)), 20 * time.Millisecond, end})
		}()
	}
	time.Sleep(time.Second) // they are there
	c := newClient(t, s, url, "ada")
	c.must("sync/start", []byte(startRequest))
	large := append([]byte(`{"chunk":{"cards":[],"decks":[],"notes":[]}}`), bytes.Repeat([]byte{' '}, 5<<20)...)
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.want(200, "sync/applyGraves", string(large))
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Error("a large message waits for others that hardly come")
	}
	close(end)
	for range slow {
		<-ended
	}
	<-done
}

// A message that is large as it is sent, too, as slices of notes with pictures in them are.
func TestLargeMessages(t *testing.T) {
	t.Parallel()
	_, c := newServer(t)
	c.must("sync/start", []byte(startRequest))
	for _, size := range []int{3 << 20, 5 << 20, 8 << 20, 20 << 20} {
		noise := make([]byte, size)
		_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
		pad := base64.StdEncoding.EncodeToString(noise)
		c.want(200, "sync/applyGraves", `{"chunk":{"cards":[],"decks":[],"notes":[]},"pad":"`+pad+`"}`)
	}
}
