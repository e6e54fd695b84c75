package apptest_test

import (
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/apptest"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// TestKeysAlone makes an account, a deck and cards, studies, searches, edits, sends everything and signs out without a mouse; the focus is
// always seen. The real program has what was written.
func TestKeysAlone(t *testing.T) {
	s := apptest.Serve(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 1280, 800, false)
	a.TabTo(t, "User name")
	a.Type(t, apptest.User)
	a.TabTo(t, "Password")
	a.Type(t, apptest.Password)
	a.Press(t, "Create an account")
	a.Read(t, "No cards yet")
	a.Press(t, "Settings") // what the app does by itself would come before or after the keys below, as fast as the machine is
	a.TabTo(t, "Sync by itself")
	a.Key(t, " ")
	a.Wait(t, `!all("[role=switch]")[0].checked`)
	a.Press(t, "Decks")
	a.Press(t, "New deck")
	a.Read(t, "Name of the deck")
	a.TabTo(t, "Name of the deck")
	a.Type(t, "Keys")
	a.Key(t, kb.Enter)
	a.Read(t, "Keys")

	a.Press(t, "Add")
	a.Read(t, "Front")
	for _, word := range []string{"one", "two"} {
		a.TabTo(t, "Front")
		a.Type(t, word)
		a.TabTo(t, "Back")
		a.Type(t, word+" answered")
		a.Press(t, "Add card")
		a.Wait(t, `document.querySelector(".editable").textContent === "" && document.activeElement?.classList.contains("editable")`)
	}
	a.Key(t, kb.Escape)
	a.Press(t, "Decks")
	a.Press(t, "Study")
	a.ReadCard(t, "one")
	a.Press(t, "Show answer")
	a.ReadCard(t, "one answered")
	a.Press(t, "Easy")
	a.ReadCard(t, "two")
	a.Press(t, "More about this card")
	a.Read(t, "Bury until tomorrow")
	a.Press(t, "Suspend")
	a.Read(t, "Done for now")
	a.Press(t, "Undo")
	a.ReadCard(t, "two")
	a.Press(t, "Back to the decks")

	a.Press(t, "Browse")
	a.TabTo(t, "Search cards")
	a.Type(t, "two")
	a.Read(t, "1 card")
	a.Press(t, "two")
	a.Read(t, "Edit the note")
	a.TabTo(t, "Back")
	a.Key(t, kb.Tab)
	a.TabTo(t, "Tags")
	a.Type(t, "typed")
	a.Press(t, "Save")
	a.Read(t, "Saved")

	a.Press(t, "Decks")
	a.Press(t, "Sync (")
	a.Read(t, "The server has no cards yet")
	a.Press(t, "Send my cards")
	a.Read(t, "The server now has")
	synced(t, a)
	a.Press(t, "Settings")
	a.TabTo(t, "Look for new pictures")
	a.Key(t, " ")
	a.Wait(t, `!all("[role=switch]")[2].checked`)
	a.Press(t, "Sign out")
	a.Read(t, "Your cards stay here")
	a.Press(t, "Sign out")
	a.Read(t, "Not synced")

	desktop := apptest.NewDesktop(t, s)
	desktop.Download(t)
	if n := number(t, desktop, "SELECT count() FROM notes WHERE flds = ? AND tags = ?", "two\x1ftwo answered", " typed "); n != 1 {
		t.Errorf("the desktop program has %v", desktop.SQL(t, "SELECT flds, tags FROM notes"))
	}
	if n := number(t, desktop, "SELECT count() FROM revlog WHERE ease = 4"); n != 1 {
		t.Errorf("the desktop program has %d of the answers", n)
	}
}

// TestBackAndForward goes through places with the browser's own buttons: each is as it was, as far down as it was left.
func TestBackAndForward(t *testing.T) {
	t.Parallel()
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	desktop.Do(t, "add_notes", anki.Args{"prefix": "word", "count": 90}, nil)
	desktop.Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 360, 780, false)
	fetchDecks(t, a, "Study Default")
	a.Tap(t, "Browse")
	a.Fill(t, "Search cards", "word")
	a.Wait(t, `location.hash === "#/browse?q=word"`)
	a.Read(t, "90 cards")
	a.Run(t, nil, `scrollTo(0, 3000)`)
	a.Tap(t, "word 5") // one that is in view
	a.Read(t, "Edit the note")
	a.Wait(t, `scrollY === 0`)
	a.Tap(t, "Statistics")
	a.Read(t, "Reviews per day")
	a.Run(t, nil, `history.back()`)
	a.Read(t, "Edit the note")
	a.Tap(t, "Back")
	a.Wait(t, `scrollY > 2000 && all(".hit a").some((e) => { const r = e.getBoundingClientRect(); return clean(e.innerText).startsWith("word 5") && r.top > 0 && r.bottom < innerHeight; })`)
	a.Run(t, nil, `history.forward()`)
	a.Read(t, "Edit the note")
	a.Run(t, nil, `history.go(-2)`)
	a.Read(t, "Study Default")
}

// TestSpoken studies as who hears the screen: each question and each answer, without the question again, is told by an element that stays.
func TestSpoken(t *testing.T) {
	t.Parallel()
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	for _, fields := range [][]string{{"one<br>line", `<div>first</div><div>answer <img src="x.gif" alt="of a cat"></div>`}, {"two", "second<script>var x</script>[sound:x.mp3]"}} {
		desktop.Do(t, "add_note", anki.Args{"fields": fields}, nil)
	}
	desktop.Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 1280, 800, false)
	fetchDecks(t, a, "Study Default")
	a.Press(t, "Study")
	said := func(text string) {
		t.Helper()
		a.Wait(t, `all("p[role=status]").some((e) => e.textContent === "`+text+`" && (window.speaker ??= e) === e)`)
	}
	said("one line")
	a.ReadCard(t, "one")
	a.Key(t, " ")
	said("first answer of a cat")
	a.Key(t, "4")
	said("two")
	a.ReadCard(t, "two")
	a.Key(t, " ")
	said("second")
}

// TestFocusComesBack closes sheets by their own buttons and waits for what takes long: the focus is where it was before, and not at the beginning
// of the page.
func TestFocusComesBack(t *testing.T) {
	t.Parallel()
	s := apptest.Serve(t)
	s.SignUp(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 1280, 800, false)
	focused := func(text string) {
		t.Helper()
		a.Wait(t, `clean(document.activeElement.textContent) === "`+text+`"`)
	}
	a.Press(t, "You have an account? Sign in")
	a.TabTo(t, "User name")
	a.Type(t, apptest.User)
	a.TabTo(t, "Password")
	a.Type(t, "not the password")
	a.Press(t, "Sign in")
	a.Read(t, "User name or password is wrong")
	focused("Sign in")
	a.Press(t, "Start without an account")
	a.Press(t, "New deck")
	a.TabTo(t, "Name of the deck")
	a.Type(t, "Keys")
	a.Press(t, "Save")
	a.Wait(t, `modal === undefined`)
	focused("New deck")
	downloads(t, a)
	a.Go(t, "#/settings/backups")
	a.Press(t, "Save the file")
	a.Read(t, "The file was written")
	focused("Save the file")
}

// TestFocusNotCovered goes through places there and back in a small window, as a large one is at 200 %: what has the focus is not behind what stays at
// the edges.
func TestFocusNotCovered(t *testing.T) {
	t.Parallel()
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	desktop.Do(t, "add_notes", anki.Args{"prefix": "word", "count": 9}, nil)
	desktop.Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	fetchDecks(t, a, "Study Default")
	a.Size(t, 640, 360, false)
	through := func(where string, tabs int) {
		t.Helper()
		for i := range 2 * tabs {
			a.Tab(t, i >= tabs)
			var covered string
			a.Eval(t, &covered, `
				const e = document.activeElement, r = e.getBoundingClientRect(), top = document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2);
				return e === document.body || e.contains(top) || top?.contains(e) || top?.closest(".toast") ? "" : name(e) + " by " + (top ? top.outerHTML : "the edge");`)
			if covered != "" {
				t.Errorf("%s: covered is %s", where, covered)
			}
		}
	}
	a.Go(t, "#/browse")
	a.Read(t, "9 cards")
	through("the list", 25)
	a.Tap(t, "Select word 0")
	a.Read(t, "1 selected")
	through("the list with a selection", 30)
	a.Go(t, "#/note/new")
	a.Read(t, "Front")
	through("a note", 25)
}
