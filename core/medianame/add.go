package medianame

import (
	"encoding/hex"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cardferry/cardferry/core/host"
)

// extensions are those of media types whose files are often added without one.
var extensions = [...]struct{ mediaType, ext string }{
	{"audio/mpeg", "mp3"}, {"audio/ogg", "oga"}, {"audio/opus", "opus"}, {"audio/wav", "wav"}, {"audio/webm", "weba"}, {"audio/aac", "aac"},
	{"image/jpeg", "jpg"}, {"image/png", "png"}, {"image/svg+xml", "svg"}, {"image/webp", "webp"}, {"image/avif", "avif"},
}

// unnamed is the stem of a file of whose wanted name nothing is left.
const unnamed = "file"

// Here tells whether a file of exactly that name is in the store, and the SHA-1 of its content.
type Here func(name string) (sum [20]byte, ok bool, err error)

// ForNew returns the name for a new file with the given content: the wanted one normalised and in lower case, or with the
// SHA-1 if other content has it already. have says that the store has the very content under that name. A wanted
// name without an extension gets that of the media type ("" is none).
//
// Three things differ from the reference: the result is always normalised; a name of which nothing is left becomes "file";
// and a file that has the name with the SHA-1 but other content, because somebody edited it, stays as it is.
func ForNew(t host.Text, wanted, mediaType string, sum [20]byte, here Here) (name string, have bool, err error) {
	if !strings.Contains(wanted, ".") {
		for _, e := range &extensions {
			if e.mediaType == mediaType {
				wanted = join(wanted, e.ext)
			}
		}
	}
	name = Normalize(t, Normalize(t, wanted))
	if name == "" {
		name = unnamed
	}
	// A file whose name has capitals was not added by this rule; if it has the content, it serves.
	if lower := Normalize(t, Lower(name)); lower != name {
		if is, ok, err := here(name); err != nil || ok && is == sum {
			return name, err == nil, err
		}
		name = lower
	}
	taken := name
	for i := 1; ; i++ {
		is, ok, err := here(name)
		if err != nil || !ok || is == sum {
			return name, err == nil && ok, err
		}
		if name = WithSum(taken, sum); i > 1 {
			name = withSuffix(taken, "-"+hex.EncodeToString(sum[:])+"-"+strconv.Itoa(i))
		}
	}
}

// WithSum returns the name for a file whose own name is taken by other content: "stem-<sha1>.ext".
func WithSum(name string, sum [20]byte) string {
	return withSuffix(name, "-"+hex.EncodeToString(sum[:]))
}

func withSuffix(name, suffix string) string {
	stem, ext := cut(name, maxLength-len(suffix))
	return join(stem+suffix, ext)
}

// Lower returns s in lower case, as Unicode defines it for texts: package strings maps single characters only, which is
// wrong for two of them.
func Lower(s string) string {
	if !strings.ContainsAny(s, "\u0130\u03a3") {
		return strings.ToLower(s)
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == '\u0130': // İ becomes two characters
			b.WriteString("i\u0307")
		case r == '\u03a3' && endsWord(s[:i], s[i+len("Σ"):]):
			b.WriteRune('\u03c2')
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// endsWord is Unicode's condition Final_Sigma: a letter that has case comes before, and none after, whatever else is
// between that does not part words.
func endsWord(before, after string) bool {
	i := strings.LastIndexFunc(before, func(r rune) bool { return !ignorable(r) })
	j := strings.IndexFunc(after, func(r rune) bool { return !ignorable(r) })
	return i >= 0 && cased(before[i:]) && (j < 0 || !cased(after[j:]))
}

// cased reports whether s begins with a letter that has case; some without a counterpart are missed.
func cased(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.ToLower(r) != r || unicode.ToUpper(r) != r || r == 'ß' || r == 'ΐ' || r == 'ΰ'
}

// ignorable is what matters of Unicode's property Case_Ignorable without tables of its own: marks, modifiers, what is
// invisible, and punctuation that occurs within words.
func ignorable(r rune) bool {
	return unicode.Is(unicode.M, r) || 0x2b0 <= r && r < 0x370 || 0x200b <= r && r <= 0x200f ||
		strings.ContainsRune("'.:^`\u00a8\u00ad\u00b4\u00b7\u00b8\u2018\u2019\u2024\u2027", r)
}
