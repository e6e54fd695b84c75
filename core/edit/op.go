package edit

import (
	"math"
	"slices"
	"strings"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/jsontext"
)

// The operations, each with the fields that it takes; those in brackets may be left out.
const (
	AddNote     = "addNote"     // notetypeId deckId fields [tags]
	UpdateNote  = "updateNote"  // noteId [fields] [tags] [addTags] [removeTags]
	RemoveNotes = "removeNotes" // noteIds
	AnswerCard  = "answerCard"  // cardId button [takenMs]
	SetCards    = "setCards"    // cardIds [deckId] [forget [restorePosition] [resetCounts]] [due] [position [step]] [suspended] [buried] [flag]
	AddDeck     = "addDeck"     // name
	RenameDeck  = "renameDeck"  // deckId name
	RemoveDeck  = "removeDeck"  // deckId
	SetConfig   = "setConfig"   // key value
	SetTemplate = "setTemplate" // notetypeId [ord] [front] [back] [css]
)

// fields returns the fields that an operation takes, "" if there is no such operation.
func fields(op string) string {
	switch op {
	case AddNote:
		return "notetypeId deckId fields tags"
	case UpdateNote:
		return "noteId fields tags addTags removeTags"
	case RemoveNotes:
		return "noteIds"
	case AnswerCard:
		return "cardId button takenMs"
	case SetCards:
		return "cardIds deckId forget restorePosition resetCounts due position step suspended buried flag"
	case AddDeck:
		return "name"
	case RenameDeck:
		return "deckId name"
	case RemoveDeck:
		return "deckId"
	case SetConfig:
		return "key value"
	case SetTemplate:
		return "notetypeId ord front back css"
	}
	return ""
}

// Op is one operation with its fields; which one takes which is beside their names. A nil slice or pointer is a field that
// was left out.
type Op struct {
	Op         string   `json:"op"`
	NotetypeID int64    `json:"notetypeId,omitzero"`
	DeckID     int64    `json:"deckId,omitzero"`
	NoteID     int64    `json:"noteId,omitzero"`
	CardID     int64    `json:"cardId,omitzero"`
	NoteIDs    []int64  `json:"noteIds,omitzero"`
	CardIDs    []int64  `json:"cardIds,omitzero"`
	Fields     []string `json:"fields,omitzero"`
	Tags       []string `json:"tags,omitzero"`       // all tags of the note
	AddTags    []string `json:"addTags,omitzero"`    // beside those it has
	RemoveTags []string `json:"removeTags,omitzero"` // in any spelling

	Button  int64 `json:"button,omitzero"` // 1 Again, 2 Hard, 3 Good, 4 Easy
	TakenMs int64 `json:"takenMs,omitzero"`

	Suspended *bool  `json:"suspended,omitzero"`
	Buried    *bool  `json:"buried,omitzero"` // by the user
	Flag      *int64 `json:"flag,omitzero"`   // 0 none, 1 to 7
	// Due is when the cards are to be reviewed, in days from today: "0", "3", "1-7" for a random day in a range; with "!" at the
	// end the interval becomes that number as well. In JSON a number will do for a text without signs.
	Due             *string `json:"due,omitzero"`
	Forget          bool    `json:"forget,omitzero"`          // makes the cards new
	RestorePosition bool    `json:"restorePosition,omitzero"` // in their old places
	ResetCounts     bool    `json:"resetCounts,omitzero"`     // of reviews and lapses
	Position        *int64  `json:"position,omitzero"`        // in the queue of new cards, of the first one
	Step            *int64  `json:"step,omitzero"`            // between one and the next; 1 if it is left out

	Name  string `json:"name,omitzero"` // of a deck, with "::" between its levels
	Key   string `json:"key,omitzero"`
	Value JSON   `json:"value,omitzero"` // null removes the key

	Ord   int64   `json:"ord,omitzero"` // of the template, from 0
	Front *string `json:"front,omitzero"`
	Back  *string `json:"back,omitzero"`
	CSS   *string `json:"css,omitzero"` // of the notetype
}

// JSON is a JSON value as text.
type JSON []byte

// MarshalJSON returns the text.
func (j JSON) MarshalJSON() ([]byte, error) { return j, nil }

// ParseOps reads a JSON array of operations. What is wrong is fault.InvalidInput, which names the operation's index.
func ParseOps(raw []byte) ([]Op, error) {
	list, ok := jsontext.Elements(raw)
	if !ok {
		return nil, invalid("the operations are not an array")
	}
	ops := make([]Op, len(list))
	for i, raw := range list {
		if err := ops[i].parse(raw); err != nil {
			return nil, fault.Step("operation "+string(jsontext.AppendInt(nil, int64(i))), err)
		}
	}
	return ops, nil
}

func (op *Op) parse(raw []byte) error {
	members, err := jsontext.ParseObject(raw)
	if err != nil {
		return invalid("it is not an object")
	}
	op.Op, _ = jsontext.String(jsontext.Get(members, "op"))
	known := fields(op.Op)
	if known == "" {
		return invalid("there is no operation %q", op.Op)
	}
	for _, m := range members {
		switch {
		case m.Key == "op":
		case !slices.Contains(strings.Fields(known), m.Key):
			return invalid("%s has no field %q", op.Op, m.Key)
		case !op.set(m.Key, m.Raw):
			return invalid("the field %q of %s has a wrong value", m.Key, op.Op)
		}
	}
	return nil
}

// set stores one field; ok is false if it has a wrong type. null is a field that was left out, except as a value of config.
func (op *Op) set(key string, raw []byte) (ok bool) {
	if key == "value" {
		op.Value = raw
		return true
	}
	if string(raw) == "null" {
		return true
	}
	switch key {
	case "notetypeId":
		op.NotetypeID, ok = identifier(raw)
	case "deckId":
		op.DeckID, ok = identifier(raw)
	case "noteId":
		op.NoteID, ok = identifier(raw)
	case "cardId":
		op.CardID, ok = identifier(raw)
	case "noteIds":
		op.NoteIDs, ok = integers(raw)
	case "cardIds":
		op.CardIDs, ok = integers(raw)
	case "fields":
		op.Fields, ok = jsontext.Strings(raw)
	case "tags":
		op.Tags, ok = jsontext.Strings(raw)
	case "addTags":
		op.AddTags, ok = jsontext.Strings(raw)
	case "removeTags":
		op.RemoveTags, ok = jsontext.Strings(raw)
	case "button":
		op.Button, ok = jsontext.IntIn(raw, 1, 4)
	case "takenMs":
		op.TakenMs, ok = jsontext.IntIn(raw, 0, math.MaxInt64)
	case "suspended":
		op.Suspended, ok = optional(jsontext.Bool(raw))
	case "buried":
		op.Buried, ok = optional(jsontext.Bool(raw))
	case "flag":
		op.Flag, ok = optional(jsontext.IntIn(raw, 0, 7))
	case "due":
		if _, number := jsontext.IntIn(raw, 0, math.MaxInt32); number {
			raw = slices.Concat([]byte{'"'}, raw, []byte{'"'})
		}
		op.Due, ok = optional(jsontext.String(raw))
	case "forget":
		op.Forget, ok = jsontext.Bool(raw)
	case "restorePosition":
		op.RestorePosition, ok = jsontext.Bool(raw)
	case "resetCounts":
		op.ResetCounts, ok = jsontext.Bool(raw)
	case "position":
		op.Position, ok = optional(jsontext.IntIn(raw, 0, maxPosition))
	case "step":
		op.Step, ok = optional(jsontext.IntIn(raw, 0, maxPosition))
	case "name":
		op.Name, ok = jsontext.String(raw)
	case "key":
		op.Key, ok = jsontext.String(raw)
	case "ord":
		op.Ord, ok = jsontext.IntIn(raw, 0, math.MaxUint16)
	case "front":
		op.Front, ok = optional(jsontext.String(raw))
	case "back":
		op.Back, ok = optional(jsontext.String(raw))
	case "css":
		op.CSS, ok = optional(jsontext.String(raw))
	}
	return ok
}

func optional[T any](v T, ok bool) (*T, bool) { return &v, ok }

// identifier reads the id of a row; none is 0.
func identifier(raw []byte) (id int64, ok bool) {
	id, ok = jsontext.Int(raw)
	return id, ok && id != 0
}

func integers(raw []byte) (list []int64, ok bool) {
	elements, ok := jsontext.Elements(raw)
	list = make([]int64, len(elements))
	for i := 0; i < len(elements) && ok; i++ {
		list[i], ok = identifier(elements[i])
	}
	return list, ok
}
