package render_test

import (
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/render"
)

// TestCompareTyped has what the real program says. In want, +x is right, -x is wrong, ~x is missed, and | is the arrow.
func TestCompareTyped(t *testing.T) {
	t.Parallel()
	marks := strings.NewReplacer(`<code id=typeans>`, "", `</code>`, "", `<span class=typeGood>`, "+", `<span class=typeBad>`, "-",
		`<span class=typeMissed>`, "~", `<br><span id=typearrow>&darr;</span><br>`, "|", `</span>`, ".")
	for _, c := range []struct {
		expected, typed string
		noMarks         bool
		want            string
	}{
		{"abc", "abc", false, "+abc."},
		{"abc", "abd", false, "+ab.-d.|+ab.~c."},
		{"abc", "", false, "abc"},
		{"<b>x & y</b>", "", false, "x &amp; y"},
		{"", "abc", false, "-abc.|"},
		{"", "", false, ""},
		{"abc", "ab", false, "+ab.~-.|+ab.~c."},
		{"abc", "xabc", false, "-x.+abc.|+abc."},
		{"<b>a</b> &amp; c", "a & c", false, "+a &amp; c."},
		{"a b", "a  b ", false, "+a .- .+b.- .|+a .+b."},
		{"é", "e\u0301", false, "+é."},
		{"ABC", "abc", false, "-abc.|~ABC."},
		{"a<br>\n<DIV>b</div>", "a b", false, "+a b."},
		{"a<br\t/>b", "a b", false, "+a b."},
		{"a<div class=x>b", "ab", false, "+ab."},
		{"a\r\nb", "a b", false, "+a.~-.+ b.|+a.~\r.+ b."},
		{"foo", "f<o", false, "+f.-&lt;.+o.~-.|+f.+o.~o."},
		{"[sound:x.mp3]abc[sound:]", "abc[sound:]", false, "+abc[sound:]."},
		{"[sound:a]x[sound:b", "x", false, "+x.~--------.|+x.~[sound:b."},
		{"hello world", "helo wrld", false, "+he.~-.+lo w.~-.+rld.|+he.~l.+lo w.~o.+rld."},
		{"abcabc", "abc", false, "+abc.~---.|+abc.~abc."},
		{"abc", "cba", false, "~--.+c.-ba.|~ab.+c."},
		{"qabxcd", "abycdf", false, "~-.+ab.-y.+cd.-f.|~q.+ab.~x.+cd."},
		{"日本語", "日木語", false, "+日.-木.+語.|+日.~本.+語."},
		{"a'b\"c/d", "a'b\"c/e", false, "+a&#x27;b&quot;c/.-e.|+a&#x27;b&quot;c/.~d."},
		{"&nbsp; a ", "a", false, "+a."},
		{"q\u0302b", "qb", false, "+q.~-.+b.|+q.~\u00a0\u0302.+b."},
		{"private Thread currentThread;", "private volatile Thread currentThread;", false, "+privat.-e volatil.+e Thread currentThread;.|+privat.+e Thread currentThread;."},
		{"é", "e", true, "+é."},
		{"éa", "eb", true, "+e.-b.|+e\u0301.~a."},
		{"résumé", "resumee", true, "+resume.-e.|+re\u0301sume\u0301."},
		{"가나", "가다", true, "+\u1100\u1161.-\u1103.+\u1161.|+\u1100\u1161.~\u1102.+\u1161."},
		{"½", "1/2", true, "+1.-/.+2.|+1.~\u2044.+2."},
		{"éa", "a", true, "~-.+a.|~e\u0301.+a."},
		{"e\u0301", "", true, "e\u0301"},
		{"\u0301ab", "x", true, "-x.|~ab."},
		{"a", "\u0301", true, "~-.|~a."},
	} {
		if got := marks.Replace(render.CompareTyped(coretest.Text{}, c.expected, c.typed, c.noMarks)); got != c.want {
			t.Errorf("%q, %q, %v: %q, want %q", c.expected, c.typed, c.noMarks, got, c.want)
		}
	}
}

// TestLongAnswersAreBounded would take hours if the longest common pieces of long texts were all looked for.
func TestLongAnswersAreBounded(t *testing.T) {
	t.Parallel()
	for _, unit := range []string{"a", "ab", "ab ba c"} {
		long := strings.Repeat(unit, 50_000)
		got := render.CompareTyped(coretest.Text{}, long, "x"+long, false)
		if !strings.Contains(got, "typeMissed") {
			t.Error("no difference")
		}
	}
}
