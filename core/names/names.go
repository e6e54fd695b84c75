// Package names has the rules for the names of decks and tags (collection-format.md §5.5, §8.1, §8.2): how they
// are normalised when they arrive from outside, and how a clash is resolved.
package names

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cardferry/cardferry/core/host"
)

// separator is what divides the components of a deck name in a file; people and the protocol see "::".
const separator = "\x1f"

// DeckNative returns the form in which a deck name is stored: its components, each normalised, joined by U+001F.
// Do not pass it a native name: the separator is a control character and would vanish.
func DeckNative(t host.Text, human string) string {
	return components(t, human, separator, deckComponent)
}

// DeckHuman returns the form of a stored deck name that people and the protocol see.
func DeckHuman(native string) string { return strings.ReplaceAll(native, separator, "::") }

// DeckParent returns the native name of the deck above, "" for a deck at the top.
func DeckParent(native string) string {
	i := strings.LastIndex(native, separator)
	if i < 0 {
		return ""
	}
	return native[:i]
}

// Tag returns the normalised form of a tag.
func Tag(t host.Text, name string) string { return components(t, name, "::", tagComponent) }

// TagParent returns the tag above, "" for a tag at the top.
func TagParent(tag string) string {
	i := strings.LastIndex(tag, "::")
	if i < 0 {
		return ""
	}
	return tag[:i]
}

// Unique appends suffix to name until it is not taken ("+" in a merge, "_" in an upgrade from schema 11). Whether a
// name is taken is decided under the collation unicase by a row other than the one to be stored.
func Unique(name, suffix string, taken func(name string) (bool, error)) (string, error) {
	for {
		is, err := taken(name)
		if err != nil {
			return "", err
		}
		if !is {
			return name, nil
		}
		name += suffix
	}
}

// components splits name at "::", left to right, and joins the normalised components with sep.
func components(t host.Text, name, sep string, normalise func(host.Text, string) string) string {
	if !strings.Contains(name, "::") {
		return normalise(t, name)
	}
	parts := strings.Split(name, "::")
	for i, p := range parts {
		parts[i] = normalise(t, p)
	}
	return strings.Join(parts, sep)
}

func deckComponent(t host.Text, s string) string {
	s = strings.TrimFunc(remove(NFC(t, s), isControl), func(r rune) bool { return r == ':' || unicode.IsSpace(r) })
	return orBlank(s)
}

func tagComponent(t host.Text, s string) string {
	s = remove(NFC(t, s), func(r rune) bool { return isControl(r) || r == ' ' || r == '\u3000' })
	return orBlank(strings.TrimFunc(s, unicode.IsSpace))
}

func isControl(r rune) bool { return r < 0x20 || r == 0x7f }

func orBlank(s string) string {
	if s == "" {
		return "blank"
	}
	return s
}

// remove returns s without the runes for which drop holds. Most names have none and are returned as they are.
func remove(s string, drop func(rune) bool) string {
	if strings.IndexFunc(s, drop) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if drop(r) {
			return -1
		}
		return r
	}, s)
}

// belowMarks is the first byte of U+0300 in UTF-8. Characters below it combine with nothing and are in form C already.
const belowMarks = 0xcc

// NFC returns s in Unicode normalization form C. The host is asked only for texts that may not be in it: a call to it
// costs more than to look. What is not valid UTF-8 has no such form and stays as it is.
func NFC(t host.Text, s string) string {
	for i := range len(s) {
		if s[i] >= belowMarks {
			if !utf8.ValidString(s) {
				return s
			}
			return t.NFC(s)
		}
	}
	return s
}
