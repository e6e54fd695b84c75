package service_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner/filehost"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

// lossy is a SQL host whose collection can be told to lose the next commit, as if the host died before it.
type lossy struct {
	host.SQL
	lose bool
}

func (l *lossy) Open(ctx context.Context, name string, mode host.OpenMode) (host.DB, error) {
	db, err := l.SQL.Open(ctx, name, mode)
	if err != nil || name != host.Collection {
		return db, err
	}
	return &lossyDB{db, l}, nil
}

type lossyDB struct {
	host.DB
	host *lossy
}

func (d *lossyDB) Exec(sql string) error {
	if sql == "COMMIT" && d.host.lose {
		d.host.lose = false
		return fault.New(fault.Other, "the host has died")
	}
	return d.DB.Exec(sql)
}

// TestEditOnce repeats edits whose answers were lost, in a service opened anew: what was committed is not done again, and
// what was not is done.
func TestEditOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sql := &lossy{SQL: sqlitehost.New(dir)}
	var s *service.Service
	call := func(method, params string) string {
		t.Helper()
		r, err := s.Call(t.Context(), method, []byte(params))
		if err != nil {
			t.Fatalf("%s %s: %v", method, params, err)
		}
		return string(r)
	}
	open := func() {
		t.Helper()
		s = service.New(host.Host{
			SQL: sql, Files: filehost.New(dir, nil), HTTP: &coretest.HTTP{}, Media: coretest.NewMedia(nil),
			Clock: coretest.NewClock(time.UnixMilli(1_800_000_000_000), 0), Random: coretest.NewRandom(1),
			Events: &coretest.Events{}, Yield: coretest.Yield{}, Text: coretest.Text{},
		})
		call("open", `{"create":true}`)
	}
	again := func() { call("close", `{}`); open() }
	add := func(name, id string) string {
		return `{"ops":[{"op":"addDeck","name":"` + name + `"}],"call":"` + id + `"}`
	}

	open()
	first := call("edit", add("One", "a"))
	again()
	if got := call("edit", add("One", "a")); got != first {
		t.Errorf("a repeated edit: %s, then %s", first, got)
	}
	// Two decks of one name would have got different names.
	sql.lose = true
	if _, err := s.Call(t.Context(), "edit", []byte(add("Two", "b"))); fault.KindOf(err) != fault.Other {
		t.Fatal(err)
	}
	again()
	other := call("edit", add("Three", "c")) // what was lost must not pass for done now
	second := call("edit", add("Two", "b"))
	if second == first || second == other {
		t.Errorf("a lost edit: %s after %s and %s", second, first, other)
	}
	if got := call("undo", `{"call":"d"}`); got != `{"undone":"addDeck"}` {
		t.Errorf("undo: %s", got)
	}
	again()
	if got := call("undo", `{"call":"d"}`); got != `{"undone":"addDeck"}` {
		t.Errorf("undo repeated: %s", got)
	}
	for i := range 100 {
		call("edit", `{"ops":[{"op":"setConfig","key":"k","value":`+strconv.Itoa(i)+`}],"call":"n`+strconv.Itoa(i)+`"}`)
	}
	if got := call("edit", `{"ops":[{"op":"setConfig","key":"k","value":0}],"call":"n99"}`); got == "" {
		t.Error("no result")
	}
}
