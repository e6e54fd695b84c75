package browsertest

import (
	"context"
	"testing"

	"github.com/chromedp/chromedp"
)

// Tab opens a tab with any page: unlike Open, it waits for nothing but the document. Listeners are told the tab's events from its
// beginning (see chromedp.Listen), and judge what goes wrong in it: the test does not fail by itself.
func (b *Browser) Tab(t testing.TB, url string, listeners ...func(event any)) *Page {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	p := &Page{ctx: ctx, close: cancel}
	t.Cleanup(cancel)
	if len(listeners) > 0 {
		b.console.heardElsewhere()
	}
	for _, listener := range listeners {
		if err := chromedp.Listen(ctx, listener); err != nil {
			t.Fatal(err)
		}
	}
	if err := chromedp.Do(ctx); err != nil { // makes the tab, which lives longer than the time it has to load
		t.Fatalf("open a tab: %v", err)
	}
	ctx, stop := context.WithTimeout(ctx, startTimeout)
	defer stop()
	if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
		t.Fatalf("load %s: %v", url, err)
	}
	return p
}

// Context is the one that chromedp knows the tab by.
func (p *Page) Context() context.Context { return p.ctx }
