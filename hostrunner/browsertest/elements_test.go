package browsertest_test

import (
	"fmt"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// TestReact runs a small app with the hooks: what changes is drawn again, a file that comes later is shown, and nothing
// stays behind when parts or the whole of it are taken away.
func TestReact(t *testing.T) {
	t.Parallel()
	page := browsertest.Start(t).Open(t, browsertest.NewServer(t, "").URL+"testdata/react.html")
	var subscribed []int
	page.Run(t, nil, `
		await until(() => text("h1") === "open" && text("output"));
		await until(() => document.querySelector("img").alt === "missing");
		if (document.querySelector("img").src) throw new Error("an address of nothing");
		await ferry.edit([{ op: "addDeck", name: "React" }]);
		await until(() => / [1-9]\d*$/.test(text("output")));
		const canvas = Object.assign(document.createElement("canvas"), { width: 3, height: 2 });
		const picture = await new Promise((go) => canvas.toBlob(go));
		await ferry.media.add("late.png", picture);
		const img = document.querySelector("img");
		await until(() => img.naturalWidth === 3 && img.alt === "here");
		const first = img.src;
		setName("cafe\u0301.png"); // as some keyboards write it; the file has another form of the name
		await until(() => img.alt === "missing");
		if (drawn.files.some(([name, url]) => name !== "late.png" && url)) throw new Error("the picture of another name");
		await ferry.media.add("café.png", picture);
		await until(() => img.naturalWidth === 3 && img.alt === "here" && img.src !== first);
		setName("late.png");
		await until(() => img.src === first);
		await ferry.media.remove("late.png");
		await until(() => img.alt === "missing" && !img.getAttribute("src"));
	`)
	page.Run(t, &subscribed, `setShown(false); await until(() => !text("output")); return [open.status, open.media]`)
	if fmt.Sprint(subscribed) != "[0 0]" {
		t.Errorf("subscriptions of what is not there: %v", subscribed)
	}
	page.Run(t, nil, `
		const before = ferry;
		setProfile("b");
		await until(() => ferry && ferry !== before);
		if (drawn.ferries.some(([profile, ferry]) => profile === "b" && ferry === before)) throw new Error("the profile before for the next one");
		setShown(true);
		await until(() => text("output"));
		const closed = await before.query("SELECT 1").catch((e) => e.kind);
		if (closed !== "closed") throw new Error("the profile before is " + closed);
		const last = ferry;
		root.unmount();
		await until(() => open.status === 0 && open.media === 0);
		const [lost] = await Promise.allSettled([last.query("SELECT 1")]);
		if (lost.reason?.kind !== "closed") throw new Error("the last profile is open");
	`)
}

// buttons are the states of the sync button: a status, what the button says, and what its colour means.
var buttons = []struct{ status, state, word, colour string }{
	{`{}`, "synced", "In sync", "grey"},
	{`{required: "normal", pending: 12}`, "pending", "Sync (12)", "blue"},
	{`{required: "normal"}`, "pending", "Sync", "blue"},
	{`{required: "full", activity: "attention", error: {kind: "one_way_needed"}}`, "choice", "Choose a side", "red"},
	{`{activity: "syncing", required: "normal"}`, "syncing", "Syncing", "blue"},
	{`{activity: "syncing", progress: {stage: "chunks", done: 63, total: 99}}`, "syncing", "Syncing 63 %", "blue"},
	{`{activity: "offline", required: "normal", pending: 12}`, "offline", "Offline, 12 waiting", "grey"},
	{`{activity: "offline"}`, "offline", "Offline", "grey"},
	{`{activity: "attention", error: {kind: "auth"}}`, "attention", "Needs you", "red"},
}

var colours = map[string]map[string]string{
	"light": {"grey": "rgb(95, 104, 115)", "blue": "rgb(26, 95, 196)", "red": "rgb(184, 50, 39)"},
	"dark":  {"grey": "rgb(154, 165, 177)", "blue": "rgb(119, 174, 255)", "red": "rgb(255, 138, 125)"},
}

// TestSyncButtonLooks shows the button in all states, light and dark, and has axe check it.
func TestSyncButtonLooks(t *testing.T) {
	t.Parallel()
	browser := browsertest.Start(t)
	server := browsertest.NewServer(t, "")
	for scheme, colour := range colours {
		page := browser.Open(t, server.URL+"testdata/button.html")
		page.Media(t, "prefers-color-scheme", scheme)
		for _, b := range buttons {
			var got []string
			page.Run(t, &got, `
				const { button, inside, word } = add(eval("(" + args[0] + ")"));
				return [button.state, word(), getComputedStyle(inside("button")).color];
			`, b.status)
			if want := []string{b.state, b.word, colour[b.colour]}; fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s, %s: %q, want %q", scheme, b.status, got, want)
			}
		}
		var found []string
		page.Run(t, &found, `
			await Promise.all(document.getAnimations().map((a) => (a.pause(), a.ready)));
			const { violations, passes } = await axe.run();
			if (passes.length < 5) throw new Error("axe has looked at nothing");
			return violations.map((v) => v.id + ": " + v.nodes.map((n) => n.failureSummary).join());
		`)
		if len(found) > 0 {
			t.Errorf("%s: axe: %q", scheme, found)
		}
		page.Screenshot(t, "sync-button-"+scheme)
	}
}

// TestSyncButton clicks it, in every state.
func TestSyncButton(t *testing.T) {
	t.Parallel()
	page := browsertest.Start(t).Open(t, browsertest.NewServer(t, "").URL+"testdata/button.html")
	page.Run(t, nil, `
		const want = (got, wanted) => { if (JSON.stringify(got) !== JSON.stringify(wanted)) throw new Error(JSON.stringify(got) + ", want " + JSON.stringify(wanted)); };
		const settled = () => new Promise((go) => setTimeout(go));
		const { ferry, button, events, inside, word, said } = add({ required: "normal", pending: 2 });
		const click = () => inside("button").click();
		want(said(), "");
		click();
		want([word(), said(), inside("button").getAttribute("aria-disabled")], ["Syncing", "Syncing", "true"]);
		click(); // a second click begins nothing
		want(ferry.syncs.map((s) => s.options), [{ media: true }]);
		ferry.set({ activity: "syncing", progress: { stage: "chunks", done: 1, total: 4 } });
		want([word(), said()], ["Syncing 25 %", "Syncing"]);
		ferry.set({});
		ferry.syncs[0].resolve({});
		await settled();
		want([word(), said(), events.shift()], ["In sync", "In sync", ["synced", null]]);
		for (const [kind, event] of [["one_way_needed", "choice"], ["auth", "attention"], ["offline", "error"]]) {
			click();
			ferry.syncs.at(-1).reject({ kind });
			await settled();
			want(events.shift(), [event, kind]);
		}
		const syncs = ferry.syncs.length;
		ferry.set({ required: "full", error: { kind: "one_way_needed" } });
		click();
		want(events.shift(), ["choice", "one_way_needed"]);
		ferry.set({ activity: "attention", error: { kind: "auth" } });
		click();
		want([events.shift(), ferry.syncs.length], [["attention", "auth"], syncs]);
		ferry.set({ activity: "offline", pending: 3 });
		want(said(), "Offline, 3 waiting");
		ferry.set({ activity: "offline", pending: 4 });
		want([word(), said()], ["Offline, 4 waiting", "Offline, 3 waiting"]); // said once
		button.words = { offline_pending: "Kein Netz ({n})" };
		want(word(), "Kein Netz (4)");
		button.setAttribute("no-media", "");
		click();
		want(ferry.syncs.at(-1).options, { media: false });
		button.remove();
		want(ferry.listeners.size, 0);
		ferry.set({});
		document.querySelector("main").append(button);
		want(ferry.listeners.size, 1);
		button.ferry = null;
		want([ferry.listeners.size, inside("button").getAttribute("aria-disabled")], [0, "true"]);
		// With the keyboard alone.
		button.focus();
		want(button.shadowRoot.activeElement, inside("button"));
		want(document.activeElement === button, true);
		// Properties that were set before the element was known.
		const early = document.createElement("div");
		early.innerHTML = "<cardferry-later-button></cardferry-later-button>";
		Object.assign(early.firstChild, { ferry: new Ferry(), words: { synced: "Alles da" } });
		document.body.append(early);
		customElements.define("cardferry-later-button", class extends customElements.get("cardferry-sync-button") {});
		want([early.firstChild.ferry.listeners.size, early.firstChild.shadowRoot.querySelector("button").textContent], [1, "Alles da"]);
	`)
}
