// Package rows has the packed form in which SQL parameters and result rows cross host.Stmt, and the helpers with
// which the core runs SQL.
//
// A packed row is a count of values and the values, all integers little-endian:
//
//	row   := count:u16 value*
//	value := 0                  NULL
//	       | 1 int64            INTEGER
//	       | 2 float64          REAL
//	       | 3 len:u32 bytes    TEXT (UTF-8)
//	       | 4 len:u32 bytes    BLOB
//
// Rows follow each other without anything between. The format is decoded by Go hosts (this package) and by
// jsbridge/src/rows.ts.
package rows

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"unsafe"
)

// The tags of packed values.
const (
	TagNull  = 0
	TagInt   = 1
	TagFloat = 2
	TagText  = 3
	TagBlob  = 4
)

// Begin appends the head of a row of n values.
func Begin(dst []byte, n int) []byte { return binary.LittleEndian.AppendUint16(dst, uint16(n)) }

// Extend appends a packed row as the beginning of one of n values; the caller appends those that are missing.
func Extend(dst, row []byte, n int) []byte { return append(Begin(dst, n), row[2:]...) }

// Null appends NULL.
func Null(dst []byte) []byte { return append(dst, TagNull) }

// Int appends an INTEGER.
func Int(dst []byte, v int64) []byte {
	return binary.LittleEndian.AppendUint64(append(dst, TagInt), uint64(v))
}

// Float appends a REAL.
func Float(dst []byte, v float64) []byte {
	return binary.LittleEndian.AppendUint64(append(dst, TagFloat), math.Float64bits(v))
}

// Text appends a TEXT.
func Text[T ~string | ~[]byte](dst []byte, v T) []byte {
	dst = binary.LittleEndian.AppendUint32(append(dst, TagText), uint32(len(v)))
	return append(dst, v...)
}

// Blob appends a BLOB; a nil slice is a zero-length blob, not NULL (collection-format.md T2).
func Blob(dst []byte, v []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(append(dst, TagBlob), uint32(len(v)))
	return append(dst, v...)
}

// Pack appends one row of args: nil, bool, int, int32, int64, float64, string (TEXT) or []byte (BLOB).
// It panics on another type, which is a defect of the caller.
func Pack(dst []byte, args ...any) []byte {
	dst = Begin(dst, len(args))
	for _, a := range args {
		switch v := a.(type) {
		case nil:
			dst = Null(dst)
		case bool:
			n := int64(0)
			if v {
				n = 1
			}
			dst = Int(dst, n)
		case int:
			dst = Int(dst, int64(v))
		case int32:
			dst = Int(dst, int64(v))
		case int64:
			dst = Int(dst, v)
		case float64:
			dst = Float(dst, v)
		case string:
			dst = Text(dst, v)
		case []byte:
			dst = Blob(dst, v)
		default:
			panic(fmt.Sprintf("rows: cannot pack %T", a))
		}
	}
	return dst
}

// Value is one decoded value. Bytes points into the packed row.
type Value struct {
	Tag   byte
	Bits  uint64 // INTEGER or REAL
	Bytes []byte // TEXT or BLOB
}

// Int returns the value as an integer: a REAL truncated, anything else 0.
func (v Value) Int() int64 {
	switch v.Tag {
	case TagInt:
		return int64(v.Bits)
	case TagFloat:
		return int64(v.Float())
	}
	return 0
}

// Float returns the value as a number, 0 if it is none.
func (v Value) Float() float64 {
	switch v.Tag {
	case TagInt:
		return float64(int64(v.Bits))
	case TagFloat:
		return math.Float64frombits(v.Bits)
	}
	return 0
}

// String returns a copy of a TEXT or BLOB, "" for anything else.
func (v Value) String() string { return string(v.Bytes) }

// Shared returns a TEXT or BLOB as a string that shares memory with the packed row: it is valid as long as that.
func (v *Value) Shared() string { return unsafe.String(unsafe.SliceData(v.Bytes), len(v.Bytes)) }

// Clone returns a copy of the bytes of a TEXT or BLOB.
func (v Value) Clone() []byte { return append([]byte{}, v.Bytes...) }

// Any returns the value as nil, int64, float64, string or []byte.
func (v Value) Any() any {
	switch v.Tag {
	case TagInt:
		return int64(v.Bits)
	case TagFloat:
		return v.Float()
	case TagText:
		return v.String()
	case TagBlob:
		return v.Clone()
	}
	return nil
}

// Row is one decoded row.
type Row []Value

// Decode decodes the first row of b into row (reusing its memory) and returns it and the rest of b. It fails on
// truncated input and on unknown tags. It is one flat loop because each row that is sent passes here, and calls are
// expensive in Wasm.
func Decode(b []byte, row Row) (Row, []byte, error) {
	if len(b) < 2 {
		return nil, nil, errTruncated
	}
	n := int(binary.LittleEndian.Uint16(b))
	if len(b)-2 < n { // a value has at least one byte
		return nil, nil, errTruncated
	}
	row = slices.Grow(row[:0], n)[:n]
	i := 2
	for k := range row {
		if i == len(b) {
			return nil, nil, errTruncated
		}
		v := &row[k]
		v.Tag, v.Bits, v.Bytes = b[i], 0, nil
		i++
		switch v.Tag {
		case TagNull:
		case TagInt, TagFloat:
			if len(b)-i < 8 {
				return nil, nil, errTruncated
			}
			v.Bits = binary.LittleEndian.Uint64(b[i:])
			i += 8
		case TagText, TagBlob:
			if len(b)-i < 4 {
				return nil, nil, errTruncated
			}
			size := uint64(binary.LittleEndian.Uint32(b[i:]))
			if i += 4; uint64(len(b)-i) < size {
				return nil, nil, errTruncated
			}
			v.Bytes = b[i : i+int(size) : i+int(size)]
			i += int(size)
		default:
			return nil, nil, fmt.Errorf("packed row: unknown tag %d", v.Tag)
		}
	}
	return row, b[i:], nil
}

var errTruncated = fmt.Errorf("packed row: truncated")
