package apptest

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/anki"
)

// The account of a test.
const (
	User     = "learner"
	Password = "a long password"
)

func contains(text, part string) bool {
	return strings.Contains(strings.Join(strings.Fields(text), " "), part)
}

// anybody trusts every server: Go looks only once what the environment says.
var anybody = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}

// SignUp makes the account, as another device would.
func (s *Server) SignUp(t testing.TB) {
	t.Helper()
	body, _ := json.Marshal(map[string]string{"user": User, "password": Password})
	resp, err := anybody.Post(s.URL+"api/signup", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		t.Fatalf("sign up: %s", resp.Status)
	}
}

// Desktop is the real program with its collection, signed in to a server.
type Desktop struct {
	*anki.Client
	server *Server
	key    string
}

// NewDesktop signs the real program in, with an empty collection.
func NewDesktop(t testing.TB, s *Server) *Desktop {
	t.Helper()
	return desktopAt(t, s, filepath.Join(t.TempDir(), "collection.anki2"))
}

// DemoDesktop is a desktop with the collection of make run: pictures, sounds, cards that are due.
func DemoDesktop(t testing.TB, s *Server) *Desktop {
	t.Helper()
	anki.Need(t)
	python, err := anki.Python()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "collection.anki2")
	cmd := exec.Command(python, filepath.Join(root(), "hostrunner", "demo", "deck.py"), path)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("make the demonstration deck: %v", err)
	}
	return desktopAt(t, s, path)
}

func desktopAt(t testing.TB, s *Server, path string) *Desktop {
	t.Helper()
	anki.Need(t)
	d := &Desktop{Client: anki.StartAgent(t).Client(t, path), server: s}
	d.Connect(t)
	return d
}

// Connect signs in.
func (d *Desktop) Connect(t testing.TB) {
	t.Helper()
	key, err := d.Login(d.server.URL, User, Password)
	if err != nil {
		t.Fatal(err)
	}
	d.key = key
}

// Upload replaces what the server has by the desktop's collection, and sends the media files.
func (d *Desktop) Upload(t testing.TB) {
	t.Helper()
	d.full(t, true)
	d.media(t)
}

// Download is the other way round.
func (d *Desktop) Download(t testing.TB) {
	t.Helper()
	d.full(t, false)
	d.media(t)
}

func (d *Desktop) full(t testing.TB, upload bool) {
	t.Helper()
	if err := d.Full(d.server.URL, d.key, upload); err != nil {
		t.Fatal(err)
	}
}

func (d *Desktop) media(t testing.TB) {
	t.Helper()
	d.Do(t, "media_sync", anki.Args{"endpoint": d.server.URL, "key": d.key}, nil)
}

// SyncAll syncs cards, which must not need a one-way sync, and media files.
func (d *Desktop) SyncAll(t testing.TB) {
	t.Helper()
	if r, err := d.Sync(d.server.URL, d.key); err != nil || r.Required != "NO_CHANGES" {
		t.Fatalf("sync of the real client: %+v, %v", r, err)
	}
	d.media(t)
}

// Refused checks that the server does not know the desktop any more.
func (d *Desktop) Refused(t testing.TB) {
	t.Helper()
	_, err := d.Sync(d.server.URL, d.key)
	if e, ok := errors.AsType[*anki.Error](err); !ok || !strings.Contains(e.Kind, "AUTH") {
		t.Errorf("sync of the real client: %v", err)
	}
}
