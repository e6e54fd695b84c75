package browsertest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// TestServiceWorkerUpdate opens a page whose service worker has another address than that of the version before, as bundlers write the hash of a
// file into its name: the new one serves the page, and those that are open, instead of the old one, whose file may be gone.
func TestServiceWorkerUpdate(t *testing.T) {
	t.Parallel()
	server := browsertest.NewServer(t, "")
	b := browsertest.Start(t)
	const script = `
		const url = await ferry.media.url("dot.txt");
		return [new URL(navigator.serviceWorker.controller.scriptURL).pathname, new URL(url).pathname, await (await fetch(url)).text()]`
	old, page := b.Open(t, server.URL), b.Open(t, server.URL)
	var got []any
	old.Run(t, &got, `await open({ assets: { serviceWorker: "/serviceWorker-1.js" } }); await ferry.media.add("dot.txt", new Blob(["x"]));`+script)
	if want := "[/serviceWorker-1.js /media/default/dot.txt x]"; fmt.Sprint(got) != want {
		t.Fatalf("at first %v, want %s", got, want)
	}
	page.Run(t, &got, `await open({ assets: { serviceWorker: "/serviceWorker-2.js" } });`+script)
	if want := "/media/default/dot.txt x]"; !strings.HasSuffix(fmt.Sprint(got), want) {
		t.Errorf("at once %v, want ... %s", got, want)
	}
	for _, p := range []*browsertest.Page{page, old} {
		// Chromium lets the old one end what it does.
		p.Run(t, nil, `while (!navigator.serviceWorker.controller.scriptURL.includes("/serviceWorker-2.js")) await new Promise((r) => setTimeout(r, 50))`)
		p.Run(t, &got, script)
		if want := "[/serviceWorker-2.js /media/default/dot.txt x]"; fmt.Sprint(got) != want {
			t.Errorf("afterwards %v, want %s", got, want)
		}
	}
}
