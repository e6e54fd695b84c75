package mediaref

import (
	"encoding/hex"
	"strings"

	"github.com/cardferry/cardferry/core/digest"
	"github.com/cardferry/cardferry/core/notetext"
)

// inlineTypes are the image types that the reference moves out of fields.
var inlineTypes = [...]string{"jpg", "jpeg", "png", "gif", "webp", "avif"}

// inline returns the name of the file that the reference's check makes of a data: URL, with the type as it is written.
func inline(name string) (file string, ok bool) {
	const scheme, encoding = "data:image/", ";base64,"
	start := notetext.PrefixFold(name, scheme)
	if start < 0 {
		return "", false
	}
	for _, kind := range inlineTypes {
		end := start + len(kind)
		if notetext.PrefixFold(name[start:], kind) < 0 {
			continue
		}
		if n := notetext.PrefixFold(name[end:], encoding); n >= 0 {
			data := name[end+n:]
			if data == "" || strings.IndexByte(data, '\n') >= 0 {
				return "", false
			}
			content, ok := decodeBase64(strings.TrimSpace(data))
			sum := digest.SHA1(content)
			return "paste-" + hex.EncodeToString(sum[:]) + "." + name[start:end], ok
		}
	}
	return "", false
}

// decodeBase64 decodes as strictly as the reference: whole groups of four, no stray bits; but each group may be padded, so
// that texts one after the other are one. encoding/base64 takes no such thing.
func decodeBase64(s string) (decoded string, ok bool) {
	if len(s)%4 != 0 {
		return "", false
	}
	content := make([]byte, 0, len(s)/4*3)
	for ; s != ""; s = s[4:] {
		n := 4
		for n > 2 && s[n-1] == '=' {
			n--
		}
		var bits uint32
		for _, c := range []byte(s[:n]) {
			d := base64Digit(c)
			if d > 63 {
				return "", false
			}
			bits = bits<<6 | d
		}
		bits <<= 6 * (4 - n)
		if bits<<(8*n) != 0 { // n digits are n-1 bytes
			return "", false
		}
		group := [3]byte{byte(bits >> 16), byte(bits >> 8), byte(bits)}
		content = append(content, group[:n-1]...)
	}
	return string(content), true
}

// base64Digit returns the value of a digit, more than 63 for anything else.
func base64Digit(c byte) uint32 {
	switch {
	case 'A' <= c && c <= 'Z':
		return uint32(c - 'A')
	case 'a' <= c && c <= 'z':
		return uint32(c-'a') + 26
	case '0' <= c && c <= '9':
		return uint32(c-'0') + 52
	case c == '+':
		return 62
	case c == '/':
		return 63
	}
	return 64
}
