// Package plainfmt is package fmt as far as the guest needs it: messages made of texts, numbers and errors.
//
// Package fmt prints every Go value, for which it needs package reflect and, through its Print functions, package os with all
// that belongs to files: a sixteenth of the transferred guest. wasm/trim builds the guest with this package in its place, so
// that libraries format with it too. What it prints is what fmt prints (a test compares the two) for the verbs d, s, q, v, x, c
// and w, widths, and values that are nil, texts, bytes, truths, numbers, errors and Stringers, also of named types. Any other
// value is printed as "?", any other verb as package fmt prints one that does not suit the value.
package plainfmt

import (
	"io"
	"strconv"
	"unsafe"
)

// Stringer is a value with a text.
type Stringer interface{ String() string }

// Sprintf formats a message.
func Sprintf(format string, args ...any) string { return string(Appendf(nil, format, args...)) }

// Fprintf writes a formatted message.
func Fprintf(w io.Writer, format string, args ...any) (int, error) {
	return w.Write(Appendf(nil, format, args...))
}

// Sprint returns texts of values, here always with spaces between them.
func Sprint(args ...any) string {
	s := Sprintln(args...)
	return s[:len(s)-1]
}

// Sprintln returns texts of values, separated by spaces, and a line break.
func Sprintln(args ...any) string {
	var b []byte
	for i, a := range args {
		if i > 0 {
			b = append(b, ' ')
		}
		b = appendValue(b, 'v', a)
	}
	return string(append(b, '\n'))
}

// Fprint writes texts of values as Sprint returns them.
func Fprint(w io.Writer, args ...any) (int, error) { return io.WriteString(w, Sprint(args...)) }

// Fprintln writes texts of values as Sprintln returns them.
func Fprintln(w io.Writer, args ...any) (int, error) { return io.WriteString(w, Sprintln(args...)) }

// Printf prints nothing: the guest has no output.
func Printf(string, ...any) (int, error) { return 0, nil }

// Println prints nothing: the guest has no output.
func Println(...any) (int, error) { return 0, nil }

// Errorf returns an error with a formatted message. It wraps the operand of the first %w.
func Errorf(format string, args ...any) error {
	e := &wrapped{text: Sprintf(format, args...)}
	for i, n := 0, 0; i+1 < len(format) && n < len(args); i++ {
		if format[i] != '%' {
			continue
		}
		d := parse(format[i+1:])
		i += d.size
		if d.verb == '%' {
			continue
		}
		if err, ok := args[n].(error); ok && d.verb == 'w' {
			e.err = err
			return e
		}
		n++
	}
	return e
}

type wrapped struct {
	text string
	err  error
}

func (e *wrapped) Error() string { return e.text }
func (e *wrapped) Unwrap() error { return e.err }

// directive is what follows a percent sign; size is its length.
type directive struct {
	verb            byte
	left, zero      bool
	width, decimals int
	size            int
}

func parse(s string) (d directive) {
	d.decimals = -1
	number := &d.width
	for d.size < len(s) {
		c := s[d.size]
		d.size++
		switch {
		case c == '-':
			d.left = true
		case c == '0' && number == &d.width && d.width == 0:
			d.zero = true
		case c >= '0' && c <= '9':
			*number = *number*10 + int(c-'0')
		case c == '.':
			d.decimals, number = 0, &d.decimals
		case c == '+' || c == '#' || c == ' ':
		default:
			d.verb = c
			return d
		}
	}
	return d
}

// Appendf appends a formatted message.
func Appendf(b []byte, format string, args ...any) []byte {
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b = append(b, format[i])
			continue
		}
		d := parse(format[i+1:])
		i += d.size
		switch {
		case d.verb == '%':
			b = append(b, '%')
		case d.verb == 0:
			b = append(b, "%!(NOVERB)"...)
		case len(args) == 0:
			b = append(append(append(b, "%!"...), d.verb), "(MISSING)"...)
		default:
			b = appendPadded(b, d, args[0])
			args = args[1:]
		}
	}
	if len(args) > 0 {
		b = append(b, "%!(EXTRA)"...)
	}
	return b
}

func appendPadded(b []byte, d directive, a any) []byte {
	start := len(b)
	if f, ok := a.(float64); ok && d.verb == 'f' {
		b = strconv.AppendFloat(b, f, 'f', max(d.decimals, 0), 64)
	} else {
		b = appendValue(b, d.verb, a)
	}
	width := 0
	for _, c := range b[start:] {
		if c&0xC0 != 0x80 { // counts runes
			width++
		}
	}
	for ; width < d.width; width++ {
		b = append(b, ' ')
		if d.left {
			continue
		}
		at := start
		if d.zero && b[at] == '-' {
			at++
		}
		copy(b[at+1:], b[at:])
		b[at] = ' '
		if d.zero {
			b[at] = '0'
		}
	}
	return b
}

func appendValue(b []byte, verb byte, a any) []byte {
	switch v := a.(type) {
	case nil:
		if verb == 'v' {
			return append(b, "<nil>"...)
		}
		return append(append(append(b, "%!"...), verb), "(<nil>)"...)
	case error:
		if isText(verb) {
			return appendText(b, verb, v.Error())
		}
	case Stringer:
		if isText(verb) {
			return appendText(b, verb, v.String())
		}
	}
	kind, data := inside(a)
	switch kind {
	case kindString:
		return appendText(b, verb, *(*string)(data))
	case kindBytes:
		if verb != 'v' {
			return appendText(b, verb, string(*(*[]byte)(data)))
		}
	case kindBool:
		return strconv.AppendBool(b, *(*bool)(data))
	case kindFloat64:
		return strconv.AppendFloat(b, *(*float64)(data), 'g', -1, 64)
	}
	if n, ok := signed(kind, data); ok {
		if n < 0 && verb != 'c' && verb != 'q' {
			return appendUnsigned(append(b, '-'), verb, uint64(-n))
		}
		return appendUnsigned(b, verb, uint64(n))
	}
	if n, ok := unsigned(kind, data); ok {
		return appendUnsigned(b, verb, n)
	}
	return append(b, '?')
}

// isText tells if a verb prints the text of an error or a Stringer.
func isText(verb byte) bool { return verb == 'v' || verb == 's' || verb == 'q' || verb == 'w' }

func appendText(b []byte, verb byte, s string) []byte {
	const digits = "0123456789abcdef"
	switch verb {
	case 'q':
		return strconv.AppendQuote(b, s)
	case 'x':
		for i := range len(s) {
			b = append(b, digits[s[i]>>4], digits[s[i]&15])
		}
		return b
	case 's', 'v', 'w':
		return append(b, s...)
	}
	return append(append(append(append(append(b, "%!"...), verb), "(string="...), s...), ')')
}

func appendUnsigned(b []byte, verb byte, n uint64) []byte {
	switch verb {
	case 'x':
		return strconv.AppendUint(b, n, 16)
	case 'c':
		return append(b, string(rune(n))...)
	case 'q':
		return strconv.AppendQuoteRune(b, rune(n))
	}
	return strconv.AppendUint(b, n, 10)
}

// The kinds of values as the runtime numbers them (internal/abi.Kind), and one of our own.
const (
	kindBool, kindInt, kindInt8, kindInt16, kindInt32, kindInt64         = 1, 2, 3, 4, 5, 6
	kindUint, kindUint8, kindUint16, kindUint32, kindUint64, kindUintptr = 7, 8, 9, 10, 11, 12
	kindFloat64, kindSlice, kindString                                   = 14, 23, 24
	kindBytes                                                            = 255
)

// inside returns the kind of a value and where it is. It is what package reflect does for these kinds: the first word of an
// interface points to the type, whose description has the kind behind two words and seven bytes.
func inside(a any) (kind uint8, data unsafe.Pointer) {
	const word = unsafe.Sizeof(uintptr(0))
	e := (*struct{ typ, data unsafe.Pointer })(unsafe.Pointer(&a))
	if _, ok := a.([]byte); ok {
		return kindBytes, e.data
	}
	return *(*uint8)(unsafe.Add(e.typ, 2*word+7)) & 31, e.data
}

func signed(kind uint8, p unsafe.Pointer) (int64, bool) {
	switch kind {
	case kindInt:
		return int64(*(*int)(p)), true
	case kindInt8:
		return int64(*(*int8)(p)), true
	case kindInt16:
		return int64(*(*int16)(p)), true
	case kindInt32:
		return int64(*(*int32)(p)), true
	case kindInt64:
		return *(*int64)(p), true
	}
	return 0, false
}

func unsigned(kind uint8, p unsafe.Pointer) (uint64, bool) {
	switch kind {
	case kindUint, kindUintptr:
		return uint64(*(*uint)(p)), true
	case kindUint8:
		return uint64(*(*uint8)(p)), true
	case kindUint16:
		return uint64(*(*uint16)(p)), true
	case kindUint32:
		return uint64(*(*uint32)(p)), true
	case kindUint64:
		return *(*uint64)(p), true
	}
	return 0, false
}
