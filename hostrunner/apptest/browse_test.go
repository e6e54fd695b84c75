package apptest_test

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/apptest"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// TestBrowseMeanwhile leaves the list while what was typed into its search is still waited for, searches for what is no state, and changes selected cards
// of which another tab has removed one.
func TestBrowseMeanwhile(t *testing.T) {
	t.Parallel()
	b, s := browsertest.Start(t), apptest.Serve(t)
	a := apptest.Open(t, b, s.URL)
	a.Tap(t, "Start without an account")
	for _, word := range []string{"one", "two", "three"} {
		addNote(t, a, word)
		a.Go(t, "#/")
	}
	found(t, a, "is:constructor", "0 cards")
	found(t, a, "", "3 cards")
	var where string
	a.Eval(t, &where, `
		const search = document.querySelector("input[type=search]");
		search.value = "tw";
		search.dispatchEvent(new Event("input", { bubbles: true }));
		location.hash = "#/stats";
		await new Promise((r) => setTimeout(r, 600));
		return location.hash`)
	if where != "#/stats" {
		t.Errorf("whoever has gone to the statistics is taken to %s", where)
	}

	found(t, a, "", "3 cards")
	a.Tap(t, "Select one")
	a.Tap(t, "Select two")
	a.Read(t, "2 selected")
	other := apptest.Open(t, b, s.URL)
	found(t, other, "two", "1 card")
	other.Tap(t, "Select two")
	other.Tap(t, "Delete notes")
	other.Read(t, "Delete 1 note with all its cards?")
	other.Tap(t, "Delete notes")
	other.Read(t, "1 note deleted.")
	a.Read(t, "1 selected")
	a.Tap(t, "Suspend")
	a.Read(t, "suspended.")
	found(t, a, "is:suspended", "1 card")
}

// TestFilteredDeck looks for the cards that a filtered deck has borrowed: they are found by its name and by that of the deck they come from, as in the
// real program.
func TestFilteredDeck(t *testing.T) {
	t.Parallel()
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	desktop.Do(t, "add_notes", anki.Args{"prefix": "word", "count": 3}, nil)
	desktop.Do(t, "answer", anki.Args{"card": "word1/0", "ease": 4}, nil)
	desktop.ID(t, "filtered_deck", anki.Args{"name": "Exam", "search": "word*1 or word*2"})
	desktop.Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	fetchDecks(t, a, "Exam")
	a.Read(t, "1 card in about 1 min") // the others are studied elsewhere
	a.Tap(t, "More about Exam")
	a.Tap(t, "Show its cards")
	a.Wait(t, `clean(document.querySelector(".head p")?.innerText ?? "") === "2 cards"`)
	a.Read(t, "Exam · in ") // some days: when it is due at home
	found(t, a, "deck:Default", "3 cards")
	found(t, a, "-deck:exam", "1 card")
}

// TestSearchFocus types into the search with a pause: the focus stays in it. A link to another search changes it.
func TestSearchFocus(t *testing.T) {
	t.Parallel()
	a := alone(t)
	addNote(t, a, "word")
	a.Go(t, "#/browse")
	a.Read(t, "1 card")
	a.Run(t, nil, `document.querySelector("input[type=search]").focus()`)
	a.Type(t, "w")
	a.Wait(t, `location.hash.includes("q=w")`)
	a.Type(t, "ord")
	a.Wait(t, `location.hash.includes("q=word")`)
	a.Tap(t, "Browse")
	a.Wait(t, `document.querySelector("input[type=search]").value === ""`)
	a.Go(t, "#/browse?q=tag:x")
	a.Wait(t, `document.querySelector("input[type=search]").value === "tag:x"`)
}

// TestDeletedTwice taps twice on what deletes a note, before the first tap has done anything: the way back is still offered.
func TestDeletedTwice(t *testing.T) {
	t.Parallel()
	a := alone(t)
	addNote(t, a, "word")
	found(t, a, "word", "1 card")
	a.Tap(t, "Select word")
	a.Tap(t, "Delete notes")
	a.Read(t, "Delete 1 note with all its cards?")
	a.Eval(t, nil, `const yes = modal.querySelector(".button.danger"); yes.click(); yes.click()`)
	a.Read(t, "0 cards")
	a.Run(t, nil, `await new Promise((r) => setTimeout(r, 500))`)
	a.Tap(t, "Undo")
	found(t, a, "word", "1 card")
}

// TestUndoOffered makes a deck after another one was deleted: that can be taken back no more by what is offered for the deletion.
func TestUndoOffered(t *testing.T) {
	t.Parallel()
	a := alone(t)
	deck := func(name string) {
		t.Helper()
		a.Tap(t, "New deck")
		a.Fill(t, "Name of the deck", name)
		a.Tap(t, "Save")
		a.Wait(t, `modal === undefined`)
	}
	deck("First")
	a.Tap(t, "More about First")
	a.Tap(t, "Delete deck")
	a.Tap(t, "Delete deck")
	a.Read(t, "First was deleted.")
	a.See(t, ".toast button")
	deck("Second")
	var offered bool
	a.Eval(t, &offered, `return all(".toast button").length > 0`)
	if offered {
		t.Errorf("what would be taken back is the second deck; the page says:\n%s", a.Text(t))
	}
}

// TestSelectionInSheet selects what stands in a sheet and lets go of the mouse beside it: the sheet stays, with what was written. A click beside it
// closes it.
func TestSelectionInSheet(t *testing.T) {
	t.Parallel()
	a := apptest.Open(t, browsertest.Start(t), apptest.Serve(t).URL)
	a.Size(t, 1280, 800, false)
	a.Tap(t, "Start without an account")
	a.Tap(t, "New deck")
	a.Fill(t, "Name of the deck", "A name")
	var x, y float64
	a.Run(t, &x, `return document.getElementById("deck-name").getBoundingClientRect().x + 60`)
	a.Run(t, &y, `return document.getElementById("deck-name").getBoundingClientRect().y + 20`)
	drag := func(x, y float64) {
		t.Helper()
		_, err := chromedp.Run(a.Context(), func(ctx context.Context, target *chromedp.Target) (cdp.Empty, error) {
			p := input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMousePressed, X: x, Y: y, Button: input.MouseButtonLeft, ClickCount: 1}
			_, err := cdp.Call(ctx, target, input.DispatchMouseEvent, p)
			p.Type, p.X, p.Y = input.DispatchMouseEventTypeMouseReleased, 20, 20
			if err == nil {
				_, err = cdp.Call(ctx, target, input.DispatchMouseEvent, p)
			}
			return cdp.Empty{}, err
		})
		if err != nil {
			t.Fatal(err)
		}
		a.Run(t, nil, `await new Promise((r) => setTimeout(r, 300))`)
	}
	drag(x, y)
	a.Wait(t, `modal?.querySelector("input").value === "A name"`)
	drag(20, 20)
	a.Wait(t, `modal === undefined`)
}

// TestAngleBrackets lists a note about what looks like HTML, and is not.
func TestAngleBrackets(t *testing.T) {
	t.Parallel()
	a := alone(t)
	addNote(t, a, "a List<String> & <table>")
	a.Go(t, "#/browse")
	a.See(t, ".hit")
	var first string
	a.Eval(t, &first, `return document.querySelector(".hit .first").textContent`)
	if first != "a List<String> & <table>" {
		t.Errorf("the line says %q", first)
	}
}
