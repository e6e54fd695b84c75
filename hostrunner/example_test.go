package hostrunner_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/cardferry/cardferry/core/autosync"
	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner"
)

// A new profile, looked at without a server. Log in and Sync work alike: they take a context and typed parameters, and
// their errors have a kind.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "cards")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	rt, err := hostrunner.New(ctx, hostrunner.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer rt.Close(ctx)
	p, err := rt.Open(ctx, hostrunner.OpenOptions{Dir: dir, Create: true, ClientName: "example/1.0"})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	status, err := p.Status(ctx, service.StatusParams{Offline: true})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("required:", status.Required, "last sync:", status.LastSync)

	_, rows, err := p.Query(ctx, "SELECT name FROM notetypes ORDER BY name LIMIT ?", 2)
	if err != nil {
		log.Fatal(err)
	}
	for _, row := range rows {
		fmt.Println("notetype:", row[0])
	}

	_, err = p.Sync(ctx, service.SyncParams{})
	fmt.Println("sync without a login:", err, errors.Is(err, fault.Auth))
	// Output:
	// required: none last sync: 0
	// notetype: Basic
	// notetype: Basic (and reversed card)
	// sync without a login: not logged in true
}

// A program that keeps a profile in sync while it runs. It says what happens, and is told what to show.
func ExampleProfile_AutoSync() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "cards")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	rt, err := hostrunner.New(ctx, hostrunner.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer rt.Close(ctx)
	p, err := rt.Open(ctx, hostrunner.OpenOptions{Dir: dir, Create: true})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	auto, err := p.AutoSync(ctx, hostrunner.AutoOptions{
		Status: func(s hostrunner.AutoStatus) { fmt.Println(s.Activity, s.Pending, s.Err) },
	})
	if err != nil {
		log.Fatal(err)
	}
	set := autosync.Defaults()
	set.Metered = autosync.MeteredNone
	if err := auto.SetSettings(set); err != nil {
		log.Fatal(err)
	}
	if err := auto.SetNetwork(autosync.Offline); err != nil {
		log.Fatal(err)
	}
	// Here it would begin to sync, if there were a network.
	if err := auto.SetAccount(&colsync.Account{Endpoint: "https://sync.example.org/", Key: "the key of a login"}); err != nil {
		log.Fatal(err)
	}
	if err := auto.Close(ctx); err != nil {
		log.Fatal(err)
	}
	// Output:
	// idle 0 <nil>
	// idle 0 <nil>
	// idle 0 <nil>
	// offline 0 <nil>
	// offline 0 <nil>
}
