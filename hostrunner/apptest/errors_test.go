package apptest_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/apptest"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// status answers every request of the sync protocol with a status.
func status(code int) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.URL.Path, "/sync/") {
			return false
		}
		w.WriteHeader(code)
		return true
	}
}

// meta answers as a server whose meta is m would.
func meta(m wire.Meta) func(http.ResponseWriter, *http.Request) bool {
	body := wire.AppendMeta(nil, &m)
	frame := wire.NewCodec().Compress(nil, body)
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/sync/meta" {
			return false
		}
		w.Header().Set("anki-original-size", fmt.Sprint(len(body)))
		_, _ = w.Write(frame)
		return true
	}
}

// TestErrors provokes what can go wrong with a sync: each says what happened, that nothing is lost, and what to do.
func TestErrors(t *testing.T) {
	s := apptest.Serve(t)
	s.SignUp(t)
	between := s.Between(t)
	a := apptest.Open(t, browsertest.Start(t), between.URL)
	a.Size(t, 360, 780, false)
	a.Tap(t, "You have an account? Sign in")
	a.Tap(t, "Sign in")
	a.Read(t, "Enter your user name")
	a.Fill(t, "User name", apptest.User)
	a.Tap(t, "Sign in")
	a.Read(t, "Enter your password")
	a.Fill(t, "Password", "not the password")
	a.Tap(t, "Sign in")
	a.Read(t, "User name or password is wrong")
	a.Access(t, "a wrong password")
	between.Answer(status(502))
	a.Tap(t, "Sign in")
	a.Read(t, "The server has a problem of its own")
	between.Answer(nil)
	a.Tap(t, "New here?")
	a.Fill(t, "Password", "another password")
	a.Tap(t, "Create an account")
	a.Read(t, "That name is taken")
	a.Tap(t, "You have an account? Sign in")
	a.Fill(t, "Password", apptest.Password)
	a.Tap(t, "Sign in")
	a.Read(t, "No cards yet")

	now := time.Now()
	for i, c := range []struct {
		name   string
		answer func(http.ResponseWriter, *http.Request) bool
		says   []string
	}{
		{"clock", meta(wire.Meta{Mod: 1, Scm: 1, TS: now.Add(-26 * time.Hour).Unix(), Cont: true}),
			[]string{"The clock of this device is wrong", "Everything on this device is safe", "Set date, time and time zone"}},
		{"message", meta(wire.Meta{Mod: 1, Scm: 1, TS: now.Unix(), Msg: "The harbour is closed on Sundays."}), []string{"The harbour is closed on Sundays"}},
		{"server", status(500), []string{"The server has a problem of its own", "Everything on this device is safe", "Try again later"}},
		{"conflict", status(409), []string{"Another device is syncing right now", "Wait a minute"}},
		{"too old", status(501), []string{"This app is too old for the server", "Reload the page"}},
		{"revoked", status(403), []string{"The server did not accept", "Sign in again"}},
	} {
		between.Answer(c.answer)
		a.Go(t, "#/sync")
		a.Tap(t, "Sync now")
		for _, text := range c.says {
			a.Read(t, text)
		}
		// What the page says is not said once more over it, which would come with the line in the list.
		a.Wait(t, fmt.Sprintf(`document.querySelectorAll(".log li").length === %d && document.querySelector(".toast").textContent === ""`, i+1))
		a.Access(t, "the error "+c.name)
		shot(t, a, "error-"+c.name)
	}
	a.Go(t, "#/")
	a.Read(t, "Needs you")
	a.Tap(t, "Sign in") // the way out stands beside the words
	a.Fill(t, "Password", apptest.Password)
	between.Answer(nil)
	a.Tap(t, "Sign in")
	a.Wait(t, `!clean(document.body.innerText).includes("Needs you")`)
}

// TestStorageFull adds a picture where there is no room: that is said, and what is there stays.
func TestStorageFull(t *testing.T) {
	s := apptest.Serve(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 360, 780, false)
	a.Tap(t, "Start without an account")
	addNote(t, a, "kept")
	a.Quota(t, 1)
	a.Fill(t, "Front", "with a picture")
	a.Run(t, nil, `
		const data = new DataTransfer();
		data.items.add(new File([new Uint8Array(8 << 20)], "large.png", { type: "image/png" }));
		document.querySelector(".editable").dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }))`)
	a.Read(t, "There is no space left on this device")
	a.Wait(t, `document.querySelector(".editable").textContent === "with a picture"`)
	a.Quota(t, 0)
	a.Tap(t, "Add card")
	a.Go(t, "#/browse")
	a.Read(t, "2 cards")
}

// TestDamagedCollection finds the collection damaged: that is said, with a way to the server's copy.
func TestDamagedCollection(t *testing.T) {
	t.Parallel()
	s := apptest.Serve(t)
	s.SignUp(t)
	apptest.DemoDesktop(t, s).Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 360, 780, false)
	fetchDecks(t, a, "At the harbour")
	a.Expects("/favicon.ico")
	if err := chromedp.Do(a.Context(), chromedp.Navigate(s.URL+"/icon.svg")); err != nil { // where nobody holds the files
		t.Fatal(err)
	}
	a.Run(t, nil, `
		let folder = await navigator.storage.getDirectory();
		for (const name of ["cardferry", "default", "database", ".opaque"]) folder = await folder.getDirectoryHandle(name);
		let done = 0;
		for await (const file of folder.values()) {
			if ((await file.getFile()).size < 100_000) continue; // the pool's other files
			const writing = await file.createWritable({ keepExistingData: true });
			await writing.write({ type: "write", position: 4096, data: "damaged ".repeat(100) });
			await writing.close();
			done++;
		}
		if (done !== 1) throw new Error(done + " files");`)
	a.Load(t, s.URL)
	a.Read(t, "The collection on this device is damaged")
	a.Access(t, "a damaged collection")
	shot(t, a, "error-damaged")
	a.Tap(t, "Try again")
	a.Read(t, "The collection on this device is damaged")
	a.Tap(t, "Fetch the server's copy")
	a.Read(t, "At the harbour")
	synced(t, a)
}

// TestDiagnosticsCopied copies the diagnostics after a sync has failed: all that is shown, and no key, password or card in it.
func TestDiagnosticsCopied(t *testing.T) {
	t.Parallel()
	s := apptest.Serve(t)
	s.SignUp(t)
	between := s.Between(t)
	var key atomic.Value
	between.Answer(func(w http.ResponseWriter, r *http.Request) bool {
		if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
			key.Store(bearer)
		}
		return false
	})
	a := apptest.Open(t, browsertest.Start(t), between.URL)
	a.Size(t, 360, 780, false)
	signIn(t, a)
	a.Read(t, "No cards yet")
	addNote(t, a, "my own words")
	a.Go(t, "#/settings/devices") // which asks with the key
	a.Read(t, "This device")
	between.Answer(status(500))
	a.Go(t, "#/sync")
	a.Tap(t, "Sync now | Choose a side")
	a.Read(t, "The server has a problem of its own")
	a.Run(t, nil, `navigator.clipboard.writeText = async (text) => { window.copied = text }`)
	a.Go(t, "#/settings/diagnostics")
	a.Read(t, "server_error")
	a.Tap(t, "Copy")
	a.Read(t, "Copied.")
	var got struct{ Shown, Copied string }
	a.Run(t, &got, `return { Shown: document.querySelector("main pre").textContent, Copied: window.copied }`)
	if got.Copied == "" || got.Copied != got.Shown {
		t.Errorf("shown:\n%s\ncopied:\n%s", got.Shown, got.Copied)
	}
	secret, _ := key.Load().(string)
	if len(secret) < 16 {
		t.Fatalf("the key is %q", secret)
	}
	for _, secret := range []string{secret, apptest.Password, "own words"} {
		if strings.Contains(got.Copied, secret) {
			t.Errorf("the diagnostics have %q:\n%s", secret, got.Copied)
		}
	}
}

// TestStorageBlocked opens the app in a browser that is told to let no site store anything: that is said.
func TestStorageBlocked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	err := os.Mkdir(filepath.Join(dir, "Default"), 0o700)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "Default", "Preferences"), []byte(`{"profile":{"default_content_setting_values":{"cookies":2}}}`), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	a := apptest.Open(t, browsertest.StartIn(t, dir), apptest.Serve(t).URL)
	a.Read(t, "This browser cannot store your cards here")
	a.Tap(t, "Try again")
	a.Read(t, "This browser cannot store your cards here")
	a.Access(t, "the page without storage")
}
