package apptest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// narrowest is the width at which nothing may be cut off, and smallest the size of what is tapped (look.md §2), in pixels.
const (
	narrowest = 320
	smallest  = 44
)

// Access checks the place on the screen for people who do not see it, or see it badly: axe-core finds nothing, nothing is wider than the
// window, no word is broken, and what is tapped is large enough.
func (a *App) Access(t testing.TB, where string) {
	t.Helper()
	a.axe(t, where)
	var wide bool
	a.Run(t, &wide, `return document.documentElement.scrollWidth > innerWidth`)
	if wide {
		t.Errorf("%s is wider than the window", where)
	}
	for _, word := range a.broken(t) {
		t.Errorf("%s: the word %q is broken", where, word)
	}
	var small []string
	a.Eval(t, &small, `
		const inText = (e) => e.tagName === "A" && getComputedStyle(e).display === "inline";
		const target = (e) => (e.tagName === "INPUT" ? e.closest("label") ?? e : e).getBoundingClientRect();
		return all("button, a[href], input, select, summary").filter((e) => !inText(e) && !e.closest(".sr, .skip, [inert]") && !e.classList.contains("sr"))
			.filter((e) => { const r = target(e); return r.height < args[0] - 0.5 || r.width < args[0] - 8; })
			.map((e) => name(e) + " " + Math.round(target(e).width) + "×" + Math.round(target(e).height));`, smallest)
	if len(small) > 0 {
		t.Errorf("%s: too small to tap: %s", where, strings.Join(small, "; "))
	}
}

// longWord is how many letters a word has that may be broken at the end of a line: an address, or the name of a file.
const longWord = 16

// broken returns the words of the page that begin on one line and end on another.
func (a *App) broken(t testing.TB) (words []string) {
	t.Helper()
	a.Eval(t, &words, `
		const out = [], range = document.createRange(), walker = document.createTreeWalker(modal ?? document.body, NodeFilter.SHOW_TEXT);
		for (let node = walker.nextNode(); node; node = walker.nextNode()) {
			if (!visible(node.parentElement) || node.parentElement.closest(".sr, .mono, option")) continue;
			for (const m of node.data.matchAll(/[\p{L}\p{N}]+/gu)) {
				if (m[0].length >= args[0]) continue;
				range.setStart(node, m.index);
				range.setEnd(node, m.index + m[0].length);
				if (new Set([...range.getClientRects()].map((r) => Math.round(r.top))).size > 1) out.push(m[0]);
			}
		}
		return out;`, longWord)
	return words
}

// axe runs axe-core, which is a development dependency of the app.
func (a *App) axe(t testing.TB, where string) {
	t.Helper()
	script, err := os.ReadFile(filepath.Join(root(), "web", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Run(a.Context(), chromedp.Evaluate[chromedp.Void](string(script)+";void 0")); err != nil {
		t.Fatal(err)
	}
	var found []string
	a.Run(t, &found, `
		const r = await axe.run(document, { iframes: false, runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] });
		return r.violations.flatMap((v) => v.nodes.map((n) => v.id + ": " + n.target.join(" ") + ": " + n.failureSummary.split("\n").slice(1).join(" ").trim()));`)
	for _, f := range found {
		t.Errorf("%s: axe: %s", where, f)
	}
}
