package rows_test

import (
	"bytes"
	"math"
	"reflect"
	"testing"

	"github.com/cardferry/cardferry/core/rows"
)

// TestPack pins the bytes: jsbridge/src/rows.ts reads them too.
func TestPack(t *testing.T) {
	t.Parallel()
	got := rows.Pack(nil, nil, true, -1, int32(2), int64(3), 1.5, "é", []byte{9})
	want := []byte{8, 0, 0,
		1, 1, 0, 0, 0, 0, 0, 0, 0,
		1, 255, 255, 255, 255, 255, 255, 255, 255,
		1, 2, 0, 0, 0, 0, 0, 0, 0,
		1, 3, 0, 0, 0, 0, 0, 0, 0,
		2, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F,
		3, 2, 0, 0, 0, 0xC3, 0xA9,
		4, 1, 0, 0, 0, 9}
	if !bytes.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	row, rest, err := rows.Decode(append(got, 7), nil)
	if err != nil || !bytes.Equal(rest, []byte{7}) {
		t.Fatal(rest, err)
	}
	var values []any
	for _, v := range row {
		values = append(values, v.Any())
	}
	if want := []any{nil, int64(1), int64(-1), int64(2), int64(3), 1.5, "é", []byte{9}}; !reflect.DeepEqual(values, want) {
		t.Errorf("%#v", values)
	}
	defer func() {
		if recover() == nil {
			t.Error("a channel was packed")
		}
	}()
	rows.Pack(nil, make(chan int))
}

func TestEmptyBlobIsNotNull(t *testing.T) {
	t.Parallel()
	row, _, err := rows.Decode(rows.Pack(nil, []byte(nil), ""), nil)
	if err != nil || row[0].Tag != rows.TagBlob || row[1].Tag != rows.TagText {
		t.Errorf("%v, %v", row, err)
	}
	if c := row.Clone(); c[0].Bytes == nil || c[0].Tag != rows.TagBlob {
		t.Error("a copy of an empty blob is nil")
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	row, _, _ := rows.Decode(rows.Pack(nil, nil, int64(-3), 2.9, "12", math.Inf(-1)), nil)
	for i, want := range []struct {
		n int64
		f float64
		s string
	}{{0, 0, ""}, {-3, -3, ""}, {2, 2.9, ""}, {0, 0, "12"}} {
		if v := row[i]; v.Int() != want.n || v.Float() != want.f || v.String() != want.s {
			t.Errorf("%d: %d %g %q", i, v.Int(), v.Float(), v.String())
		}
	}
	if !math.IsInf(row[4].Float(), -1) {
		t.Error(row[4].Float())
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	b := rows.Pack(nil, int64(1), 2.5, "text", []byte("blob"), nil)
	for i := range b {
		if row, rest, err := rows.Decode(b[:i], nil); err == nil || row != nil || rest != nil {
			t.Errorf("%d of %d bytes: %v, %v", i, len(b), row, err)
		}
	}
	for _, b := range [][]byte{{1, 0, 5}, {1, 0, 255}, {1, 0, 3, 255, 255, 255, 255, 'x'}, {255, 255}} {
		if _, _, err := rows.Decode(b, nil); err == nil {
			t.Errorf("%v: no error", b)
		}
	}
}

// TestDecodeReusesMemory is not parallel: it counts allocations.
func TestDecodeReusesMemory(t *testing.T) {
	b := rows.Pack(rows.Pack(nil, int64(1), "a"), int64(2), "b")
	row := make(rows.Row, 0, 4)
	if n := testing.AllocsPerRun(10, func() {
		for rest := b; len(rest) > 0; {
			row, rest, _ = rows.Decode(rest, row)
		}
	}); n > 0 {
		t.Errorf("%g allocations", n)
	}
}

// FuzzDecode: what is accepted is the packed form of what comes out.
func FuzzDecode(f *testing.F) {
	f.Add(rows.Pack(nil, nil, int64(-1), 1.5, "text", []byte{0, 255}))
	f.Add([]byte{1, 0, 3, 255, 255, 255, 127})
	f.Add([]byte{0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		row, rest, err := rows.Decode(b, nil)
		if err != nil {
			if row != nil || rest != nil {
				t.Fatal("an error with a result")
			}
			return
		}
		again := rows.Begin(nil, len(row))
		for _, v := range row {
			switch v.Tag {
			case rows.TagNull:
				again = rows.Null(again)
			case rows.TagInt:
				again = rows.Int(again, v.Int())
			case rows.TagFloat:
				if again = rows.Float(again, v.Float()); math.IsNaN(v.Float()) {
					return // not every bit of a NaN survives
				}
			case rows.TagText:
				again = rows.Text(again, v.Bytes)
			case rows.TagBlob:
				again = rows.Blob(again, v.Bytes)
			}
		}
		if !bytes.Equal(append(again, rest...), b) {
			t.Fatalf("%x became %x", b, again)
		}
	})
}
