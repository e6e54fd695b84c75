package browsertest_test

import (
	"fmt"
	"testing"
)

// TestMediaShownAnew replaces and removes files that the service worker has served: whoever is told of it, and asks again at once, is not
// served what was there before.
func TestMediaShownAnew(t *testing.T) {
	t.Parallel()
	l := newLearner(t)
	l.desktop.PutMedia(t, "theirs.txt", []byte("first"))
	l.desktop.PutMedia(t, "gone.txt", []byte("first"))
	l.syncDesktop(t)
	l.sync(t)
	l.desktop.PutMedia(t, "theirs.txt", []byte("second"))
	l.desktop.TrashMedia(t, "gone.txt")
	l.syncDesktop(t)
	var got []any
	l.page.Run(t, &got, `
		const shown = async (name) => {
			const r = await fetch(await ferry.media.url(name));
			return r.ok ? r.text() : r.status;
		};
		const told = (name) => new Promise((ok) => ferry.media.subscribe((list) => list.some((c) => c.name === name) && ok(shown(name))));
		const all = (names) => Promise.all(names.map(shown));
		const got = [await all(["theirs.txt", "gone.txt"])];
		const events = Promise.all(["theirs.txt", "gone.txt"].map(told));
		await ferry.media.sync();
		got.push(await events, await all(["theirs.txt", "gone.txt"]));
		const own = await ferry.media.add("own.txt", new Blob(["first"]));
		await new Promise((resolve) => setTimeout(resolve, 500)); // by then the service worker finds it by itself
		got.push([await shown(own)]);
		const event = told(own);
		await ferry.media.remove(own);
		got.push([await event, await shown(own)]);
		await ferry.media.add(own, new Blob(["second"]));
		got.push([await shown(own)]);
		return got`)
	if fmt.Sprint(got) != "[[first first] [second 404] [second 404] [first] [404 404] [second]]" {
		t.Errorf("served before, when told, after the sync, and own.txt when it was added, removed, and added again: %v", got)
	}
}
