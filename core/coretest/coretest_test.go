package coretest_test

import (
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/host"
)

func TestMemoryFiles(t *testing.T) {
	t.Parallel()
	coretest.TestFiles(t, func(*testing.T) host.Files { return coretest.NewFiles() })
}

func TestText(t *testing.T) {
	t.Parallel()
	coretest.TestText(t, coretest.Text{})
}

func TestMemoryMedia(t *testing.T) {
	t.Parallel()
	coretest.TestMedia(t, func(*testing.T) host.Media { return coretest.NewMedia(nil) })
}
