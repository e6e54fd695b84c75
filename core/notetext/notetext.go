// Package notetext has the rules for the text of notes: how fields and tags are stored, and the stripped text from
// which the sort field and the checksum of a note are made (collection-format.md §5).
package notetext

import (
	"encoding/binary"
	"slices"
	"strings"
	"unsafe"

	"github.com/cardferry/cardferry/core/digest"
	"github.com/cardferry/cardferry/core/order"
	"github.com/cardferry/cardferry/core/unicase"
)

// fieldSeparator divides the fields of a note in a file and on the wire.
const fieldSeparator = "\x1f"

// SplitFields returns the fields of a stored note; there is always at least one.
func SplitFields(flds string) []string { return strings.Split(flds, fieldSeparator) }

// JoinFields is the reverse of SplitFields.
func JoinFields(fields []string) string { return strings.Join(fields, fieldSeparator) }

// CountFields returns the number of fields of a stored note.
func CountFields(flds string) int { return 1 + strings.Count(flds, fieldSeparator) }

// field returns the nth field of a stored note, "" if there is none.
func field(flds string, n int) string {
	for ; n > 0; n-- {
		i := strings.Index(flds, fieldSeparator)
		if i < 0 {
			return ""
		}
		flds = flds[i+1:]
	}
	if i := strings.Index(flds, fieldSeparator); i >= 0 {
		return flds[:i]
	}
	return flds
}

// CleanFields returns the fields of a note, joined, without ASCII control characters other than line feed and tab, as they
// are stored.
func CleanFields(flds string) string {
	i := firstUnwanted(flds)
	if i == len(flds) {
		return flds
	}
	dst := append(make([]byte, 0, len(flds)), flds[:i]...)
	for ; i < len(flds); i++ {
		if !isUnwanted(flds[i]) {
			dst = append(dst, flds[i])
		}
	}
	return string(dst)
}

// firstUnwanted returns where the first unwanted character is, the length if there is none. It looks at eight bytes at a
// time, and closer where one of them is a control character.
func firstUnwanted(s string) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	b := unsafe.Slice(unsafe.StringData(s), len(s)) // read only
	for i := 0; ; {
		for i+8 <= len(b) {
			x := binary.LittleEndian.Uint64(b[i:])
			del := x ^ ones*0x7f
			if ((x-ones*' ')&^x|(del-ones)&^del)&highs != 0 {
				break
			}
			i += 8
		}
		for end := min(i+8, len(b)); i < end; i++ {
			if isUnwanted(b[i]) {
				return i
			}
		}
		if i == len(b) {
			return i
		}
	}
}

// isUnwanted looks at bytes: those of other characters are all above ASCII.
func isUnwanted(c byte) bool {
	return c < 0x20 && c != '\n' && c != '\t' && c != fieldSeparator[0] || c == 0x7f
}

// SortFieldAndChecksum returns what the columns sfld and csum of a note with the given cleaned fields hold. Bind
// sfld as text. The checksum is that of the first field, whatever the sort field; one that does not exist counts
// as empty.
func SortFieldAndChecksum(flds string, sortField int) (sfld string, csum uint32) {
	first := Strip(field(flds, 0))
	switch {
	case sortField == 0:
		sfld = first
	case sortField > 0:
		sfld = Strip(field(flds, sortField))
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
	if n := len(tags); n > 2 && tags[0] == ' ' && tags[n-1] == ' ' &&
		!strings.Contains(tags, "  ") && !strings.Contains(tags, "\u3000") {
		return tags
	}
	return joined(SplitTags(tags))
}

// SortTags returns tags as the reference stores those of an edited note: each once in whatever spelling, sorted. It reorders list.
func SortTags(list []string) string {
	order.Func(list, unicase.CompareStrings)
	return joined(slices.CompactFunc(list, unicase.Equal))
}

func joined(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return " " + strings.Join(list, " ") + " "
}
