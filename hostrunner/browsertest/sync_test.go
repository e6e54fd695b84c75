package browsertest_test

import (
	"path/filepath"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// TestSync is the first slice of the bridge: a page logs in, downloads what a real client has uploaded, edits, syncs,
// uploads, and the real client has the same collection after each.
func TestSync(t *testing.T) {
	t.Parallel()
	endpoint, acc := account(t)
	desktop := newDesktop(t, endpoint, acc)
	desktop.addNote(t, "a", "front", "back")
	desktop.full(t, true)

	server := browsertest.NewServer(t, endpoint)
	page := browsertest.Start(t).Open(t, server.URL)
	page.Run(t, nil, `await open(); await ferry.login({user: args[0], password: args[1]}); step("logged in")`, acc.User, anki.Password)
	wantKind(t, page.Try(t, nil, `await ferry.sync()`), fault.OneWayNeeded)
	page.Run(t, nil, `const r = await ferry.download(); step("downloaded " + JSON.stringify(r))`)
	wantEqual(t, "after the page's download", page, desktop)

	var report syncReport
	editFields(t, page, "a", "front\x1ffrom the page")
	page.Run(t, &report, `const r = await ferry.sync(); step("synced " + JSON.stringify(r)); return r`)
	if report.Required != "none" || report.Sent["notes"] != 1 {
		t.Errorf("after an edit of the page: %+v", report)
	}
	desktop.sync(t)
	wantEqual(t, "after an edit of the page", page, desktop)

	desktop.Do(t, "edit_note", anki.Args{"note": "a", "fields": []string{"from the desktop"}}, nil)
	desktop.addNote(t, "b", "second", "note")
	desktop.Do(t, "answer", anki.Args{"card": "a/0", "ease": 3}, nil)
	desktop.sync(t)
	page.Run(t, &report, `return await ferry.sync()`)
	if got := field(t, page, "a"); report.Received["notes"] != 2 || report.Received["revlog"] != 1 || got != "from the desktop\x1ffrom the page" {
		t.Errorf("after edits of the desktop: %q, %+v", got, report)
	}
	wantEqual(t, "after edits of the desktop", page, desktop)

	editFields(t, page, "a", "from the desktop\x1fuploaded")
	page.Run(t, nil, `const r = await ferry.upload(); step("uploaded " + JSON.stringify(r))`)
	desktop.full(t, false)
	wantEqual(t, "after the page's upload", page, desktop)
	if got := field(t, page, "a"); got != "from the desktop\x1fuploaded" {
		t.Errorf("the page has %q", got)
	}
	page.Screenshot(t, "sync")
	page.Run(t, nil, `await ferry.close()`)
}

type syncReport struct {
	Required       string
	Sent, Received map[string]int64
}

func (d *desktop) addNote(t *testing.T, guid string, fields ...string) {
	t.Helper()
	d.Do(t, "add_note", anki.Args{"guid": guid, "fields": fields}, nil)
}

// editFields changes the fields of a note in the page, as an app would; the first one stays, so that sfld and csum do.
func editFields(t *testing.T, page *browsertest.Page, guid, fields string) {
	t.Helper()
	page.Run(t, nil, `
		const now = Date.now(), [guid, fields] = args;
		await exec(`+"`BEGIN; UPDATE notes SET flds = '${fields}', mod = max(mod + 1, ${Math.floor(now / 1000)}), usn = -1 WHERE guid = '${guid}';"+`
			UPDATE col SET mod = max(mod + 1, ${now}); COMMIT`+"`"+`); step("edited")`, guid, fields)
}

// field returns the fields of a note as the page has them.
func field(t *testing.T, page *browsertest.Page, guid string) string {
	t.Helper()
	var rows []struct{ Flds string }
	page.Run(t, &rows, `return ferry.query("SELECT flds FROM notes WHERE guid = ?", args)`, guid)
	if len(rows) != 1 {
		t.Fatalf("%d notes %q", len(rows), guid)
	}
	return rows[0].Flds
}

// wantEqual compares the page's collection with that of the real client.
func wantEqual(t *testing.T, when string, page *browsertest.Page, desktop *desktop) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "collection.anki2")
	page.ExportCollection(t, path)
	desktop.wantSame(t, when, path)
}

func wantKind(t *testing.T, err error, kind fault.Kind) *fault.Error {
	t.Helper()
	e, ok := err.(*fault.Error)
	if !ok || e.Kind != kind {
		t.Fatalf("error %v of kind %v, want %v", err, fault.KindOf(err), kind)
	}
	return e
}
