package apptest_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/apptest"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// TestTypedWhileAdding goes on typing while a note is being added, which may have to wait for a sync: what was typed is not taken away.
func TestTypedWhileAdding(t *testing.T) {
	t.Parallel()
	a := alone(t)
	a.Go(t, "#/note/new")
	a.Fill(t, "Front", "word")
	a.Run(t, nil, `
		const post = Worker.prototype.postMessage;
		Worker.prototype.postMessage = function (m, ...more) {
			if (m.name === "edit" && !window.add) window.add = () => post.call(this, m, ...more);
			else post.call(this, m, ...more);
		}`)
	a.Tap(t, "Add card")
	a.Wait(t, `window.add !== undefined`)
	a.Fill(t, "Back", "typed meanwhile")
	a.Run(t, nil, `add()`)
	a.Read(t, "Added 1 card")
	var left []string
	const fields = `return [...document.querySelectorAll(".editable")].map((e) => e.textContent)`
	a.Eval(t, &left, `await new Promise((r) => setTimeout(r, 300)); `+fields)
	if len(left) != 2 || left[1] != "typed meanwhile" {
		t.Errorf("the fields have %q", left)
	}
	a.Tap(t, "Add card")
	a.Wait(t, `[...document.querySelectorAll(".editable")].every((e) => e.textContent === "")`)
}

// pictures returns what is chosen, pasted or dropped with pictures of those names.
const pictures = `
	const pictures = (...names) => {
		const bytes = Uint8Array.from(atob("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"), (c) => c.charCodeAt(0)), data = new DataTransfer();
		for (const name of names) data.items.add(new File([bytes], name, { type: "image/gif" }));
		return data;
	};`

// TestImportWhileAdding imports a package in another tab while a note is being written: that goes to the note type and the deck of the same name there.
func TestImportWhileAdding(t *testing.T) {
	t.Parallel()
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	desktop.Do(t, "add_note", anki.Args{"notetype": "Basic (and reversed card)", "fields": []string{"of the package", "x"}}, nil)
	file := filepath.Join(t.TempDir(), "real.colpkg")
	desktop.Do(t, "export", anki.Args{"path": file, "media": true, "legacy": false}, nil)
	b := browsertest.Start(t)
	a := apptest.Open(t, b, s.URL)
	a.Tap(t, "Start without an account")
	a.Go(t, "#/note/new")
	a.See(t, "#note-type")
	a.Run(t, nil, `
		const select = document.getElementById("note-type");
		select.value = [...select.options].find((o) => o.text === "Basic (and reversed card)").value;
		select.dispatchEvent(new Event("change", { bubbles: true }))`)
	a.Fill(t, "Front", "typed before")
	a.Fill(t, "Back", "typed, too")
	other := apptest.Open(t, b, s.URL)
	other.Go(t, "#/settings/backups")
	choose(t, other, file)
	other.Tap(t, "Replace my cards")
	other.Read(t, "Your cards were replaced")
	a.Wait(t, `[...document.getElementById("note-type").options].some((o) => o.text === "Image Occlusion")`) // which the app makes none of
	a.Tap(t, "Add card")
	a.Read(t, "Added 2 cards")
	found(t, a, "typed before", "2 cards")
}

// TestDroppedFiles drops several files on a field: those that a note can have get into it, one after the other.
func TestDroppedFiles(t *testing.T) {
	t.Parallel()
	a := alone(t)
	a.Go(t, "#/note/new")
	a.Fill(t, "Front", "two pictures")
	a.Run(t, nil, pictures+`
		const data = pictures("one.gif", "two.gif");
		data.items.add(new File(["no picture"], "three.txt", { type: "text/plain" }));
		document.querySelector(".editable").dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }))`)
	a.Wait(t, `[...document.querySelectorAll(".editable img")].map((i) => i.naturalWidth + i.dataset.name).join() === "1one.gif,1two.gif"`)
	a.Tap(t, "Add card")
	a.Read(t, "Added 1 card")
	a.Go(t, "#/browse")
	a.Tap(t, "two pictures")
	a.Wait(t, `document.querySelectorAll(".editable img").length === 2`)
}

// TestManyTags has more tags than anybody could look through: each is suggested to whoever begins to type it.
func TestManyTags(t *testing.T) {
	t.Parallel()
	a := alone(t)
	a.Go(t, "#/note/new")
	a.Fill(t, "Front", "tagged")
	var tags strings.Builder
	for i := range 2100 {
		fmt.Fprintf(&tags, "tag%d ", i)
	}
	a.Fill(t, "Tags", tags.String()+"zebra")
	a.Tap(t, "Add card")
	a.Read(t, "Added 1 card")
	a.Go(t, "#/")
	a.Go(t, "#/note/new")
	a.Fill(t, "Tags", "zeb")
	a.Wait(t, `document.querySelector("datalist option")?.value === "zebra"`)
}

// TestDeckSavedTwice sends the name of a new deck off twice, as an impatient Enter does while something else is being written: one deck is made.
func TestDeckSavedTwice(t *testing.T) {
	t.Parallel()
	a := alone(t)
	a.Tap(t, "New deck")
	a.Fill(t, "Name of the deck", "Once")
	a.Run(t, nil, `const form = document.querySelector("dialog form"); form.requestSubmit(); form.requestSubmit()`)
	a.Wait(t, `document.querySelector("dialog[open]") === null`)
	a.Tap(t, "New deck")
	a.Fill(t, "Name of the deck", "Later")
	a.Key(t, kb.Enter)
	a.Read(t, "Later")
	if text := a.Text(t); strings.Contains(text, "Once+") {
		t.Errorf("two decks were made:\n%s", text)
	}
}

// TestTypedWhileFileComes chooses a picture and goes on typing, in the other field and behind the picture: nothing of it is lost, or gets elsewhere.
func TestTypedWhileFileComes(t *testing.T) {
	t.Parallel()
	a := alone(t)
	a.Go(t, "#/note/new")
	a.Fill(t, "Front", "before")
	a.Run(t, nil, pictures+`
		const post = Worker.prototype.postMessage;
		Worker.prototype.postMessage = function (m, ...more) {
			if (m.name === "mediaAdd") window.add = () => post.call(this, m, ...more);
			else post.call(this, m, ...more);
		};
		const input = document.querySelector("input[type=file]");
		input.files = pictures("chosen.gif").files;
		input.dispatchEvent(new Event("change", { bubbles: true }))`)
	a.Wait(t, `window.add !== undefined`)
	a.Fill(t, "Back", "typed meanwhile")
	a.Run(t, nil, `add()`)
	a.Wait(t, `document.querySelector(".editable img")?.naturalWidth === 1`)
	a.Type(t, "after")
	a.Tap(t, "Add card")
	a.Read(t, "Added 1 card")
	a.Go(t, "#/browse")
	a.Tap(t, "before | after")
	a.Wait(t, `document.querySelectorAll(".editable").length === 2`)
	var fields []string
	a.Eval(t, &fields, `return [...document.querySelectorAll(".editable")].map((e) => [...e.childNodes].map((n) => n.dataset?.name ?? n.textContent).join())`)
	if want := []string{"before,chosen.gif,after", "typed meanwhile"}; !slices.Equal(fields, want) {
		t.Errorf("the fields have %q, want %q", fields, want)
	}
}

// TestLargeField types into a field of 20,000 words in bold, as some dictionaries have: what the editor does for a key takes about as long as the browser
// takes to read the field once.
func TestLargeField(t *testing.T) {
	t.Parallel()
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	desktop.Do(t, "add_note", anki.Args{"fields": []string{"large", strings.Repeat("<b>word</b> ", 20000)}}, nil)
	desktop.Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	fetchDecks(t, a, "Study Default")
	a.Go(t, "#/browse?q=large")
	a.Tap(t, "large")
	a.Wait(t, `document.querySelectorAll(".editable").length === 2`)
	var took struct{ Reading, Key float64 }
	a.Run(t, &took, `
		const field = document.querySelectorAll(".editable")[1], box = document.createElement("div");
		const time = (f) => { const start = performance.now(); f(); return performance.now() - start; };
		const Reading = time(() => box.innerHTML = field.innerHTML);
		// The quickest of three keys: when a busy machine lets a page run is not the editor's.
		const keys = [1, 2, 3].map(() => (field.prepend("typed "), time(() => field.dispatchEvent(new Event("input")))));
		return { Reading, Key: Math.min(...keys) }`)
	if took.Key > 10*took.Reading {
		t.Errorf("a key takes %v ms, reading the field %v ms", took.Key, took.Reading)
	}
	a.Tap(t, "Save")
	a.Read(t, "Saved")
	syncNow(t, a)
	desktop.SyncAll(t)
	if n := number(t, desktop, "SELECT count() FROM notes WHERE flds LIKE '%typed <b>word</b> <b>%'"); n != 1 {
		t.Error("what was typed is not there")
	}
}

// TestFieldKept edits one field of a note while another device changes the other: both changes stay.
func TestFieldKept(t *testing.T) {
	t.Parallel()
	b := browsertest.Start(t)
	a := apptest.Open(t, b, apptest.Serve(t).URL)
	a.Tap(t, "Start without an account")
	addNote(t, a, "front")
	found(t, a, "front", "1 card")
	a.Tap(t, "front")
	a.Fill(t, "Front", "front, edited")
	other := apptest.Open(t, b, a.URL)
	found(t, other, "front", "1 card")
	other.Tap(t, "front")
	other.Fill(t, "Back", "back, edited")
	other.Tap(t, "Save")
	other.Read(t, "Saved")
	a.Tap(t, "Save")
	a.Read(t, "Saved")
	found(t, a, "front,", "1 card")
	found(t, a, "\"back, edited\"", "1 card")
}

// TestHideAll marks as a cloze what has signs, bold letters, lines and a picture: all of it is hidden, and nothing lost.
func TestHideAll(t *testing.T) {
	t.Parallel()
	a := alone(t)
	a.Go(t, "#/note/new")
	a.See(t, "#note-type")
	a.Run(t, nil, `
		const select = document.getElementById("note-type");
		select.value = [...select.options].find((o) => o.text === "Cloze").value;
		select.dispatchEvent(new Event("change", { bubbles: true }))`)
	a.Fill(t, "Text", "hide if a<b & c>d")
	paste(t, a)
	a.Run(t, nil, `
		const field = document.querySelector(".editable");
		field.append(Object.assign(document.createElement("b"), { textContent: "bold" }), document.createElement("br"), "line");
		field.dispatchEvent(new Event("input"));
		field.focus();
		getSelection().selectAllChildren(field)`)
	a.Tap(t, "Mark what to hide")
	a.Tap(t, "Add card")
	a.Read(t, "Added 1 card")
	a.Go(t, "#/browse")
	a.Tap(t, "hide")
	var got string
	a.Eval(t, &got, `
		const field = await until(() => document.querySelector(".editable img[src]")?.closest(".editable"), 5000);
		return field ? [...field.childNodes].map((n) => n.dataset?.name ? "picture" : n.outerHTML ?? n.textContent).join("|") : document.body.innerText`)
	if want := "{{c1::hide if a<b & c>d|picture|<b>bold</b>|<br>|line}}"; got != want {
		t.Errorf("the field has %q, want %q", got, want)
	}
}

// TestSoundNames has sounds in a field whose names have a sign that HTML writes otherwise: one that is here is not missing, one that is nowhere can be
// taken out.
func TestSoundNames(t *testing.T) {
	t.Parallel()
	a := alone(t)
	a.Go(t, "#/note/new")
	a.Fill(t, "Front", "two sounds [sound:gone & lost.mp3]")
	a.Run(t, nil, `
		const data = new DataTransfer(), input = document.querySelector("input[type=file][accept^=audio]");
		data.items.add(new File(["no sound"], "here & now.mp3", { type: "audio/mpeg" }));
		input.files = data.files;
		input.dispatchEvent(new Event("change", { bubbles: true }))`)
	a.Wait(t, `document.querySelector(".editable").textContent.includes("[sound:here & now.mp3]")`)
	a.Tap(t, "Remove gone & lost.mp3")
	a.Wait(t, `document.querySelector(".editable").textContent === "two sounds [sound:here & now.mp3]"`)
	a.Run(t, nil, `await new Promise((r) => setTimeout(r, 500))`)
	if text := a.Text(t); strings.Contains(text, "is missing") {
		t.Errorf("the sound is here, and the page says:\n%s", text)
	}
}

// TestStays is asked whether to leave a note without saving, and stays: saving and Back lead to where it was opened from, as before.
func TestStays(t *testing.T) {
	t.Parallel()
	a := alone(t)
	addNote(t, a, "word")
	for i, leave := range []func(){
		func() { a.Tap(t, "Statistics") },
		func() { a.Run(t, nil, `history.back()`) },
		func() { a.Run(t, nil, `history.forward()`) },
	} {
		found(t, a, "word", "1 card")
		a.Tap(t, "word")
		a.See(t, ".editable")
		if i == 2 { // something to go forward to
			a.Tap(t, "Decks")
			a.Read(t, "Study Default")
			a.Run(t, nil, `history.back()`)
			a.See(t, ".editable")
		}
		a.Fill(t, "Back", "edited "+itoa(int64(i)))
		a.Run(t, nil, `window.asked = 0; window.confirm = () => (window.asked++, false)`)
		leave()
		a.Wait(t, `window.asked === 1 && location.hash.startsWith("#/note/")`)
		a.Tap(t, "Save")
		a.Read(t, "Saved")
		a.Wait(t, `location.hash.startsWith("#/browse")`)
		a.Read(t, "1 card")
	}
}

// TestPreviewTags writes tags while the preview is open: a card that shows them follows.
func TestPreviewTags(t *testing.T) {
	t.Parallel()
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	desktop.Do(t, "edit_notetype", anki.Args{"id": "Basic", "front": "{{Front}} ({{Tags}})"}, nil)
	desktop.Do(t, "add_note", anki.Args{"fields": []string{"word", "back"}}, nil)
	desktop.Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	fetchDecks(t, a, "Study Default")
	found(t, a, "word", "1 card")
	a.Tap(t, "word")
	a.Tap(t, "Preview")
	a.ReadCard(t, "word ()")
	a.Fill(t, "Tags", "fresh")
	a.ReadCard(t, "word (fresh)")
}
