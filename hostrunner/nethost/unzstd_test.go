package nethost_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/wire"
)

// TestUnzstd: a streamed frame arrives decompressed, and what is no frame, or half of one, is a damaged download.
func TestUnzstd(t *testing.T) {
	t.Parallel()
	plain := bytes.Repeat([]byte("cards and reviews; "), 100_000)
	frame := wire.NewCodec().Compress(nil, plain)
	for name, c := range map[string]struct {
		body []byte
		kind fault.Kind
	}{
		"whole":      {frame, 0},
		"half":       {frame[:len(frame)/2], fault.DamagedDownload},
		"no frame":   {[]byte("<html>"), fault.DamagedDownload},
		"empty body": {nil, fault.DamagedDownload},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(c.body) })
			h := newHTTP(t)
			req := post(s.URL)
			req.Stream, req.Unzstd = true, true
			call := h.Start(t.Context(), req)
			defer call.Close()
			if _, err := h.Wait(t.Context(), []host.Call{call}); err != nil {
				t.Fatal(err)
			}
			resp, err := call.Response()
			if err != nil || !resp.Decoded {
				t.Fatal(resp, err)
			}
			got, err := io.ReadAll(readerOf{t.Context(), call})
			if fault.KindOf(err) != c.kind || c.kind == 0 && !bytes.Equal(got, plain) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
}

type readerOf struct {
	ctx  context.Context
	call host.Call
}

func (r readerOf) Read(p []byte) (int, error) { return r.call.Read(r.ctx, p) }
