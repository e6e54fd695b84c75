package legacy

import "github.com/cardferry/cardferry/core/jsontext"

import "math"

// filteredDeck is the message Deck.Filtered.
type filteredDeck struct {
	reschedule   bool
	terms        []searchTerm
	delays       []float32
	previewDelay int64
	hardSecs     int64
	goodSecs     int64
	againSecs    int64
}

// searchTerm is the message SearchTerm.
type searchTerm struct {
	search string
	limit  int64
	order  int64
}

// filteredKeys are the keys that only filtered decks have.
var filteredKeys = []string{
	"resched", "terms", "separate", "delays", "previewDelay", "previewAgainSecs", "previewHardSecs", "previewGoodSecs",
}

func parseFiltered(o *object) filteredDeck {
	defaulted(o, "separate", boolean, false)
	return filteredDeck{
		reschedule:   strict(o, "resched", looseBool),
		terms:        strict(o, "terms", listOf(parseTerm)),
		delays:       tolerant(o, "delays", listOf(f32), nil),
		previewDelay: defaulted(o, "previewDelay", u32, 0),
		hardSecs:     defaulted(o, "previewHardSecs", u32, 0),
		goodSecs:     defaulted(o, "previewGoodSecs", u32, 0),
		againSecs:    defaulted(o, "previewAgainSecs", u32, 0),
	}
}

// parseTerm takes ["search", 100, 6], or an object with the keys search, limit, order.
func parseTerm(raw []byte) (t searchTerm, ok bool) {
	parts, ok := jsontext.Elements(raw)
	if !ok {
		o := newObject("search term", raw, false)
		t = searchTerm{strict(o, "search", text), max(0, strict(o, "limit", termLimit)), strict(o, "order", i32)}
		return t, o.err == nil
	}
	if len(parts) != 3 {
		return t, false
	}
	search, okSearch := text(parts[0])
	limit, okLimit := termLimit(parts[1])
	order, okOrder := i32(parts[2])
	return searchTerm{search, max(0, limit), order}, okSearch && okLimit && okOrder
}

// termLimit is a number of 32 bits.
func termLimit(raw []byte) (int64, bool) {
	v, ok := number(raw)
	return v, ok && v == int64(int32(v))
}

func (f *filteredDeck) append(dst []byte) []byte {
	// The description and "separate" of a filtered deck are not stored.
	dst = jsontext.PutText(dst, "desc", "")
	dst = jsontext.PutInt(dst, "dyn", 1)
	dst = jsontext.PutBool(dst, "resched", f.reschedule)
	dst = append(jsontext.AppendKey(dst, "terms"), '[')
	for _, t := range f.terms {
		dst = jsontext.AppendString(append(jsontext.Separate(dst), '['), t.search)
		// A receiver takes 32 bits with a sign, though a file has 32 without one.
		limit := min(t.limit, math.MaxInt32)
		dst = append(appendElement(appendElement(dst, limit), t.order), ']')
	}
	dst = jsontext.PutBool(append(dst, ']'), "separate", true)
	if len(f.delays) == 0 {
		dst = appendOptional(dst, "delays", nil)
	} else {
		dst = appendFloats(dst, "delays", f.delays)
	}
	dst = jsontext.PutInt(dst, "previewDelay", f.previewDelay)
	dst = jsontext.PutInt(dst, "previewAgainSecs", f.againSecs)
	dst = jsontext.PutInt(dst, "previewHardSecs", f.hardSecs)
	return jsontext.PutInt(dst, "previewGoodSecs", f.goodSecs)
}

func (f *filteredDeck) decode(b []byte, err *error) {
	for m := newMessage(b, err); m.next(); {
		switch m.num {
		case 1:
			m.bool(&f.reschedule)
		case 2:
			var body []byte
			m.bytes(&body)
			f.terms = append(f.terms, decodeTerm(body, err))
		case 3:
			m.floats(&f.delays)
		case 4:
			m.uint32(&f.previewDelay)
		case 5:
			m.uint32(&f.hardSecs)
		case 6:
			m.uint32(&f.goodSecs)
		case 7:
			m.uint32(&f.againSecs)
		}
	}
}

func decodeTerm(b []byte, err *error) (t searchTerm) {
	for m := newMessage(b, err); m.next(); {
		switch m.num {
		case 1:
			m.string(&t.search)
		case 2:
			m.uint32(&t.limit)
		case 3:
			m.int32(&t.order)
		}
	}
	return t
}

func (f *filteredDeck) encode() []byte {
	dst := putBool(nil, 1, f.reschedule)
	for _, t := range f.terms {
		body := putBytes(nil, 1, t.search)
		body = putInt(body, 2, t.limit)
		dst = putMessage(dst, 2, putInt(body, 3, t.order))
	}
	dst = putFloats(dst, 3, f.delays)
	dst = putInt(dst, 4, f.previewDelay)
	dst = putInt(dst, 5, f.hardSecs)
	dst = putInt(dst, 6, f.goodSecs)
	return putInt(dst, 7, f.againSecs)
}
