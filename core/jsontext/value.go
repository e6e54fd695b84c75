package jsontext

import (
	"math"
	"strconv"
)

// The readers of this file convert the text of one value, as Member.Raw and Elements give it; ok is false if it is of
// another type or out of range.

// String returns the value of a string.
func String(raw []byte) (v string, ok bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	return DecodeString(raw), true
}

// Strings returns the values of an array of strings.
func Strings(raw []byte) (v []string, ok bool) {
	list, ok := Elements(raw)
	if !ok {
		return nil, false
	}
	v = make([]string, len(list))
	for i, e := range list {
		if v[i], ok = String(e); !ok {
			return nil, false
		}
	}
	return v, true
}

// Bool returns the value of true or false.
func Bool(raw []byte) (v, ok bool) {
	switch string(raw) {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	return false, false
}

// Int returns the value of an integer: a number without fraction or exponent ("5.0" is none).
func Int(raw []byte) (v int64, ok bool) {
	if string(raw) == "-0" {
		return 0, false // a float to the reference
	}
	v, err := strconv.ParseInt(string(raw), 10, 64)
	return v, err == nil && raw[0] != '+'
}

// IntIn is Int for values from lo to hi.
func IntIn(raw []byte, lo, hi int64) (v int64, ok bool) {
	v, ok = Int(raw)
	return v, ok && lo <= v && v <= hi
}

// Int32 is Int for 32-bit integers.
func Int32(raw []byte) (v int32, ok bool) {
	n, ok := IntIn(raw, math.MinInt32, math.MaxInt32)
	return int32(n), ok
}

// Float returns the value of a number.
func Float(raw []byte) (v float64, ok bool) {
	if len(raw) == 0 || raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
		return 0, false
	}
	v, err := strconv.ParseFloat(string(raw), 64)
	return v, err == nil
}

// Any returns the value of any text as encoding/json would decode it, but integers of 64 bits as int64. It is for hosts.
func Any(raw []byte) (v any, ok bool) {
	switch raw[0] {
	case 'n':
		return nil, string(raw) == "null"
	case '"':
		return String(raw)
	case '{':
		return anyObject(raw)
	case '[':
		list, ok := Elements(raw)
		out := make([]any, len(list))
		for i := 0; i < len(list) && ok; i++ {
			out[i], ok = Any(list[i])
		}
		return out, ok
	case 't', 'f':
		return Bool(raw)
	}
	if n, ok := Int(raw); ok {
		return n, true
	}
	return Float(raw)
}

func anyObject(raw []byte) (map[string]any, bool) {
	members, err := ParseObject(raw)
	if err != nil {
		return nil, false
	}
	out := make(map[string]any, len(members))
	for _, m := range members {
		var ok bool
		if out[m.Key], ok = Any(m.Raw); !ok {
			return nil, false
		}
	}
	return out, true
}

// Get returns the value of the last member with the key, nil if there is none.
func Get(members []Member, key string) []byte {
	for i := len(members) - 1; i >= 0; i-- {
		if members[i].Key == key {
			return members[i].Raw
		}
	}
	return nil
}
