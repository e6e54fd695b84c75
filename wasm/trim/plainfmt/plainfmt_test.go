package plainfmt_test

import (
	"errors"
	"fmt"
	"strconv"
	"testing"

	"github.com/cardferry/cardferry/wasm/trim/plainfmt"
)

type (
	number int64
	small  uint8
	text   string
	named  int
)

func (n named) String() string { return "named" + strconv.Itoa(int(n)) }

// TestLikeFmt compares messages with those of package fmt.
func TestLikeFmt(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	for _, c := range []struct {
		format string
		args   []any
	}{
		{"", nil},
		{"plain, 100%%", nil},
		{"%d %d %d %d", []any{1, int64(-2), uint16(3), number(-1 << 63)}},
		{"%d %v %s", []any{small(255), uint64(1<<64 - 1), text("ä")}},
		{"%v %v %v", []any{true, false, nil}},
		{"%q %q %q", []any{"a\n\"", text("€"), []byte("x\x00")}},
		{"%s|%s|%x|%x|%x", []any{[]byte("bytes"), "text", []byte{0, 171}, "az", 255}},
		{"%x", []any{-255}},
		{"step: %w", []any{cause}},
		{"%v %s %q", []any{cause, cause, cause}},
		{"%v %s %d", []any{named(3), named(4), named(5)}},
		{"%5d|%-5d|%05d|%-5s|%5s|%05d|%2d", []any{42, 42, 42, "é", "é", -42, 12345}},
		{"%02x %08x", []any{7, uint32(0xBEEF)}},
		{"%c%c %q", []any{'x', 'é', 'ß'}},
		{"%.2f %.0f %5.1f", []any{3.14159, 2.5, 9.96}},
		{"%v", []any{1e21}},
		{"%v", []any{float64(0.1)}},
		{"%d", nil},
		{"%", nil},
		{"%s %s", []any{"one"}},
	} {
		want := fmt.Sprintf(c.format, c.args...)
		if c.format == "step: %w" {
			want = "step: cause" // Sprintf has no %w
		}
		if got := plainfmt.Sprintf(c.format, c.args...); got != want {
			t.Errorf("%q: %q, fmt has %q", c.format, got, want)
		}
	}
	if got, want := plainfmt.Sprintln("a", 1, cause), fmt.Sprintln("a", 1, cause); got != want {
		t.Errorf("%q, fmt has %q", got, want)
	}
	if got := plainfmt.Sprintf("%v %v", []int{1}, struct{}{}); got != "? ?" {
		t.Errorf("other values are %q", got)
	}
}

// TestErrorf looks at what errors wrap.
func TestErrorf(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	for _, c := range []struct {
		err  error
		text string
		is   bool
	}{
		{plainfmt.Errorf("100%% of %d: %w", 3, cause), "100% of 3: cause", true},
		{plainfmt.Errorf("%w: %5d", cause, 3), "cause:     3", true},
		{plainfmt.Errorf("no: %v", cause), "no: cause", false},
		{plainfmt.Errorf("%w", "text"), "text", false},
		{plainfmt.Errorf("%w"), "%!w(MISSING)", false},
	} {
		if c.err.Error() != c.text || errors.Is(c.err, cause) != c.is {
			t.Errorf("%q, wraps its cause: %v; want %q, %v", c.err, errors.Is(c.err, cause), c.text, c.is)
		}
	}
}
