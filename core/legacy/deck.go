package legacy

import (
	"math"
	"slices"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/jsontext"
	"github.com/cardferry/cardferry/core/names"
)

// Deck is a row of the table decks.
type Deck struct {
	ID     int64
	Name   string // native form: components joined by U+001F
	Mod    int64  // mtime_secs
	USN    int32
	Common []byte
	Kind   []byte
}

// deckCommon is the message Deck.Common.
type deckCommon struct {
	collapsed        bool
	browserCollapsed bool
	lastDay          int64 // the day to which the following belong
	newStudied       int64
	reviewStudied    int64
	learningStudied  int64
	millisStudied    int64
	other            []byte
}

// deckKeys are the reserved keys of both kinds. Those of filtered decks are not among them, except on a filtered
// deck: a normal one sends them on.
var deckKeys = []string{
	"id", "mod", "name", "usn", "lrnToday", "revToday", "newToday", "timeToday", "collapsed", "browserCollapsed",
	"desc", "dyn", "conf", "extendNew", "extendRev", "reviewLimit", "newLimit", "reviewLimitToday", "newLimitToday",
	"desiredRetention",
}

// ParseDeck converts a deck from JSON. It accepts and rejects what the reference does; errors are
// fault.DamagedDownload. The name is normalised, with the help of t. The result does not alias b.
func ParseDeck(t host.Text, b []byte) (*Deck, error) {
	o := newObject("deck", b, false)
	d := &Deck{
		ID:   strict(o, "id", number),
		Name: names.DeckNative(t, strict(o, "name", text)),
		Mod:  defaulted(o, "mod", number, 0),
		USN:  int32(strict(o, "usn", i32)),
	}
	c := deckCommon{
		collapsed:        strict(o, "collapsed", boolean),
		browserCollapsed: defaulted(o, "browserCollapsed", boolean, false),
	}
	c.setToday(strict(o, "newToday", parseToday), strict(o, "revToday", parseToday),
		strict(o, "lrnToday", parseToday), strict(o, "timeToday", parseToday))
	description := defaulted(o, "desc", text, "")
	markdown := defaulted(o, "md", boolean, false)
	o.get("return")
	if strict(o, "dyn", parseDyn) {
		f := parseFiltered(o)
		d.Kind = putMessage([]byte{}, kindFiltered, f.encode())
	} else {
		n := parseNormal(o)
		n.description, n.markdown = description, markdown
		d.Kind = putMessage([]byte{}, kindNormal, n.encode())
	}
	if o.err != nil {
		return nil, o.err
	}
	c.other = encodeOther(o.rest())
	d.Common = c.encode()
	return d, nil
}

// parseDyn tells a filtered deck from a normal one.
func parseDyn(raw []byte) (filtered, ok bool) {
	if v, ok := boolean(raw); ok {
		return v, true
	}
	v, ok := u8(raw)
	return v == 1, ok
}

// today is an amount and the day on which it was studied.
type today struct{ day, amount int64 }

// parseToday takes [day, amount]. The last element is the amount; what is no integer or is missing counts as 0.
func parseToday(raw []byte) (t today, ok bool) {
	list, ok := jsontext.Elements(raw)
	if !ok {
		return t, false
	}
	at := func(i int) int64 {
		if i < 0 {
			return 0
		}
		v, _ := i64(list[i])
		return int64(int32(v))
	}
	return today{at(len(list) - 2), at(len(list) - 1)}, true
}

// setToday stores four counters that have one day in common: amounts of another day are gone, except the time. The
// day of the learning counter takes no part in finding the common one.
func (c *deckCommon) setToday(newCards, review, learning, millis today) {
	day := max(newCards.day, review.day, millis.day)
	amount := func(t today) int64 {
		if t.day != day {
			return 0
		}
		return t.amount
	}
	c.lastDay = int64(uint32(day))
	c.newStudied, c.reviewStudied, c.learningStudied = amount(newCards), amount(review), amount(learning)
	c.millisStudied = millis.amount
}

// AppendJSON appends the deck as JSON. Blobs that do not decode and a name that is not UTF-8 are
// fault.DamagedFile. Equal decks give equal text.
func (d *Deck) AppendJSON(dst []byte) ([]byte, error) {
	c, err := decodeCommon(d.Common)
	var kind deckKind
	if err == nil {
		kind, err = decodeKind(d.Kind)
	}
	if err == nil && !validText(d.Name) {
		err = errName
	}
	if err != nil {
		return nil, fault.Wrap(fault.DamagedFile, err, "deck %d", d.ID)
	}
	dst = append(dst, '{')
	dst = jsontext.PutInt(dst, "id", d.ID)
	dst = jsontext.PutInt(dst, "mod", d.Mod)
	dst = jsontext.PutText(dst, "name", names.DeckHuman(d.Name))
	dst = jsontext.PutInt(dst, "usn", int64(d.USN))
	dst = c.append(dst)
	if kind.filtered != nil {
		dst = kind.filtered.append(dst)
		return append(appendMembers(dst, deckOther(c.other, filteredKeys, false)), '}'), nil
	}
	dst = kind.normal.append(dst)
	return append(appendMembers(dst, deckOther(c.other, nil, kind.normal.markdown)), '}'), nil
}

// deckOther is decodeOther for a deck. A member "md" cannot have got there by sync, but the reference sends it; we do
// unless it would be there twice, or would make the receiver refuse the deck.
func deckOther(other []byte, kindKeys []string, markdown bool) []jsontext.Member {
	return slices.DeleteFunc(decodeOther(other, slices.Concat(deckKeys, kindKeys)), func(m jsontext.Member) bool {
		_, ok := boolean(m.Raw)
		return m.Key == "md" && (markdown || !ok)
	})
}

func (c *deckCommon) append(dst []byte) []byte {
	dst = appendToday(dst, "lrnToday", c.lastDay, c.learningStudied)
	dst = appendToday(dst, "revToday", c.lastDay, c.reviewStudied)
	dst = appendToday(dst, "newToday", c.lastDay, c.newStudied)
	dst = appendToday(dst, "timeToday", c.lastDay, c.millisStudied)
	dst = jsontext.PutBool(dst, "collapsed", c.collapsed)
	return jsontext.PutBool(dst, "browserCollapsed", c.browserCollapsed)
}

func appendToday(dst []byte, key string, day, amount int64) []byte {
	dst = append(jsontext.AppendKey(dst, key), '[')
	return append(appendElement(appendElement(dst, day), amount), ']')
}

func decodeCommon(b []byte) (c deckCommon, err error) {
	for m := newMessage(b, &err); m.next(); {
		switch m.num {
		case 1:
			m.bool(&c.collapsed)
		case 2:
			m.bool(&c.browserCollapsed)
		case 3:
			m.uint32(&c.lastDay)
		case 4:
			m.int32(&c.newStudied)
		case 5:
			m.int32(&c.reviewStudied)
		case 6:
			m.int32(&c.learningStudied)
		case 7:
			m.int32(&c.millisStudied)
		case fieldOther:
			m.bytes(&c.other)
		}
	}
	return c, err
}

func (c *deckCommon) encode() []byte {
	dst := putBool([]byte{}, 1, c.collapsed)
	dst = putBool(dst, 2, c.browserCollapsed)
	dst = putInt(dst, 3, c.lastDay)
	dst = putInt(dst, 4, c.newStudied)
	dst = putInt(dst, 5, c.reviewStudied)
	dst = putInt(dst, 6, c.learningStudied)
	dst = putInt(dst, 7, c.millisStudied)
	return putBytes(dst, fieldOther, c.other)
}

// maxPercent bounds a percentage on output; the reference's conversion saturates.
const maxPercent = math.MaxUint32

// percent returns what a stored fraction is in JSON: truncated after a multiplication in single precision.
func percent(fraction float32) int64 {
	switch v := fraction * 100; {
	case v >= maxPercent:
		return maxPercent
	case v > 0:
		return int64(v)
	}
	return 0
}
