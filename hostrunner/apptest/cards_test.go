package apptest_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/apptest"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// TestCards shows what cards may have besides text: formulas, typed answers, clozes, sounds, the night.
func TestCards(t *testing.T) {
	s := apptest.Serve(t)
	s.SignUp(t)
	apptest.DemoDesktop(t, s).Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 360, 780, true)
	fetchDecks(t, a, "At the harbour")

	a.Tap(t, "Sentences: ")
	a.ReadCard(t, "?")
	a.Wait(t, `document.activeElement?.tagName === "IFRAME"`) // the box has the cursor
	if apptest.Card[string](t, a, `return getComputedStyle(document.body).backgroundColor`) != "rgb(26, 33, 41)" {
		t.Error("the card is not dark")
	}
	if got := apptest.Card[string](t, a, `return getComputedStyle(document.documentElement).colorScheme`); got != "dark" {
		t.Errorf("what a browser draws on the card, as scroll bars, is %s", got)
	}
	a.Type(t, "¿donde")
	a.Key(t, kb.Enter)
	a.See(t, ".grades")
	a.SeeCard(t, "code#typeans .typeBad, code#typeans .typeMissed")
	shot(t, a, "typed")

	a.Go(t, "#/browse?q=buoyant")
	a.Tap(t, "What does Archimedes")
	a.Tap(t, "Preview")
	a.Tap(t, "Show answer")
	a.ReadCard(t, "Archimedes")
	a.SeeCard(t, "mjx-container svg")
	shot(t, a, "formula")

	a.Go(t, "#/browse?q=nautical")
	a.Tap(t, "A nautical mile")
	a.Tap(t, "Preview")
	a.ReadCard(t, "[...]")
	a.Go(t, "#/browse?q=transbordador")
	a.Tap(t, "el transbordador")
	a.Tap(t, "Preview")
	a.SeeCard(t, ".replay-button svg")
}

// TestUnusualNotes has what few notes have: clozes that do not begin with 1, or have several numbers, writing from right to left, and a first field as
// long as a book. They are shown, and can be saved.
func TestUnusualNotes(t *testing.T) {
	t.Parallel()
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	for _, fields := range [][]string{{"a {{c2::second}} cloze", ""}, {"both {{c3,4::numbers}}", ""}} {
		desktop.Do(t, "add_note", anki.Args{"notetype": "Cloze", "fields": fields}, nil)
	}
	desktop.Do(t, "add_note", anki.Args{"fields": []string{"שלום!", "peace"}, "deck": "(עברית)"}, nil)
	desktop.Do(t, "add_note", anki.Args{"fields": []string{"book " + strings.Repeat("<p>word</p>", 20_000), "x"}}, nil)
	desktop.Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 1280, 800, false)
	fetchDecks(t, a, "Study Default")

	a.Go(t, "#/browse")
	a.Tap(t, "a second cloze")
	a.Tap(t, "Preview")
	a.ReadCard(t, "a [...] cloze")
	a.Go(t, "#/browse?q=both")
	a.Tap(t, "both numbers")
	a.Tap(t, "Preview")
	a.ReadCard(t, "both [...]")
	a.Fill(t, "Back Extra", "more")
	a.Tap(t, "Save")
	a.Read(t, "Saved")

	var longest float64
	a.Go(t, "#/browse?q=book")
	a.Read(t, "1 card")
	a.See(t, ".hit")
	a.Eval(t, &longest, `return document.querySelector(".hit").innerText.length`)
	if longest > 1000 {
		t.Errorf("the line of a list has %v letters, which a screen reader reads", longest)
	}
	// before says whether a letter stands left of another one.
	before := func(where, selector string, one, other int) {
		t.Helper()
		var left bool
		a.Eval(t, &left, `
			const e = await until(() => document.querySelector(args[0]), 5000), text = document.createTreeWalker(e, NodeFilter.SHOW_TEXT).nextNode(), range = document.createRange();
			const at = (i) => { range.setStart(text, i); range.setEnd(text, i + 1); return range.getBoundingClientRect().left; };
			return at(args[1]) < at(args[2])`, selector, one, other)
		if !left {
			t.Errorf("%s is not written from right to left", where)
		}
	}
	a.Go(t, "#/browse?q=peace")
	a.Read(t, "שלום")
	before("the line of a list", ".hit .first", 4, 0)
	a.Tap(t, "שלום")
	a.Read(t, "Edit the note")
	before("a field", ".editable", 4, 0)
	a.Go(t, "#/")
	a.Read(t, "Study")
	before("the name of a deck", ".deck a[aria-label^='(']", 6, 0)
}

// TestLinksOfCards taps links on a card: to a place of it, to a file that is nowhere, to nothing, to a script. The card stays, and what a browser does
// with such a link is done.
func TestLinksOfCards(t *testing.T) {
	t.Parallel()
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	front := `the card <a id="to" href="#the%20end">down</a> <a id="top" href="#" onclick="window.clicked = true">#</a> <a id="file" href="other.html">file</a> <a id="nothing" href="">nothing</a>
		<a id="script" href="javascript:void(window.ran%20= true)">script</a> <a id="done" href="#the%20end" onclick="return false">done</a>` + strings.Repeat("<p>long</p>", 60) + `<p id="the end">the end</p>`
	desktop.Do(t, "add_note", anki.Args{"fields": []string{front, "back"}}, nil)
	desktop.Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Expects("Executing inline event handler violates") // what the editor has parsed apart from the page
	a.Size(t, 360, 780, false)
	fetchDecks(t, a, "Study Default")
	a.Tap(t, "Study Default")
	a.ReadCard(t, "the card")
	apptest.Card[bool](t, a, `addEventListener("click", (e) => (window.heard = e.target.id)); return true`)
	for _, id := range []string{"file", "nothing", "top", "script", "done", "to"} {
		a.TapCard(t, "#"+id)
		if got := apptest.Card[string](t, a, `return String(window.heard)`); got != id {
			t.Errorf("after %q the card has heard of %q", id, got)
		}
		if y := apptest.Card[float64](t, a, `await new Promise(requestAnimationFrame); return scrollY`); (y > 0) != (id == "to") {
			t.Errorf("after %q the card is %v pixels down", id, y)
		}
	}
	if got := apptest.Card[string](t, a, `return window.clicked + " " + window.ran`); got != "true true" {
		t.Errorf("clicked and run: %s", got)
	}
}

// TestKeysAfterClick clicks a link of a card, after which the space key shows the answer. Who goes to a part that unfolds with the keys unfolds it.
func TestKeysAfterClick(t *testing.T) {
	t.Parallel()
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	desktop.Do(t, "add_note", anki.Args{"fields": []string{`the card <a id="link" href="#">link</a> <details><summary>hint</summary>hidden</details>`, "back"}}, nil)
	desktop.Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 1280, 800, false)
	fetchDecks(t, a, "Study Default")
	a.Tap(t, "Study Default")
	a.ReadCard(t, "the card")
	a.TapCard(t, "#link")
	apptest.Card[bool](t, a, `document.querySelector("summary").focus(); return true`)
	a.Key(t, " ")
	if !apptest.Card[bool](t, a, `await new Promise((r) => setTimeout(r, 300)); return document.querySelector("details").open`) {
		t.Error("the hint is not unfolded")
	}
	a.See(t, ".answer .primary")
	a.TapCard(t, "#link")
	a.Key(t, " ")
	a.See(t, ".grades")
}
