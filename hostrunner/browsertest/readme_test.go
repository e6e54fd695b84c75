package browsertest_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// samples returns the JavaScript of a document, each piece as the body of an async function in the test page.
func samples(t *testing.T, path string) (list []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?s)```(?:js|ts)\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		code := regexp.MustCompile(`import (\{.*?\}) from "cardferry";`).ReplaceAllString(m[1], `const $1 = await import("/dist/index.js");`)
		code = strings.ReplaceAll(code, `"https://sync.example.org/"`, `"/"`)
		code = strings.ReplaceAll(strings.ReplaceAll(code, `"learner"`, `"`+ownUser+`"`), `"me"`, `"`+ownUser+`"`)
		list = append(list, strings.ReplaceAll(code, `"…"`, `"`+ownPassword+`"`))
	}
	return list
}

// TestReadmeSamples runs what the two READMEs show of the package, word for word but for the server and the account, in the
// order in which they show it. An account has a collection and a picture on the server by then, as it does for somebody who tries them.
func TestReadmeSamples(t *testing.T) {
	t.Parallel()
	page := browsertest.Start(t).Open(t, ownServer(t).URL)
	var ids struct{ Notetype, Deck int64 }
	page.Run(t, &ids, `
		await open({ profile: "another device" });
		await ferry.login({ user: args[0], password: args[1] });
		await ferry.upload();
		await ferry.media.add("dog.png", new Blob(["picture of a dog"]));
		await ferry.sync();
		const [ids] = await ferry.query("SELECT (SELECT min(id) FROM notetypes) AS Notetype, (SELECT min(id) FROM decks) AS Deck");
		await ferry.close();
		return ids;`, ownUser, ownPassword)
	first := samples(t, "../../README.md")
	if len(first) != 1 {
		t.Fatalf("%d samples in README.md", len(first))
	}
	page.Run(t, nil, `const [password, notetypeId, deckId] = args;`+first[0], ownPassword, ids.Notetype, ids.Deck)

	rest := samples(t, bridge+"/README.md")
	if len(rest) != 3 {
		t.Fatalf("%d samples in jsbridge/README.md", len(rest))
	}
	page.Run(t, nil, rest[0])
	const around = `const { Cardferry } = await import("/dist/index.js");
		const app = { networkKind: () => "unmetered" }, shown = [], show = (...status) => shown.push(status);
		const replacePlaceholders = () => {}, blob = await (await fetch("data:image/png;base64,AAAA")).blob();`
	var got struct {
		Notes    int
		Picture  string
		Name     string
		Shown    int
		Settings struct {
			Metered       string
			MediaInterval int
		}
	}
	// The piece on media uses a profile that is open; the one on syncing by itself opens it.
	page.Run(t, &got, around+rest[2]+rest[1]+`
		const result = { Picture: await (await fetch(img.src)).text(), Name: name, Shown: shown.length, Settings: await ferry.settings.get() };
		const [{ n }] = await ferry.query("SELECT count() AS n FROM notes");
		await ferry.close();
		return { ...result, Notes: n };`)
	if got.Notes != 0 || got.Name != "cat.png" || got.Picture != "picture of a dog" || got.Shown == 0 ||
		got.Settings.Metered != "none" || got.Settings.MediaInterval != 60 {
		t.Errorf("after the samples: %+v", got)
	}
}
