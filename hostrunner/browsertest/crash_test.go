package browsertest_test

import (
	"strings"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// openTrapping opens the profile with a worker whose guest traps at its next call of an export, or that throws, when it is told to:
// workers.at(-1).postMessage({ trap: "cf_call" }), or { fail: true }.
const openTrapping = `
	const code = "import '" + location.origin + "/dist/worker.js';" + "(" + (() => {
		let trap = "";
		const instantiate = WebAssembly.instantiate;
		WebAssembly.instantiate = async (module, imports) => {
			const instance = await instantiate(module, imports);
			if (!instance.exports?.cf_call) return instance; // SQLite
			const exports = { ...instance.exports };
			for (const name of ["cf_call", "cf_event"]) {
				exports[name] = (...args) => {
					if (trap !== name) return instance.exports[name](...args);
					trap = "";
					throw new WebAssembly.RuntimeError("unreachable");
				};
			}
			return { exports };
		};
		addEventListener("message", ({ data }) => {
			trap = data.trap ?? trap;
			if (data.fail) setTimeout(() => { throw new Error("a defect of the worker"); });
		});
	}) + ")();";
	await open({ assets: { worker: script(code) } });
`

// TestCrashAmongTabs lets the leader's guest trap, or its worker fail, while other tabs have calls in flight: each is answered, with
// the result or a typed error, and every tab goes on.
func TestCrashAmongTabs(t *testing.T) {
	t.Parallel()
	for name, crash := range map[string]string{
		"in a call":            `workers.at(-1).postMessage({ trap: "cf_call" }); window.mine = ferry.deckTree().then(() => "done", (e) => e.kind);`,
		"when a body comes":    `workers.at(-1).postMessage({ trap: "cf_event" }); window.mine = ferry.refresh().then(() => "done", (e) => e.kind);`,
		"outside of the guest": `workers.at(-1).postMessage({ fail: true }); window.mine = Promise.resolve("internal");`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := ownServer(t)
			browser := browsertest.Start(t)
			browser.Expects("the guest has crashed: RuntimeError: unreachable") // openTrapping
			browser.Expects("Uncaught Error: a defect of the worker")
			first, second, third := browser.Open(t, server.URL), browser.Open(t, server.URL), browser.Open(t, server.URL)
			first.Run(t, nil, openTrapping+`await ferry.login({ user: args[0], password: args[1] }); await ferry.upload()`, ownUser, ownPassword)
			second.Run(t, nil, `await open()`)
			third.Run(t, nil, `await open()`)
			addTag(t, second, "kept")
			asked := neverAnswer(server, "/sync/meta")
			second.Run(t, nil, `window.syncing = ferry.sync().then((r) => r.required, (e) => e.kind)`)
			<-asked
			third.Run(t, nil, until+`
				const [{ id }] = await ferry.query("SELECT id FROM notetypes WHERE name = 'Basic'");
				const add = (n) => ferry.edit([{ op: "addNote", notetypeId: id, deckId: 1, fields: ["note " + n, ""], tags: [] }]);
				window.answers = [];
				window.editing = (async () => {
					for (let i = 0; i < 40; i++) window.answers.push(await add(i).then(() => "done", (e) => e.kind));
				})();
				await until(() => window.answers.length > 3)`)
			server.Intercept(nil)
			var got, mine string
			first.Run(t, &mine, crash+`return window.mine`)
			if mine != "internal" {
				t.Errorf("the call that crashed: %s", mine)
			}
			if second.Run(t, &got, `return window.syncing`); got != "none" && got != "internal" {
				t.Errorf("the sync of another tab: %s", got)
			}
			var answers []string
			third.Run(t, &answers, `await window.editing; return window.answers`)
			done := strings.Count(strings.Join(answers, " "), "done")
			if failed := strings.Count(strings.Join(answers, " "), "internal"); failed > 1 || done+failed != 40 {
				t.Errorf("edits of another tab: %q", answers)
			}
			for _, page := range []*browsertest.Page{first, second, third} {
				var state struct {
					Notes, Tags int
					Sound       string
				}
				page.Run(t, &state, `
					const [{ notes }] = await ferry.query("SELECT count(DISTINCT flds) AS notes FROM notes");
					const [{ integrity_check: sound }] = await ferry.query("PRAGMA integrity_check");
					await ferry.deckTree();
					return { notes, sound, tags: `+countTags+` }`)
				if state.Notes < done || state.Notes > 40 || state.Tags != 1 || state.Sound != "ok" {
					t.Errorf("%d edits were answered, and there are %+v", done, state)
				}
			}
			var pending int
			if second.Run(t, &pending, `await ferry.sync(); return ferry.status.pending`); pending != 0 {
				t.Errorf("%d rows wait after a sync", pending)
			}
		})
	}
}
