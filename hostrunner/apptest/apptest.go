// Package apptest drives the app (web/) in Chromium as a person would: it finds things by the names that a screen reader
// says, clicks, types, and looks at what is there.
package apptest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// patience bounds how long something may take to appear on a busy machine.
const patience = 60 * time.Second

// App is the app in a tab.
type App struct {
	*browsertest.Page
	URL string

	console *console
}

// Open opens the app of a server and waits until its first place is there. The test fails if anything goes wrong in the page that is only
// seen on its console, unless it Expects that.
func Open(t testing.TB, b *browsertest.Browser, url string) *App {
	t.Helper()
	c := newConsole(t)
	a := &App{URL: url, console: c}
	c.answer = func(yes bool) {
		_, _ = chromedp.Run(a.Context(), func(ctx context.Context, t *chromedp.Target) (cdp.Empty, error) {
			return cdp.Call(ctx, t, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: yes})
		})
	}
	c.attend = func(worker target.ID) {
		// What the worker has said before is told again. One that has ended meanwhile is no error.
		ctx, cancel := chromedp.NewContext(a.Context(), chromedp.WithTargetID(worker), chromedp.WithDetachOnCancel(), chromedp.WithListener(c.hearWorker))
		if chromedp.Do(ctx) != nil {
			cancel()
		}
	}
	a.Page = b.Tab(t, "about:blank", c.hear)
	a.do(t, chromedp.Navigate(url))
	a.See(t, "h1")
	return a
}

// finder is what the page needs to find things by role and name. Only what is visible counts.
const finder = `
  const name = (e) => (e.getAttribute("aria-label") ?? document.getElementById(e.getAttribute("aria-labelledby"))?.textContent ?? (e.labels?.length ? [...e.labels].map((l) => l.textContent).join(" ") : "") ) || e.placeholder || e.textContent || "";
  const visible = (e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && e.getClientRects().length > 0;
  const modal = [...document.querySelectorAll("dialog[open]")].at(-1);
  const all = (selector) => [...(modal ?? document).querySelectorAll(selector)].filter(visible);
  const clean = (s) => s.replace(/\s+/g, " ").trim();
  const named = (selector, text) => { const list = all(selector); return list.find((e) => clean(name(e)) === text) ?? list.find((e) => clean(name(e)).startsWith(text)); };
  const watchToasts = () => { if (window.said) return; window.said = []; new MutationObserver(() => { const text = document.querySelector(".toast")?.textContent; if (text) window.said.push(text); }).observe(document.body, { childList: true, characterData: true, subtree: true }); };
  const until = async (f, ms) => { const end = Date.now() + ms; for (;;) { const v = await f(); if (v) return v; if (Date.now() > end) return null; await new Promise((r) => setTimeout(r, 30)); } };
`

// tappable are the elements that a person taps.
const tappable = `button, a[href], input[type=checkbox], input[type=radio], summary, label.button, [role=button], [role=link]`

// Eval runs the body of an async function with the finder at hand.
func (a *App) Eval(t testing.TB, out any, body string, args ...any) {
	t.Helper()
	a.Run(t, out, finder+body, args...)
}

// place is where something is on the screen, and what was there instead if nothing was found.
type place struct {
	X, Y float64
	Text string
}

// Tap clicks the button, link or switch with that name, with the mouse; again if it has moved away under the pointer.
func (a *App) Tap(t testing.TB, text string) {
	t.Helper()
	a.hit(t, text, func(p place) { a.do(t, chromedp.MouseClickXY(p.X, p.Y)) })
}

// Touch taps what has that name with a finger, as on a device that has no mouse.
func (a *App) Touch(t testing.TB, text string) {
	t.Helper()
	a.hit(t, text, func(p place) { a.do(t, chromedp.Func(p.touch)) })
}

// hit taps until the element has noticed.
func (a *App) hit(t testing.TB, text string, tap func(place)) {
	t.Helper()
	for end := time.Now().Add(patience); ; {
		tap(a.find(t, tappable, text))
		var hit bool
		a.Eval(t, &hit, `return await until(() => window.tapped === true || window.tappedAt !== location.href, args[0]) === true`, 500)
		if hit {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%q cannot be tapped; the page says:\n%s", text, a.Text(t))
		}
	}
}

// touch puts a finger there and lifts it.
func (p place) touch(ctx context.Context, t *chromedp.Target) error {
	_, err := cdp.Call(ctx, t, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: true})
	for _, e := range []input.DispatchTouchEventParams{
		{Type: input.DispatchTouchEventTypeTouchStart, TouchPoints: []*input.TouchPoint{{X: p.X, Y: p.Y}}},
		{Type: input.DispatchTouchEventTypeTouchEnd, TouchPoints: []*input.TouchPoint{}},
	} {
		if err == nil {
			_, err = cdp.Call(ctx, t, input.DispatchTouchEvent, e)
		}
	}
	return err
}

// find waits for an element with a name, or with one of several that have " | " between them, and scrolls to it.
func (a *App) find(t testing.TB, selector, text string) place {
	t.Helper()
	var p *place
	a.Eval(t, &p, `
		const e = await until(() => args[1].split(" | ").map((text) => named(args[0], text)).find(Boolean), args[2]);
		if (!e) return null;
		let r = {};
		for (let i = 0, before = {}; i < 40 && (i < 2 || r.x !== before.x || r.y !== before.y); i++) { // a place that has just opened still grows
			before = r;
			e.scrollIntoView({ block: "center" });
			await new Promise((go) => setTimeout(() => requestAnimationFrame(go), 30));
			r = e.getBoundingClientRect();
		}
		watchToasts();
		window.said = [];
		window.tapped = false;
		window.tappedAt = location.href; // a list that was renewed under the pointer may have taken the click all the same
		e.addEventListener("click", () => { window.tapped = true; }, { once: true, capture: true });
		return { X: r.x + r.width / 2, Y: r.y + r.height / 2, Text: name(e) };`, selector, text, patience.Milliseconds())
	if p == nil {
		t.Fatalf("there is no %q; the page says:\n%s", text, a.Text(t))
	}
	return *p
}

// Fill writes into the field with that name, in place of what it has.
func (a *App) Fill(t testing.TB, label, text string) {
	t.Helper()
	p := a.find(t, `input:not([type=checkbox]):not([type=radio]), textarea, [role=textbox]`, label)
	a.do(t, chromedp.MouseClickXY(p.X, p.Y))
	a.Eval(t, nil, `const e = document.activeElement; e.select ? e.select() : getSelection().selectAllChildren(e)`)
	a.Type(t, text)
}

// Type writes text where the cursor is.
func (a *App) Type(t testing.TB, text string) {
	t.Helper()
	a.do(t, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, input.InsertText, input.InsertTextParams{Text: text})
		return err
	}))
}

// Key presses a key (kb has the names of those without a letter).
func (a *App) Key(t testing.TB, key string) {
	t.Helper()
	a.do(t, chromedp.KeyEvent(key))
}

// See waits for a visible element that a CSS selector finds.
func (a *App) See(t testing.TB, selector string) {
	t.Helper()
	a.Wait(t, fmt.Sprintf("all(%s).length > 0", quote(selector)))
}

// Read waits until the page shows a text. What was shown for a moment only since the last tap counts, or a slow machine would miss it.
func (a *App) Read(t testing.TB, text string) {
	t.Helper()
	a.Wait(t, fmt.Sprintf("[(modal ?? document.body).innerText, ...(window.said ?? [])].some((s) => clean(s).includes(%s))", quote(text)))
}

// Wait waits until an expression is true.
func (a *App) Wait(t testing.TB, expression string) {
	t.Helper()
	var ok bool
	a.Run(t, &ok, `const end = Date.now() + args[0];
		for (;;) { const ok = await (async () => { `+finder+` return (`+expression+`); })(); if (ok) return true;
			if (Date.now() > end) return false; await new Promise((r) => setTimeout(r, 50)); }`, patience.Milliseconds())
	if !ok {
		t.Fatalf("waited in vain for %s; the page says:\n%s", expression, a.Text(t))
	}
}

// Load loads an address afresh, in the same tab, and waits until a place is there.
func (a *App) Load(t testing.TB, url string) {
	t.Helper()
	// Elsewhere first: an address that differs after # only would load nothing.
	a.do(t, chromedp.Navigate("about:blank"), chromedp.Navigate(url))
	a.See(t, "h1, .study")
}

// Reloaded waits until the page was loaded again with another title, which Wait cannot outlive.
func (a *App) Reloaded(t testing.TB, title string) {
	t.Helper()
	poll := chromedp.Poll[chromedp.Void](fmt.Sprintf(`document.title.includes(%s) && document.querySelector("h1") !== null`, quote(title)), chromedp.WithPollingTimeout(patience))
	for end := time.Now().Add(patience); ; {
		err := chromedp.Do(a.Context(), poll)
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the page was not loaded again: %v", err)
		}
	}
}

// Text is what a person reads on the page.
func (a *App) Text(t testing.TB) (text string) {
	t.Helper()
	a.Eval(t, &text, `return location.hash + "\n" + (modal ?? document.body).innerText`)
	return text
}

// Go goes to a place by its address.
func (a *App) Go(t testing.TB, hash string) {
	t.Helper()
	a.Run(t, nil, `location.hash = args[0]`, hash)
}

// Size makes the window that large, with dark or light colours and without motion.
func (a *App) Size(t testing.TB, width, height int64, dark bool) {
	t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	viewport := chromedp.EmulateViewport(width, height)
	if width < 600 {
		viewport = chromedp.EmulateViewport(width, height, chromedp.EmulateMobile)
	}
	a.do(t, viewport, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}})
		return err
	}))
}

// Picture writes a screenshot of the window into a file.
func (a *App) Picture(t testing.TB, file string) {
	t.Helper()
	png, err := chromedp.Run(a.Context(), chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(file, png, 0o644)
	}
	if err != nil {
		t.Fatalf("screenshot: %v", err)
	}
}

func (a *App) do(t testing.TB, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(a.Context(), patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

func quote(s string) string {
	b, _ := json.Marshal(s) // a string never fails
	return string(b)
}
