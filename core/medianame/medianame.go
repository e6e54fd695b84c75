// Package medianame has the rules for the names of media files (media-sync.md §8.1, §8.2): the form in which they are
// synced, the name that a new file gets, and which names of a server may be looked at any further.
package medianame

import (
	"strings"
	"unicode/utf8"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
)

const (
	// maxLength is how many bytes a name may have here; a server takes maxReceived.
	maxLength   = 120
	maxReceived = 255
	// maxExtension is how many bytes are left of an extension when a name is cut.
	maxExtension = 10
)

// Normalize returns the form of name under which a file can be synced. It is empty if nothing of the name can stay.
//
// It is the reference's rule, step by step: a device that normalises in another way renames files for all others.
// As there, the result need not be normalised itself: what is removed may bring a letter and its accent together.
func Normalize(t host.Text, name string) string {
	ascii, clean := look(name)
	if !ascii {
		name = t.NFC(strings.ToValidUTF8(name, ""))
		clean = strings.IndexFunc(name, func(r rune) bool { return keep(r) != r }) < 0
	}
	if !clean {
		name = strings.Map(keep, name)
	}
	name = avoidDevice(name)
	name = closeEnd(name)
	if len(name) <= maxLength {
		return name
	}
	stem, ext := cut(name, maxLength)
	return closeEnd(join(stem, ext))
}

// Normalized reports whether name is as Normalize leaves it. Files with other names are not synced.
func Normalized(t host.Text, name string) bool { return Normalize(t, name) == name }

// Check fails with fault.InvalidInput unless name can be the name of a file in a flat store at all: what a server sends
// is looked at by nothing else before. A name that passes may still not be Normalized.
func Check(t host.Text, name string) error {
	problem := ""
	switch {
	case name == "", name == ".", name == "..":
		problem = "it is not a name"
	case len(name) > maxReceived:
		problem = "it is too long"
	case !utf8.ValidString(name):
		problem = "it is not UTF-8"
	case strings.ContainsFunc(name, func(r rune) bool { return r == '/' || r == '\\' || isControl(r) }):
		problem = "it has a separator or control character"
	case t.NFC(name) != name:
		problem = "it is not in Unicode's form C"
	default:
		return nil
	}
	return fault.New(fault.InvalidInput, "media file %.300q: %s", name, problem)
}

// look reports whether name is ASCII, which is in form C, and if it is, whether keep would leave all of it: most names
// need nothing more.
func look(name string) (ascii, clean bool) {
	clean = true
	for i := 0; i < len(name); i++ {
		c := name[i]
		if c >= utf8.RuneSelf {
			return false, false
		}
		if forbidden[c/64]>>(c%64)&1 != 0 {
			clean = false
		}
	}
	return true, clean
}

// keep returns what strings.Map shall put for r: -1 removes it.
func keep(r rune) rune {
	switch {
	case r < utf8.RuneSelf && forbidden[r/64]>>(r%64)&1 != 0, isUnassigned(r):
		return -1
	case r == '\u00a0':
		return ' '
	}
	return r
}

// forbidden has the bits of the ASCII characters that may not be in a name: control characters and [ ] < > : " / ? * ^ \ |
var forbidden = [2]uint64{
	1<<' ' - 1 | 1<<'<' | 1<<'>' | 1<<':' | 1<<'"' | 1<<'/' | 1<<'?' | 1<<'*',
	1<<('['-64) | 1<<(']'-64) | 1<<('^'-64) | 1<<('\\'-64) | 1<<('|'-64) | 1<<(0x7f-64),
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// avoidDevice appends "_" to the part before the first dot if Windows takes that for a device.
func avoidDevice(name string) string {
	stem, _, _ := strings.Cut(name, ".")
	switch len(stem) {
	case len("con"):
		switch strings.ToLower(stem) {
		case "con", "prn", "aux", "nul":
		default:
			return name
		}
	case len("com1"):
		if port := strings.ToLower(stem[:3]); port != "com" && port != "lpt" || stem[3] < '1' || stem[3] > '9' {
			return name
		}
	default:
		return name
	}
	return stem + "_" + name[len(stem):]
}

// closeEnd appends "_" to a name that ends in a space or dot, which Windows would drop.
func closeEnd(name string) string {
	if strings.HasSuffix(name, " ") || strings.HasSuffix(name, ".") {
		return name + "_"
	}
	return name
}

// cut divides name at its last dot and shortens both parts so that they, joined, stay below size bytes.
func cut(name string, size int) (stem, ext string) {
	stem = name
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		stem, ext = name[:i], head(name[i+1:], maxExtension)
	}
	return head(stem, size-len(ext)-2), ext
}

// join puts a stem and an extension together.
func join(stem, ext string) string {
	if ext == "" {
		return stem
	}
	return stem + "." + ext
}

// head returns the first size bytes of s at most, whole characters only.
func head(s string, size int) string {
	if len(s) <= size {
		return s
	}
	for size > 0 && !utf8.RuneStart(s[size]) {
		size--
	}
	return s[:size]
}
