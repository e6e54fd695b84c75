package legacy

import (
	"math"
	"strconv"
	"unicode/utf8"
)

// The writers of values. They append to JSON text; a key or an element brings its own comma if one is needed.

// separate appends a comma unless what follows is the first in its object or array.
func separate(dst []byte) []byte {
	if c := dst[len(dst)-1]; c == '{' || c == '[' {
		return dst
	}
	return append(dst, ',')
}

func appendKey(dst []byte, key string) []byte {
	return append(appendString(separate(dst), key), ':')
}

func appendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

func appendText(dst []byte, key, v string) []byte { return appendString(appendKey(dst, key), v) }

func appendInt(dst []byte, key string, v int64) []byte {
	return strconv.AppendInt(appendKey(dst, key), v, 10)
}

func appendBool(dst []byte, key string, v bool) []byte {
	return strconv.AppendBool(appendKey(dst, key), v)
}

func appendOptional(dst []byte, key string, v *int64) []byte {
	if v == nil {
		return append(appendKey(dst, key), "null"...)
	}
	return appendInt(dst, key, *v)
}

// appendFloat writes 0.0 for what JSON has no number for: null makes the reference refuse the whole message.
func appendFloat(dst []byte, key string, v float32) []byte {
	if !isFinite(v) {
		v = 0
	}
	return appendNumber(appendKey(dst, key), v)
}

// appendFloats leaves out what JSON has no number for.
func appendFloats(dst []byte, key string, list []float32) []byte {
	dst = append(appendKey(dst, key), '[')
	for _, v := range list {
		if isFinite(v) {
			dst = appendNumber(separate(dst), v)
		}
	}
	return append(dst, ']')
}

func isFinite(v float32) bool { return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0) }

// appendNumber writes the shortest decimal that identifies the single-precision value, with a fraction or an
// exponent, so that it reads as a float.
func appendNumber(dst []byte, v float32) []byte {
	format := byte('f')
	if abs := math.Abs(float64(v)); abs != 0 && (abs < 1e-5 || abs >= 1e16) {
		format = 'e'
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, float64(v), format, -1, 32)
	for _, c := range dst[start:] {
		if c == '.' || c == 'e' {
			return dst
		}
	}
	return append(dst, ".0"...)
}

// validText reports whether text from a file can be sent: JSON is UTF-8.
func validText(list ...string) bool {
	for _, s := range list {
		if !utf8.ValidString(s) {
			return false
		}
	}
	return true
}

// appendElement writes an integer in an array.
func appendElement(dst []byte, v int64) []byte { return strconv.AppendInt(separate(dst), v, 10) }
