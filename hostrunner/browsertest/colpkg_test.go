package browsertest_test

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
	"github.com/cardferry/cardferry/hostrunner/nodetest"
)

// packageHelpers are functions that the tests' JavaScript uses.
const packageHelpers = `
	const bytesOf = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
	const textOf = async (blob) => {
		let s = "";
		for (const b of new Uint8Array(await blob.arrayBuffer())) s += String.fromCharCode(b);
		return btoa(s);
	};
`

// packaged is a collection of the real client with media files, by name.
func packaged(t *testing.T) (*anki.Client, map[string]string) {
	t.Helper()
	c := agent(t).Client(t, filepath.Join(t.TempDir(), "collection.anki2"))
	apply(t, c, base)
	files := map[string]string{"ä é.png": string(dotPNG(t)), "b.mp3": "a sound", "_x.css": "b {}"}
	for name, content := range files {
		c.PutMedia(t, name, []byte(content))
	}
	return c, files
}

// packageOf returns a package of the real client's collection, with its media files.
func packageOf(t *testing.T, c *anki.Client) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "real.colpkg")
	c.Do(t, "export", anki.Args{"path": path, "media": true, "legacy": false}, nil)
	return path
}

// importReal imports a package with the real client, and returns its collection without the times that an import sets.
func importReal(t *testing.T, c *anki.Client, path string) (anki.Dump, anki.Media) {
	t.Helper()
	there := filepath.Join(t.TempDir(), "there.anki2")
	c.Do(t, "import", anki.Args{"col": there, "path": path}, nil)
	real := agent(t).Client(t, there)
	return withoutTimes(real.Dump(t)), real.Media(t)
}

func withoutTimes(d anki.Dump) anki.Dump {
	delete(d, "col")
	return d
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func wantNone(t *testing.T, what string, differences []string) {
	t.Helper()
	if len(differences) > 0 {
		t.Errorf("%s: %q", what, differences)
	}
}

// TestPackages imports a package of the real client in a page, and has the real client import one of the page, both with
// media files. Packages that are damaged change nothing.
func TestPackages(t *testing.T) {
	t.Parallel()
	c, files := packaged(t)
	theirs := packageOf(t, c)
	browser, server := browsertest.Start(t), browsertest.NewServer(t, "")
	page := browser.Open(t, server.URL)
	page.Run(t, nil, `await open()`)
	content := read(t, theirs)
	for name, damaged := range map[string][]byte{"no archive": []byte("no archive"), "a part": content[:len(content)*2/3], "empty": nil} {
		before := page.Dump(t)
		err := page.Try(t, nil, packageHelpers+`await ferry.importFile(new Blob([bytesOf(args[0])]))`, base64.StdEncoding.EncodeToString(damaged))
		if e := wantKind(t, err, fault.DamagedFile); e.Changed {
			t.Errorf("%s: %+v", name, e)
		}
		wantNone(t, name, anki.Compare(before, page.Dump(t)))
	}
	before := page.Dump(t)
	err := page.Try(t, nil, packageHelpers+`await ferry.importFile(new File([bytesOf(args[0])], "A deck.APKG"))`, base64.StdEncoding.EncodeToString(content))
	if e := wantKind(t, err, fault.UnsupportedFile); e.Changed || e.Hint == "" {
		t.Errorf("a package of some decks: %+v", e)
	}
	wantNone(t, "a package of some decks", anki.Compare(before, page.Dump(t)))
	wantKind(t, page.Try(t, nil, `await ferry.importFile("a text")`), fault.InvalidInput)
	// One that was removed since the user has chosen it.
	for _, call := range []string{`importFile(file)`, `media.add("a.png", file)`} {
		e := wantKind(t, page.Try(t, nil, `
			const root = await navigator.storage.getDirectory();
			const handle = await root.getFileHandle("chosen", { create: true });
			const writing = await handle.createWritable();
			await writing.write("content");
			await writing.close();
			const file = await handle.getFile();
			await root.removeEntry("chosen");
			await ferry.`+call), fault.InvalidInput)
		if e.Hint == "" {
			t.Errorf("%s: %+v", call, e)
		}
	}

	var report struct {
		Backup string
		Media  int
		Aside  []any `json:"set_aside"`
		Status struct{ Media struct{ Done, Total int } }
	}
	page.Run(t, &report, packageHelpers+`
		const report = await ferry.importFile(new Blob([bytesOf(args[0])]));
		step("imported " + JSON.stringify(report));
		return {...report, status: ferry.status};
	`, base64.StdEncoding.EncodeToString(content))
	if report.Backup == "" || report.Media != len(files) || len(report.Aside) > 0 || report.Status.Media.Done != len(files) {
		t.Errorf("%+v", report)
	}
	want, media := importReal(t, c, theirs)
	wantNone(t, "imported here and there", anki.Compare(withoutTimes(page.Dump(t)), want))
	for name, content := range files {
		var got []byte
		page.Run(t, &got, packageHelpers+`return textOf(await ferry.media.get(args[0]))`, name)
		if sum := sha1.Sum([]byte(content)); string(got) != content || media[name] != hex.EncodeToString(sum[:]) {
			t.Errorf("%s is %q", name, got)
		}
	}

	page.Run(t, nil, `
		await ferry.edit([{ op: "addDeck", name: "Seite" }]);
		await ferry.media.add("ours.png", new Blob(["ours"]));
		await ferry.media.remove("b.mp3");
	`)
	for _, with := range []bool{true, false} {
		var content []byte
		page.Run(t, &content, packageHelpers+`return textOf(await ferry.exportFile({media: args[0]}))`, with)
		path := filepath.Join(t.TempDir(), "ours.colpkg")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		got, gotMedia := importReal(t, c, path)
		wantNone(t, "here and exported", anki.Compare(withoutTimes(page.Dump(t)), got))
		wantMedia := anki.Media{}
		if with {
			ours := sha1.Sum([]byte("ours"))
			wantMedia = anki.Media{"ä é.png": media["ä é.png"], "_x.css": media["_x.css"], "ours.png": hex.EncodeToString(ours[:])}
		}
		wantNone(t, fmt.Sprintf("media files, wanted: %v", with), anki.CompareMedia(wantMedia, gotMedia))
	}
	// A tab that does not lead hands the package to the one that does.
	other := browser.Open(t, server.URL)
	other.Run(t, nil, packageHelpers+`
		await open();
		const { size, type } = await ferry.exportFile();
		if (size < 1000 || type !== "application/zip") throw new Error(size + " bytes of " + type);
		const { media } = await ferry.importFile(new Blob([bytesOf(args[0])]));
		if (media !== 1) throw new Error(media + " files"); // b.mp3 is back
		await ferry.close();
	`, base64.StdEncoding.EncodeToString(content))
	wantNone(t, "imported by another tab", anki.Compare(withoutTimes(page.Dump(t)), want))
	page.Run(t, nil, `await ferry.close()`)
}

// TestClosedWhileStaging closes a profile, and cancels a call, while a large package is being copied into it: that ends at once.
func TestClosedWhileStaging(t *testing.T) {
	t.Parallel()
	page := browsertest.Start(t).Open(t, browsertest.NewServer(t, "").URL)
	var got []any
	page.Run(t, &got, until+`
		const large = new Blob(Array(50).fill(new Blob([new Uint8Array(8 << 20)])));
		const usage = async () => (await navigator.storage.estimate()).usage / (8 << 20);
		const begun = async () => { for (const before = await usage(); (await usage()) < before + 2; ); };
		const ends = [];
		await open();
		ends.push(ferry.importFile(large).catch((e) => e.kind));
		await begun();
		await ferry.close();
		await open();
		if ((await usage()) > 5) throw new Error("what was copied is still there");
		const end = new AbortController();
		ends.push(ferry.importFile(large, { signal: end.signal }).catch((e) => e.kind));
		await begun();
		end.abort();
		ends.push(await ends.at(-1));
		if ((await usage()) > 45) throw new Error("it was copied to its end");
		await ferry.close();
		return Promise.all(ends)`)
	if fmt.Sprint(got) != "[cancelled cancelled cancelled]" {
		t.Errorf("the calls: %v", got)
	}
}

// TestNodePackages does the same under Node.
func TestNodePackages(t *testing.T) {
	t.Parallel()
	c, files := packaged(t)
	theirs := packageOf(t, c)
	n := &nodeDevice{Host: nodetest.Start(t, nodetest.Reactor)}
	n.call(t, "open", map[string]any{"client": "test/1", "create": true}, nil)
	var report struct{ Media int }
	if n.call(t, "importFile", map[string]any{"path": theirs}, &report); report.Media != len(files) {
		t.Errorf("%+v", report)
	}
	ours := filepath.Join(t.TempDir(), "ours.colpkg")
	n.call(t, "exportFile", map[string]any{"path": ours, "media": true}, nil)
	want, wantMedia := importReal(t, c, theirs)
	got, gotMedia := importReal(t, c, ours)
	wantNone(t, "through Node and directly", append(anki.Compare(got, want), anki.CompareMedia(gotMedia, wantMedia)...))
}
