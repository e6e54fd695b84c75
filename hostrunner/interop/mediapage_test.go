package interop_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// pageMedia is a device of ours in a page of Chromium: its user adds and removes files with the page's API.
type pageMedia struct {
	*browsertest.Page
	t testing.TB
}

// pageSetup is newMediaSetup for a page, which reaches the server through its own origin.
func pageSetup(t *testing.T) *mediaSetup {
	t.Helper()
	server := get(t, shared.server)
	acc := server.Account(t)
	proxy := anki.NewProxy(t, server.URL)
	p := &pageMedia{startPage(t, acc, proxy.URL).(page).Page, t}
	p.Run(t, nil, `await ferry.settings.set({autoSync: false, syncMedia: false, live: false})`)
	return &mediaSetup{acc: acc, proxy: proxy, ours: p, real: newRealMedia(t, acc, server.URL)}
}

func (p *pageMedia) name() string { return inPage.String() }

// put replaces a file as the user of a page can: by removing it first.
func (p *pageMedia) put(t testing.TB, name, content string) {
	t.Helper()
	var got string
	p.Run(t, &got, `
		if (await ferry.media.state(args[0]) === "here") await ferry.media.remove(args[0]);
		return ferry.media.add(args[0], new Blob([args[1]]))`, name, content)
	if got != name {
		t.Fatalf("a page makes %q of %q", got, name)
	}
}

func (p *pageMedia) remove(t testing.TB, names ...string) {
	t.Helper()
	p.Run(t, nil, `for (const name of args[0]) await ferry.media.remove(name)`, names)
}

// media returns the files that the page's directory has.
func (p *pageMedia) media(t testing.TB) anki.Media {
	t.Helper()
	m := anki.Media{}
	p.Run(t, &m, `
		const sums = {};
		const check = await ferry.media.check();
		for (const name of check.unused) {
			const sum = await crypto.subtle.digest("SHA-1", await (await ferry.media.get(name)).arrayBuffer());
			sums[name] = [...new Uint8Array(sum)].map((b) => b.toString(16).padStart(2, "0")).join("");
		}
		return sums`)
	return m
}

func (p *pageMedia) syncMedia(t testing.TB) { t.Helper(); mustSync(t, p) }

func (p *pageMedia) try(context.Context, service.MediaSyncParams) (r service.MediaSyncResult, err error) {
	var answer json.RawMessage
	if err := p.Try(p.t, &answer, `return ferry.media.sync()`); err != nil {
		return r, fmt.Errorf("in the page: %w", err)
	}
	return r, json.Unmarshal(answer, &r)
}
