package apptest_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/apptest"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// signIn goes from the first page to where signing in leads.
func signIn(t *testing.T, a *apptest.App) {
	t.Helper()
	a.Tap(t, "You have an account? Sign in")
	enter(t, a)
}

// signInLater goes to where an app that was used without an account signs in.
func signInLater(t *testing.T, a *apptest.App) {
	t.Helper()
	a.Go(t, "#/sign-in")
	enter(t, a)
}

// enter tells user name and password.
func enter(t *testing.T, a *apptest.App) {
	t.Helper()
	a.Fill(t, "User name", apptest.User)
	a.Fill(t, "Password", apptest.Password)
	a.Tap(t, "Sign in")
}

// synced waits until nothing is to be synced, pictures and sounds included.
func synced(t *testing.T, a *apptest.App) {
	t.Helper()
	a.Wait(t, `clean(document.querySelector(".sync")?.innerText ?? "") === "In sync"`)
}

// alone opens the app of a server of its own, without an account.
func alone(t *testing.T) *apptest.App {
	t.Helper()
	a := apptest.Open(t, browsertest.Start(t), apptest.Serve(t).URL)
	a.Tap(t, "Start without an account")
	return a
}

// studyWord opens the app without an account at the question of its only card.
func studyWord(t *testing.T) *apptest.App {
	t.Helper()
	a := alone(t)
	addNote(t, a, "word")
	a.Go(t, "#/")
	a.Tap(t, "Study Default")
	a.ReadCard(t, "word")
	return a
}

// fetchDecks signs in on a device without cards and fetches what the server has, of which shown is seen then.
func fetchDecks(t *testing.T, a *apptest.App, shown string) {
	t.Helper()
	signIn(t, a)
	a.Tap(t, "Fetch my decks")
	a.Read(t, shown)
	synced(t, a)
}

// addNote adds a note in the editor, which stays open.
func addNote(t *testing.T, a *apptest.App, front string) {
	t.Helper()
	a.Go(t, "#/note/new")
	a.Fill(t, "Front", front)
	a.Tap(t, "Add card")
	a.Read(t, "Added 1 card")
}

// addOffline adds a note while there is no server, which a sync then says.
func addOffline(t *testing.T, a *apptest.App, front string) {
	t.Helper()
	addNote(t, a, front)
	a.Go(t, "#/sync")
	a.Tap(t, "Sync now")
	a.Read(t, "The server could not be reached")
}

// syncNow syncs, and waits until that has ended well.
func syncNow(t *testing.T, a *apptest.App) {
	t.Helper()
	const last = `(JSON.parse(localStorage.getItem("cardferry.syncs") ?? "[]")[0]?.at ?? 0)`
	var before int64
	a.Run(t, &before, `return `+last)
	a.Go(t, "#/sync")
	a.Tap(t, "Sync now")
	a.Wait(t, last+" > "+itoa(before))
	a.Read(t, "No changes to send")
	a.Go(t, "#/")
	synced(t, a)
}

// said returns what the app has said for a moment only since the last tap.
func said(t *testing.T, a *apptest.App) (text string) {
	t.Helper()
	a.Eval(t, &text, `await new Promise((r) => setTimeout(r, 500)); return (window.said ?? []).join("\n")`)
	return text
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// number returns the first column of the first row that the real program finds.
func number(t *testing.T, d *apptest.Desktop, sql string, args ...any) int64 {
	t.Helper()
	rows := d.SQL(t, sql, args...)
	if len(rows) == 0 {
		return 0
	}
	return anki.Int(rows[0][0])
}

// TestComputerToPhone is flow 1: what the desktop program has sent is offered, explained, fetched and studied, with its pictures; the answer
// reaches the desktop program.
func TestComputerToPhone(t *testing.T) {
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.DemoDesktop(t, s)
	desktop.Upload(t)
	reviews := number(t, desktop, "SELECT count() FROM revlog")

	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 360, 780, false)
	signIn(t, a)
	a.Read(t, "The server has your decks")
	a.Read(t, "nothing is lost here")
	a.Tap(t, "Fetch my decks")
	a.Read(t, "At the harbour")
	synced(t, a)
	looks(t, a, "grey")
	sameDecks(t, a, desktop)

	a.Go(t, "#/browse?q=barco")
	a.Tap(t, "el barco")
	a.Wait(t, `[...document.querySelectorAll(".editable img")].some((i) => i.naturalWidth > 0)`)
	a.Go(t, "#/")
	a.Tap(t, "Study Spanish")
	a.ReadCard(t, "el")
	a.Touch(t, "Show answer")
	a.See(t, ".grades")
	var intervals []string
	a.Eval(t, &intervals, `return all(".grade small").map((e) => e.textContent)`)
	a.Touch(t, "Good")
	a.Wait(t, `all(".grades").length === 0`)
	syncNow(t, a)
	desktop.SyncAll(t)
	if got := number(t, desktop, "SELECT count() FROM revlog"); got != reviews+1 {
		t.Errorf("the desktop program has %d reviews after the phone's answer, and had %d", got, reviews)
	}
	if days := number(t, desktop, "SELECT ivl FROM revlog ORDER BY id DESC LIMIT 1"); len(intervals) != 4 || intervals[2] != itoa(days)+"d" {
		t.Errorf("the buttons said %q; the desktop program has %d days for Good", intervals, days)
	}
	sameDecks(t, a, desktop)
}

// sameDecks compares the list of decks with the real program's.
func sameDecks(t *testing.T, a *apptest.App, d *apptest.Desktop) {
	t.Helper()
	var tree []struct {
		Name   string
		Counts []int64
	}
	d.Do(t, "study_tree", nil, &tree)
	var want, got []string
	for _, deck := range tree {
		if cards := deck.Counts[8]; cards > 0 { // the default deck is shown when there is something in it
			want = append(want, fmt.Sprintf("%s: %d new, %d learning, %d due", deck.Name, deck.Counts[0], deck.Counts[1], deck.Counts[2]))
		}
	}
	a.Wait(t, `all(".deck a").length > 0`) // the button beside it says "In sync" before the list is read
	a.Eval(t, &got, `return all(".deck a").map((e) => e.ariaLabel)`)
	if !slices.Equal(got, want) {
		t.Errorf("the decks are\n%q, and in the real program\n%q", got, want)
	}
}

// looks checks the sync button's colour, which is one of the design's, and that there is a sign and a word besides.
func looks(t *testing.T, a *apptest.App, colour string) {
	t.Helper()
	a.Wait(t, fmt.Sprintf(`(() => {
		const button = document.querySelector(".sync"), probe = document.body.appendChild(document.createElement("i"));
		probe.style.color = "var(--%s)";
		const same = getComputedStyle(button).color === getComputedStyle(probe).color;
		probe.remove();
		return same && visible(button.querySelector("svg")) && clean(button.innerText) !== "";
	})()`, colour))
}

// TestPhoneToComputer is flow 2: an account and cards made in the app reach a desktop program that has nothing.
func TestPhoneToComputer(t *testing.T) {
	s := apptest.Serve(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 360, 780, true)
	a.Fill(t, "User name", apptest.User)
	a.Fill(t, "Password", apptest.Password)
	a.Tap(t, "Create an account")
	a.Read(t, "No cards yet")
	a.Tap(t, "New deck")
	a.Fill(t, "Name of the deck", "Languages::Spanish")
	a.Tap(t, "Save")
	a.Read(t, "Languages")

	a.Go(t, "#/note/new")
	a.Read(t, "Front")
	a.Eval(t, nil, `const s = document.getElementById("note-deck"); s.value = [...s.options].find((o) => o.text.endsWith("Spanish")).value; s.dispatchEvent(new Event("change"))`)
	a.Fill(t, "Front", "la barca")
	a.Fill(t, "Back", "the rowing boat")
	a.Fill(t, "Tags", "boats small")
	a.Tap(t, "Add card")
	a.Read(t, "Added 1 card")
	a.Go(t, "#/")
	a.Read(t, "Choose a side")
	looks(t, a, "red")
	a.Go(t, "#/sync")
	a.Tap(t, "Choose a side")
	a.Read(t, "The server has no cards yet")
	a.Tap(t, "Send my cards")
	a.Read(t, "The server now has")
	synced(t, a)

	desktop := apptest.NewDesktop(t, s)
	desktop.Download(t)
	if n := number(t, desktop, "SELECT count() FROM notes WHERE flds = ? AND tags = ?", "la barca\x1fthe rowing boat", " boats small "); n != 1 {
		t.Errorf("the desktop program has %d of the notes", n)
	}
	if n := number(t, desktop, "SELECT count() FROM cards JOIN decks ON decks.id = did WHERE decks.name = ?", "Languages\x1fSpanish"); n != 1 {
		t.Errorf("the desktop program has %d cards in the deck", n)
	}
}

// TestBothHaveCards is flow 3: the choice is explained with numbers, and the copy that was replaced can be restored.
func TestBothHaveCards(t *testing.T) {
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	desktop.Do(t, "add_notes", anki.Args{"prefix": "desktop", "count": 3}, nil)
	desktop.Upload(t)

	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 1280, 800, false)
	a.Tap(t, "Start without an account")
	a.Go(t, "#/note/new")
	a.Fill(t, "Front", "only on the phone")
	a.Fill(t, "Back", "x")
	a.Tap(t, "Add card")
	a.Read(t, "Added 1 card")
	signInLater(t, a)
	a.Read(t, "Which side do you want to keep?")
	for _, text := range []string{
		"Would be lost if you keep the server", "1 card and 0 reviews, as they are here", "only on the phone",
		"Would be lost if you keep this device", "3 cards and 0 reviews, as they are there", "desktop 2", "kept on this device for 30 days",
	} {
		a.Read(t, text)
	}
	each(t, a, "choice")
	a.Size(t, 1280, 800, false)
	a.Tap(t, "Keep the server")
	a.Read(t, "The one card of this device is replaced")
	a.Read(t, "A copy is kept here first")
	a.Tap(t, "Keep the server") // asked once more, with what is lost
	a.Read(t, "This device now has")
	synced(t, a)
	a.Go(t, "#/browse")
	a.Read(t, "desktop 2")

	a.Run(t, nil, `const { now } = Date; Date.now = () => now() + 29 * 86_400_000`)
	a.Go(t, "#/sync") // four weeks later
	a.Read(t, "Before fetching the server’s collection, 29 days ago")
	a.Tap(t, "Restore the previous copy")
	a.Read(t, "Before fetching")
	a.Tap(t, "Restore")
	a.Read(t, "Replace your cards on this device")
	a.Tap(t, "Restore")
	a.Read(t, "Restored")
	a.Go(t, "#/browse")
	a.Read(t, "only on the phone")
}

// TestChosenInOtherTab chooses in one tab what another one asks for as well: that one does not go on asking, as it would replace what the first has kept.
func TestChosenInOtherTab(t *testing.T) {
	t.Parallel()
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	desktop.Do(t, "add_notes", anki.Args{"prefix": "desktop", "count": 3}, nil)
	desktop.Upload(t)
	b := browsertest.Start(t)
	a := apptest.Open(t, b, s.URL)
	a.Tap(t, "Start without an account")
	addNote(t, a, "only here")
	signInLater(t, a)
	a.Read(t, "Which side do you want to keep?")
	other := apptest.Open(t, b, s.URL)
	other.Go(t, "#/choose")
	for _, answer := range []string{"Keep the server", "The one card of this device is replaced"} {
		other.Read(t, answer)
		other.Tap(t, "Keep the server")
	}
	other.Read(t, "This device now has")
	a.Read(t, "There is nothing to choose")
}

// TestBothHaveChanged is flow 3 between sides that have synced before: what came to each since then is told.
func TestBothHaveChanged(t *testing.T) {
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	kind := desktop.ID(t, "add_notetype", anki.Args{"name": "Of my own"})
	desktop.Do(t, "add_notes", anki.Args{"prefix": "shared", "count": 3}, nil)
	desktop.Upload(t)
	between := s.Between(t)
	a := apptest.Open(t, browsertest.Start(t), between.URL)
	a.Size(t, 360, 780, false)
	signIn(t, a)
	a.Read(t, "The server has your decks")
	a.Read(t, "Cards 3")
	a.Tap(t, "Fetch my decks")
	a.Read(t, "Study Default")
	synced(t, a)

	between.Answer(status(http.StatusBadGateway)) // until the other side has changed too: the app would send its answer by itself
	a.Tap(t, "Study Default")
	a.Tap(t, "Show answer")
	a.Tap(t, "Good")
	a.Wait(t, `all(".grades").length === 0`)
	time.Sleep(time.Second) // of a note only the second of its change is known: this one comes after that in which the phone has fetched
	desktop.Do(t, "edit_notetype", anki.Args{"id": kind, "add_field": "Another"}, nil)
	desktop.Do(t, "add_notes", anki.Args{"prefix": "later", "count": 2}, nil)
	desktop.Upload(t)
	between.Answer(nil)

	a.Go(t, "#/sync")
	a.Tap(t, "Sync now | Choose a side") // it may have tried by itself since the server answers again
	a.Read(t, "Which side do you want to keep?")
	a.Read(t, "1 review made here since the last sync")
	a.Read(t, "2 notes written or changed on other devices since this one last synced")
	a.Read(t, "later 1")
	each(t, a, "choice-changed")
	a.Size(t, 360, 780, false)
	a.Access(t, "the choice")
	a.Tap(t, "Keep this device")
	a.Read(t, "The 5 cards of the server are replaced")
	a.Tap(t, "Keep this device")
	a.Read(t, "The server now has")
	synced(t, a)
	desktop.Download(t)
	if n := number(t, desktop, "SELECT count() FROM notes"); n != 3 {
		t.Errorf("the desktop program has %d notes, want the 3 of the phone", n)
	}
	if n := number(t, desktop, "SELECT count() FROM revlog"); n != 1 {
		t.Errorf("the desktop program has %d reviews, want the 1 of the phone", n)
	}
	a.Go(t, "#/sync")
	a.Tap(t, "Restore the previous copy")
	a.Read(t, "The server’s copy, before it was replaced")
}

// TestOffline is flow 7: the installed app opens, studies, adds and edits with no network, and syncs when it is back.
func TestOffline(t *testing.T) {
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.DemoDesktop(t, s)
	desktop.Upload(t)
	b := browsertest.Start(t)
	a := apptest.Open(t, b, s.URL)
	a.Size(t, 360, 780, false)
	fetchDecks(t, a, "At the harbour")
	a.Wait(t, `navigator.serviceWorker.controller !== null`)
	reviews := number(t, desktop, "SELECT count() FROM revlog")

	s.Stop()
	a.Close()
	a = apptest.Open(t, b, s.URL) // there is no server: this is the service worker
	a.Size(t, 360, 780, false)
	a.Tap(t, "Study Spanish")
	for range 3 {
		a.See(t, ".study iframe")
		a.Tap(t, "Show answer")
		a.Tap(t, "Good")
		a.Wait(t, `all(".grades").length === 0`)
	}
	addOffline(t, a, "written on the train")
	a.Go(t, "#/")
	a.Read(t, "Offline")

	s.Start(t)
	syncNow(t, a)
	desktop.SyncAll(t)
	if got := number(t, desktop, "SELECT count() FROM revlog"); got != reviews+3 {
		t.Errorf("the desktop program has %d reviews, want %d", got, reviews+3)
	}
	if n := number(t, desktop, "SELECT count() FROM notes WHERE flds LIKE 'written on the train%'"); n != 1 {
		t.Errorf("the desktop program has %d of the notes", n)
	}
}

// TestKeyboard studies with keys alone, and takes an answer back.
func TestKeyboard(t *testing.T) {
	s := apptest.Serve(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 1280, 800, false)
	a.Tap(t, "Start without an account")
	a.Go(t, "#/note/new")
	for _, word := range []string{"first", "second"} {
		a.Fill(t, "Front", word)
		a.Key(t, kb.Tab)
		for range 3 { // past the tools of the next field
			a.Key(t, kb.Tab)
		}
		a.Type(t, "answer to "+word)
		a.Tap(t, "Add card")
		a.Wait(t, `document.querySelector(".editable").textContent === ""`)
	}
	a.Go(t, "#/")
	a.Tap(t, "Study Default")
	a.ReadCard(t, "first")
	a.Key(t, " ")
	a.ReadCard(t, "answer to first")
	a.Key(t, "3")
	a.ReadCard(t, "second")
	a.Key(t, "u")
	a.Read(t, "Your last answer was taken back")
	a.ReadCard(t, "first")
	a.Key(t, kb.Escape)
	a.Read(t, "Study Default")
}

// TestAnotherAccount comes back to an account after the device has synced with another one: what was sent to that one is not taken for sent to this one.
func TestAnotherAccount(t *testing.T) {
	t.Parallel()
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	desktop.Do(t, "add_notes", anki.Args{"prefix": "first", "count": 1}, nil)
	desktop.Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	fetchDecks(t, a, "Study Default")
	signOut := func() {
		t.Helper()
		a.Go(t, "#/settings")
		a.Tap(t, "Sign out")
		a.Read(t, "Your cards stay here")
		a.Tap(t, "Sign out")
		a.Read(t, "Not synced")
	}
	signOut()
	a.Go(t, "#/sign-up")
	a.Fill(t, "User name", "second")
	a.Fill(t, "Password", "another long password")
	a.Tap(t, "Create an account")
	a.Tap(t, "Send my cards")
	synced(t, a)
	addNote(t, a, "of the second")
	syncNow(t, a)
	signOut()
	signInLater(t, a)
	a.Read(t, "Which side do you want to keep?")
	a.Read(t, "2 cards and 0 reviews, as they are here")
	a.Read(t, "1 card and 0 reviews, as they are there")
	a.Tap(t, "Keep the server")
	a.Read(t, "The 2 cards of this device are replaced")
	a.Tap(t, "Keep the server")
	synced(t, a)
}
