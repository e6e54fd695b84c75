package mediawire

import (
	"encoding/binary"
	"strconv"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/jsontext"
)

// Entry is one entry of an upload: a file of the store with the checksum of its content, or a deletion.
type Entry struct {
	Name   string
	Delete bool
	File   host.MediaFile
	CRC    uint32
}

// meta is the member of an archive that lists the names.
const meta = "_meta"

// The signatures of zip.
const (
	sigLocal      = 0x04034b50
	sigCentral    = 0x02014b50
	sigEnd        = 0x06054b50
	sigEnd64      = 0x06064b50
	sigExtra      = 0x08064b50
	sigDescriptor = 0x08074b50
)

// UploadBody returns the body of uploadChanges (§5.1): one zstd frame around a zip archive of stored files. The frame's
// blocks are uncompressed, as most media files are compressed already, so that the host takes the files from the store
// as they are, and nothing of them passes through here.
func UploadBody(entries []Entry) []host.BodyPart {
	var z zipWriter
	z.plain = make([]byte, 0, 512)
	z.central = make([]byte, 0, 52*len(entries)+64)
	list := append(make([]byte, 0, 64*len(entries)), '[')
	for i, e := range entries {
		list = append(jsontext.Separate(list), '[')
		list = append(jsontext.AppendString(list, e.Name), ',')
		if e.Delete {
			list = append(list, "null]"...)
			continue
		}
		member := strconv.Itoa(i) // the number of the entry, deletions included
		list = append(jsontext.AppendString(list, member), ']')
		z.member(member, e.CRC, e.File.Size)
		z.file(e)
	}
	list = append(list, ']')
	z.member(meta, crcOf(list), int64(len(list)))
	z.plain = append(z.plain, list...)
	return z.end()
}

// zipWriter writes an archive.
type zipWriter struct {
	frame
	central []byte
	count   int
}

// member begins a member, whose content follows.
func (z *zipWriter) member(name string, crc uint32, size int64) {
	// Both headers have the same middle part: version 2.0, no flags, stored, 1 January 1980, sums and sizes.
	head := [26]byte{0: 20, 8: 0x21, 22: byte(len(name))}
	binary.LittleEndian.PutUint32(head[10:], crc)
	binary.LittleEndian.PutUint32(head[14:], uint32(size))
	binary.LittleEndian.PutUint32(head[18:], uint32(size))
	var central [46]byte // made by version 2.0, no comment, first disk, no attributes
	binary.LittleEndian.PutUint32(central[:], sigCentral)
	central[4] = 20
	copy(central[6:], head[:])
	binary.LittleEndian.PutUint32(central[42:], uint32(z.offset()))
	z.central = append(append(z.central, central[:]...), name...)
	z.plain = binary.LittleEndian.AppendUint32(z.plain, sigLocal)
	z.plain = append(append(z.plain, head[:]...), name...)
	z.count++
}

// end writes the directory and returns the body.
func (z *zipWriter) end() []host.BodyPart {
	offset := z.offset()
	z.plain = append(z.plain, z.central...)
	z.plain = binary.LittleEndian.AppendUint32(z.plain, sigEnd)
	z.plain = append(z.plain, 0, 0, 0, 0, byte(z.count), 0, byte(z.count), 0)
	z.plain = binary.LittleEndian.AppendUint32(z.plain, uint32(len(z.central)))
	z.plain = binary.LittleEndian.AppendUint32(z.plain, uint32(offset))
	z.plain = append(z.plain, 0, 0)
	return z.frame.end()
}

// maxBlock is the size of a block of a zstd frame whose window is as large (RFC 8878 §3.1.1.2).
const maxBlock = 128 << 10

// frame writes one zstd frame of uncompressed blocks.
type frame struct {
	parts []host.BodyPart
	buf   []byte // the part that is being written
	plain []byte // content that has no block yet
	size  int64  // of the content in blocks
}

// offset is how much content there is so far.
func (f *frame) offset() int64 { return f.size + int64(len(f.plain)) }

// block begins a block.
func (f *frame) block(n int, last bool) {
	if f.size == 0 && len(f.buf) == 0 {
		// Content size of 8 bytes, filled in at the end; no checksum; a window of maxBlock: a reader needs no more memory.
		f.buf = append(f.buf, 0x28, 0xB5, 0x2F, 0xFD, 0xC0, 0x38, 0, 0, 0, 0, 0, 0, 0, 0)
	}
	head := n << 3
	if last {
		head |= 1
	}
	f.buf = append(f.buf, byte(head), byte(head>>8), byte(head>>16))
	f.size += int64(n)
}

// flush puts what is plain into blocks.
func (f *frame) flush(last bool) {
	for len(f.plain) > 0 {
		n := min(len(f.plain), maxBlock)
		f.block(n, last && n == len(f.plain))
		f.buf = append(f.buf, f.plain[:n]...)
		f.plain = f.plain[n:]
	}
}

// file puts a file of the store into blocks.
func (f *frame) file(e Entry) {
	f.flush(false)
	for off := int64(0); off < e.File.Size; off += maxBlock {
		n := min(e.File.Size-off, maxBlock)
		f.block(int(n), false)
		f.parts = append(f.parts, host.BodyPart{Bytes: f.buf}, host.BodyPart{Media: e.Name, Seen: e.File, Offset: off, Len: n})
		f.buf = nil
	}
}

// end ends the frame; there is content without a block left.
func (f *frame) end() []host.BodyPart {
	f.flush(true)
	f.parts = append(f.parts, host.BodyPart{Bytes: f.buf})
	binary.LittleEndian.PutUint64(f.parts[0].Bytes[6:], uint64(f.size))
	return f.parts
}
