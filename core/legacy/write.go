package legacy

import (
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/cardferry/cardferry/core/jsontext"
)

// The writers of values. They append to JSON text; a key or an element brings its own comma if one is needed.

func appendOptional(dst []byte, key string, v *int64) []byte {
	if v == nil {
		return append(jsontext.AppendKey(dst, key), "null"...)
	}
	return jsontext.PutInt(dst, key, *v)
}

// appendFloat writes 0.0 for what JSON has no number for: null makes the reference refuse the whole message.
func appendFloat(dst []byte, key string, v float32) []byte {
	if !isFinite(v) {
		v = 0
	}
	return appendNumber(jsontext.AppendKey(dst, key), v)
}

// appendFloats leaves out what JSON has no number for.
func appendFloats(dst []byte, key string, list []float32) []byte {
	dst = append(jsontext.AppendKey(dst, key), '[')
	for _, v := range list {
		if isFinite(v) {
			dst = appendNumber(jsontext.Separate(dst), v)
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
func appendElement(dst []byte, v int64) []byte {
	return strconv.AppendInt(jsontext.Separate(dst), v, 10)
}
