package ankitest

import (
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// replyEndless sends a body that never ends: x.Body, then x.Endless again and again.
func replyEndless(w http.ResponseWriter, x *Exchange) {
	w.Header().Set("anki-original-size", strconv.Itoa(math.MaxUint32))
	w.WriteHeader(http.StatusOK)
	e, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return
	}
	if _, err := e.Write(x.Body); err != nil {
		return
	}
	text := []byte(strings.Repeat(x.Endless, 1<<20/len(x.Endless)+1))
	for {
		if _, err := e.Write(text); err != nil {
			return // the client has had enough
		}
	}
}
