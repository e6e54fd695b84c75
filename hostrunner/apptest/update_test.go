package apptest_test

import (
	"strings"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/apptest"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// TestUpdate brings a new version out while the app is in use: it is offered and waits, what is being written stays, and afterwards the
// new version has all cards. A tab that goes on with the old version still finds its files.
func TestUpdate(t *testing.T) {
	s := apptest.Serve(t)
	s.OwnApp(t)
	b := browsertest.Start(t)
	a := apptest.Open(t, b, s.URL)
	a.Size(t, 360, 780, false)
	a.Tap(t, "Start without an account")
	a.Wait(t, `navigator.serviceWorker.controller !== null`)
	addNote(t, a, "kept")
	a.Fill(t, "Front", "being written")
	other := apptest.Open(t, b, s.URL)
	other.Read(t, "Study Default")

	s.Release(t, "the new version")
	a.Run(t, nil, `window.old = true; document.dispatchEvent(new Event("visibilitychange"))`) // as when somebody comes back to the tab
	a.Read(t, "A new version is ready")
	a.Access(t, "the offer of a new version")
	shot(t, a, "update")
	a.Run(t, nil, `window.confirm = (text) => { window.asked = text; return false }`)
	a.Tap(t, "Update now")
	a.Wait(t, `window.asked?.includes("not saved")`)
	a.Wait(t, `document.querySelector(".editable").textContent === "being written"`)
	a.Tap(t, "Add card")
	a.Wait(t, `document.querySelector(".editable").textContent === ""`)
	a.Tap(t, "Update now")
	a.Reloaded(t, "the new version")
	a.Go(t, "#/browse")
	a.Read(t, "2 cards")
	a.Read(t, "being written")
	var waits bool
	a.Run(t, &waits, `return (await navigator.serviceWorker.getRegistration()).waiting !== null`)
	if waits {
		t.Error("a version still waits")
	}
	other.Read(t, "Study Default")
	var status int
	other.Run(t, &status, `return (await fetch(document.querySelector("script[src]").src)).status`)
	if status != 200 {
		t.Errorf("the old version's script: status %d", status)
	}
	other.Go(t, "#/browse")
	other.Read(t, "2 cards")
}

// TestUpdateInOtherTab opens a second tab while a version waits, which the first tab then changes to: the second offers it no longer, as there is
// nothing to change to.
func TestUpdateInOtherTab(t *testing.T) {
	t.Parallel()
	s := apptest.Serve(t)
	s.OwnApp(t)
	b := browsertest.Start(t)
	a := apptest.Open(t, b, s.URL)
	a.Tap(t, "Start without an account")
	a.Wait(t, `navigator.serviceWorker.controller !== null`)
	s.Release(t, "the new version")
	a.Run(t, nil, `document.dispatchEvent(new Event("visibilitychange"))`)
	a.Read(t, "A new version is ready")
	other := apptest.Open(t, b, s.URL)
	other.Read(t, "A new version is ready")
	a.Tap(t, "Update now")
	a.Reloaded(t, "the new version")
	other.Wait(t, `!document.body.innerText.includes("A new version is ready")`)
}

// TestUpdateDuringImport brings a new version out while a package is imported, which loading the page again would end: it is offered afterwards.
func TestUpdateDuringImport(t *testing.T) {
	t.Parallel()
	s := apptest.Serve(t)
	s.OwnApp(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Tap(t, "Start without an account")
	a.Wait(t, `navigator.serviceWorker.controller !== null`)
	addNote(t, a, "in the package")
	file := exportedFile(t, a)
	goOn := holdImport(t, a, file)
	s.Release(t, "the new version")
	a.Run(t, nil, `document.dispatchEvent(new Event("visibilitychange"))`)
	a.Wait(t, `(await navigator.serviceWorker.getRegistration()).waiting !== null`)
	a.Go(t, "#/")
	a.Read(t, "Study Default")
	if strings.Contains(a.Text(t), "A new version is ready") {
		t.Error("the new version is offered during the import")
	}
	goOn()
	a.Go(t, "#/settings/backups")
	a.Read(t, "Your cards were replaced")
	a.Tap(t, "Close")
	a.Read(t, "A new version is ready")
}
