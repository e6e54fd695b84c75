package anki_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/anki"
)

// media is a server of its own with two real clients and a proxy between.
type media struct {
	server   *anki.Server
	acc      *anki.Account
	proxy    *anki.Proxy
	one, two *anki.Client
}

func newMedia(t *testing.T) *media {
	t.Helper()
	server, agent := anki.StartServer(t), anki.StartAgent(t)
	return &media{
		server: server, acc: server.Account(t), proxy: anki.NewProxy(t, server.URL),
		one: agent.Client(t, filepath.Join(t.TempDir(), "collection.anki2")),
		two: agent.Client(t, filepath.Join(t.TempDir(), "collection.anki2")),
	}
}

// sync syncs the media of both clients, in turn.
func (m *media) sync(t *testing.T) {
	t.Helper()
	for _, c := range []*anki.Client{m.one, m.two, m.one} {
		if _, err := c.SyncMedia(m.proxy.URL, m.acc.Key); err != nil {
			t.Fatal(err)
		}
	}
}

func (m *media) want(t *testing.T, want anki.Media) {
	t.Helper()
	for where, got := range map[string]anki.Media{
		"one": m.one.Media(t), "two": m.two.Media(t), "server": m.acc.Media(t), "server's disk": anki.ReadMedia(t, m.acc.MediaDir()),
	} {
		if d := anki.CompareMedia(want, got); len(d) > 0 {
			t.Fatalf("wanted, and on %s: %q", where, d)
		}
	}
}

// TestMediaOfTwoClients: every change that the harness makes reaches the other client and the server.
func TestMediaOfTwoClients(t *testing.T) {
	t.Parallel()
	m := newMedia(t)
	want := anki.Media{}
	set := func(name, content string) { want[name] = anki.SHA1([]byte(content)) }
	if name := m.one.AddMedia(t, "Added.PNG", []byte("1")); name != "added.png" {
		t.Errorf("added as %s", name)
	}
	set("added.png", "1")
	m.one.PutMedia(t, "Put.png", []byte("2"))
	set("Put.png", "2")
	m.two.PutMedia(t, "gone.png", []byte("3"))
	set("gone.png", "3")
	m.acc.UploadMedia(t, anki.MediaFile{Name: "other device.png", Content: []byte("4")})
	set("other device.png", "4")
	m.sync(t)
	m.want(t, want)

	// All within a second, and one of the same size.
	for _, content := range []string{"a", "b", "long"} {
		m.two.PutMedia(t, "Put.png", []byte(content))
		set("Put.png", content)
		m.sync(t)
		m.want(t, want)
	}
	m.one.RemoveMedia(t, "gone.png")
	m.two.TrashMedia(t, "added.png")
	m.acc.UploadMedia(t, anki.MediaFile{Name: "other device.png"})
	delete(want, "gone.png")
	delete(want, "added.png")
	delete(want, "other device.png")
	m.sync(t)
	m.want(t, want)
	if got := m.acc.DownloadMedia(t, "Put.png"); len(got) != 1 || string(got["Put.png"]) != "long" {
		t.Errorf("downloaded %q", got)
	}
	if usn, list := m.acc.MediaUSN(t), m.acc.MediaChanges(t, 0); len(list) != 4 || list[3].USN != usn {
		t.Errorf("usn %d, changes %v", usn, list)
	}
}

// TestMediaErrors: an error of the thread in which the client syncs comes back, and the next sync is clean.
func TestMediaErrors(t *testing.T) {
	t.Parallel()
	m := newMedia(t)
	m.one.PutMedia(t, "a.png", []byte("1"))
	_, err := m.one.SyncMedia(m.proxy.URL, "0123456789")
	if e, ok := errors.AsType[*anki.Error](err); !ok || e.Class != "SyncError" || !strings.Contains(e.Kind, "AUTH") {
		t.Errorf("wrong key: %v", err)
	}
	_, err = m.one.SyncMedia("http://127.0.0.1:1/", m.acc.Key)
	if e, ok := errors.AsType[*anki.Error](err); !ok || e.Class != "NetworkError" {
		t.Errorf("no server: %v", err)
	}
	m.sync(t)
	m.want(t, anki.Media{"a.png": anki.SHA1([]byte("1"))})
}

// TestMediaProxy breaks each request of a media sync before and after the server has got it.
func TestMediaProxy(t *testing.T) {
	t.Parallel()
	m := newMedia(t)
	want := anki.Media{}
	run := func(hooks anki.Hooks) ([]string, error) {
		m.proxy.Use(hooks)
		_, err := m.one.SyncMedia(m.proxy.URL, m.acc.Key)
		return m.proxy.Log(), err
	}
	change := func(n int) {
		for _, f := range []struct{ name, content string }{{"up", "up"}, {"down", "down"}} {
			name, content := f.name+string(rune('a'+n)), f.content+string(rune('a'+n))
			want[name] = anki.SHA1([]byte(content))
			if f.name == "up" {
				m.one.PutMedia(t, name, []byte(content))
			} else {
				m.acc.UploadMedia(t, anki.MediaFile{Name: name, Content: []byte(content)})
			}
		}
	}
	change(0)
	requests, err := run(anki.Hooks{})
	full := []string{"begin", "mediaChanges", "downloadFiles", "mediaChanges", "uploadChanges", "mediaSanity"}
	if err != nil || !slices.Equal(requests, full) {
		t.Fatalf("requests %q, %v", requests, err)
	}
	for n := range full {
		for _, after := range []bool{false, true} {
			change(1 + 2*n + len(requests)%2)
			broken := 0
			drop := func(ex *anki.Exchange) anki.Verdict {
				if ex.N == n {
					broken++
					return anki.Drop
				}
				return anki.Pass
			}
			hooks := anki.Hooks{Before: drop}
			if after {
				hooks = anki.Hooks{After: drop}
			}
			if requests, err = run(hooks); err == nil || broken != 1 || len(requests) != n+1 {
				t.Errorf("request %d broken, after the server got it %v: %v, requests %q", n, after, err, requests)
			}
			m.proxy.Use(anki.Hooks{})
			m.sync(t)
			m.want(t, want)
		}
	}
	if requests, err := run(anki.Hooks{}); err != nil || !slices.Equal(requests, []string{"begin"}) {
		t.Errorf("with nothing to do: requests %q, %v", requests, err)
	}
}

// TestMediaAbort ends a sync while the server is silent.
func TestMediaAbort(t *testing.T) {
	t.Parallel()
	m := newMedia(t)
	arrived, release := make(chan struct{}), make(chan struct{})
	m.proxy.Use(anki.Hooks{Before: func(ex *anki.Exchange) anki.Verdict {
		close(arrived)
		<-release
		return anki.Drop
	}})
	if err := m.one.StartMedia(m.proxy.URL, m.acc.Key); err != nil {
		t.Fatal(err)
	}
	<-arrived
	if err := m.one.AbortMedia(); err != nil {
		t.Errorf("abort: %v", err)
	}
	close(release)
	_ = m.one.WaitMedia() // the error was abort's
	m.proxy.Use(anki.Hooks{})
	m.sync(t)
}

// TestMediaAfterCollection: a sync of both hands the media usn on, so that nothing is asked when there is nothing to do.
func TestMediaAfterCollection(t *testing.T) {
	t.Parallel()
	m := newMedia(t)
	m.one.PutMedia(t, "a.png", []byte("1"))
	if err := m.one.Full(m.server.URL, m.acc.Key, false); err != nil {
		t.Fatal(err)
	}
	o, err := m.one.SyncWithMedia(m.proxy.URL, m.acc.Key)
	if err != nil || o.Required != "NO_CHANGES" || o.MediaUSN != 0 {
		t.Fatalf("%+v, %v", o, err)
	}
	if got := m.proxy.Log(); !slices.Equal(got, []string{"meta", "uploadChanges", "mediaSanity"}) {
		t.Errorf("requests %q", got)
	}
	m.proxy.Use(anki.Hooks{})
	o, err = m.one.SyncWithMedia(m.proxy.URL, m.acc.Key)
	if got := m.proxy.Log(); err != nil || o.MediaUSN != 1 || !slices.Equal(got, []string{"meta"}) {
		t.Errorf("again: %+v, %v, requests %q", o, err, got)
	}
}

func TestCheckMedia(t *testing.T) {
	t.Parallel()
	c := anki.NewClient(t)
	for _, name := range []string{"used.png", "unused.png", "_static.css"} {
		c.PutMedia(t, name, []byte(name))
	}
	var added struct{ Note int64 }
	c.Do(t, "add_note", anki.Args{"fields": []string{`<img src="used.png"> [sound:missing.mp3]`, "x"}}, &added)
	m := c.CheckMedia(t)
	if !slices.Equal(m.Unused, []string{"unused.png"}) || !slices.Equal(m.Missing, []string{"missing.mp3"}) || !slices.Equal(m.Notes, []int64{added.Note}) ||
		m.Trash || !strings.Contains(m.Report, "unused.png") {
		t.Errorf("%+v", m)
	}
	c.TrashMedia(t, m.Unused...)
	if m = c.CheckMedia(t); len(m.Unused) != 0 || !m.Trash {
		t.Errorf("after the trash: %+v", m)
	}
	c.Do(t, "media_restore_trash", nil, nil)
	if m = c.CheckMedia(t); len(m.Unused) != 1 || m.Trash {
		t.Errorf("restored: %+v", m)
	}
	c.TrashMedia(t, m.Unused...)
	c.Do(t, "media_empty_trash", nil, nil)
	if m = c.CheckMedia(t); len(m.Unused) != 0 || m.Trash {
		t.Errorf("emptied: %+v", m)
	}
}

// TestServerMedia damages, wipes and restores a server's media.
func TestServerMedia(t *testing.T) {
	t.Parallel()
	m := newMedia(t)
	files := []anki.MediaFile{{Name: "a", Content: []byte("1")}, {Name: "b", Content: []byte("2")}}
	if usn := m.acc.UploadMedia(t, files...); usn != 2 {
		t.Errorf("usn %d", usn)
	}
	restore := m.acc.KeepMedia(t)
	m.acc.UploadMedia(t, anki.MediaFile{Name: "c", Content: []byte("3")}, anki.MediaFile{Name: "a"})
	later := m.acc.Media(t)
	m.sync(t)
	m.want(t, later)
	restore()
	if usn, got := m.acc.MediaUSN(t), m.acc.Media(t); usn != 2 || len(got) != 2 || got["a"] != anki.SHA1([]byte("1")) {
		t.Errorf("restored: usn %d, %v", usn, got)
	}
	// Damage on the disk: the server does not know until it is asked for the file.
	if err := os.Remove(filepath.Join(m.acc.MediaDir(), "a")); err != nil {
		t.Fatal(err)
	}
	if got := m.acc.Media(t); len(got) != 2 {
		t.Errorf("a file is lost, and the server says %v", got)
	}
	if status, _, err := m.acc.MediaCall("downloadFiles", []byte(`{"files":["a"]}`)); status != 409 || err != nil {
		t.Errorf("download of the lost file: %d, %v", status, err)
	}
	if got := m.acc.Media(t); len(got) != 1 {
		t.Errorf("after that it says %v", got)
	}
	m.acc.WipeMedia(t)
	if usn, got := m.acc.MediaUSN(t), anki.ReadMedia(t, m.acc.MediaDir()); usn != 0 || len(got) != 0 {
		t.Errorf("wiped: usn %d, files %v", usn, got)
	}
	m.one.ForgetMedia(t)
	if _, err := m.one.SyncMedia(m.proxy.URL, m.acc.Key); err != nil {
		t.Errorf("sync with the wiped server: %v", err)
	}
	if d := anki.CompareMedia(later, m.acc.Media(t)); len(d) > 0 {
		t.Error(d)
	}
}

// TestUsedAccount: an account that had media is lent without.
func TestUsedAccount(t *testing.T) {
	t.Parallel()
	anki.Need(t)
	server, err := anki.NewServer(t.TempDir(), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Kill)
	for range 2 {
		t.Run("user", func(t *testing.T) {
			acc := server.Account(t)
			if got := acc.Media(t); len(got) != 0 {
				t.Errorf("it has %v", got)
			}
			var files []anki.MediaFile
			for i := range 60 {
				files = append(files, anki.MediaFile{Name: "file" + string(rune('A'+i)), Content: []byte{byte(i)}})
			}
			acc.UploadMedia(t, files...)
		})
	}
}

func TestGenerateMedia(t *testing.T) {
	t.Parallel()
	anki.Need(t)
	dir := t.TempDir()
	set := anki.MediaSet{Seed: 7, Files: 60, Size: 1000}
	for _, name := range []string{"a", "b", "more"} {
		if name == "more" {
			set.Files = 70
		}
		if err := anki.GenerateMedia(filepath.Join(dir, name, "collection.media"), set); err != nil {
			t.Fatal(err)
		}
	}
	a, b := anki.ReadMedia(t, filepath.Join(dir, "a/collection.media")), anki.ReadMedia(t, filepath.Join(dir, "b/collection.media"))
	more := anki.ReadMedia(t, filepath.Join(dir, "more/collection.media"))
	if len(a) != 60 || len(more) != 70 || !maps.Equal(a, b) {
		t.Errorf("%d, %d and %d files", len(a), len(b), len(more))
	}
	for name, sum := range a {
		if more[name] != sum || name != "paste-"+sum+".jpg" {
			t.Errorf("%s has %s, and then %s", name, sum, more[name])
		}
	}
	acc := anki.StartServer(t).Account(t)
	if err := acc.UploadFolder(filepath.Join(dir, "a/collection.media")); err != nil {
		t.Fatal(err)
	}
	if d := anki.CompareMedia(a, acc.Media(t)); len(d) > 0 {
		t.Error(d)
	}
}
