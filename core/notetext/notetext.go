// Package notetext has the rules for the text of notes: how fields and tags are stored, and the stripped text from
// which the sort field and the checksum of a note are made (collection-format.md §5).
package notetext

import (
	"encoding/binary"
	"strings"

	"github.com/cardferry/cardferry/core/digest"
)

// fieldSeparator divides the fields of a note in a file and on the wire.
const fieldSeparator = "\x1f"

// SplitFields returns the fields of a stored note; there is always at least one.
func SplitFields(flds string) []string { return strings.Split(flds, fieldSeparator) }

// JoinFields is the reverse of SplitFields.
func JoinFields(fields []string) string { return strings.Join(fields, fieldSeparator) }

// CleanField returns s without ASCII control characters other than line feed and tab, as every field is stored.
func CleanField(s string) string {
	i := 0
	for i < len(s) && !isUnwanted(s[i]) {
		i++
	}
	if i == len(s) {
		return s
	}
	dst := append(make([]byte, 0, len(s)), s[:i]...)
	for ; i < len(s); i++ {
		if !isUnwanted(s[i]) {
			dst = append(dst, s[i])
		}
	}
	return string(dst)
}

// isUnwanted looks at bytes: those of other characters are all above ASCII.
func isUnwanted(c byte) bool { return c < 0x20 && c != '\n' && c != '\t' || c == 0x7f }

// SortFieldAndChecksum returns what the columns sfld and csum of a note with the given cleaned fields hold. Bind
// sfld as text. The checksum is that of the first field, whatever the sort field; one that does not exist counts
// as empty.
func SortFieldAndChecksum(fields []string, sortField int) (sfld string, csum uint32) {
	first := ""
	if len(fields) > 0 {
		first = Strip(fields[0])
	}
	switch {
	case sortField == 0:
		sfld = first
	case 0 < sortField && sortField < len(fields):
		sfld = Strip(fields[sortField])
	}
	return sfld, Checksum(first)
}

// Checksum returns the first four bytes of the SHA-1 of a stripped field as a big-endian number.
func Checksum(stripped string) uint32 {
	sum := digest.SHA1(stripped)
	return binary.BigEndian.Uint32(sum[:])
}

// SplitTags returns the tags of a note, split at U+0020 and U+3000.
func SplitTags(tags string) []string { return strings.FieldsFunc(tags, isTagSeparator) }

func isTagSeparator(r rune) bool { return r == ' ' || r == '\u3000' }

// JoinTags returns tags as they are stored: split, and joined by single spaces with one more at both ends; no tags
// give the empty string. The tags themselves stay as they are.
func JoinTags(tags string) string {
	list := SplitTags(tags)
	if len(list) == 0 {
		return ""
	}
	return " " + strings.Join(list, " ") + " "
}
