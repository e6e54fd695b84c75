package legacy

import (
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/jsontext"
)

// The numbers of the two alternatives of the message Deck.KindContainer.
const (
	kindNormal   = 1
	kindFiltered = 2
)

// deckKind is the message Deck.KindContainer: one of the two is set.
type deckKind struct {
	normal   *normalDeck
	filtered *filteredDeck
}

func decodeKind(b []byte) (k deckKind, err error) {
	for m := newMessage(b, &err); m.next(); {
		var body []byte
		switch m.num {
		case kindNormal:
			m.bytes(&body)
			if k.normal == nil {
				k = deckKind{normal: &normalDeck{}}
			}
			k.normal.decode(body, &err)
		case kindFiltered:
			m.bytes(&body)
			if k.filtered == nil {
				k = deckKind{filtered: &filteredDeck{}}
			}
			k.filtered.decode(body, &err)
		}
	}
	if err == nil && k == (deckKind{}) {
		err = fault.New(fault.DamagedFile, "deck without a kind")
	}
	return k, err
}

// normalDeck is the message Deck.Normal.
type normalDeck struct {
	configID         int64
	extendNew        int64
	extendReview     int64
	description      string
	markdown         bool
	reviewLimit      *int64
	newLimit         *int64
	reviewLimitToday *dayLimit
	newLimitToday    *dayLimit
	desiredRetention *float32
}

// dayLimit is the message DayLimit: a limit that holds for one day.
type dayLimit struct{ limit, today int64 }

func parseNormal(o *object) normalDeck {
	n := normalDeck{
		configID:         strict(o, "conf", number),
		extendNew:        max(0, tolerant(o, "extendNew", i32, 0)),
		extendReview:     max(0, tolerant(o, "extendRev", i32, 0)),
		reviewLimit:      tolerant(o, "reviewLimit", set(u32), nil),
		newLimit:         tolerant(o, "newLimit", set(u32), nil),
		reviewLimitToday: tolerant(o, "reviewLimitToday", set(parseDayLimit), nil),
		newLimitToday:    tolerant(o, "newLimitToday", set(parseDayLimit), nil),
	}
	if v := tolerant(o, "desiredRetention", set(u32), nil); v != nil {
		fraction := float32(*v) / 100
		n.desiredRetention = &fraction
	}
	return n
}

// parseDayLimit takes {"limit": 5, "today": 6} or [5, 6].
func parseDayLimit(raw []byte) (d dayLimit, ok bool) {
	if list, ok := listOf(u32)(raw); ok {
		if len(list) != 2 {
			return d, false
		}
		return dayLimit{list[0], list[1]}, true
	}
	o := newObject("day limit", raw, false)
	d = dayLimit{strict(o, "limit", u32), strict(o, "today", u32)}
	return d, o.err == nil
}

func (n *normalDeck) append(dst []byte) []byte {
	dst = jsontext.PutText(dst, "desc", n.description)
	if n.markdown {
		dst = jsontext.PutBool(dst, "md", true)
	}
	dst = jsontext.PutInt(dst, "dyn", 0)
	dst = jsontext.PutInt(dst, "conf", n.configID)
	dst = jsontext.PutInt(dst, "extendNew", n.extendNew)
	dst = jsontext.PutInt(dst, "extendRev", n.extendReview)
	dst = appendOptional(dst, "reviewLimit", n.reviewLimit)
	dst = appendOptional(dst, "newLimit", n.newLimit)
	dst = appendDayLimit(dst, "reviewLimitToday", n.reviewLimitToday)
	dst = appendDayLimit(dst, "newLimitToday", n.newLimitToday)
	var desired *int64
	if n.desiredRetention != nil {
		v := percent(*n.desiredRetention)
		desired = &v
	}
	return appendOptional(dst, "desiredRetention", desired)
}

func appendDayLimit(dst []byte, key string, d *dayLimit) []byte {
	if d == nil {
		return appendOptional(dst, key, nil)
	}
	dst = append(jsontext.AppendKey(dst, key), '{')
	return append(jsontext.PutInt(jsontext.PutInt(dst, "limit", d.limit), "today", d.today), '}')
}

func (n *normalDeck) decode(b []byte, err *error) {
	for m := newMessage(b, err); m.next(); {
		switch m.num {
		case 1:
			m.int64(&n.configID)
		case 2:
			m.uint32(&n.extendNew)
		case 3:
			m.uint32(&n.extendReview)
		case 4:
			m.string(&n.description)
		case 5:
			m.bool(&n.markdown)
		case 6:
			n.reviewLimit = new(int64)
			m.uint32(n.reviewLimit)
		case 7:
			n.newLimit = new(int64)
			m.uint32(n.newLimit)
		case 8:
			m.dayLimit(&n.reviewLimitToday)
		case 9:
			m.dayLimit(&n.newLimitToday)
		case 10:
			n.desiredRetention = new(float32)
			m.float(n.desiredRetention)
		}
	}
}

// dayLimit reads a DayLimit into one that was there before, as protobuf merges messages.
func (m *message) dayLimit(p **dayLimit) {
	var body []byte
	m.bytes(&body)
	if *p == nil {
		*p = &dayLimit{}
	}
	for d := newMessage(body, m.err); d.next(); {
		switch d.num {
		case 1:
			d.uint32(&(*p).limit)
		case 2:
			d.uint32(&(*p).today)
		}
	}
}

func (n *normalDeck) encode() []byte {
	dst := putInt(nil, 1, n.configID)
	dst = putInt(dst, 2, n.extendNew)
	dst = putInt(dst, 3, n.extendReview)
	dst = putBytes(dst, 4, n.description)
	dst = putBool(dst, 5, n.markdown)
	dst = putSetInt(dst, 6, n.reviewLimit)
	dst = putSetInt(dst, 7, n.newLimit)
	dst = putDayLimit(dst, 8, n.reviewLimitToday)
	dst = putDayLimit(dst, 9, n.newLimitToday)
	return putSetFloat(dst, 10, n.desiredRetention)
}

func putDayLimit(dst []byte, num int, d *dayLimit) []byte {
	if d == nil {
		return dst
	}
	return putMessage(dst, num, putInt(putInt(nil, 1, d.limit), 2, d.today))
}
