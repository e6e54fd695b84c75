package browsertest_test

import (
	"fmt"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// TestMediaSource asks apps for a file that are slow, or do not keep to what they have promised: nobody waits for them after
// cancelling or closing, and what is no file is none.
func TestMediaSource(t *testing.T) {
	t.Parallel()
	page := browsertest.Start(t).Open(t, browsertest.NewServer(t, "").URL)
	var got []string
	page.Run(t, &got, `
		const kind = (e) => e instanceof bridge.SyncError ? e.kind : String(e);
		const within = (answer) => Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 60_000, "no answer"))]);
		const got = [];
		let asked = 0;
		await open({ media: () => (asked++, new Promise(() => {})) });
		const end = new AbortController();
		const cancelled = ferry.media.get("a.txt", { signal: end.signal }).catch(kind);
		const closed = ferry.media.get("a.txt").catch(kind);
		while (asked < 2) await new Promise((resolve) => setTimeout(resolve, 10));
		end.abort();
		got.push(await within(cancelled));
		await ferry.close();
		got.push(await within(closed));
		for (const media of [() => null, () => { throw new Error("not now"); }, async () => "a text"]) {
			await open({ media });
			got.push(await ferry.media.get("a.txt").then((content) => typeof content, kind));
			await ferry.close();
		}
		return got`)
	if fmt.Sprint(got) != "[cancelled closed auth auth auth]" {
		t.Errorf("cancelled, closed, and what is not a file: %v", got)
	}
}
