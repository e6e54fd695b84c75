package jsontext

import (
	"encoding/binary"
	"math/bits"
	"strconv"
	"unicode/utf8"
	"unsafe"
)

// AppendString appends s as a JSON string with the shortest escapes. Bytes that are not UTF-8 become U+FFFD.
func AppendString(dst []byte, s string) []byte {
	b := unsafe.Slice(unsafe.StringData(s), len(s)) // read only
	if !utf8.Valid(b) {
		b = []byte(string([]rune(s)))
	}
	dst = append(dst, '"')
	for i := 0; ; {
		run := i
		i = PlainEnd(b, i)
		dst = append(dst, b[run:i]...)
		if i == len(b) {
			return append(dst, '"')
		}
		dst = appendEscape(dst, b[i])
		i++
	}
}

// appendEscape appends a character that a JSON string cannot hold as it is.
func appendEscape(dst []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, `\b`...)
	case '\f':
		return append(dst, `\f`...)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	return append(append(dst, `\u00`...), hex[c>>4], hex[c&15])
}

// PlainEnd returns where the bytes that stand for themselves inside a JSON string end, from i on. It looks at eight
// bytes at a time: below, the high bit of a byte of special is set if that byte is a quote, a backslash or a control
// character (or if it lies behind such a byte, which does not matter).
func PlainEnd(b []byte, i int) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		quote, backslash := x^ones*'"', x^ones*'\\'
		special := ((x-ones*' ')&^x | (quote-ones)&^quote | (backslash-ones)&^backslash) & highs
		if special != 0 {
			return i + bits.TrailingZeros64(special)/8
		}
	}
	for i < len(b) && b[i] >= ' ' && b[i] != '"' && b[i] != '\\' {
		i++
	}
	return i
}

// AppendInt appends a number.
func AppendInt(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }

// AppendBool appends true or false.
func AppendBool(dst []byte, v bool) []byte { return strconv.AppendBool(dst, v) }
