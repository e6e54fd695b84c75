package wire_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/wire"
)

func readVectors(t *testing.T, name string, v any) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatal(err)
	}
}

func TestCardData(t *testing.T) {
	t.Parallel()
	var v struct {
		Cases []struct{ Received, Stored string }
	}
	readVectors(t, "card_data.json", &v)
	for _, c := range v.Cases {
		if got := wire.CardData(c.Received); got != c.Stored {
			t.Errorf("CardData(%s) = %s, want %s", c.Received, got, c.Stored)
		}
	}
}

// The positions of the members that the vectors name.
var cardMembers = map[string]int{
	"ord": 3, "mod": 4, "type": 6, "queue": 7, "due": 8, "ivl": 9, "factor": 10, "reps": 11, "odue": 14, "flags": 16, "data": 17,
}

func TestWireRanges(t *testing.T) {
	t.Parallel()
	var v struct {
		Cases []struct {
			Array    string
			Member   string
			Position int
			Received json.RawMessage
			Stored   json.RawMessage
			Reject   bool
		}
	}
	readVectors(t, "wire_ranges.json", &v)
	for _, c := range v.Cases {
		row := strings.Split(`1,2,3,0,5,6,0,0,0,0,0,0,0,0,0,0,0,"{}"`, ",")
		key, pos := "cards", cardMembers[c.Member]
		if c.Array == "revlog" {
			row, key, pos = strings.Split("1,2,3,1,0,0,0,0,0", ","), "revlog", c.Position
		}
		row[pos] = string(c.Received)
		var chunk wire.Chunk
		err := wire.ParseChunk(fmt.Appendf(nil, `{"done":true,%q:[[%s]]}`, key, strings.Join(row, ",")), &chunk)
		if c.Reject {
			if err == nil {
				t.Errorf("%s %s%d %s: accepted", c.Array, c.Member, c.Position, c.Received)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s %s%d %s: %v", c.Array, c.Member, c.Position, c.Received, err)
			continue
		}
		var out map[string]json.RawMessage
		if err := json.Unmarshal(wire.AppendChunk(nil, &chunk), &out); err != nil {
			t.Fatal(err)
		}
		var rows [][]json.RawMessage
		if err := json.Unmarshal(out[key], &rows); err != nil {
			t.Fatal(err)
		}
		if got := string(rows[0][pos]); got != string(c.Stored) {
			t.Errorf("%s %s%d %s: got %s, want %s", c.Array, c.Member, c.Position, c.Received, got, c.Stored)
		}
	}
}
