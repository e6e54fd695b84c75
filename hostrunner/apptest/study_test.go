package apptest_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/apptest"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// TestSameCardAgain answers the only card of a deck with Again: it comes back as if it were new on the screen, at its beginning, and without what
// was typed the time before.
func TestSameCardAgain(t *testing.T) {
	t.Parallel()
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	desktop.Do(t, "add_note", anki.Args{"notetype": "Basic (type in the answer)", "fields": []string{"top" + strings.Repeat("<p>long</p>", 60), "right"}}, nil)
	desktop.Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 360, 780, false)
	fetchDecks(t, a, "Study Default")
	a.Tap(t, "Study Default")
	a.ReadCard(t, "top")
	a.Wait(t, `document.activeElement?.tagName === "IFRAME"`)
	a.Type(t, "wrong")
	a.Key(t, kb.Enter)
	a.SeeCard(t, "code#typeans .typeBad, code#typeans .typeMissed")
	a.Tap(t, "Again")
	a.Wait(t, `all(".grades").length === 0`)
	a.SeeCard(t, "input#typeans")
	if y := apptest.Card[float64](t, a, `return scrollY`); y != 0 {
		t.Errorf("the card comes back %v pixels down", y)
	}
	a.Tap(t, "Show answer")
	a.SeeCard(t, "code#typeans")
	if typed := apptest.Card[string](t, a, `return document.querySelector("code#typeans").innerText`); typed != "right" {
		t.Errorf("nothing was typed this time, and compared is %q", typed)
	}
}

// TestKeyHeld holds a key down: it shows one answer and grades one card, not one after the other. Escape leaves from the box for the answer, however
// long after the last key.
func TestKeyHeld(t *testing.T) {
	t.Parallel()
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	desktop.Do(t, "add_notes", anki.Args{"prefix": "word", "count": 9}, nil)
	desktop.Do(t, "add_note", anki.Args{"notetype": "Basic (type in the answer)", "fields": []string{"typed", "right"}, "deck": "Typed"}, nil)
	desktop.Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 1280, 800, false)
	fetchDecks(t, a, "Study Default")
	a.Tap(t, "Study Default")
	a.ReadCard(t, "word")
	a.Hold(t, " ", 20)
	a.See(t, ".grades")
	a.Hold(t, "4", 20)
	a.Wait(t, `all(".grades").length === 0`)
	a.ReadCard(t, "word")
	a.TapCard(t, "#qa")
	a.Hold(t, " ", 20)
	a.See(t, ".grades")
	a.Key(t, "4")
	a.Wait(t, `all(".grades").length === 0`)
	a.Key(t, kb.Escape)
	a.Read(t, "Study Default")

	a.Tap(t, "Typed")
	a.ReadCard(t, "typed")
	a.Wait(t, `document.activeElement?.tagName === "IFRAME" && !navigator.userActivation.isActive`)
	a.Key(t, kb.Escape)
	a.Read(t, "Study Default")
	syncNow(t, a)
	desktop.SyncAll(t)
	if n := number(t, desktop, "SELECT count() FROM revlog"); n != 2 {
		t.Errorf("%d answers were given", n)
	}
}

// TestChangedElsewhere has another device change the card that is on the screen: edit its note and its note type, answer it, delete it. What is
// shown follows.
func TestChangedElsewhere(t *testing.T) {
	t.Parallel()
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	for _, word := range []string{"one", "two", "three"} {
		desktop.Do(t, "add_note", anki.Args{"guid": word, "fields": []string{word, "back"}}, nil)
	}
	desktop.Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 360, 780, false)
	fetchDecks(t, a, "Study Default")
	a.Tap(t, "Study Default")
	a.ReadCard(t, "one")
	desktop.Do(t, "edit_note", anki.Args{"note": "one", "fields": []string{"uno", "back"}}, nil)
	desktop.SyncAll(t)
	a.ReadCard(t, "uno")
	desktop.Do(t, "flag", anki.Args{"flag": 1, "cards": []int64{number(t, desktop, "SELECT c.id FROM cards c JOIN notes n ON n.id = nid WHERE guid = 'one'")}}, nil)
	desktop.SyncAll(t)
	a.See(t, ".flag.f1")
	desktop.Do(t, "edit_notetype", anki.Args{"id": "Basic", "front": "which: {{Front}}"}, nil)
	desktop.SyncAll(t)
	a.ReadCard(t, "which: uno")
	a.Tap(t, "Show answer")
	a.See(t, ".grades")
	a.Read(t, "3 new, 0 learning, 0 due")
	desktop.Do(t, "answer", anki.Args{"card": "three/0", "ease": 1}, nil)
	desktop.SyncAll(t)
	a.Read(t, "2 new, 1 learning, 0 due") // another card's answer changes the counts, and leaves this one as it is
	a.See(t, ".grades")
	desktop.Do(t, "answer", anki.Args{"card": "three/0", "ease": 4}, nil)
	desktop.Do(t, "add_note", anki.Args{"guid": "four", "fields": []string{"four", "back"}}, nil)
	desktop.Do(t, "answer", anki.Args{"card": "one/0", "ease": 4}, nil)
	desktop.SyncAll(t)
	a.ReadCard(t, "two")
	desktop.Do(t, "remove_notes", anki.Args{"notes": []string{"two"}}, nil)
	desktop.SyncAll(t)
	a.ReadCard(t, "four")
	a.Tap(t, "Show answer")
	a.Tap(t, "Easy")
	a.Read(t, "Done for now")
}

// TestGoneElsewhere has another device delete the deck that is studied and the note that is edited: the app says so, and Escape leads out.
func TestGoneElsewhere(t *testing.T) {
	t.Parallel()
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	for _, word := range []string{"Gone", "Edited"} {
		desktop.Do(t, "add_note", anki.Args{"guid": word, "fields": []string{word, "x"}, "deck": word}, nil)
	}
	desktop.Upload(t)
	b := browsertest.Start(t)
	a := apptest.Open(t, b, s.URL)
	a.Size(t, 360, 780, false)
	fetchDecks(t, a, "Gone")
	a.Go(t, "#/browse?q=Edited")
	a.Read(t, "1 card")
	a.Tap(t, "Edited")
	a.Fill(t, "Back", "changed here")
	desktop.Do(t, "remove_notes", anki.Args{"notes": []string{"Edited"}}, nil)
	desktop.SyncAll(t)
	other := apptest.Open(t, b, s.URL) // another tab sees when that has come
	found(t, other, "Edited", "0 cards")
	other.Close()
	a.Tap(t, "Save")
	a.Read(t, "This note does not exist any more")
	a.Run(t, nil, `window.confirm = () => true`)
	a.Tap(t, "Decks")
	a.Tap(t, "Gone: ")
	a.ReadCard(t, "Gone")
	desktop.Do(t, "remove_decks", anki.Args{"decks": []string{"Gone"}}, nil)
	desktop.SyncAll(t)
	a.Read(t, "It may have been deleted on another device.")
	a.Key(t, kb.Escape)
	a.Read(t, "All done for today")
}

// TestChangedInOtherTab changes in another tab what was never sent, so that no more waits to be sent than before: the card on the screen follows.
func TestChangedInOtherTab(t *testing.T) {
	t.Parallel()
	b, s := browsertest.Start(t), apptest.Serve(t)
	a := apptest.Open(t, b, s.URL)
	a.Tap(t, "Start without an account")
	for _, word := range []string{"one", "two"} {
		addNote(t, a, word)
		a.Go(t, "#/")
	}
	a.Tap(t, "Study Default")
	a.ReadCard(t, "one")
	other := apptest.Open(t, b, s.URL)
	found(t, other, "one", "1 card")
	other.Tap(t, "one")
	other.Fill(t, "Front", "uno")
	other.Tap(t, "Save")
	other.Read(t, "Saved")
	a.ReadCard(t, "uno")
	found(t, other, "uno", "1 card")
	other.Tap(t, "Select uno")
	other.Tap(t, "Suspend")
	a.ReadCard(t, "two")
}

// TestChangedBeforeAnswer has the card go while its answer is still being compared: the answer that comes then is not shown in the place of the next card.
func TestChangedBeforeAnswer(t *testing.T) {
	t.Parallel()
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	for _, word := range []string{"one", "two"} {
		desktop.Do(t, "add_note", anki.Args{"guid": word, "notetype": "Basic (type in the answer)", "fields": []string{word, "right"}}, nil)
	}
	desktop.Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 360, 780, false)
	fetchDecks(t, a, "Study Default")
	a.Tap(t, "Study Default")
	a.ReadCard(t, "one")
	a.Run(t, nil, `
		const post = Worker.prototype.postMessage;
		Worker.prototype.postMessage = function (m, ...more) {
			if (m.name === "compareTyped") window.compare = () => post.call(this, m, ...more);
			else post.call(this, m, ...more);
		}`)
	a.Tap(t, "Show answer")
	a.Wait(t, `window.compare !== undefined`)
	desktop.Do(t, "remove_notes", anki.Args{"notes": []string{"one"}}, nil)
	desktop.SyncAll(t)
	a.ReadCard(t, "two")
	a.Run(t, nil, `compare(); await new Promise((r) => setTimeout(r, 500))`)
	a.ReadCard(t, "two")
	a.See(t, ".answer .primary")
}

// TestSayBuried buries a card whose change fails: it is not said to be buried.
func TestSayBuried(t *testing.T) {
	t.Parallel()
	a := studyWord(t)
	a.Run(t, nil, `
		const post = Worker.prototype.postMessage;
		Worker.prototype.postMessage = function (m, ...more) {
			if (m.name !== "edit") return post.call(this, m, ...more);
			window.failed = true;
			post.call(this, { ...m, params: { ops: [{ op: "none" }] } }, ...more);
		}`)
	a.Tap(t, "More about this card")
	a.Tap(t, "Bury until tomorrow")
	a.Wait(t, `window.failed === true`)
	if text := said(t, a); text == "" || strings.Contains(text, "comes back tomorrow") {
		t.Errorf("said is %q of a card that was not buried", text)
	}
}

// TestAllDoneAlone studies the only card of the only deck without an account: nobody is told that there are no cards.
func TestAllDoneAlone(t *testing.T) {
	t.Parallel()
	a := alone(t)
	a.Read(t, "No cards yet")
	addNote(t, a, "word")
	a.Go(t, "#/")
	a.Tap(t, "Study Default")
	a.Tap(t, "Show answer")
	a.Tap(t, "Easy")
	a.Read(t, "Done for now")
	a.Go(t, "#/")
	a.Read(t, "All done for today")
	if text := a.Text(t); strings.Contains(text, "No cards yet") {
		t.Errorf("there is a card, and the page says:\n%s", text)
	}
}

// TestDoubleTap clicks twice on what shows the answer: nobody has seen that at the second click, which grades nothing.
func TestDoubleTap(t *testing.T) {
	t.Parallel()
	a := studyWord(t)
	a.Eval(t, nil, `
		const second = new Promise((done) => new MutationObserver((_, watch) => {
			const good = document.querySelector(".grade.good");
			if (!good) return;
			watch.disconnect();
			done(good.dispatchEvent(new MouseEvent("click", { detail: 2, bubbles: true })));
		}).observe(document.body, { childList: true, subtree: true }));
		named("button", "Show answer").click();
		await second;
		await new Promise((r) => setTimeout(r, 1000))`)
	a.Tap(t, "Easy")
	a.Read(t, "Done for now")
}

// TestWaitingCounted waits for a card that is being learned: the minutes that it takes are counted down.
func TestWaitingCounted(t *testing.T) {
	t.Parallel()
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	desktop.Do(t, "add_note", anki.Args{"fields": []string{"word", "back"}}, nil)
	desktop.Do(t, "set_config", anki.Args{"key": "collapseTime", "value": 0}, nil)
	desktop.Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	fetchDecks(t, a, "Study Default")
	a.Run(t, nil, `
		const now = Date.now, timeout = setTimeout;
		window.late = 0;
		Date.now = () => now() + late;
		window.setTimeout = (f, ms, ...more) => timeout(f, ms === 60_000 ? 1000 : ms, ...more);`)
	a.Tap(t, "Study Default")
	a.Tap(t, "Show answer")
	a.Tap(t, "Good")
	a.Read(t, "The next card comes in")
	var minutes int64
	const said = `Number(/comes in (\d+) minutes/.exec(document.body.innerText)?.[1])`
	a.Run(t, &minutes, `return `+said)
	if minutes < 10 {
		t.Fatalf("the card comes in %d minutes", minutes)
	}
	a.Run(t, nil, `window.late = 5 * 60_000`)
	a.Wait(t, said+" <= "+itoa(minutes-5)) // one less, if a minute ended meanwhile
}
