package collection

import (
	"bytes"
	"math"
	"testing"
)

func TestInitialEase(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, config, after string
		ease                float32
	}{
		{"empty", "", "\x5d\x00\x00\x20\x40", 0},
		{"alone", "\x5d\x00\x00\x80\x3f", "\x5d\x00\x00\x20\x40", 1},
		{"the last counts", "\x5d\x00\x00\x80\x3f\x5d\x00\x00\x00\x40", "\x5d\x00\x00\x20\x40", 2},
		{"between others", "\x48\x14\x5d\x00\x00\x80\x3f\xa8\x01\x01", "\x48\x14\x5d\x00\x00\x20\x40\xa8\x01\x01", 1},
		{"before a later one", "\xa8\x01\x01", "\x5d\x00\x00\x20\x40\xa8\x01\x01", 0},
		{"unknown fields stay", "\x0a\x01x\x11\x01\x02\x03\x04\x05\x06\x07\x08\xfa\x0f\x02{}", "\x0a\x01x\x11\x01\x02\x03\x04\x05\x06\x07\x08\x5d\x00\x00\x20\x40\xfa\x0f\x02{}", 0},
	} {
		ease, err := initialEase([]byte(c.config))
		if err != nil || ease != c.ease {
			t.Errorf("%s: %v, %v", c.name, ease, err)
		}
		if got := withInitialEase([]byte(c.config), 2.5); string(got) != c.after {
			t.Errorf("%s: became %q", c.name, got)
		}
	}
}

func TestDeckConfigOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind string
		want int64
	}{{"\x0a\x02\x08\x01", 1}, {"\x0a\x00", 0}, {"\x12\x02\x08\x01", 0}, {"\x0a\x04\x10\x05\x08\x07", 7}, {"", 0}} {
		if got, err := deckConfigOf([]byte(c.kind)); err != nil || got != c.want {
			t.Errorf("%q: %d, %v", c.kind, got, err)
		}
	}
}

func TestDamagedBlobs(t *testing.T) {
	t.Parallel()
	for _, blob := range []string{"\x5d", "\x5d\x00\x00\x80", "\x0a\x05x", "\x0a", "\x08", "\x80", "\x0b", "\x09\x01", "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"} {
		if _, err := initialEase([]byte(blob)); err == nil {
			t.Errorf("%q: no error", blob)
		}
		if _, err := deckConfigOf([]byte(blob)); err == nil {
			t.Errorf("%q: no error", blob)
		}
	}
	if _, err := deckConfigOf([]byte("\x0a\x01\x08")); err == nil {
		t.Error("damaged inside: no error")
	}
}

// FuzzInitialEase checks that an ease that is set is read back, and that nothing else changes.
func FuzzInitialEase(f *testing.F) {
	f.Add([]byte("\x48\x14\x5d\x00\x00\x80\x3f\xa8\x01\x01"), float32(2.5))
	f.Add([]byte(""), float32(1))
	f.Add([]byte("\x5d\x00\x00\xa1\x4200"), float32(3))
	f.Fuzz(func(t *testing.T, config []byte, ease float32) {
		if _, err := initialEase(config); err != nil {
			return
		}
		set := withInitialEase(config, ease)
		if got, err := initialEase(set); err != nil || math.Float32bits(got) != math.Float32bits(ease) && ease != 0 {
			t.Fatalf("%q: %v, %v", set, got, err)
		}
		if got, want := withInitialEase(set, 0), withInitialEase(config, 0); !bytes.Equal(got, want) {
			t.Fatalf("%q: %q, want %q", set, got, want)
		}
	})
}
