package nethost_test

import (
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/hostrunner/nethost"
	"github.com/cardferry/cardferry/hostrunner/nethost/nettest"
)

func TestContract(t *testing.T) {
	t.Parallel()
	coretest.TestHTTP(t, newFixture)
}

func newFixture(t *testing.T) *coretest.HTTPFixture {
	files := coretest.NewFiles()
	media := coretest.NewMedia(nil)
	h := nethost.New(files, media)
	t.Cleanup(h.Close)
	return &coretest.HTTPFixture{HTTP: h, Files: files, Media: media, BaseURL: nettest.Server(t), DeadURL: nettest.DeadURL(t)}
}
