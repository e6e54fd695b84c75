package apptest_test

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"io"
	"net/http"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/cardferry/cardferry/hostrunner/apptest"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// TestInstallable asks Chromium itself whether anything is in the way of installing the app, and looks at what the manifest names.
func TestInstallable(t *testing.T) {
	s := apptest.Serve(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Wait(t, `navigator.serviceWorker.controller !== null`)
	_, err := chromedp.Run(a.Context(), func(ctx context.Context, target *chromedp.Target) (cdp.Empty, error) {
		errors, err := cdp.Call(ctx, target, page.GetInstallabilityErrors, cdp.Empty{})
		if err == nil {
			for _, e := range errors.InstallabilityErrors {
				t.Errorf("not installable: %s %v", e.ErrorID, e.ErrorArguments)
			}
		}
		manifest, merr := cdp.Call(ctx, target, page.GetAppManifest, page.GetAppManifestParams{})
		if merr == nil {
			for _, e := range manifest.Errors {
				t.Errorf("manifest: %s", e.Message)
			}
		}
		return cdp.Empty{}, merr
	})
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Name, Short_Name, Start_URL, Display, Theme_Color, Background_Color string
		Icons                                                               []struct{ Src, Sizes, Type, Purpose string }
	}
	a.Run(t, &manifest, `const m = await (await fetch(document.querySelector("link[rel=manifest]").href)).json();
		return { Name: m.name, Short_Name: m.short_name, Start_URL: m.start_url, Display: m.display, Theme_Color: m.theme_color, Background_Color: m.background_color,
			Icons: m.icons.map((i) => ({ Src: i.src, Sizes: i.sizes, Type: i.type, Purpose: i.purpose ?? "any" })) }`)
	if manifest.Name == "" || manifest.Short_Name == "" || manifest.Display != "standalone" || manifest.Theme_Color == "" || manifest.Background_Color == "" {
		t.Errorf("manifest: %+v", manifest)
	}
	maskable := false
	for _, icon := range manifest.Icons {
		maskable = maskable || icon.Purpose != "any"
		resp, err := http.Get(s.URL + icon.Src)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != 200 || resp.Header.Get("Content-Type") != icon.Type {
			t.Errorf("%s: %s %s, %v", icon.Src, resp.Status, resp.Header.Get("Content-Type"), err)
		}
		if icon.Type != "image/png" {
			continue
		}
		size, err := png.DecodeConfig(bytes.NewReader(b))
		if err != nil || fmt.Sprintf("%dx%d", size.Width, size.Height) != icon.Sizes {
			t.Errorf("%s is %dx%d, and not %s: %v", icon.Src, size.Width, size.Height, icon.Sizes, err)
		}
	}
	if !maskable {
		t.Error("no icon is maskable")
	}
}

// shifts sums up what has moved on the screen by itself since the page was loaded (the measure CLS).
const shifts = `await new Promise((r) => setTimeout(r, 300));
	return await new Promise((done) => { let sum = 0; const what = [];
		new PerformanceObserver((list) => { for (const e of list.getEntries()) if (!e.hadRecentInput) { sum += e.value; what.push(...e.sources.map((s) => s.node?.className || s.node?.nodeName)); } done({ Sum: sum, What: what.join(" ") }); }).observe({ type: "layout-shift", buffered: true });
		setTimeout(() => done({ Sum: sum, What: what.join(" ") }), 200); })`

// TestSteady loads each place afresh: nothing jumps while it fills. Then the text is made twice as large: nothing is cut off or wider than the
// window.
func TestSteady(t *testing.T) {
	s := apptest.Serve(t)
	s.SignUp(t)
	apptest.DemoDesktop(t, s).Upload(t)
	b := browsertest.Start(t)
	a := apptest.Open(t, b, s.URL)
	a.Size(t, 360, 780, false)
	fetchDecks(t, a, "At the harbour")
	var note, deck int64
	a.Eval(t, &deck, `return Number(named("a", "Spanish: ").hash.split("/")[2])`)
	a.Go(t, "#/browse?q=barco")
	a.Read(t, "el barco")
	a.Eval(t, &note, `return Number(named(".hit a", "el barco").hash.split("/")[2])`)
	for _, place := range []struct{ hash, text string }{
		{"#/", "At the harbour"}, {"#/browse", "26 cards"}, {"#/note/new", "Front"}, {"#/note/" + itoa(note), "Edit the note"}, {"#/stats", "a day on average"},
		{"#/settings", "used"}, {"#/settings/backups", "Save everything as a file"}, {"#/settings/devices", "This device"}, {"#/settings/computer", "Self-hosted"},
		{"#/sync", "Last syncs"}, {"#/check", "Every file is used"}, {"#/sign-in", "Sign in"}, {"#/study/" + itoa(deck), "Show answer"},
	} {
		a.Load(t, s.URL+place.hash)
		a.Read(t, place.text)
		var moved struct {
			Sum  float64
			What string
		}
		a.Run(t, &moved, shifts)
		if moved.Sum > 0.1 { // what Lighthouse calls good
			t.Errorf("%s: the layout shifts by %.3f: %s", place.hash, moved.Sum, moved.What)
		}
		a.Run(t, nil, `document.documentElement.style.fontSize = "200%"; await new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))`)
		for _, width := range []int64{320, 360} {
			a.Size(t, width, 780, false)
			for _, w := range cutOff(t, a) {
				t.Errorf("%s with large text, %d wide: %s", place.hash, width, w)
			}
			shot(t, a, fmt.Sprintf("large-%d-%s", width, place.text))
		}
	}
}

// cutOff returns what is cut off, broken within a word, or wider than the window.
func cutOff(t *testing.T, a *apptest.App) (wrong []string) {
	t.Helper()
	a.Eval(t, &wrong, `const out = document.documentElement.scrollWidth > innerWidth ? ["wider than the window"] : [];
		for (const e of all("button, a[href], h1, h2, label, p")) if (!e.closest(".sr, .skip, .nav, .hit") && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline") out.push("cut off: " + clean(name(e)));
		if (document.querySelector(".skip")?.getBoundingClientRect().bottom > 0) out.push("the link to the content is seen without the focus");
		for (const e of all("h1, .figures span, .tree-head span, .count")) { const r = document.createRange(); r.selectNodeContents(e); const text = clean(e.innerText); if (text && r.getClientRects().length > text.split(" ").length) out.push("a word is broken: " + text); }
		return out`)
	return wrong
}

// TestInstallOnce is asked by the browser whether to install the app, once for each offer: a button that could ask no more is gone.
func TestInstallOnce(t *testing.T) {
	t.Parallel()
	a := alone(t)
	a.Go(t, "#/settings")
	a.Run(t, nil, `
		window.asked = 0;
		dispatchEvent(Object.assign(new Event("beforeinstallprompt"), { prompt: async () => { asked++; return { outcome: "dismissed" }; } }))`)
	a.Tap(t, "Install the app")
	a.Wait(t, `asked === 1 && named("button", "Install the app") === undefined`)
}
