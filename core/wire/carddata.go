package wire

import (
	"math"
	"strconv"
	"strings"

	"github.com/cardferry/cardferry/core/jsontext"
)

// CardData returns cards.data as the reference writes it (collection-format.md §1.5): only the keys it knows, in its
// order, floats rounded. What is no valid object becomes "{}".
func CardData(data string) string {
	if data == "" || data == "{}" {
		return "{}"
	}
	members, err := jsontext.ParseObject([]byte(data))
	if err != nil || hasDuplicate(members) {
		return "{}"
	}
	custom := jsontext.Get(members, "cd")
	if custom != nil && custom[0] != '"' {
		return "{}"
	}
	b := []byte("{")
	if n, ok := jsontext.IntIn(jsontext.Get(members, "pos"), 0, math.MaxUint32); ok {
		b = jsontext.AppendInt(jsontext.AppendKey(b, "pos"), n)
	}
	_, hasS := float32Of(members, "s")
	_, hasD := float32Of(members, "d")
	if hasS && hasD { // a lone one is lost
		b = appendRounded(b, members, "s", 4)
		b = appendRounded(b, members, "d", 3)
	}
	b = appendRounded(b, members, "dr", 2)
	b = appendRounded(b, members, "decay", 3)
	if n, ok := jsontext.Int(jsontext.Get(members, "lrt")); ok {
		b = jsontext.AppendInt(jsontext.AppendKey(b, "lrt"), n)
	}
	if cd, ok := jsontext.String(custom); ok && cd != "" && cd != "{}" {
		b = jsontext.AppendString(jsontext.AppendKey(b, "cd"), cd)
	}
	return string(append(b, '}'))
}

// hasDuplicate reports whether a known key occurs twice.
func hasDuplicate(members []jsontext.Member) bool {
	seen := map[string]bool{}
	for _, m := range members {
		switch m.Key {
		case "pos", "s", "d", "dr", "decay", "lrt", "cd":
			if seen[m.Key] {
				return true
			}
			seen[m.Key] = true
		}
	}
	return false
}

func float32Of(members []jsontext.Member, key string) (float32, bool) {
	f, ok := jsontext.Float(jsontext.Get(members, key))
	return float32(f), ok
}

// appendRounded appends a float, rounded half away from zero in single precision.
func appendRounded(b []byte, members []jsontext.Member, key string, places int) []byte {
	f, ok := float32Of(members, key)
	if !ok {
		return b
	}
	scale := float32(math.Pow10(places))
	rounded := float32(math.Round(float64(f*scale))) / scale
	if math.IsInf(float64(rounded), 0) || math.IsNaN(float64(rounded)) {
		return append(jsontext.AppendKey(b, key), "null"...)
	}
	text := strconv.FormatFloat(float64(rounded), 'f', -1, 32)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return append(jsontext.AppendKey(b, key), text...)
}
