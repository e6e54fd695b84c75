package legacy_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/legacy"
)

type randomCase struct {
	Base     string
	JSON     string // the text that was sent
	Reject   bool
	Name     string // as stored
	Stored   storedBlobs
	SentBack map[string]any `json:"sent_back"`
}

// TestRandomVectors has objects with random changes, made from values on the edges of the tolerance classes, and
// what the real server made of them.
func TestRandomVectors(t *testing.T) {
	t.Parallel()
	var v struct{ Cases []randomCase }
	read(t, "legacy_random.json", &v)
	for _, c := range v.Cases {
		p, err := parse(c.Base, []byte(c.JSON))
		if c.Reject || err != nil {
			if !c.Reject || !errors.Is(err, fault.DamagedDownload) {
				t.Errorf("%s\nerror %v, want rejection: %t", c.JSON, err, c.Reject)
			}
			continue
		}
		if got := blobs(p); !sameBlobs(t, got, c.Stored) || nameOf(p) != c.Name {
			t.Errorf("%s\n got %q %v\nwant %q %v", c.JSON, nameOf(p), got, c.Name, c.Stored)
		}
		out, err := p.AppendJSON(nil)
		if err != nil {
			t.Errorf("%s\n%v", c.JSON, err)
		} else if got := decode(t, out); c.SentBack != nil && !sameJSON(got, withoutNull(c.SentBack)) {
			t.Errorf("%s\n got %v\nwant %v", c.JSON, got, c.SentBack)
		}
	}
}

func nameOf(p parsed) string {
	switch v := p.(type) {
	case *legacy.Notetype:
		return v.Name
	case *legacy.Deck:
		return v.Name
	case *legacy.DeckConfig:
		return v.Name
	}
	return ""
}

// withoutNull replaces what the real program makes of numbers beyond float32: it stores infinity and sends null,
// which it does not take back. We send what JSON has a number for.
func withoutNull(v any) any {
	o, ok := v.(map[string]any)
	if _, isNormalDeck := o["conf"]; isNormalDeck {
		return v
	}
	for k, item := range o {
		switch list, isList := item.([]any); {
		case slices.Contains([]string{"new", "rev", "lapse"}, k):
			o[k] = withoutNull(item)
		case isList && slices.Contains([]string{"delays", "fsrsWeights", "fsrsParams5", "fsrsParams6", "easyDaysPercentages"}, k):
			o[k] = slices.DeleteFunc(list, func(v any) bool { return v == nil })
		case item == nil && slices.Contains([]string{"secondsToShowQuestion", "secondsToShowAnswer"}, k):
			o[k] = json.Number("0.0")
		}
	}
	if !ok {
		return v
	}
	return o
}
