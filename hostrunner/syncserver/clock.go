package syncserver

import (
	"crypto/rand"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/cardferry/cardferry/core/host"
)

var (
	_ host.Clock  = utc{}
	_ host.Random = random{}
	_ host.Text   = text{}
)

// utc is the clock of a server, which is in no time zone.
type utc struct{ now func() time.Time }

// Now returns the time.
func (c utc) Now() time.Time { return c.now() }

// MinutesWest returns 0.
func (utc) MinutesWest(time.Time) int { return 0 }

// random is the system's source of random bytes.
type random struct{}

// Random fills p.
func (random) Random(p []byte) { _, _ = rand.Read(p) } // never fails

// text normalizes names as the clients do.
type text struct{}

// NFC returns s in normalization form C.
func (text) NFC(s string) string { return norm.NFC.String(s) }

// NFKD returns s in normalization form KD.
func (text) NFKD(s string) string { return norm.NFKD.String(s) }
