package browsertest_test

import (
	"testing"

	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// TestDecomposedProfile: a profile may have any name, and its media files are served under that, not under one that looks the same.
func TestDecomposedProfile(t *testing.T) {
	t.Parallel()
	page := browsertest.Start(t).Open(t, browsertest.NewServer(t, "").URL)
	var got string
	page.Run(t, &got, `
		for (const [profile, text] of [["Zoe\u0308", "decomposed"], ["Zo\u00eb", "composed"]]) {
			await open({ profile, assets: { serviceWorker: "/serviceWorker.js" } });
			await ferry.media.add("a.txt", new Blob([text]));
			const url = await ferry.media.url("a.txt");
			if (!url.startsWith("http")) throw new Error(url);
			const answer = await fetch(url);
			const served = answer.status + " " + await answer.text();
			if (served !== "200 " + text) return profile.normalize("NFD") === profile ? "decomposed: " + served : "composed: " + served;
			await ferry.close();
		}
		return ""`)
	if got != "" {
		t.Error(got)
	}
}
