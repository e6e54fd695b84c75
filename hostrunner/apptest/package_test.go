package apptest_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"

	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/apptest"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// downloads sends what the browser saves to a folder.
func downloads(t *testing.T, a *apptest.App) (folder string) {
	t.Helper()
	folder = t.TempDir()
	set := chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: folder})
		return err
	})
	if err := chromedp.Do(a.Context(), set); err != nil {
		t.Fatal(err)
	}
	return folder
}

// saved waits for a package in a folder.
func saved(t *testing.T, folder string) string {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if found, _ := filepath.Glob(filepath.Join(folder, "collection-*.colpkg")); len(found) == 1 {
			return found[0]
		}
	}
	t.Fatal("nothing was saved")
	return ""
}

// choose chooses a file to import, as in the browser's own dialog.
func choose(t *testing.T, a *apptest.App, file string) {
	t.Helper()
	a.Wait(t, `document.querySelector("input[type=file]") !== null`)
	if err := chromedp.Do(a.Context(), chromedp.SetUploadFiles(chromedp.CSS("input[type=file]"), []string{file})); err != nil {
		t.Fatal(err)
	}
}

// exportedFile saves everything as a file.
func exportedFile(t *testing.T, a *apptest.App) string {
	t.Helper()
	folder := downloads(t, a)
	a.Go(t, "#/settings/backups")
	a.Tap(t, "Save the file")
	return saved(t, folder)
}

// holdImport begins to import a file, which ends once goOn is called.
func holdImport(t *testing.T, a *apptest.App, file string) (goOn func()) {
	t.Helper()
	a.Run(t, nil, `
		const post = Worker.prototype.postMessage;
		Worker.prototype.postMessage = function (m, ...more) {
			if (m.name === "importFile") window.goOn = () => post.call(this, m, ...more);
			else post.call(this, m, ...more);
		}`)
	choose(t, a, file)
	a.Tap(t, "Replace my cards")
	a.Wait(t, `window.goOn !== undefined`)
	return func() { t.Helper(); a.Run(t, nil, `goOn()`) }
}

// TestPackage saves everything as a file, which the real program imports, and imports it again after more was done: what a package replaces is
// said before, and is in a backup.
func TestPackage(t *testing.T) {
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	desktop.Do(t, "add_note", anki.Args{"fields": []string{"in the package", "yes"}}, nil)
	desktop.Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 360, 780, false)
	signIn(t, a)
	a.Tap(t, "Fetch my decks")
	a.See(t, "a.deck, .deck a, main")
	synced(t, a)
	file := exportedFile(t, a)
	a.Read(t, "The file was written")
	shot(t, a, "package")
	other := filepath.Join(t.TempDir(), "other.anki2")
	desktop.Do(t, "import", anki.Args{"col": other, "path": file}, nil)
	if info, err := os.Stat(other); err != nil || info.Size() == 0 {
		t.Fatalf("the real program has imported nothing: %v", err)
	}

	desktop.Do(t, "add_note", anki.Args{"fields": []string{"made later", "no"}}, nil)
	desktop.SyncAll(t)
	syncNow(t, a)
	a.Go(t, "#/browse?q=made+later")
	a.Read(t, "1 card")
	a.Go(t, "#/settings/backups")
	choose(t, a, file)
	a.Read(t, "kept above as a backup")
	shot(t, a, "package-import")
	a.Tap(t, "Replace my cards")
	a.Read(t, "Your cards were replaced")
	shot(t, a, "package-imported")
	a.Tap(t, "Close")
	a.Read(t, "Before an import")
	a.Go(t, "#/browse?q=made+later")
	a.Read(t, "No card matches")
	a.Go(t, "#/browse?q=in+the+package")
	a.Read(t, "1 card")

	broken := filepath.Join(t.TempDir(), "broken.colpkg")
	if err := os.WriteFile(broken, []byte("no package"), 0o600); err != nil {
		t.Fatal(err)
	}
	a.Go(t, "#/settings/backups")
	choose(t, a, broken)
	a.Tap(t, "Replace my cards")
	a.Read(t, "Nothing was changed")
	a.Access(t, "backups")
}

// TestImportLeft leaves the place while an import goes on, and comes back: it is still told of, cannot be begun again, and then what became of it is said.
func TestImportLeft(t *testing.T) {
	t.Parallel()
	a := alone(t)
	addNote(t, a, "in the package")
	goOn := holdImport(t, a, exportedFile(t, a))
	a.Go(t, "#/stats")
	a.Read(t, "Reviews per day")
	a.Go(t, "#/settings/backups")
	a.Wait(t, `all("button[aria-disabled=true]").some((b) => b.textContent === "Reading the file")`)
	a.Go(t, "#/stats")
	a.Read(t, "Reviews per day")
	goOn()
	a.Go(t, "#/settings/backups")
	a.Read(t, "Your cards were replaced")
	a.Tap(t, "Close")
	a.Read(t, "Before an import")
}
