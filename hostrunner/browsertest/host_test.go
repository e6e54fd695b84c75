package browsertest_test

import (
	"strings"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// TestHostModules runs the contract of files and databases (jsbridge/test/hostsuite.ts) on OPFS.
func TestHostModules(t *testing.T) {
	t.Parallel()
	server := browsertest.NewServer(t, "")
	page := browsertest.Start(t).Open(t, server.URL)
	var lines []string
	page.Run(t, &lines, `return (await import("/dist/test/browser/hostpage.js")).run()`)
	if len(lines) < 15 {
		t.Errorf("only %d checks ran", len(lines))
	}
	for _, line := range lines {
		if !strings.HasPrefix(line, "ok ") {
			t.Error(line)
		}
	}
}
