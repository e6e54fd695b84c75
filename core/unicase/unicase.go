// Package unicase is the collation of the same name that collection files are built with: comparison by full
// Unicode case folding with a table that is frozen, because the order of the indexes in every file depends on it
// (collection-format.md §1.2, §8.5, Appendix A). Neither golang.org/x/text/cases nor strings.EqualFold has it.
package unicase

import (
	"cmp"
	"unicode/utf8"
	"unsafe"
)

// Compare returns -1, 0 or +1 as a sorts before, equal to or after b. It does not allocate.
//
// Text that is not valid UTF-8 has an order too: each invalid byte counts as a character of its own after all
// real ones, so that the order stays total.
func Compare(a, b []byte) int {
	// SQLite calls this with bytes for each comparison; the strings live no longer than the call.
	return CompareStrings(unsafe.String(unsafe.SliceData(a), len(a)), unsafe.String(unsafe.SliceData(b), len(b)))
}

// CompareStrings is Compare for strings.
func CompareStrings(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		c, d := a[i], b[i]
		if c == d {
			continue
		}
		if c|d >= utf8.RuneSelf {
			return compareFolded(a, b, i)
		}
		if c, d = foldASCII(c), foldASCII(d); c != d {
			return cmp.Compare(c, d)
		}
	}
	if !startsAt(a, n) || !startsAt(b, n) {
		return compareFolded(a, b, n)
	}
	// Each character folds to at least one, so that more text sorts after.
	return cmp.Compare(len(a), len(b))
}

// Equal reports whether a and b are the same name for a collection.
func Equal(a, b string) bool { return CompareStrings(a, b) == 0 }

// Fold returns s with each code point folded. Invalid bytes are kept. Two strings are Equal if and only if their
// folded forms are the same.
func Fold(s string) string {
	i := unfolded(s)
	if i == len(s) {
		return s
	}
	dst := append(make([]byte, 0, len(s)+4), s[:i]...)
	for i < len(s) {
		r, size := utf8.DecodeRuneInString(s[i:])
		one, more := foldRune(r)
		switch {
		case r == utf8.RuneError && size == 1:
			dst = append(dst, s[i])
		case more == nil:
			dst = utf8.AppendRune(dst, one)
		default:
			for _, m := range more {
				dst = utf8.AppendRune(dst, m)
			}
		}
		i += size
	}
	return string(dst)
}

// unfolded returns the length of the prefix of s that is known to be folded already.
func unfolded(s string) int {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf || foldASCII(s[i]) != s[i] {
			return i
		}
	}
	return len(s)
}

func foldASCII(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// compareFolded compares one folded code point at a time. Before i the strings are equal but for the case of ASCII
// letters; at i there may be the middle of a code point.
func compareFolded(a, b string, i int) int {
	i = boundary(a, b, i)
	x, y := reader{rest: a[i:]}, reader{rest: b[i:]}
	for {
		if len(x.pending)+len(y.pending) == 0 {
			same := samePrefix(x.rest, y.rest)
			x.rest, y.rest = x.rest[same:], y.rest[same:]
		}
		r, s := x.next(), y.next()
		switch {
		case r != s:
			return cmp.Compare(r, s)
		case r == end:
			return 0
		}
	}
}

// startsAt reports whether a code point or an invalid byte begins at s[i]; the end counts too. A continuation byte
// is taken for the middle of a code point.
func startsAt(s string, i int) bool { return i == len(s) || utf8.RuneStart(s[i]) }

// samePrefix returns the length of a prefix of whole code points that a and b share. Names that differ in the case
// of one letter are the usual case here, and the letters after it need no table.
func samePrefix(a, b string) int {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	return boundary(a, b, i)
}

// boundary returns a place at most three bytes before i where a code point or an invalid byte begins in both
// strings. Those bytes are the same in both, so that the last first byte of a code point among them is such a place;
// if there is none, no code point reaches across i.
func boundary(a, b string, i int) int {
	if startsAt(a, i) && startsAt(b, i) {
		return i
	}
	for k := i - 1; k >= max(0, i-utf8.UTFMax+1); k-- {
		if utf8.RuneStart(a[k]) {
			return k
		}
	}
	return i
}

// end is what a reader returns after the last code point; it sorts before all of them.
const end rune = -1

// reader yields the folded code points of a string.
type reader struct {
	rest    string
	pending []rune // the remainder of a fold to several code points; part of the table
}

func (f *reader) next() rune {
	if len(f.pending) > 0 {
		r := f.pending[0]
		f.pending = f.pending[1:]
		return r
	}
	if f.rest == "" {
		return end
	}
	if c := f.rest[0]; c < utf8.RuneSelf {
		f.rest = f.rest[1:]
		return rune(foldASCII(c))
	}
	r, size := utf8.DecodeRuneInString(f.rest)
	if r == utf8.RuneError && size == 1 {
		r = utf8.MaxRune + 1 + rune(f.rest[0])
	}
	f.rest = f.rest[size:]
	one, more := foldRune(r)
	if more == nil {
		return one
	}
	f.pending = more[1:]
	return more[0]
}
