package browsertest_test

import (
	"testing"

	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

func TestTry(t *testing.T) {
	server := browsertest.NewServer(t, "")
	page := browsertest.Start(t).Open(t, server.URL)
	var out any
	err := page.Try(t, &out, `const a = performance.now(); const f = await open(); const b = performance.now()-a; return [b, f.status, await f.query("select count(*) as n from notetypes"), await f.query("select name from notetypes order by name"), await f.query("select * from col")]`)
	t.Log(out, err)
}
