// Package mediaref finds the names of media files in the texts of a collection: in fields exactly as the reference's media
// check does (media-sync.md §11.1), in card templates and styles those that stand there literally (§11.2).
//
// The reference defines these by regular expressions, which know nothing of HTML. They are written out here, so that
// any text takes time in proportion to its length, and so that the guest does without package regexp.
package mediaref

import (
	"strings"
	"unicode/utf8"

	"github.com/cardferry/cardferry/core/notetext"
)

// Ref is a reference of a field to a media file.
type Ref struct {
	// Name is the name with its entities decoded. It is not normalised in any way; the reference brings it into
	// Unicode's form C before it looks for the file. It may be any text, and megabytes long.
	Name string
	// Inline says that the field has the content itself, in a data: URL, and Name is that of the file to which the
	// reference's check would move it. If there is no such file, nothing is missing.
	Inline bool
}

// Field calls yield for each reference of a field, repeated ones too: HTML elements, then sounds, then images of LaTeX,
// whose names depend on the notetype: svg is its latexsvg.
//
// References to web addresses are left out.
func Field(field string, svg bool, yield func(Ref)) {
	if strings.IndexByte(field, '<') < 0 && strings.IndexByte(field, '[') < 0 {
		return
	}
	notetext.EachMedia(field, func(name string, _, _ int) bool {
		file(name, yield)
		return true
	})
	sounds(field, func(name string) { file(name, yield) })
	latex(field, svg, yield)
}

// file yields the reference that a name in the text stands for.
func file(raw string, yield func(Ref)) {
	if isRemote(raw) {
		return
	}
	name := notetext.DecodeEntities(raw)
	if pasted, ok := inline(name); ok {
		yield(Ref{pasted, true})
		return
	}
	yield(Ref{Name: name})
}

// isRemote looks at the name before entities are decoded, as the reference does.
func isRemote(raw string) bool {
	return notetext.PrefixFold(raw, "http://") >= 0 || notetext.PrefixFold(raw, "https://") >= 0
}

// sounds calls yield for each name in [sound:…], as it is written: the shortest text of at least one character before
// a "]".
func sounds(text string, yield func(name string)) {
	const open = "[sound:"
	for {
		i := strings.Index(text, open)
		if i < 0 {
			return
		}
		text = text[i+len(open):]
		_, size := utf8.DecodeRuneInString(text)
		n := strings.IndexByte(text[size:], ']')
		if n < 0 {
			return
		}
		yield(text[:size+n])
		text = text[size+n+1:]
	}
}
