package collection_test

import (
	"errors"
	"testing"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
)

// TestReplayMultiChunk: 660 rows that a real device sent in three slices arrive on the other in three as well. There
// they are applied, made pending, and cut again: into the slices of the first device. Then the graves of all but one
// arrive.
func TestReplayMultiChunk(t *testing.T) {
	t.Parallel()
	sessions := map[string][][]recorded{}
	for _, l := range readRecorded(t, "multi-chunk.jsonl") {
		if l.Path == "/sync/start" {
			sessions[l.Device] = append(sessions[l.Device], nil)
		}
		if n := len(sessions[l.Device]); n > 0 && l.Path != "" {
			sessions[l.Device][n-1] = append(sessions[l.Device][n-1], l)
		}
	}
	db := mergeDB(t, "empty.anki2")
	received := sessions["B"][0]
	useNotetypeOf(t, db, received)
	err := applyTo(t, db, -1, func(a *collection.Applier) error {
		var c wire.Chunk
		for _, e := range find(received, "chunk") {
			if err := errors.Join(wire.ParseChunk(e.Response, &c), a.Chunk(&c)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	const counts = "SELECT (SELECT count(*) FROM notes), (SELECT count(*) FROM cards), (SELECT count(*) FROM revlog), (SELECT count(*) FROM graves)"
	wantRows(t, db, counts, "300|300|60|0")

	usn, err := rows.IntOf(db, "SELECT max(usn) FROM cards")
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"notes", "cards", "revlog"} {
		mustExec(t, db, "UPDATE "+table+" SET usn = -1")
	}
	if _, err := collection.CopyPending(db); err != nil {
		t.Fatal(err)
	}
	compareSlices(t, db, usn, find(sessions["A"][0], "applyChunk"))
	if err := errors.Join(collection.StampSent(db, usn, false), collection.DropCopies(db)); err != nil {
		t.Fatal(err)
	}

	graves, err := wire.ParseGraves(find(sessions["B"][1], "start")[0].Response)
	if err != nil {
		t.Fatal(err)
	}
	if err := applyTo(t, db, -1, func(a *collection.Applier) error { return a.Graves(graves) }); err != nil {
		t.Fatal(err)
	}
	wantRows(t, db, counts, "0|0|60|600")
}

// useNotetypeOf gives a notetype of two fields the id that the received notes name.
func useNotetypeOf(t *testing.T, db host.DB, session []recorded) {
	t.Helper()
	for _, e := range find(session, "chunk") {
		var c wire.Chunk
		if err := wire.ParseChunk(e.Response, &c); err != nil {
			t.Fatal(err)
		}
		if len(c.Notes) == 0 {
			continue
		}
		old, id := basicNotetype(t, db), c.Notes[0].NotetypeID
		mustExec(t, db, "UPDATE notetypes SET id = ? WHERE id = ?", id, old)
		mustExec(t, db, "UPDATE fields SET ntid = ? WHERE ntid = ?", id, old)
		return
	}
	t.Fatal("no notes")
}
