package browsertest_test

import (
	"strings"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// judged is a test that is told of failures, and does not fail.
type judged struct {
	testing.TB
	failures []string
	ends     []func()
}

func (j *judged) Cleanup(f func()) { j.ends = append(j.ends, f) }

func (j *judged) Errorf(_ string, args ...any) { j.failures = append(j.failures, args[0].(string)) }

// TestConsole: what nobody catches fails a test, wherever it happens, unless the test expects it.
func TestConsole(t *testing.T) {
	t.Parallel()
	j := &judged{TB: t}
	browser := browsertest.Start(j)
	browser.Expects("expected")
	browser.Open(j, browsertest.NewServer(j, "").URL).Run(t, nil, `
		const code = (name) => "Promise.reject(new Error('rejected in " + name + "')); reportError(new Error('thrown in " + name + "')); reportError(new Error('expected in " + name + "'));" +
			"console.info('Uncaught, says " + name + "')";
		(0, eval)(code("the page"));
		const worker = new Worker(script(code("a worker") + "; setTimeout(() => postMessage(0), 100)"));
		await new Promise((done) => worker.addEventListener("message", done));`)
	for i := len(j.ends) - 1; i >= 0; i-- {
		j.ends[i]()
	}
	all := strings.Join(j.failures, "\n")
	for _, text := range []string{"rejected in the page", "thrown in the page", "rejected in a worker", "thrown in a worker"} {
		if !strings.Contains(all, text) {
			t.Errorf("%q was not heard", text)
		}
	}
	if strings.Contains(all, "expected in") || strings.Contains(all, "says") {
		t.Errorf("heard what was expected, or no failure: %s", all)
	}
}
