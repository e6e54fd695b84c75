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

// Get returns the value of the last member with the key, nil if there is none.
func Get(members []Member, key string) []byte {
	for i := len(members) - 1; i >= 0; i-- {
		if members[i].Key == key {
			return members[i].Raw
		}
	}
	return nil
}
