package collection_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/legacy"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
)

// A recorded line of testdata/wire: an exchange, the state of a device's tables, or the result of a sync.
type recorded struct {
	Device, Path, State string
	Request, Response   json.RawMessage
	Result              json.RawMessage
	Tables              map[string]recordedTable
}

type recordedTable struct {
	Columns []string
	Rows    [][]json.RawMessage
}

// mergedTables are the tables that the functions under test write; col is written by the caller, but for crt.
var mergedTables = []string{"cards", "notes", "revlog", "graves", "notetypes", "fields", "templates", "decks", "deck_config", "tags", "config"}

func readRecorded(t *testing.T, name string) (list []recorded) {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata/wire", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for d := json.NewDecoder(f); d.More(); {
		var r recorded
		if err := d.Decode(&r); err != nil {
			t.Fatal(err)
		}
		r.Response = compact(t, r.Response) // the recorder added spaces; config values are stored as they come
		list = append(list, r)
	}
	return list
}

func compact(t *testing.T, b []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	if len(b) > 0 {
		if err := json.Compact(&buf, b); err != nil {
			t.Fatal(err)
		}
	}
	return buf.Bytes()
}

// TestReplay plays recorded syncs of real devices: from the tables before a sync and the server's answers, the
// requests and the tables after it must follow.
func TestReplay(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/wire/*.jsonl")
	if err != nil || len(files) < 14 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(strings.TrimSuffix(name, ".jsonl"), func(t *testing.T) {
			t.Parallel()
			replay(t, readRecorded(t, name))
		})
	}
}

func replay(t *testing.T, lines []recorded) {
	blobs := knownBlobs(t, lines)
	state := map[string]map[string]recordedTable{}
	session := map[string][]recorded{}
	played := 0
	for _, l := range lines {
		switch {
		case l.Path != "":
			session[l.Device] = append(session[l.Device], l)
		case l.State != "":
			if before := state[l.Device]; before != nil && len(session[l.Device]) > 0 {
				t.Run(fmt.Sprintf("%s %d", l.Device, played), func(t *testing.T) {
					replaySync(t, blobs, before, session[l.Device], l.Tables)
				})
				played++
			}
			session[l.Device] = nil
			state[l.Device] = l.Tables
		}
	}
	if played == 0 && len(state) > 0 {
		t.Error("nothing was replayed")
	}
}

// replaySync does what the two transactions of a sync do, with recorded answers.
func replaySync(t *testing.T, blobs map[string][]byte, before map[string]recordedTable, session []recorded, after map[string]recordedTable) {
	db := mergeDB(t, "empty.anki2")
	loadTables(t, db, blobs, before)
	var meta struct{ USN int64 }
	decode(t, find(session, "meta")[0].Response, &meta)
	var start struct {
		LocalNewer bool `json:"lnewer"`
	}
	decode(t, find(session, "start")[0].Request, &start)
	received, err := wire.ParseGraves(find(session, "start")[0].Response)
	if err != nil {
		t.Fatal(err)
	}

	sentGraves, err := collection.PendingGraves(db)
	if err != nil {
		t.Fatal(err)
	}
	compareGraves(t, sentGraves, find(session, "applyGraves"))
	gone := map[int64]bool{}
	for _, id := range received.Decks {
		gone[id] = true
	}
	sentChanges, err := collection.PendingChanges(db, meta.USN, gone, start.LocalNewer)
	if err != nil {
		t.Fatal(err)
	}
	changes := find(session, "applyChanges")[0]
	compareJSON(t, "applyChanges", wire.ApplyChangesRequest(sentChanges), changes.Request)

	now := finishTime(t, session)
	err = rows.Transaction(db, func() error {
		a, err := collection.NewApplier(db, coretest.Text{}, meta.USN, -1, now)
		if err != nil {
			return err
		}
		defer a.Close()
		if err := a.Graves(received); err != nil {
			return err
		}
		c, err := wire.ParseChanges(changes.Response)
		if err != nil {
			return err
		}
		if err := a.Changes(c); err != nil {
			return err
		}
		var chunk wire.Chunk
		for _, e := range find(session, "chunk") {
			if err := wire.ParseChunk(e.Response, &chunk); err != nil {
				return err
			}
			if err := a.Chunk(&chunk); err != nil {
				return err
			}
		}
		_, err = collection.CopyPending(db)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	compareSlices(t, db, meta.USN, find(session, "applyChunk"))
	err = rows.Transaction(db, func() error {
		if err := collection.StampSent(db, meta.USN, false); err != nil {
			return err
		}
		if err := collection.StampChanges(db, sentChanges, meta.USN); err != nil {
			return err
		}
		if err := collection.StampGraves(db, sentGraves, meta.USN); err != nil {
			return err
		}
		return collection.DropCopies(db)
	})
	if err != nil {
		t.Fatal(err)
	}
	compareTables(t, db, after, now.Unix())
}

func find(session []recorded, method string) (list []recorded) {
	for _, e := range session {
		if e.Path == "/sync/"+method {
			list = append(list, e)
		}
	}
	return list
}

// finishTime is about when the device merged: the time of the server's finish, just after it.
func finishTime(t *testing.T, session []recorded) time.Time {
	var ms int64
	decode(t, find(session, "finish")[0].Response, &ms)
	return time.UnixMilli(ms)
}

func decode(t *testing.T, b []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
}

func compareGraves(t *testing.T, g wire.Graves, requests []recorded) {
	t.Helper()
	var want wire.Graves
	for _, e := range requests {
		var r struct {
			Chunk struct{ Cards, Notes, Decks []int64 }
		}
		decode(t, e.Request, &r)
		want.Cards = append(want.Cards, r.Chunk.Cards...)
		want.Notes = append(want.Notes, r.Chunk.Notes...)
		want.Decks = append(want.Decks, r.Chunk.Decks...)
	}
	for _, ids := range [][]int64{want.Cards, want.Notes, want.Decks} {
		slices.Sort(ids)
	}
	if fmt.Sprint(g) != fmt.Sprint(want) {
		t.Errorf("graves: got %v, want %v", g, want)
	}
}

// compareSlices: the slices we would send are those that were sent. Inside a slice the real client groups by kind,
// each in descending order of ids, as we do.
func compareSlices(t *testing.T, db host.DB, usn int64, requests []recorded) {
	t.Helper()
	s, err := collection.NewSlicer(db, usn, 250)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i, e := range requests {
		var c wire.Chunk
		if err := s.Next(&c); err != nil {
			t.Fatal(err)
		}
		compareJSON(t, fmt.Sprintf("applyChunk %d", i), wire.ApplyChunkRequest(nil, &c), e.Request)
		if c.Done != (i == len(requests)-1) {
			t.Errorf("slice %d of %d: done is %v", i, len(requests), c.Done)
		}
	}
}

// compareJSON compares two values without regard to the order of keys.
func compareJSON(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if g, w := canonical(t, got), canonical(t, want); g != w {
		t.Errorf("%s:\ngot  %s\nwant %s", what, g, w)
	}
}

func canonical(t *testing.T, b []byte) string {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	sortObjects(v)
	s, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(s)
}

// sortObjects puts lists of objects and of tags into the order of their JSON: it is not significant.
func sortObjects(v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			sortObjects(member)
			if list, ok := member.([]any); ok && (key == "models" || key == "tags") {
				sortList(list)
			}
			if pair, ok := member.([]any); ok && key == "decks" && len(pair) == 2 {
				for _, part := range pair {
					if list, ok := part.([]any); ok {
						sortList(list)
					}
				}
			}
		}
	case []any:
		for _, member := range v {
			sortObjects(member)
		}
	}
}

func sortList(list []any) {
	slices.SortFunc(list, func(a, b any) int {
		x, _ := json.Marshal(a)
		y, _ := json.Marshal(b)
		return bytes.Compare(x, y)
	})
}

// knownBlobs returns blobs by their SHA-256: recordings have only the hash of long ones. Those that matter arrived or
// were sent as JSON in the same recording, or belong to the stock notetypes.
func knownBlobs(t *testing.T, lines []recorded) map[string][]byte {
	blobs := map[string][]byte{}
	add := func(b []byte) {
		sum := sha256.Sum256(b)
		blobs[hex.EncodeToString(sum[:])] = slices.Clone(b)
	}
	db := mergeDB(t, "empty.anki2")
	for row, err := range rows.Query(db, "SELECT config FROM notetypes UNION ALL SELECT config FROM templates") {
		if err != nil {
			t.Fatal(err)
		}
		add(row[0].Bytes)
	}
	for _, l := range lines {
		if l.Path != "/sync/applyChanges" {
			continue
		}
		var request struct {
			Changes struct{ Models []json.RawMessage }
		}
		var response struct{ Models []json.RawMessage }
		decode(t, l.Request, &request)
		decode(t, l.Response, &response)
		for _, m := range append(request.Changes.Models, response.Models...) {
			nt, err := legacy.ParseNotetype(m)
			if err != nil {
				t.Fatal(err)
			}
			add(nt.Config)
			for _, part := range nt.Templates {
				add(part.Config)
			}
		}
	}
	return blobs
}
