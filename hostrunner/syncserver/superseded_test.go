package syncserver_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
	"github.com/cardferry/cardferry/hostrunner/syncserver/memstore"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// slowDisk takes what is written to the first file when its upload was ended.
type slowDisk struct {
	*memstore.Collections
	once    sync.Once
	writing chan struct{}
}

func (d *slowDisk) Stage(ctx context.Context, id store.AccountID) (store.Staged, error) {
	staged, err := d.Collections.Stage(ctx, id)
	return &slowFile{staged, ctx, d}, err
}

type slowFile struct {
	store.Staged
	upload context.Context
	disk   *slowDisk
}

func (f *slowFile) Write(p []byte) (int, error) {
	f.disk.once.Do(func() {
		close(f.disk.writing)
		<-f.upload.Done()
		time.Sleep(20 * time.Millisecond) // what else comes of that
	})
	return f.Staged.Write(p)
}

// TestSupersededAtItsEnd: an upload that was received when another one ended it is answered, and so is what its client asks for next.
func TestSupersededAtItsEnd(t *testing.T) {
	t.Parallel()
	disk := &slowDisk{Collections: memstore.NewCollections(), writing: make(chan struct{})}
	s := &syncserver.Server{Collections: disk}
	c := newClient(t, s, serve(t, s), "ada")
	one := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	defer one.CloseIdleConnections()
	ask := func(method string, payload []byte) int {
		req, err := http.NewRequest("POST", c.url+method, bytes.NewReader(wire.NewCodec().Compress(nil, payload)))
		coretest.Must(t, err)
		req.Header.Set("anki-sync", c.header())
		resp, err := one.Do(req)
		if err != nil {
			t.Errorf("%s: %v", method, err)
			return 0
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body) // or the connection is not used again
		coretest.Must(t, err)
		return resp.StatusCode
	}
	first := make(chan int)
	go func() { first <- ask("sync/upload", fixture(t, "stock.anki2")) }()
	<-disk.writing
	second := make(chan []byte)
	go func() {
		_, answer := c.call("sync/upload", fixture(t, "unicode.anki2"))
		second <- answer
	}()
	if status := <-first; status != 503 {
		t.Errorf("the first upload: %d", status)
	}
	if answer := <-second; string(answer) != "OK" {
		t.Errorf("the second one: %s", answer)
	}
	for range 8 {
		if status := ask("sync/meta", []byte(metaRequest)); status != 200 {
			t.Errorf("after the first upload: %d", status)
		}
	}
}
