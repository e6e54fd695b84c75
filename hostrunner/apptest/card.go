package apptest

import (
	"testing"
	"time"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// attaching bounds how long it may take until the frame of a card can be looked into.
const attaching = 10 * time.Second

// Card runs the body of an async function inside the frame of the card on the screen: a document of its own, in a process of its
// own, which the page cannot look into. The result is decoded into out.
func Card[T any](t testing.TB, a *App, body string) (out T) {
	t.Helper()
	end := time.Now().Add(patience)
	for {
		id := a.cardTarget(t)
		if id != "" {
			ctx, cancel := chromedp.NewContext(a.Context(), chromedp.WithTargetID(id), chromedp.WithDetachOnCancel())
			late := time.AfterFunc(attaching, cancel) // a frame that goes while it is attached to would never answer
			var v T
			err := chromedp.Do(ctx)
			late.Stop()
			if err == nil {
				v, err = chromedp.Run(ctx, chromedp.Evaluate[T]("(async () => {"+body+"})()", chromedp.EvalAwaitPromise))
			}
			cancel()
			if err == nil {
				return v
			}
			t.Logf("the card: %v", err) // it has just been replaced by another one
		}
		if time.Now().After(end) {
			t.Fatalf("there is no card; the page says:\n%s", a.Text(t))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// cardTarget returns the newest frame of a card, "" if there is none.
func (a *App) cardTarget(t testing.TB) (id target.ID) {
	t.Helper()
	list, err := chromedp.Targets(a.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, info := range list {
		if info.Type == "iframe" && info.URL == "about:srcdoc" {
			id = info.TargetID
		}
	}
	return id
}

// ReadCard waits until the card on the screen shows a text.
func (a *App) ReadCard(t testing.TB, text string) {
	t.Helper()
	end := time.Now().Add(patience)
	for {
		got := Card[string](t, a, `return document.body?.innerText ?? ""`)
		if contains(got, text) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the card says %q, not %q", got, text)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// SeeCard waits until the card on the screen has what a CSS selector finds.
func (a *App) SeeCard(t testing.TB, selector string) {
	t.Helper()
	for end := time.Now().Add(patience); !Card[bool](t, a, `return document.querySelector(`+quote(selector)+`) !== null`); {
		if time.Now().After(end) {
			t.Fatalf("the card has no %q", selector)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// TapCard clicks what a CSS selector finds on the card, with the mouse; again as long as the card is not yet the one that is seen.
func (a *App) TapCard(t testing.TB, selector string) {
	t.Helper()
	for end := time.Now().Add(patience); ; {
		a.Run(t, nil, `document.querySelector("iframe").scrollIntoView({ block: "center" })`)
		in := Card[place](t, a, `
			const e = document.querySelector(`+quote(selector)+`), r = e.getBoundingClientRect();
			window.tapped = false;
			e.addEventListener("click", () => { window.tapped = true; }, { once: true, capture: true });
			return { X: r.x + r.width / 2, Y: r.y + r.height / 2 }`)
		var frame place
		a.Run(t, &frame, `const r = document.querySelector("iframe").getBoundingClientRect(); return { X: r.x, Y: r.y }`)
		a.do(t, chromedp.MouseClickXY(frame.X+in.X, frame.Y+in.Y))
		if Card[bool](t, a, `return window.tapped === true`) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%q cannot be tapped on the card", selector)
		}
	}
}
