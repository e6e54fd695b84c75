package browsertest_test

import (
	"testing"

	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// TestStatusAfterGet: a file that is fetched for itself, before any media sync, counts in the status, and leaves no progress there.
func TestStatusAfterGet(t *testing.T) {
	t.Parallel()
	server := ownServer(t)
	page := browsertest.Start(t).Open(t, server.URL)
	login(t, page)
	page.Run(t, nil, `
		await ferry.upload();
		for (const name of ["a.txt", "b.txt"]) await ferry.media.add(name, new Blob([name]));
		await ferry.media.sync();
		await ferry.close()`)
	for _, c := range []struct{ profile, get, media string }{
		{"fetches", `await ferry.media.get("a.txt")`, "1/2"},
		{"asks", `await ferry.media.get("nothing.txt").catch((e) => { if (e.kind !== "not_found") throw e; })`, "0/2"},
	} {
		var got string
		page.Run(t, &got, until+`
			await open({ profile: args[0] });
			await ferry.login({ user: args[1], password: args[2] });
			`+c.get+`;
			const { progress, activity } = ferry.status;
			const media = () => ferry.status.media.done + "/" + ferry.status.media.total;
			await Promise.race([until(() => media() === args[3]), new Promise((resolve) => setTimeout(resolve, 60_000))]);
			await ferry.close();
			return activity + " " + (progress ? progress.stage : "none") + " " + media()`, c.profile, ownUser, ownPassword, c.media)
		if want := "idle none " + c.media; got != want {
			t.Errorf("after a get that %s: activity, progress, media: %s, want %s", c.profile, got, want)
		}
	}
}
