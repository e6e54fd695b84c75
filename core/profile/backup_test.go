package profile

import (
	"testing"
	"time"
)

func TestParseTime(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"20260101T000000.000Z", "20241231T235959.999Z", "20240229T120000.050Z", "19700101T000000.001Z"} {
		want, err := time.Parse(backupTime, s)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := parseTime(s); !ok || got != want.UnixMilli() {
			t.Errorf("%s: %d %v, want %d", s, got, ok, want.UnixMilli())
		}
	}
	for _, s := range []string{
		"", "20260101", "20260101T000000.000X", "20261301T000000.000Z", "20260230T000000.000Z", "20260101T240000.000Z",
		"2026-101T000000.000Z", "20260101 000000.000Z", "2026010aT000000.000Z", "20260101T000000.000ZZ",
	} {
		if got, ok := parseTime(s); ok {
			t.Errorf("%q is taken for %d", s, got)
		}
	}
}
