package nodetest_test

import (
	"slices"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner/nodetest"
)

func TestText(t *testing.T) {
	t.Parallel()
	coretest.TestText(t, nodetest.Ports(t).Text)
}

func TestMedia(t *testing.T) {
	t.Parallel()
	coretest.TestMedia(t, func(t *testing.T) host.Media { return nodetest.Ports(t).Media })
}

// TestMediaFiles: the verbs with which tests play another program.
func TestMediaFiles(t *testing.T) {
	t.Parallel()
	for _, build := range []string{nodetest.Reactor, nodetest.Program} {
		h := nodetest.Start(t, build)
		for _, name := range []string{"b.png", "ä.png", "a.png"} {
			coretest.Must(t, h.PutMedia(name, []byte(name)))
		}
		coretest.Must(t, h.RemoveMedia("b.png"))
		coretest.WantKind(t, h.RemoveMedia("b.png"), fault.NotFound)
		_, err := h.Media("b.png")
		coretest.WantKind(t, err, fault.NotFound)
		if b, err := h.Media("ä.png"); string(b) != "ä.png" || err != nil {
			t.Errorf("%q, %v", b, err)
		}
		if names, err := h.MediaNames(); !slices.Equal(names, []string{"a.png", "ä.png"}) || err != nil {
			t.Errorf("%q, %v", names, err)
		}
		// The guest sees the same files.
		var check service.MediaCheckResult
		coretest.Must(t, h.Call("open", service.OpenParams{Create: true}, nil))
		coretest.Must(t, h.Call("mediaCheck", service.MediaCheckParams{Apply: true}, &check))
		if check.Trashed != 2 || len(check.Missing) != 0 {
			t.Errorf("%+v", check)
		}
		if names, err := h.MediaNames(); len(names) != 0 || err != nil {
			t.Errorf("%q, %v", names, err)
		}
	}
}
