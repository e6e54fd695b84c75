package browsertest_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// TestEdit edits in a page through edit, before and during a sync, takes things back, and has the real client agree.
func TestEdit(t *testing.T) {
	t.Parallel()
	endpoint, acc := account(t)
	desktop := newDesktop(t, endpoint, acc)
	desktop.addNote(t, "a", "front", "back")
	desktop.full(t, true)
	proxy := anki.NewProxy(t, endpoint)
	server := browsertest.NewServer(t, proxy.URL)
	page := browsertest.Start(t).Open(t, server.URL)
	page.Run(t, nil, `await open(); await ferry.login({user: args[0], password: args[1]}); await ferry.download()`, acc.User, anki.Password)

	page.Run(t, nil, `
		const id = async (sql) => (await ferry.query(sql))[0].id;
		const notetypeId = await id("SELECT id FROM notetypes WHERE name = 'Basic (and reversed card)'");
		const [deck] = (await ferry.edit([{ op: "addDeck", name: "Page::new" }])).results;
		const [note] = (await ferry.edit([{ op: "addNote", notetypeId, deckId: deck.deckId, fields: ["Frage", "Antwort"], tags: ["page"] }])).results;
		if (note.cardIds.length !== 2) throw new Error(JSON.stringify(note));
		await ferry.edit([
			{ op: "answerCard", cardId: note.cardIds[0], button: 3, takenMs: 1234 },
			{ op: "setCards", cardIds: [note.cardIds[1]], suspended: true, flag: 2 },
			{ op: "setConfig", key: "page", value: { at: [1, null, "x"] } },
		]);
		globalThis.note = note;
		step("edited");
		// What is pending is told soon after.
		await new Promise((resolve) => ferry.subscribe(({ pending, required }) => pending >= 6 && required === "normal" && resolve()));`)
	var undone []string
	page.Run(t, &undone, `
		await ferry.edit([{ op: "removeNotes", noteIds: [note.noteId] }]);
		await ferry.edit([{ op: "setCards", cardIds: note.cardIds, deckId: 1 }]).catch((e) => step(e.kind + " " + e.message));
		return [(await ferry.undo()).undone]`)
	if strings.Join(undone, " ") != "removeNotes" {
		t.Errorf("undone: %v", undone)
	}
	e := wantKind(t, page.Try(t, nil, `await ferry.edit([{ op: "addDeck", name: "x" }, { op: "updateNote", noteId: 5 }])`), fault.InvalidInput)
	if !strings.Contains(e.Message, "operation 1 (updateNote): there is no note 5") || e.Changed {
		t.Errorf("%+v", e)
	}

	// While the sync waits for the server's chunk, the page edits.
	proxy.Use(anki.Hooks{Before: func(x *anki.Exchange) anki.Verdict {
		if x.Method == "chunk" {
			page.Run(t, nil, `
				await ferry.edit([{ op: "updateNote", noteId: note.noteId, fields: ["Frage 2", "Antwort"] }]);
				await ferry.edit([{ op: "addDeck", name: "gone" }]);
				if ((await ferry.undo()).undone !== "addDeck") throw new Error("not undone");`)
		}
		return anki.Pass
	}})
	page.Run(t, nil, `globalThis.report = ferry.sync(); report.catch(() => {})`)
	var report syncReport
	page.Run(t, &report, `return await report`)
	if report.Sent["notes"] != 1 || report.Sent["cards"] != 2 || report.Sent["revlog"] != 1 {
		t.Errorf("%+v", report)
	}
	wantKind(t, page.Try(t, nil, `await ferry.undo()`), fault.NotFound)
	page.Run(t, &report, `return await ferry.sync()`)
	desktop.sync(t)
	wantEqual(t, "after edits of the page", page, desktop)
	path := filepath.Join(t.TempDir(), "page.anki2")
	page.ExportCollection(t, path)
	agent := anki.StartAgent(t)
	if found, err := agent.Check(path); err != nil || found != "" {
		t.Errorf("the real database check: %s, %v", found, err)
	}
	page.Run(t, nil, `await ferry.close()`)
}
