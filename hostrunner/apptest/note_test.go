package apptest_test

import (
	"testing"

	"github.com/cardferry/cardferry/hostrunner/apptest"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// TestTypedWhileAdding goes on typing while a note is being added, which may have to wait for a sync: what was typed is not taken away.
func TestTypedWhileAdding(t *testing.T) {
	t.Parallel()
	a := apptest.Open(t, browsertest.Start(t), apptest.Serve(t).URL)
	a.Tap(t, "Start without an account")
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
