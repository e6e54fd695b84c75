package ankitest_test

import (
	"errors"
	"os"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/ankitest"
)

// TestRealClients syncs two real clients through a real server: harness and comparer agree with what the real program does.
func TestRealClients(t *testing.T) {
	t.Parallel()
	s, u := ankitest.Shared(t)
	a := ankitest.NewClient(t, "")
	a.Login(s.URL, u)
	a.Do("add_note", map[string]any{"guid": "one", "notetype": "Basic", "deck": "Default", "fields": []string{"größer", "b"}})
	a.Upload()
	ankitest.RequireEqual(t, "uploader and server", ankitest.MustDump(t, a.Path), ankitest.MustDump(t, s.Collection(u)))

	b := ankitest.NewClient(t, "")
	b.Login(s.URL, u)
	r, err := b.TrySync()
	if err != nil || r.Required != "full_download" {
		t.Fatalf("%+v %v", r, err)
	}
	b.Download()
	b.Do("edit_note", map[string]any{"guid": "one", "field": 1, "text": "c"})
	if ankitest.MustDump(t, b.Path).Pending("notes") != 1 {
		t.Fatal("the note is not pending")
	}
	b.Sync()
	a.Sync()
	ankitest.RequireEqual(t, "a and server", ankitest.MustDump(t, a.Path), ankitest.MustDump(t, s.Collection(u)))
	ankitest.RequireEqual(t, "a and b", ankitest.MustDump(t, a.Path), ankitest.MustDump(t, b.Path), ankitest.BetweenDevices...)
	ankitest.CheckFile(t, b.Path)
}

func TestServerRestarts(t *testing.T) {
	t.Parallel()
	s := ankitest.StartServer(t, ankitest.ServerOptions{})
	c := ankitest.NewClient(t, "")
	u := s.User()
	c.Login(s.URL, u)
	s.Kill()
	if _, err := c.TrySync(); err == nil {
		t.Error("a sync with a killed server succeeded")
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	c.Sync()
	c.Kill()
	if _, err := c.TrySync(); !errors.Is(err, ankitest.ErrKilled) {
		t.Errorf("got %v", err)
	}
	c.Reopen()
	if err := c.TryDo("edit_note", map[string]any{"guid": "none", "field": 0, "text": ""}, nil); !errors.As(err, new(*ankitest.Error)) {
		t.Errorf("got %v", err)
	}
}

// TestCheckFinds: the database check does report what is wrong.
func TestCheckFinds(t *testing.T) {
	t.Parallel()
	c := ankitest.NewClient(t, "")
	c.Do("add_note", map[string]any{"guid": "one", "notetype": "Basic", "deck": "Default", "fields": []string{"f", "b"}})
	c.Close()
	if report, err := ankitest.CheckReport(t, c.Path); report != "" || err != nil {
		t.Errorf("a good file: %q %v", report, err)
	}
	ankitest.EditSQL(t, c.Path, "DELETE FROM notes")
	if report, err := ankitest.CheckReport(t, c.Path); report == "" || err != nil {
		t.Errorf("cards without notes: %q %v", report, err)
	}
	if err := os.Truncate(c.Path, 50_000); err != nil {
		t.Fatal(err)
	}
	if _, err := ankitest.ReadDump(c.Path); err == nil {
		t.Error("a truncated file was read")
	}
}
