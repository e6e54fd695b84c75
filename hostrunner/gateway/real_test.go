package gateway_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner"
	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/gateway"
)

// The real server as an upstream: a real client and one of ours sync with each other through the gateway, media too, one of them after a
// redirect. Nothing of it shows in the log.
func TestRealServer(t *testing.T) {
	t.Parallel()
	server := anki.StartServer(t)
	acc := server.Account(t)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", server.URL)
		w.WriteHeader(308)
	}))
	defer front.Close()
	var log logged
	o := gateway.Options{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	base := start(t, o, "front="+front.URL, "real="+server.URL, "down=http://127.0.0.1:1/")
	direct, redirected := base+"/upstream/real/", base+"/upstream/front/"

	one := anki.NewClient(t)
	if key, err := one.Login(direct, acc.User, anki.Password); err != nil || key != acc.Key {
		t.Fatal(key, err)
	}
	one.Do(t, "add_note", anki.Args{"fields": []string{"front", "back"}}, nil)
	one.AddMedia(t, "picture.png", bytes.Repeat([]byte("picture"), 10_000))
	if err := one.Full(direct, acc.Key, true); err != nil {
		t.Fatal(err)
	}
	if _, err := one.SyncMedia(direct, acc.Key); err != nil {
		t.Fatal(err)
	}

	runtime, err := hostrunner.New(t.Context(), hostrunner.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer runtime.Close(t.Context())
	dir := t.TempDir()
	two, err := runtime.Open(t.Context(), hostrunner.OpenOptions{Dir: dir, Create: true, Engine: hostrunner.Native})
	if err != nil {
		t.Fatal(err)
	}
	defer two.Close()
	account := &colsync.Account{Endpoint: redirected, Key: acc.Key}
	got, err := two.Sync(t.Context(), service.SyncParams{Account: account, OnConflict: colsync.Download})
	if err != nil || got.NewEndpoint != direct { // the front server sends to a configured one
		t.Fatalf("%+v %v", got, err)
	}
	account.Endpoint = got.NewEndpoint
	media, err := two.MediaSync(t.Context(), service.MediaSyncParams{Account: account})
	if err != nil || media.Downloaded != 1 {
		t.Fatalf("%+v %v", media, err)
	}

	one.Do(t, "add_note", anki.Args{"fields": []string{"second", "back"}}, nil)
	if o, err := one.Sync(redirected, acc.Key); err != nil || o.NewEndpoint != direct {
		t.Fatalf("%+v %v", o, err)
	}
	if got, err := two.Sync(t.Context(), service.SyncParams{Account: account}); err != nil || got.Received["notes"] != 1 {
		t.Fatalf("%+v %v", got, err)
	}
	if _, err := one.Sync(base+"/upstream/down/", acc.Key); err == nil {
		t.Fatal("a sync with a server that is not there")
	}
	for _, secret := range []string{acc.Key, anki.Password, "picture"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log has %q: %s", secret, log.String())
		}
	}
	if !strings.Contains(log.String(), "upstream=down") {
		t.Errorf("the log says nothing of the server that is down: %s", log.String())
	}
}
