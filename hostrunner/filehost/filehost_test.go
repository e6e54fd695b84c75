package filehost_test

import (
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/hostrunner/filehost"
)

func TestContract(t *testing.T) {
	t.Parallel()
	coretest.TestFiles(t, func(t *testing.T) host.Files { return filehost.New(t.TempDir(), nil) })
}
