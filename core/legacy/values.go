package legacy

import (
	"math"
	"strconv"
	"strings"

	"github.com/cardferry/cardferry/core/jsontext"
)

// The parsers of values. An integer is a number without fraction and exponent: 5.0 is none.

func integer(lo, hi int64) parser[int64] {
	return func(raw []byte) (int64, bool) { return jsontext.IntIn(raw, lo, hi) }
}

func i64(raw []byte) (int64, bool) { return jsontext.Int(raw) }
func i32(raw []byte) (int64, bool) { return jsontext.IntIn(raw, math.MinInt32, math.MaxInt32) }
func u32(raw []byte) (int64, bool) { return jsontext.IntIn(raw, 0, math.MaxUint32) }
func u16(raw []byte) (int64, bool) { return jsontext.IntIn(raw, 0, math.MaxUint16) }
func u8(raw []byte) (int64, bool)  { return jsontext.IntIn(raw, 0, math.MaxUint8) }

// number is class N: an integer, or a string that holds one, with an optional sign and without spaces.
func number(raw []byte) (int64, bool) {
	if s, ok := text(raw); ok {
		v, err := strconv.ParseInt(s, 10, 64)
		return v, err == nil
	}
	return i64(raw)
}

// f32 takes integers as well. The rounding goes through float64, as the reference's does.
func f32(raw []byte) (float32, bool) {
	if v, ok := i64(raw); ok {
		return float32(v), true
	}
	v, err := strconv.ParseFloat(string(raw), 64)
	return float32(v), err == nil
}

func boolean(raw []byte) (v, ok bool) { return jsontext.Bool(raw) }

// looseBool is class B.
func looseBool(raw []byte) (v, ok bool) {
	if v, ok := boolean(raw); ok {
		return v, true
	}
	s, isText := text(raw)
	if !isText {
		s = string(raw)
	}
	switch {
	case isText && strings.EqualFold(s, "true"):
		return true, true
	case isText && strings.EqualFold(s, "false"):
		return false, true
	}
	f, err := strconv.ParseFloat(s, 64)
	return f == 1, err == nil && (f == 0 || f == 1)
}

func text(raw []byte) (string, bool) { return jsontext.String(raw) }

// orNull makes an optional value: null is none.
func orNull[T any](parse parser[T]) parser[*T] {
	return func(raw []byte) (*T, bool) {
		if string(raw) == "null" {
			return nil, true
		}
		return set(parse)(raw)
	}
}

// set makes an optional value for the classes in which null needs no case of its own.
func set[T any](parse parser[T]) parser[*T] {
	return func(raw []byte) (*T, bool) {
		v, ok := parse(raw)
		if !ok {
			return nil, false
		}
		return &v, true
	}
}

// listOf takes an array of values that are all of the type.
func listOf[T any](parse parser[T]) parser[[]T] {
	return func(raw []byte) ([]T, bool) {
		items, ok := jsontext.Elements(raw)
		if !ok {
			return nil, false
		}
		var list []T
		for _, item := range items {
			v, ok := parse(item)
			if !ok {
				return nil, false
			}
			list = append(list, v)
		}
		return list, true
	}
}
