package jsontext

import (
	"github.com/cardferry/cardferry/core/order"
)

// The writers of this file append a member of an object or an element of an array with the comma before it, if one is
// needed.

// Separate appends a comma unless what follows is the first in its object or array.
func Separate(dst []byte) []byte {
	if n := len(dst); n > 0 && dst[n-1] != '{' && dst[n-1] != '[' {
		return append(dst, ',')
	}
	return dst
}

// AppendKey appends a member's key and the colon.
func AppendKey(dst []byte, key string) []byte {
	return append(AppendString(Separate(dst), key), ':')
}

// PutText appends a member whose value is a string.
func PutText(dst []byte, key, v string) []byte { return AppendString(AppendKey(dst, key), v) }

// PutInt appends a member whose value is an integer.
func PutInt(dst []byte, key string, v int64) []byte { return AppendInt(AppendKey(dst, key), v) }

// PutBool appends a member whose value is true or false.
func PutBool(dst []byte, key string, v bool) []byte { return AppendBool(AppendKey(dst, key), v) }

// Put appends a member with a value that AppendAny takes.
func Put(dst []byte, key string, v any) []byte { return AppendAny(AppendKey(dst, key), v) }

// Appender is a value that writes itself.
type Appender interface {
	// AppendJSON appends one JSON value, the same text for equal values.
	AppendJSON(dst []byte) []byte
}

// AppendAny appends nil, a bool, int, int32, int64, string, []string, map[string]int64, map[string]any of such values,
// or an Appender; maps in the order of their keys. It panics on another type, which is a defect of the caller.
func AppendAny(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return AppendBool(dst, v)
	case int:
		return AppendInt(dst, int64(v))
	case int32:
		return AppendInt(dst, int64(v))
	case int64:
		return AppendInt(dst, v)
	case string:
		return AppendString(dst, v)
	case []string:
		return AppendStrings(dst, v)
	case map[string]int64:
		return AppendCounts(dst, v)
	case map[string]any:
		dst = append(dst, '{')
		for _, k := range order.Keys(v) {
			dst = Put(dst, k, v[k])
		}
		return append(dst, '}')
	case Appender:
		return v.AppendJSON(dst)
	}
	panic("jsontext: a value of a type that AppendAny does not take")
}

// AppendStrings appends an array of strings.
func AppendStrings(dst []byte, list []string) []byte {
	dst = append(dst, '[')
	for _, s := range list {
		dst = AppendString(Separate(dst), s)
	}
	return append(dst, ']')
}

// AppendCounts appends an object of numbers, in the order of the keys.
func AppendCounts(dst []byte, m map[string]int64) []byte {
	dst = append(dst, '{')
	for _, k := range order.Keys(m) {
		dst = PutInt(dst, k, m[k])
	}
	return append(dst, '}')
}
