package coretest

import (
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"github.com/cardferry/cardferry/core/host"
)

var _ host.Text = Text{}

// Text normalises with the tables of golang.org/x/text, which the guest does without.
type Text struct{}

// NFC returns s in normalization form C.
func (Text) NFC(s string) string { return norm.NFC.String(s) }

// NFKD returns s in normalization form KD.
func (Text) NFKD(s string) string { return norm.NFKD.String(s) }

// TestText is the contract of host.Text. The cases are stable: Unicode never changes how assigned characters
// normalise.
func TestText(t *testing.T, text host.Text) {
	for _, c := range []struct{ name, in, want string }{
		{"empty", "", ""},
		{"ASCII", "a b\x00c", "a b\x00c"},
		{"composed", "Grün – 日本", "Grün – 日本"},
		{"decomposed", "Gru\u0308n", "Grün"},
		{"two marks, in either order", "q\u0307\u0323 q\u0323\u0307", "q\u0323\u0307 q\u0323\u0307"},
		{"a mark between", "a\u0323\u0302", "\u1ead"},
		{"nothing to combine with", "\u0301a\u0301", "\u0301á"},
		{"Hangul", "\u1112\u1161\u11ab\u1100\u1173\u11af", "한글"},
		{"singletons", "\u212b \u2126 \u2f00 \uf900", "\u00c5 \u03a9 \u2f00 \u8c48"}, // U+2F00 is compatible only
		{"excluded from composition, grows", "\u0958", "\u0915\u093c"},
		{"grows threefold", "\U0001d160", "\U0001d158\U0001d165\U0001d16e"},
		{"outside the first plane", "\U0001109a \U00011099\U000110ba", "\U0001109a \U0001109a"},
		{"compatible characters stay", "ﬁ ① Ｆ ¼", "ﬁ ① Ｆ ¼"},
		{"long", strings.Repeat("e\u0301", 5000), strings.Repeat("é", 5000)},
		{"long, grows", strings.Repeat("\u0958", 5000), strings.Repeat("\u0915\u093c", 5000)},
		{"byte order mark", "\ufeffe\u0301", "\ufeffé"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := text.NFC(c.in); got != c.want {
				t.Errorf("%.60q becomes %.60q, want %.60q", c.in, got, c.want)
			}
		})
	}
	for in, want := range map[string]string{"": "", "é\u1ead": "e\u0301a\u0323\u0302", "ﬁ①Ｆ": "fi1F", "한": "\u1112\u1161\u11ab", "\u1e9b\u0323": "s\u0323\u0307"} {
		if got := text.NFKD(in); got != want {
			t.Errorf("%q decomposes to %q, want %q", in, got, want)
		}
	}
}
