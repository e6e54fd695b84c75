package apptest_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/apptest"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// TestMissingMedia is flow 6: a card whose file nobody has says so, names it, and offers what can be done: in the note, and in the template.
func TestMissingMedia(t *testing.T) {
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	kind := desktop.ID(t, "add_notetype", anki.Args{"name": "With a logo"})
	desktop.Do(t, "edit_notetype", anki.Args{"id": kind, "front": "{{Front}}\n<img src=\"_logo.png\">"}, nil)
	desktop.Do(t, "add_note", anki.Args{"notetype": "With a logo", "fields": []string{"a note", `x <img src="gone.png">`}}, nil)
	desktop.Upload(t)

	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 360, 780, false)
	signIn(t, a)
	a.Tap(t, "Fetch my decks")
	a.Tap(t, "Study Default")
	a.Read(t, "_logo.png is missing")
	a.Tap(t, "What can I do?")
	a.Read(t, "It may not be synced from the other device yet")
	a.Read(t, "named in the card template Card 1 of With a logo")
	a.Read(t, `<img src="_logo.png">`)
	shot(t, a, "missing-template")
	a.Tap(t, "Remove it from the template")
	a.Read(t, "for all cards of this type")
	a.Tap(t, "Remove it from the template")
	a.Read(t, "The line was removed")

	a.Go(t, "#/")
	a.Tap(t, "Study Default")
	a.Tap(t, "Show answer")
	a.Read(t, "gone.png is missing")
	shot(t, a, "missing-note")
	a.Tap(t, "What can I do?")
	a.Tap(t, "Open the note: Back")
	a.Wait(t, `document.activeElement?.getAttribute("aria-labelledby") === "field-Back"`)
	a.Tap(t, "Remove gone.png")
	a.Tap(t, "Save")
	a.Read(t, "Saved")
	syncNow(t, a)
	desktop.SyncAll(t)
	if n := number(t, desktop, "SELECT count() FROM notes WHERE flds = ?", "a note\x1fx "); n != 1 {
		t.Errorf("the desktop program has %v", desktop.SQL(t, "SELECT flds FROM notes"))
	}
	for _, row := range desktop.SQL(t, "SELECT hex(config) FROM templates WHERE ntid = ?", kind) {
		if strings.Contains(row[0].(string), "5F6C6F676F") { // _logo
			t.Error("the desktop program's template still names the file")
		}
	}
}

// TestComingMedia: a card whose picture has not come yet says so, and shows it as soon as it is here, while the card stays on the screen; the style
// sheet and the script that the deck brings as files are used.
func TestComingMedia(t *testing.T) {
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	const picture = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
	desktop.Do(t, "media_add", anki.Args{"name": "late.gif", "data": picture}, nil)
	desktop.Do(t, "media_add", anki.Args{"name": "_deck.css", "data": base64.StdEncoding.EncodeToString([]byte(".styled { letter-spacing: 7px }"))}, nil)
	desktop.Do(t, "media_add", anki.Args{"name": "_deck.js", "data": base64.StdEncoding.EncodeToString([]byte(`document.querySelector(".styled").title = "run"`))}, nil)
	desktop.Do(t, "add_note", anki.Args{"fields": []string{`<link rel="stylesheet" href="_deck.css"><b class="styled">a picture</b><img src="late.gif"><script src="_deck.js"></script>`, "back"}}, nil)
	desktop.Upload(t)

	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 360, 780, false)
	a.Tap(t, "Start without an account")
	a.Go(t, "#/settings")
	a.Tap(t, "Pictures and sounds too")
	a.Tap(t, "Sync by itself")
	a.Wait(t, `all("[role=switch]").slice(0, 2).every((e) => !e.checked)`)
	signInLater(t, a)
	a.Tap(t, "Fetch my decks")
	a.Read(t, "Study Default")
	s.Stop()
	a.Tap(t, "Study Default")
	a.ReadCard(t, "a picture")
	a.Read(t, "3 pictures and sounds are still syncing")
	shot(t, a, "coming")
	a.Access(t, "a card whose picture is coming")
	if !apptest.Card[bool](t, a, `const i = document.images[0]; return i.classList.contains("cardferry-absent") && i.alt === "still syncing"`) {
		t.Error("the picture has no placeholder")
	}
	s.Start(t)
	a.Run(t, nil, `dispatchEvent(new Event("online"))`)
	if !apptest.Card[bool](t, a, `for (let n = 0; n < 600; n++) {
		if (document.images[0].naturalWidth === 1 && getComputedStyle(document.querySelector(".styled")).letterSpacing === "7px" && document.querySelector(".styled").title === "run") return true;
		await new Promise((r) => setTimeout(r, 100)); } return false`) {
		t.Error("the picture, or the style sheet, has not been swapped in, or the script not run")
	}
	a.Wait(t, `!clean(document.body.innerText).includes("still syncing")`)
	a.Read(t, "Show answer")
}

// TestFilm: a film that a note names like a sound is shown over the card while it plays. Escape, a tap and its end close it, and the card is still there.
func TestFilm(t *testing.T) {
	t.Parallel()
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	film, err := os.ReadFile(filepath.Join("testdata", "film.webm")) // two colours by turns, by a MediaRecorder
	if err != nil {
		t.Fatal(err)
	}
	desktop.Do(t, "media_add", anki.Args{"name": "film.webm", "data": base64.StdEncoding.EncodeToString(film)}, nil)
	desktop.Do(t, "add_note", anki.Args{"fields": []string{"a film [sound:film.webm]", "back"}}, nil)
	desktop.Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 320, 640, false)
	fetchDecks(t, a, "Study Default")
	a.Run(t, nil, `const { play } = HTMLMediaElement.prototype; HTMLMediaElement.prototype.play = function () { this.loop = true; return play.call(this); }`) // it takes less than a second
	const shown, gone = `(await until(() => document.querySelector("dialog.film video")?.currentTime > 0, 1000)) && !document.querySelector("dialog.film video").paused`, `document.querySelector("dialog.film") === null`
	a.Tap(t, "Study Default")
	a.Wait(t, shown)
	a.Access(t, "a film")
	shot(t, a, "film")
	a.Key(t, kb.Escape)
	a.Wait(t, gone)
	a.ReadCard(t, "a film")
	a.Read(t, "Show answer")
	a.TapCard(t, ".replay-button")
	a.Wait(t, shown)
	a.Tap(t, "Close")
	a.Wait(t, gone)
	a.Key(t, "r")
	a.Wait(t, shown)
	a.Run(t, nil, `document.querySelector("dialog.film video").loop = false`)
	a.Wait(t, gone)
	a.Tap(t, "Show answer")
	a.ReadCard(t, "back")
}

// TestNotYet: what the app cannot do is said where it is met, and listed: a filtered deck, and a card with LaTeX.
func TestNotYet(t *testing.T) {
	t.Parallel()
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	desktop.Do(t, "add_note", anki.Args{"fields": []string{"in a filtered deck", "x"}, "deck": "Plain"}, nil)
	desktop.Do(t, "filtered_deck", anki.Args{"name": "Cramming", "search": "deck:Plain"}, nil)
	desktop.Do(t, "add_note", anki.Args{"fields": []string{"a formula [latex]x^2[/latex]", "x"}}, nil)
	desktop.Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 320, 640, false)
	fetchDecks(t, a, "Cramming")
	var studied bool
	a.Eval(t, &studied, `return all(".deck a").some((e) => e.textContent.includes("Cramming"))`)
	if studied {
		t.Error("a filtered deck can be studied")
	}
	a.Tap(t, "More about Cramming")
	a.Read(t, "can be studied only in the desktop program")
	a.Access(t, "a filtered deck")
	a.Tap(t, "Close")
	a.Tap(t, "Study Default")
	a.ReadCard(t, "a formula")
	a.Read(t, "A picture of LaTeX is missing")
	a.Tap(t, "What can I do?")
	a.Read(t, "It is a picture of LaTeX")
	a.Access(t, "a picture of LaTeX")
	shot(t, a, "latex")
	a.Tap(t, "Close")
	a.Go(t, "#/settings/missing")
	for _, text := range []string{"filtered decks and custom study", "balancing the load, and easy days", "optimising FSRS", "editing note types", "pictures of LaTeX", "drawing image occlusions"} {
		a.Read(t, text)
	}
}

// TestFilesOfCards has a card name files in other ways than as pictures and sounds: in styles, as the picture before a film, inside of a drawing. A srcset
// does not keep a picture from being seen, and what a style names inside of the card stays.
func TestFilesOfCards(t *testing.T) {
	t.Parallel()
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	kind := desktop.ID(t, "add_notetype", anki.Args{"name": "Styled"})
	desktop.Do(t, "edit_notetype", anki.Args{"id": kind, "front": `<style>.sheet { background: url("_sheet.gif") }</style>{{Front}}`}, nil)
	for _, name := range []string{"_sheet.gif", "inline.gif", "drawn.gif", "old.gif", "poster.gif", "plain.gif"} {
		desktop.Do(t, "media_add", anki.Args{"name": name, "data": "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"}, nil)
	}
	desktop.Do(t, "add_note", anki.Args{"notetype": "Styled", "fields": []string{`<p class="sheet" style="mask: url('inline.gif'); filter: url(#f)">the card</p><video poster="poster.gif"></video>
		<svg><filter id="f"></filter><image href="drawn.gif" width="5" height="5"/><image xlink:href="old.gif" width="5" height="5"/></svg><img src="plain.gif" srcset="plain.gif 1x, none.gif 2x">`, "back"}}, nil)
	desktop.Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Expects("Applying inline style violates") // what the editor has parsed apart from the page
	a.Size(t, 360, 780, false)
	fetchDecks(t, a, "Study Default")
	a.Tap(t, "Study Default")
	a.ReadCard(t, "the card")
	for what, want := range map[string]string{
		`getComputedStyle(p).backgroundImage`: `url("blob:`, `getComputedStyle(p).maskImage`: `url("blob:`, `getComputedStyle(p).filter`: `url("#f")`,
		`document.querySelector("video").poster`: "blob:", `images[0].getAttribute("href")`: "blob:", `images[1].href.baseVal`: "blob:", `document.images[0].currentSrc`: "blob:",
	} {
		got := apptest.Card[string](t, a, `const p = document.querySelector("p"), images = document.querySelectorAll("image");
			for (let n = 0; n < 1200 && !String(`+what+`).startsWith(`+strconv.Quote(want)+`); n++) await new Promise((r) => setTimeout(r, 50));
			return `+what)
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s is %s", what, got)
		}
	}
}

// TestPreviewOfAll previews the cards of a note, one after the other: each shows the picture, which the one before has had already.
func TestPreviewOfAll(t *testing.T) {
	t.Parallel()
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	desktop.Do(t, "media_add", anki.Args{"name": "both.gif", "data": "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"}, nil)
	desktop.Do(t, "add_note", anki.Args{"notetype": "Basic (and reversed card)", "fields": []string{`one <img src="both.gif">`, `two <img src="both.gif"><img src="none.gif">`}}, nil)
	desktop.Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 360, 780, false)
	fetchDecks(t, a, "Study Default")
	found(t, a, "one", "2 cards")
	a.Tap(t, "one")
	a.Tap(t, "Preview")
	const picture = `for (let n = 0; n < 1200 && !document.images[0]?.naturalWidth; n++) await new Promise((r) => setTimeout(r, 50)); return document.images[0]?.naturalWidth === 1`
	a.ReadCard(t, "one")
	if !apptest.Card[bool](t, a, picture) {
		t.Error("the first card has no picture")
	}
	a.Eval(t, nil, `const e = named("select", "Preview"); e.value = "1"; e.dispatchEvent(new Event("change", { bubbles: true }))`)
	a.ReadCard(t, "two")
	if !apptest.Card[bool](t, a, picture) {
		t.Error("the second card has no picture")
	}
	a.SeeCard(t, "img.cardferry-absent")
	a.Tap(t, "Show answer")
	a.ReadCard(t, "one")
}

// studying returns the app with a deck of one card, which names a file.
func studying(t *testing.T, file, base64, front string) *apptest.App {
	t.Helper()
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	desktop.Do(t, "media_add", anki.Args{"name": file, "data": base64}, nil)
	desktop.Do(t, "add_note", anki.Args{"fields": []string{front, "back"}}, nil)
	desktop.Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 360, 780, false)
	fetchDecks(t, a, "Study Default")
	return a
}

// TestSoundWithoutSpeech plays sounds in a browser that cannot speak, as Android's WebView cannot.
func TestSoundWithoutSpeech(t *testing.T) {
	t.Parallel()
	a := studying(t, "a.mp3", "AAAA", "heard [sound:a.mp3]")
	a.Run(t, nil, `
		delete window.speechSynthesis;
		if ("speechSynthesis" in window) throw new Error("still speaks");
		window.played = 0;
		HTMLMediaElement.prototype.play = function () { window.played++; return Promise.resolve(); }`)
	a.Tap(t, "Study Default")
	a.ReadCard(t, "heard")
	a.Wait(t, `window.played === 1`)
	a.Tap(t, "Show answer")
	a.Tap(t, "Easy")
	a.Read(t, "Done for now")
}

// TestSoundAgain asks for a sound again before it has begun to play: that is no failure of the sound.
func TestSoundAgain(t *testing.T) {
	t.Parallel()
	a := studying(t, "a.mp3", "AAAA", "heard [sound:a.mp3]")
	a.Run(t, nil, `
		window.played = 0;
		const { pause } = HTMLMediaElement.prototype;
		HTMLMediaElement.prototype.play = function () {
			window.played++;
			return new Promise((_, reject) => (this.pause = () => { pause.call(this); reject(new DOMException("interrupted", "AbortError")); })); // as browsers do
		}`)
	a.Tap(t, "Study Default")
	a.ReadCard(t, "heard")
	a.Wait(t, `window.played === 1`)
	a.Key(t, "r")
	a.Wait(t, `window.played === 2`)
	a.Key(t, "r")
	a.Wait(t, `window.played === 3`)
	if text := said(t, a); strings.Contains(text, "a.mp3") {
		t.Errorf("said is %q", text)
	}
}

// TestPictureBusy has the first request for a picture, which is here, fail as when another tab holds the profile: it is not missing, and comes later.
func TestPictureBusy(t *testing.T) {
	t.Parallel()
	a := studying(t, "a.gif", "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7", `seen <img src="a.gif">`)
	a.Run(t, nil, `
		const post = Worker.prototype.postMessage;
		Worker.prototype.postMessage = function (m, ...more) {
			if (m.name !== "mediaGet" || window.refused) return post.call(this, m, ...more);
			window.refused = true;
			post.call(this, { ...m, name: "unknown" }, ...more); // which is answered with busy
		}`)
	a.Tap(t, "Study Default")
	a.ReadCard(t, "seen")
	a.Wait(t, `window.refused === true`)
	a.Run(t, nil, `await new Promise((r) => setTimeout(r, 300)); dispatchEvent(new Event("online"))`)
	a.SeeCard(t, `img[src^="blob:"]`)
	a.Wait(t, `document.querySelector(".media-note") === null`)
}

// TestSilent studies a deck whose options let no sound play by itself: one is played when it is asked for.
func TestSilent(t *testing.T) {
	t.Parallel()
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	desktop.Do(t, "media_add", anki.Args{"name": "word.mp3", "data": base64.StdEncoding.EncodeToString([]byte("no sound"))}, nil)
	desktop.Do(t, "add_note", anki.Args{"fields": []string{"word [sound:word.mp3]", "back"}}, nil)
	desktop.Do(t, "edit_deck_config", anki.Args{"id": "Default", "autoplay": false}, nil)
	desktop.Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	fetchDecks(t, a, "Study Default")
	a.Run(t, nil, `window.played = 0; HTMLMediaElement.prototype.play = () => { window.played++; return new Promise(() => {}); }`)
	a.Tap(t, "Study Default")
	a.ReadCard(t, "word")
	a.Run(t, nil, `await new Promise((r) => setTimeout(r, 500))`)
	var played int64
	a.Run(t, &played, `return window.played`)
	if played != 0 {
		t.Error("the sound has played by itself")
	}
	a.Key(t, "r")
	a.Wait(t, "window.played === "+itoa(played+1))
}
