package wire

import (
	"bytes"
	"math"
	"strconv"
	"strings"

	"github.com/cardferry/cardferry/core/jsontext"
)

// cardKeys are the members of cards.data that survive, in the order in which they are written.
var cardKeys = [...]string{"pos", "s", "d", "dr", "decay", "lrt", "cd"}

const (
	cardPos = iota
	cardS
	cardD
	cardDR
	cardDecay
	cardLRT
	cardCD
)

// cardPlaces are the decimals to which the floats are rounded.
var cardPlaces = [...]int{cardS: 4, cardD: 3, cardDR: 2, cardDecay: 3}

// CardData returns cards.data as the reference writes it (collection-format.md §1.5): only the keys it knows, in its
// order, floats rounded. What is no valid object becomes "{}". It runs for every card of a sync, hence the care.
func CardData(data string) string {
	if data == "" {
		return "{}"
	}
	if data == "{}" || isCanonical(data) {
		return data
	}
	values, ok := parseCardData([]byte(data))
	if !ok {
		return "{}"
	}
	var out [192]byte
	b := append(out[:0], '{')
	for i, v := range values {
		if v == nil {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), cardKeys[i]...), '"', ':')
		b = append(b, v...)
	}
	if b = append(b, '}'); string(b) == data {
		return data
	}
	return string(b)
}

// isCanonical reports that data is as CardData writes it; nearly all is. It does not find out about everything that is.
func isCanonical(data string) bool {
	if data[0] != '{' {
		return false
	}
	var seen uint
	for i, key := 1, 0; ; key++ {
		for key < len(cardKeys) && !isMember(data[i:], cardKeys[key]) {
			key++
		}
		if key == len(cardKeys) || key == cardCD {
			return false
		}
		seen |= 1 << key
		start := i + len(cardKeys[key]) + len(`"":`)
		for i = start; i < len(data) && (data[i]-'0' <= 9 || data[i] == '.'); i++ {
		}
		if i == len(data) || !isCanonicalValue(key, data[start:i]) {
			return false
		}
		if data[i] == '}' {
			return i == len(data)-1 && (seen>>cardS&1 == seen>>cardD&1)
		}
		if data[i] != ',' {
			return false
		}
		i++
	}
}

// isMember reports that s begins with the key and a colon.
func isMember(s, key string) bool {
	n := len(key)
	return len(s) > n+3 && s[0] == '"' && s[n+1] == '"' && s[n+2] == ':' && s[1:n+1] == key
}

// isCanonicalValue reports that v, which has digits and points only, is the value of a key as it is written.
func isCanonicalValue(key int, v string) bool {
	if len(v) == 0 || v[0] == '0' && len(v) > 1 && v[1] != '.' || v[0] == '.' || v[len(v)-1] == '.' {
		return false
	}
	switch key {
	case cardPos:
		return len(v) < 10 && strings.IndexByte(v, '.') < 0
	case cardLRT:
		return len(v) < 19 && strings.IndexByte(v, '.') < 0
	}
	return isRounded(v, cardPlaces[key])
}

// parseCardData returns the values of cardKeys as they are written, nil for what is unset. A known key that occurs
// twice or a custom datum of a wrong type spoils the whole.
func parseCardData(b []byte) (values [len(cardKeys)][]byte, ok bool) {
	s := newTupleScanner(b)
	var seen [len(cardKeys)]bool
	s.object(func(key []byte) {
		i := 0
		for i < len(cardKeys) && string(key) != cardKeys[i] {
			i++
		}
		raw := s.other()
		if i == len(cardKeys) || s.err != nil {
			return
		}
		if seen[i] {
			s.fail(errTwice)
			return
		}
		seen[i] = true
		values[i] = cardValue(s, i, raw)
	})
	if values[cardS] == nil || values[cardD] == nil { // a lone one is lost
		values[cardS], values[cardD] = nil, nil
	}
	return values, s.end() == nil
}

// cardValue returns the value of key i as it is written, nil if it has a wrong type.
func cardValue(s *tupleScanner, i int, raw []byte) []byte {
	switch i {
	case cardPos:
		if _, ok := jsontext.IntIn(raw, 0, math.MaxUint32); ok {
			return raw
		}
	case cardLRT:
		if _, ok := jsontext.Int(raw); ok {
			return raw
		}
	case cardCD:
		switch cd, ok := jsontext.String(raw); {
		case !ok:
			s.fail(errType)
		case cd != "" && cd != "{}":
			return jsontext.AppendString(nil, cd)
		}
	default:
		places := cardPlaces[i]
		if isRounded(raw, places) {
			return raw
		}
		if f, ok := jsontext.Float(raw); ok {
			return appendRounded(nil, float32(f), places)
		}
	}
	return nil
}

// isRounded reports that a number needs no rounding, because it is a positive one with 1 to places decimals, and so few
// digits that single precision neither moves the last place nor prints another text. Nearly all are.
func isRounded[T string | []byte](raw T, places int) bool {
	scaled, point := 0, -1
	for i := range len(raw) {
		switch c := raw[i]; {
		case c == '.' && point < 0:
			point = i
		case c-'0' > 9 || scaled > 99999:
			return false
		default:
			scaled = scaled*10 + int(c-'0')
		}
	}
	decimals := len(raw) - 1 - point
	if point < 0 || decimals > places || decimals > 1 && raw[len(raw)-1] == '0' {
		return false
	}
	for ; decimals < places; decimals++ {
		scaled *= 10
	}
	return scaled <= 999999
}

// appendRounded appends f rounded half away from zero to some places, all in single precision, the way the reference's
// printer does it: exponents from 1e13 on, null for what is no number any more.
func appendRounded(b []byte, f float32, places int) []byte {
	scale := [...]float32{1, 10, 100, 1000, 10000}[places]
	f = float32(math.Round(float64(f*scale))) / scale
	switch {
	case math.IsInf(float64(f), 0):
		return append(b, "null"...)
	case f >= 1e13 || f <= -1e13:
		b = strconv.AppendFloat(b, float64(f), 'e', -1, 32)
		sign := bytes.LastIndexByte(b, '+')
		return append(b[:sign], b[sign+1:]...)
	}
	from := len(b)
	b = strconv.AppendFloat(b, float64(f), 'f', -1, 32)
	if bytes.IndexByte(b[from:], '.') < 0 {
		b = append(b, ".0"...)
	}
	return b
}

// CardMembers are the members of cards.data as they are written, nil for what is unset.
type CardMembers [len(cardKeys)][]byte

// The indexes of CardMembers.
const (
	CardPos        = cardPos // position among the new cards
	CardStability  = cardS   // of FSRS, as the next three
	CardDifficulty = cardD
	CardRetention  = cardDR    // the desired one
	CardDecay      = cardDecay //
	CardLastTime   = cardLRT   // of an answer, in seconds
	CardCustom     = cardCD
)

// ParseCardMembers reads cards.data; what is no valid object has no members.
func ParseCardMembers(data string) CardMembers {
	values, ok := parseCardData([]byte(data))
	if !ok {
		return CardMembers{}
	}
	return values
}

// Number returns a member, if it is set.
func (m *CardMembers) Number(i int) (v float64, ok bool) { return jsontext.Float(m[i]) }

// SetInt sets an integer.
func (m *CardMembers) SetInt(i int, v int64) { m[i] = strconv.AppendInt(nil, v, 10) }

// SetFloat sets a number, rounded as it is written.
func (m *CardMembers) SetFloat(i int, v float32) { m[i] = appendRounded(nil, v, cardPlaces[i]) }

// String returns cards.data.
func (m *CardMembers) String() string {
	b := []byte{'{'}
	for i, v := range m {
		if v != nil {
			b = append(jsontext.AppendKey(b, cardKeys[i]), v...)
		}
	}
	return string(append(b, '}'))
}
