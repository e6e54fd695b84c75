package anki_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/cardferry/cardferry/hostrunner/anki"
)

func TestDelayProxy(t *testing.T) {
	t.Parallel()
	s := anki.StartServer(t)
	const roundTrip = 40 * time.Millisecond
	p, err := anki.NewDelayProxy(s.URL, roundTrip)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	for range 3 {
		began := time.Now()
		resp, err := http.Get(p.URL + "health")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if took := time.Since(began); took < roundTrip {
			t.Errorf("a request took %v", took)
		}
	}
}
