package hostrunner_test

import (
	"context"
	"os"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner"
)

// TestPackageErrors: what keeps a package from being written or read has its own kind.
func TestPackageErrors(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { full.Close() })
	closed, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	eachEngine(t, func(t *testing.T, o hostrunner.OpenOptions) {
		p := open(t, o)
		if _, err := p.ExportFile(t.Context(), full, false); fault.KindOf(err) != fault.StorageFull {
			t.Errorf("to a full disk: %v", err)
		}
		if _, err := p.ExportFile(t.Context(), closed, false); fault.KindOf(err) != fault.NotWritable {
			t.Errorf("to a file that is closed: %v", err)
		}
		if _, err := p.ImportFile(t.Context(), given{context.Canceled}); fault.KindOf(err) != fault.Cancelled {
			t.Errorf("from a request that has ended: %v", err)
		}
		if _, err := p.ImportFile(t.Context(), given{fault.New(fault.StorageFull, "full")}); fault.KindOf(err) != fault.StorageFull {
			t.Errorf("of a file that could not be written: %v", err)
		}
	})
}

// given is a reader that fails.
type given struct{ err error }

func (g given) Read([]byte) (int, error) { return 0, g.err }
