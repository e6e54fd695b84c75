package zstd_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	reference "github.com/klauspost/compress/zstd"

	"github.com/cardferry/cardferry/core/zstd"
)

// samples are contents of many kinds: empty, short, long, repetitive, random, of few and of all byte values.
func samples(tb testing.TB) map[string][]byte {
	tb.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	random := func(n, values int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.IntN(values))
		}
		return b
	}
	skewed := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(min(255, int(r.ExpFloat64()*30)))
		}
		return b
	}
	var text strings.Builder
	for i := range 60_000 {
		fmt.Fprintf(&text, `[%d,%d,1,%d,%d,%d,"",0,"größe %d 食べる"],`, 1_700_000_000_000+i*977, 1_600_000_000_000+i, r.IntN(5), r.IntN(400), i%7, r.IntN(1000))
	}
	long := []byte(text.String())
	m := map[string][]byte{
		"empty": {}, "one": {7}, "same": bytes.Repeat([]byte{'x'}, 500_000), "pair": bytes.Repeat([]byte("ab"), 100_000),
		"random": random(300_000, 256), "digits": random(300_000, 10), "two": random(140_000, 2), "most": random(140_000, 200),
		"skewed": skewed(400_000), "long": long, "block": long[:128<<10], "block+1": long[:128<<10+1],
		"far": append(append(random(900_000, 256), long[:1000]...), append(random(900_000, 256), long[:1000]...)...),
	}
	// Two of 193 values as they give equal lengths to all but the last.
	uneven := make([]byte, 0, 193*256)
	for v := range 192 {
		uneven = append(uneven, bytes.Repeat([]byte{byte(v)}, 16)...)
	}
	uneven = append(uneven, bytes.Repeat([]byte{192}, 1024)...)
	r.Shuffle(len(uneven), func(i, j int) { uneven[i], uneven[j] = uneven[j], uneven[i] })
	m["uneven"] = uneven
	for n := 2; n < 2000; n = n*5/4 + 1 {
		m[fmt.Sprint("text", n)] = long[3*n : 4*n]
		m[fmt.Sprint("skewed", n)] = skewed(n)
		m[fmt.Sprint("random", n)] = random(n, 256)
	}
	return m
}

func decode(frame []byte) ([]byte, int, error) {
	var d zstd.Decoder
	return d.Decode(nil, frame, 16<<20)
}

// TestEncoder has the frames decoded by the reference and by us.
func TestEncoder(t *testing.T) {
	t.Parallel()
	ref, err := reference.NewReader(nil, reference.WithDecoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	var e zstd.Encoder
	var d zstd.Decoder
	for name, want := range samples(t) {
		for form, frame := range map[string][]byte{"append": e.Append([]byte("pre"), want)[3:], "writer": write(t, want, 100_003)} {
			got, err := ref.DecodeAll(frame, nil)
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%s, %s: reference: %v, equal: %t", name, form, err, bytes.Equal(got, want))
			}
			own, used, err := d.Decode([]byte("pre"), append(frame, "after"...), len(want))
			if err != nil || used != len(frame) || string(own) != "pre"+string(want) {
				t.Fatalf("%s, %s: %v, used %d of %d", name, form, err, used, len(frame))
			}
		}
	}
}

func write(t testing.TB, content []byte, piece int) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zstd.NewWriter(&buf)
	for b := content; len(b) > 0; b = b[min(piece, len(b)):] {
		if _, err := w.Write(b[:min(piece, len(b))]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// TestDecoder decodes what the reference makes at each of its levels.
func TestDecoder(t *testing.T) {
	t.Parallel()
	var d zstd.Decoder
	for name, want := range samples(t) {
		for level := reference.SpeedFastest; level <= reference.SpeedBestCompression; level++ {
			var stream bytes.Buffer
			w, err := reference.NewWriter(&stream, reference.WithEncoderLevel(level), reference.WithEncoderConcurrency(1))
			if err != nil {
				t.Fatal(err)
			}
			whole := w.EncodeAll(want, nil)
			if _, err := w.Write(want); err != nil || w.Close() != nil {
				t.Fatal(err)
			}
			for form, frame := range map[string][]byte{"whole": whole, "stream": stream.Bytes()} {
				if len(frame) == 0 { // the reference makes nothing of nothing
					continue
				}
				got, used, err := d.Decode(nil, frame, len(want))
				if err != nil || used != len(frame) || !bytes.Equal(got, want) {
					t.Fatalf("%s, %s, level %v: %v, equal: %t", name, form, level, err, bytes.Equal(got, want))
				}
				read, err := io.ReadAll(zstd.NewReader(iotest.HalfReader(bytes.NewReader(frame))))
				if err != nil || !bytes.Equal(read, want) {
					t.Fatalf("%s, %s, level %v: reader: %v, equal: %t", name, form, level, err, bytes.Equal(read, want))
				}
			}
		}
	}
}

func TestRatio(t *testing.T) {
	t.Parallel()
	ref, err := reference.NewWriter(nil, reference.WithEncoderLevel(reference.SpeedFastest), reference.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range samples(t) {
		own, other := len(new(zstd.Encoder).Append(nil, b)), len(ref.EncodeAll(b, nil))
		if name == "long" || name == "skewed" || name == "digits" || name == "block" {
			t.Logf("%s: %d -> %d, reference %d", name, len(b), own, other)
		}
		if own > other+other/8+16 {
			t.Errorf("%s: %d bytes, the reference has %d", name, own, other)
		}
	}
}

func TestBadFrames(t *testing.T) {
	t.Parallel()
	long := samples(t)["long"][:20_000]
	frame := write(t, long, 1<<20)
	for n := range len(frame) {
		if _, _, err := decode(frame[:n]); !errors.Is(err, zstd.ErrTruncated) {
			t.Fatalf("%d of %d bytes: %v", n, len(frame), err)
		}
		if n%97 == 0 {
			if _, err := io.ReadAll(zstd.NewReader(bytes.NewReader(frame[:n]))); !errors.Is(err, zstd.ErrTruncated) {
				t.Fatalf("reader: %d of %d bytes: %v", n, len(frame), err)
			}
		}
	}
	for i := range frame {
		for bit := range 8 {
			bad := bytes.Clone(frame)
			bad[i] ^= 1 << bit
			// Without an error it must be a bit that does not count: of the window, of what fills a byte.
			if b, _, err := decode(bad); err == nil && !bytes.Equal(b, long) {
				t.Fatalf("byte %d, bit %d: no error", i, bit)
			}
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	bomb := []byte{0x28, 0xB5, 0x2F, 0xFD, 0, 0x58} // window 2 MiB, size unknown
	for range 20_000 {
		bomb = append(bomb, 0x02|0, 0, 0x10, 'x') // 128 KiB of x
	}
	var d zstd.Decoder
	if b, _, err := d.Decode(nil, bomb, 1<<20); !errors.Is(err, zstd.ErrTooLong) || b != nil {
		t.Errorf("bomb: %v", err)
	}
	huge := []byte{0x28, 0xB5, 0x2F, 0xFD, 0xE0, 0, 0, 0, 0, 0, 0, 0, 0x40}
	if _, _, err := d.Decode(nil, huge, 1<<20); !errors.Is(err, zstd.ErrTooLong) {
		t.Errorf("announced size: %v", err)
	}
	if _, err := io.ReadAll(zstd.NewReader(bytes.NewReader(append(huge, make([]byte, 20)...)))); !errors.Is(err, zstd.ErrWindow) {
		t.Errorf("window: %v", err)
	}
	if _, err := io.ReadAll(zstd.NewReader(iotest.ErrReader(io.ErrClosedPipe))); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("error of the source: %v", err)
	}
	if _, _, err := decode([]byte("<html>")); !errors.Is(err, zstd.ErrCorrupt) {
		t.Errorf("no frame: %v", err)
	}
}

// FuzzDecode compares with the reference, which is the stricter one about windows.
func FuzzDecode(f *testing.F) {
	var e zstd.Encoder
	for _, s := range []string{"", "a", strings.Repeat("abcdef", 50), `{"done":false,"cards":[[1,2,3],[1,2,4]]}`} {
		f.Add(e.Append(nil, []byte(s)))
		f.Add(write(f, []byte(s), 1<<20))
	}
	ref, err := reference.NewReader(nil, reference.WithDecoderConcurrency(1), reference.WithDecoderMaxMemory(1<<20))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		got, used, err := decode(frame)
		streamed, serr := io.ReadAll(zstd.NewReader(bytes.NewReader(frame)))
		if err == nil && !errors.Is(serr, zstd.ErrWindow) && (serr != nil || !bytes.Equal(got, streamed)) {
			t.Fatalf("the reader differs: %v", serr)
		}
		if err != nil {
			return
		}
		want, rerr := ref.DecodeAll(frame[:used], nil)
		if rerr == nil && !bytes.Equal(got, want) {
			t.Fatalf("%x: %q, reference %q", frame, got, want)
		}
	})
}

// FuzzEncode checks that everything comes back.
func FuzzEncode(f *testing.F) {
	f.Add([]byte("the same the same the same"), uint16(3))
	ref, err := reference.NewReader(nil, reference.WithDecoderConcurrency(1))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte, times uint16) {
		b = bytes.Repeat(b, int(times%300)+1)
		frame := new(zstd.Encoder).Append(nil, b)
		if got, _, err := decode(frame); err != nil || !bytes.Equal(got, b) {
			t.Fatalf("own: %v", err)
		}
		if got, err := ref.DecodeAll(frame, nil); err != nil || !bytes.Equal(got, b) {
			t.Fatalf("reference: %v", err)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	long := samples(b)["long"]
	var e zstd.Encoder
	var dst []byte
	b.SetBytes(int64(len(long)))
	for b.Loop() {
		dst = e.Append(dst[:0], long)
	}
}

func BenchmarkDecode(b *testing.B) {
	long := samples(b)["long"]
	frame := new(zstd.Encoder).Append(nil, long)
	var d zstd.Decoder
	dst := make([]byte, 0, len(long))
	b.SetBytes(int64(len(long)))
	for b.Loop() {
		if _, _, err := d.Decode(dst[:0], frame, len(long)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReferenceEncode(b *testing.B) {
	long := samples(b)["long"]
	e, _ := reference.NewWriter(nil, reference.WithEncoderLevel(reference.SpeedFastest), reference.WithEncoderConcurrency(1), reference.WithWindowSize(1<<20), reference.WithEncoderCRC(false))
	var dst []byte
	b.SetBytes(int64(len(long)))
	for b.Loop() {
		dst = e.EncodeAll(long, dst[:0])
	}
}

func BenchmarkReferenceDecode(b *testing.B) {
	long := samples(b)["long"]
	frame := new(zstd.Encoder).Append(nil, long)
	d, _ := reference.NewReader(nil, reference.WithDecoderConcurrency(1), reference.WithDecoderLowmem(true))
	dst := make([]byte, 0, len(long))
	b.SetBytes(int64(len(long)))
	for b.Loop() {
		if _, err := d.DecodeAll(frame, dst[:0]); err != nil {
			b.Fatal(err)
		}
	}
}
