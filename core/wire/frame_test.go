package wire_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/wire"
)

// recordedFrames are frames of libzstd, the reference's encoder, with different options; all have one payload.
func recordedFrames(t testing.TB) map[string][]byte {
	t.Helper()
	b, err := os.ReadFile("testdata/frames.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	frames := map[string][]byte{}
	for line := range bytes.Lines(b) {
		var f struct{ Name, Frame string }
		if err := json.Unmarshal(line, &f); err != nil {
			t.Fatal(err)
		}
		if frames[f.Name], err = base64.StdEncoding.DecodeString(f.Frame); err != nil {
			t.Fatal(err)
		}
	}
	return frames
}

// recordedPayload is what is in them.
func recordedPayload() []byte {
	b := []byte(`{"done":true,"cards":[`)
	for i := range 300 {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, "[%d,1,2]", i)
	}
	return append(b, "]}"...)
}

func damaged(t testing.TB, what string, b []byte, err error) {
	t.Helper()
	if !errors.Is(err, fault.DamagedDownload) || b != nil {
		t.Errorf("%s: %d bytes and %v", what, len(b), err)
	}
}

func TestRecordedFrames(t *testing.T) {
	t.Parallel()
	codec := wire.NewCodec()
	for name, frame := range recordedFrames(t) {
		b, err := codec.Decompress(nil, frame, 1<<20)
		z, zerr := wire.NewReader(bytes.NewReader(frame))
		if zerr != nil {
			t.Fatal(zerr)
		}
		streamed, zerr := io.ReadAll(z)
		if name == "window 128 MiB" {
			damaged(t, name, b, err)
			damaged(t, name, nil, zerr)
			continue
		}
		if err != nil || !bytes.Equal(b, recordedPayload()) {
			t.Errorf("%s: %.60s, %v", name, b, err)
		}
		if zerr != nil || !bytes.Equal(streamed, recordedPayload()) {
			t.Errorf("%s, streamed: %.60s, %v", name, streamed, zerr)
		}
	}
}

// payloads are of all sizes at which something changes: one block, several, more than the window.
func payloads() [][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	var list [][]byte
	for _, n := range []int{0, 1, 2, 100, 255, 256, 257, 65535, 65536, 131072, 131073, 1 << 20, 3<<20 + 17} {
		zeros, noise, text := make([]byte, n), make([]byte, n), make([]byte, 0, n+20)
		for i := range noise {
			noise[i] = byte(r.Uint32())
		}
		for len(text) < n {
			text = fmt.Appendf(text, "[%d,%d],", r.IntN(1000), len(text))
		}
		list = append(list, zeros, noise, text[:n])
	}
	return list
}

func TestFrameRoundTrip(t *testing.T) {
	t.Parallel()
	codec := wire.NewCodec()
	for _, p := range payloads() {
		frame := codec.Compress([]byte("before"), p)
		if !bytes.HasPrefix(frame, []byte("before")) {
			t.Fatal("what was there is gone")
		}
		b, err := codec.Decompress([]byte("x"), frame[6:], int64(len(p)))
		if err != nil || !bytes.Equal(b[1:], p) || b[0] != 'x' {
			t.Errorf("%d bytes: %d bytes, %v", len(p), len(b), err)
		}
		if len(p) > 0 {
			b, err = codec.Decompress(nil, frame[6:], int64(len(p)-1))
			damaged(t, fmt.Sprintf("%d bytes, limit one less", len(p)), b, err)
		}
	}
}

func TestFrameEnds(t *testing.T) {
	t.Parallel()
	frames := recordedFrames(t)
	delete(frames, "window 128 MiB")
	frames["ours"] = wire.NewCodec().Compress(nil, recordedPayload())
	codec := wire.NewCodec()
	for name, frame := range frames {
		for _, after := range []string{"x", "garbage and more garbage", string(frame), "\x28\xb5\x2f\xfd", "\x50\x2a\x4d\x18\x00\x00\x00\x00"} {
			b, err := codec.Decompress(nil, append(bytes.Clone(frame), after...), 1<<20)
			if err != nil || !bytes.Equal(b, recordedPayload()) {
				t.Errorf("%s, then %.10q: %v", name, after, err)
			}
			z, _ := wire.NewReader(io.MultiReader(bytes.NewReader(frame), strings.NewReader(after)))
			if b, err := io.ReadAll(z); err != nil || !bytes.Equal(b, recordedPayload()) {
				t.Errorf("%s, then %.10q, streamed: %v", name, after, err)
			}
		}
		for i := range frame {
			b, err := codec.Decompress(nil, frame[:i:i], 1<<20)
			damaged(t, fmt.Sprintf("%s, %d bytes", name, i), b, err)
			z, _ := wire.NewReader(bytes.NewReader(frame[:i]))
			_, err = io.ReadAll(z)
			damaged(t, fmt.Sprintf("%s, %d bytes, streamed", name, i), nil, err)
		}
	}
}

func TestNotAFrame(t *testing.T) {
	t.Parallel()
	codec := wire.NewCodec()
	for _, text := range []string{
		"", "x", "{}", "<html>Log in to this network</html>", "\x1f\x8b\x08\x00 a gzip header",
		"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd",     // a frame to be skipped, with nothing behind it
		"\x28\xb5\x2f\xfd\x08\x00\x01\x00\x00",     // a reserved bit
		"\x28\xb5\x2f\xfd\x01\x00\x05\x01\x00\x00", // a dictionary
		"\x28\xb5\x2f\xfd\x00\x00\x07\x00\x00",     // a reserved block type
	} {
		b, err := codec.Decompress(nil, []byte(text), 1<<20)
		damaged(t, text, b, err)
		z, _ := wire.NewReader(strings.NewReader(text))
		_, err = io.ReadAll(z)
		damaged(t, text, nil, err)
	}
	// A codec works on after all that.
	if b, err := codec.Decompress(nil, codec.Compress(nil, []byte("{}")), 2); err != nil || string(b) != "{}" {
		t.Error(string(b), err)
	}
}

// TestFlippedBits damages a frame with a checksum everywhere: never another payload, never a panic.
func TestFlippedBits(t *testing.T) {
	t.Parallel()
	var frame bytes.Buffer
	w, err := wire.NewWriter(&frame)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(recordedPayload())
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	codec := wire.NewCodec()
	for i := range frame.Len() * 8 {
		b := bytes.Clone(frame.Bytes())
		b[i/8] ^= 1 << (i % 8)
		out, err := codec.Decompress(nil, b, 1<<20)
		if err == nil && !bytes.Equal(out, recordedPayload()) && i >= 4*8+8 {
			t.Errorf("bit %d: another payload of %d bytes", i, len(out))
		}
		if err != nil {
			damaged(t, fmt.Sprint("bit ", i), out, err)
		}
		z, _ := wire.NewReader(bytes.NewReader(b))
		if _, err := io.ReadAll(z); err != nil && !errors.Is(err, fault.DamagedDownload) {
			t.Errorf("bit %d: %v", i, err)
		}
	}
}

func TestStreamRoundTrip(t *testing.T) {
	t.Parallel()
	for _, p := range payloads() {
		var frame bytes.Buffer
		w, err := wire.NewWriter(&frame)
		if err != nil {
			t.Fatal(err)
		}
		for rest := p; len(rest) > 0; {
			n := min(len(rest), 100_000)
			if k, err := w.Write(rest[:n]); k != n || err != nil {
				t.Fatal(k, err)
			}
			rest = rest[n:]
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		for _, r := range []io.Reader{bytes.NewReader(frame.Bytes()), iotest.HalfReader(&frame), iotest.DataErrReader(bytes.NewReader(bytes.Clone(frame.Bytes())))} {
			z, err := wire.NewReader(r)
			if err != nil {
				t.Fatal(err)
			}
			if b, err := io.ReadAll(z); err != nil || !bytes.Equal(b, p) {
				t.Errorf("%d bytes: %d bytes, %v", len(p), len(b), err)
			}
			if err := z.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestStreamOneByteAtATime(t *testing.T) {
	t.Parallel()
	for name, frame := range recordedFrames(t) {
		if name == "window 128 MiB" {
			continue
		}
		z, err := wire.NewReader(iotest.OneByteReader(bytes.NewReader(frame)))
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(iotest.OneByteReader(z)); err != nil || !bytes.Equal(b, recordedPayload()) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestStreamKeepsErrors: what goes wrong on the way to the frame is not the frame's fault.
func TestStreamKeepsErrors(t *testing.T) {
	t.Parallel()
	frame := wire.NewCodec().Compress(nil, recordedPayload())
	lost := fault.New(fault.Offline, "the line is dead")
	for _, n := range []int{0, 1, 3, 4, 9, 100, len(frame) - 1} {
		z, err := wire.NewReader(io.MultiReader(bytes.NewReader(frame[:n]), iotest.ErrReader(lost)))
		if err == nil {
			_, err = io.ReadAll(z)
		}
		if !errors.Is(err, fault.Offline) {
			t.Errorf("after %d bytes: %v", n, err)
		}
		if _, again := z.Read(make([]byte, 10)); !errors.Is(again, fault.Offline) {
			t.Errorf("after %d bytes, again: %v", n, again)
		}
	}
	w, err := wire.NewWriter(brokenWriter{lost})
	if err != nil {
		t.Fatal(err)
	}
	_, werr := w.Write(make([]byte, 4<<20))
	if err := errors.Join(werr, w.Close()); !errors.Is(err, fault.Offline) {
		t.Errorf("writing: %v", err)
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

// TestMemory is not parallel: it measures what is allocated. 64 MiB of zeros must not take more than the windows,
// neither streamed nor when a small frame claims to be an answer.
func TestMemory(t *testing.T) {
	const size = 64 << 20
	allocated := func(what string, most uint64, do func()) {
		t.Helper()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		do()
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > most {
			t.Errorf("%s: %d KiB allocated", what, n>>10)
		}
	}
	var frame bytes.Buffer
	block := make([]byte, 1<<20)
	allocated("write", 8<<20, func() {
		w, _ := wire.NewWriter(&frame)
		for range size / len(block) {
			w.Write(block)
		}
		w.Close()
	})
	allocated("read", 8<<20, func() {
		z, _ := wire.NewReader(bytes.NewReader(frame.Bytes()))
		defer z.Close()
		n := 0
		for {
			k, err := z.Read(block)
			if n += k; err != nil {
				if err != io.EOF || n != size {
					t.Error(n, err)
				}
				return
			}
		}
	})
	codec := wire.NewCodec()
	codec.Decompress(nil, codec.Compress(nil, nil), 1)
	allocated("bomb", 4<<20, func() {
		b, err := codec.Decompress(nil, frame.Bytes(), 1<<20)
		damaged(t, "bomb", b, err)
	})
	allocated("no bomb", size+4<<20, func() {
		if b, err := codec.Decompress(nil, frame.Bytes(), size+1); len(b) != size || err != nil {
			t.Error(len(b), err)
		}
	})
	claim := codec.Compress(nil, block)
	allocated("claimed size", 1<<20, func() {
		b, err := codec.Decompress(nil, claim, 1<<10)
		damaged(t, "claimed size", b, err)
	})
}
