//go:build !js && !wasip1

// A guest cannot run a guest.

package study_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/edit"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/hostrunner"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

// guestStep is that of the sample in each group of the fixture.
const guestStep = 12

// TestFixtureInGuest answers a sample of the fixture with the guest file, as pages do: arithmetic with fractions must come out the
// same in Wasm.
func TestFixtureInGuest(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("compiles the guest")
	}
	runtime, err := hostrunner.New(t.Context(), hostrunner.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer runtime.Close(t.Context())
	dir := t.TempDir()
	file := filepath.Join(dir, host.Collection)
	seen := map[string]int{}
	for _, c := range readCases(t) {
		seen[c.Group]++
		if seen[c.Group]%guestStep != 1 {
			continue
		}
		t.Run(c.ID+" "+c.Group, func(t *testing.T) {
			if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			before := c.prepareFile(t, file)
			c.answerInGuest(t, runtime, dir)
			db := openFile(t, file, host.ReadOnly)
			defer db.Close()
			c.checkAnswered(t, db, before)
		})
	}
}

func openFile(t *testing.T, file string, mode host.OpenMode) host.DB {
	t.Helper()
	db, err := sqlitehost.OpenFile(file, mode)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// prepareFile makes a collection with the card of a case.
func (c *answerCase) prepareFile(t *testing.T, file string) collection.Col {
	t.Helper()
	db := openFile(t, file, host.Create)
	defer db.Close()
	if err := collection.New(db, coretest.NewClock(time.UnixMilli(c.NowMs).AddDate(0, 0, -100), 0), coretest.NewRandom(1)); err != nil {
		t.Fatal(err)
	}
	c.prepare(t, db)
	before, err := collection.ReadCol(db)
	if err != nil {
		t.Fatal(err)
	}
	return before
}

// answerInGuest answers the card of a case through the whole core, at the time of the case.
func (c *answerCase) answerInGuest(t *testing.T, runtime *hostrunner.Runtime, dir string) {
	t.Helper()
	p, err := runtime.Open(t.Context(), hostrunner.OpenOptions{Dir: dir, Wrap: func(h host.Host) host.Host {
		h.Clock = coretest.NewClock(time.UnixMilli(c.NowMs), 0)
		return h
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	id, _ := c.CardBefore["id"].(json.Number).Int64()
	if _, err := p.Edit(t.Context(), edit.Op{Op: edit.AnswerCard, CardID: id, Button: int64(c.Button), TakenMs: c.TookMs}); err != nil {
		t.Fatal(err)
	}
}
