package notetext_test

import (
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cardferry/cardferry/core/notetext"
)

// TestRandomVectors has what the real program makes of random texts: the only witness for the order in which a
// backtracking engine tries things.
func TestRandomVectors(t *testing.T) {
	t.Parallel()
	var v struct{ Cases [][2]string }
	read(t, "strip_random.json", &v)
	for _, c := range v.Cases {
		if got := notetext.Strip(c[0]); got != c[1] {
			t.Errorf("Strip(%q) = %q, want %q", c[0], got, c[1])
		}
		if got := slowStrip(c[0]); got != c[1] {
			t.Errorf("slowStrip(%q) = %q, want %q", c[0], got, c[1])
		}
	}
}

// TestHostileTextIsLinear would take from minutes to years if one of these were not linear.
func TestHostileTextIsLinear(t *testing.T) {
	t.Parallel()
	start := time.Now()
	for _, unit := range []string{
		"<img ", "<img >", "<img '", "<img \"'", "<img \"", "<img \">'", "<img src=", "<img src=\"", "<img '>\" data=",
		"<img x\">'", "\"<img '>", "<!--", "<style>", "<script>", "<style></style", "<script></s", "<", "<>", "<<", "&",
		"&amp;", "&#", "&#x0", "&;", "<img \"a>'b\">'", "<audio \"\">\"\"'", "<img ſrc=\xff",
	} {
		text := strings.Repeat(unit, 1<<20/len(unit))
		notetext.Strip(text)
		notetext.Strip(text + ">")
		notetext.Strip("<img \"" + text + "\" src='>")
		notetext.Strip("<img " + text + "'>")
	}
	if d := time.Since(start); d > 30*time.Second {
		t.Errorf("took %v", d)
	}
}

var (
	slowMedia = regexp.MustCompile(`(?is)<(?:img|audio|video|object|source)\b(?:[^>]|"[^"]+?"|'[^']+?')+?\b(?:src|data)=` +
		`(?:"([^"]+?)"[^>]*>|'([^']+?)'[^>]*>|([^>]+?)(?: [^>]*>|>))`)
	slowTags   = regexp.MustCompile(`(?is)<!--.*?-->|<style.*?>.*?</style>|<script.*?>.*?</script>|<.*?>`)
	slowEntity = regexp.MustCompile(`&[^;]*;?`)
)

// slowStrip is what Strip does without media and with package regexp.
func slowStrip(s string) string {
	return slowEntities(slowTags.ReplaceAllString(slowReplaceMedia(s), ""))
}

// slowReplaceMedia lets the expression, whose \b knows only ASCII, run on a text with an ASCII letter for every other
// word character, and takes the names from the text itself.
func slowReplaceMedia(s string) string {
	var plain strings.Builder
	origin := map[int]int{}
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		origin[plain.Len()] = i
		switch {
		case r == 'ſ':
			plain.WriteByte('s')
		case r >= utf8.RuneSelf && unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Nl, unicode.Pc, unicode.Other_Alphabetic, unicode.Join_Control):
			plain.WriteByte('z')
		case r >= utf8.RuneSelf:
			plain.WriteByte('-')
		default:
			plain.WriteByte(s[i])
		}
		i += size
	}
	origin[plain.Len()] = len(s)
	var out strings.Builder
	done := 0
	for _, m := range slowMedia.FindAllStringSubmatchIndex(plain.String(), -1) {
		out.WriteString(s[done:origin[m[0]]])
		for g := 2; g < len(m); g += 2 {
			if m[g] >= 0 {
				out.WriteString(" " + s[origin[m[g]]:origin[m[g+1]]] + " ")
			}
		}
		done = origin[m[1]]
	}
	return out.String() + s[done:]
}

// slowEntities leans on Strip for the values of single entities; TestEntities checks those.
func slowEntities(s string) string {
	ok := true
	decoded := slowEntity.ReplaceAllStringFunc(s, func(e string) string {
		one := notetext.Strip(e)
		ok = ok && one != e
		return one
	})
	if !ok || !strings.Contains(s, "&") {
		return s
	}
	return strings.ReplaceAll(decoded, "\u00a0", " ")
}

func FuzzStrip(f *testing.F) {
	for _, s := range []string{
		"", "a & b", "<img src= foo.jpg>", `<img alt="a>b" src='x.png'>`, `<img title="src=1" src="b.jpg">`,
		"<style>p{}</style>hi<br>there", "a<!-- x > y -->b", "1 < 2 > 3", "&lt;b&gt;&nbsp;", "&#65;&#x41;&#xD800;",
		"<ſource \u24b6-ſrc=q>\u00a0", `<img ">'" '>" data=">" x>`, "<script>1 < 2</ſcript>z\xff",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, want := notetext.Strip(s), slowStrip(s); got != want {
			t.Errorf("Strip(%q) = %q, want %q", s, got, want)
		}
	})
}

func BenchmarkStripAndChecksum(b *testing.B) {
	for _, bench := range []struct{ name, text string }{
		{"plain", "das Fährschiff, -e; die Fähre"},
		{"tags", "<div>das <b>Fährschiff</b></div><div>die&nbsp;Fähre</div>"},
		{"media", `ferry<br><img src="ferry-12.jpg" alt="a ferry"> [sound:ferry.mp3]`},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				notetext.Checksum(notetext.Strip(bench.text))
			}
		})
	}
}
