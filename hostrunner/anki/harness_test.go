package anki_test

import (
	"testing"

	"github.com/cardferry/cardferry/hostrunner/anki"
)

// Two real clients through the real server: the harness itself works, and what it ignores is enough for the real thing.
func TestTwoRealClients(t *testing.T) {
	t.Parallel()
	server := anki.StartServer(t)
	agent := anki.StartAgent(t)
	acc := server.Account(t)
	proxy := anki.NewProxy(t, server.URL)
	one := agent.Client(t, t.TempDir()+"/one.anki2")
	two := agent.Client(t, t.TempDir()+"/two.anki2")

	if key, err := one.Login(proxy.URL, acc.User, anki.Password); err != nil || key != acc.Key {
		t.Fatal(key, err)
	}
	one.Do(t, "add_note", anki.Args{"fields": []string{"front", "back"}, "tags": []string{"a", "b"}}, nil)
	deck := one.ID(t, "add_deck", anki.Args{"name": "Parent::Child"})
	sync(t, one, proxy, acc, "FULL_UPLOAD")
	if err := one.Full(proxy.URL, acc.Key, true); err != nil {
		t.Fatal(err)
	}
	sync(t, two, proxy, acc, "FULL_DOWNLOAD")
	if err := two.Full(proxy.URL, acc.Key, false); err != nil {
		t.Fatal(err)
	}
	one.Do(t, "rename_deck", anki.Args{"deck": deck, "name": "Other"}, nil)
	if d := anki.Compare(one.Dump(t), two.Dump(t)); len(d) == 0 {
		t.Fatal("an edit is not seen")
	}
	for range 2 {
		sync(t, one, proxy, acc, "NO_CHANGES")
		sync(t, two, proxy, acc, "NO_CHANGES")
	}
	a, b := one.Dump(t), two.Dump(t)
	if d := anki.Compare(a, b); len(d) > 0 {
		t.Fatal(d)
	}
	if p := a.Pending(); len(p) > 0 {
		t.Fatal(p)
	}
	if d := anki.Compare(a, anki.Read(t, acc.Download(t))); len(d) > 0 {
		t.Fatal("server:", d)
	}
	one.Close(t)
	if found, err := agent.Check(one.Path); found != "" || err != nil {
		t.Fatal(found, err)
	}
	proxy.Use(anki.Hooks{Before: func(*anki.Exchange) anki.Verdict { return anki.Drop }})
	if _, err := two.Sync(proxy.URL, acc.Key); err == nil {
		t.Fatal("a broken connection is no error")
	}
}

func sync(t *testing.T, c *anki.Client, p *anki.Proxy, acc *anki.Account, want string) {
	t.Helper()
	o, err := c.Sync(p.URL, acc.Key)
	if err != nil || o.Required != want {
		t.Fatalf("%+v, want %s: %v (requests %v)", o, want, err, p.Log())
	}
}
