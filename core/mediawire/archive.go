package mediawire

import (
	"bufio"
	"compress/flate"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/jsontext"
)

const (
	// maxMeta bounds the list of names: MaxEntries names of 255 bytes, escaped.
	maxMeta = 64 << 10
	// maxArchive bounds what one archive may hold: more than any server sends, which stops at BatchBytes and one file.
	maxArchive = 256 << 20
	// maxCompressed bounds a deflated file: what does not get smaller gets a little larger.
	maxCompressed = MaxFile + MaxFile/8
	// maxRest bounds the directory at the end, which nothing is needed from.
	maxRest = 256 << 10
)

func crcOf(b []byte) uint32 { return crc32.ChecksumIEEE(b) }

// Archive reads a downloaded zip archive (§5.2) in one pass, member by member. The names of the files come with the
// list of names, which is mostly the last member. Sizes that the archive declares are never trusted; the content of
// members is not checked against their checksums here, as the host sums them up anyway.
type Archive struct {
	src    *bufio.Reader
	left   int   // entries that may follow
	room   int64 // bytes that may follow
	entry  entry
	body   io.Reader // content of the member being read, nil between members
	stored exactly   // what body reads from
	size   int64     // of it, so far
	names  []byte
	what   string // the message that the archive is, for errors
	// unsized, if set, reads the content of a stored member whose size is told behind it. Clients can do without it: no
	// server sends such members.
	unsized func(a *Archive) io.Reader
}

// entry is what a local header says.
type entry struct {
	name       string
	flags      uint16
	method     uint16
	crc        uint32
	compressed uint64
	open       bool // the compressed size is told behind the content
	zip64      bool
}

// NewArchive returns a reader of the archive in r with up to members files.
func NewArchive(r io.Reader, members int) *Archive {
	a := &Archive{}
	a.Reset(r, members)
	return a
}

// Reset makes a, which may be new, a reader of the archive in r, with the memory it has.
func (a *Archive) Reset(r io.Reader, members int) {
	src := a.src
	if src == nil {
		src = bufio.NewReaderSize(nil, 32<<10)
	}
	src.Reset(r)
	*a = Archive{src: src, left: members + 1, room: maxArchive, what: DownloadFiles}
}

// Next goes to the next file and returns the name of its member; io.EOF after the last one. What is left of the one
// before is passed over. Errors are fault.DamagedDownload, or those of the reader.
func (a *Archive) Next() (member string, err error) {
	for {
		if member, err = a.next(); err != nil || member != meta {
			return member, a.explain(err)
		}
		if err := a.list(maxMeta); err != nil {
			return "", a.explain(err)
		}
	}
}

// list reads the list of names, which is the member that next has come to.
func (a *Archive) list(limit int64) (err error) {
	if a.names, err = io.ReadAll(io.LimitReader(a, limit+1)); err != nil {
		return err
	}
	if int64(len(a.names)) > limit {
		return errTooLong
	}
	if crcOf(a.names) != a.entry.crc {
		return errChecksum
	}
	return nil
}

func (a *Archive) next() (string, error) {
	if a.body != nil {
		if _, err := io.Copy(io.Discard, a); err != nil {
			return "", err
		}
	}
	sig, err := a.src.Peek(4)
	if err != nil {
		return "", cutOff(err)
	}
	switch binary.LittleEndian.Uint32(sig) {
	case sigLocal:
	case sigCentral, sigEnd, sigEnd64, sigExtra:
		return "", io.EOF
	default:
		return "", errFormat
	}
	if a.left--; a.left < 0 {
		return "", errTooMany
	}
	if err := a.header(); err != nil {
		return "", err
	}
	a.size = 0
	a.stored = exactly{a.src, a.entry.compressed}
	if a.entry.open {
		a.stored.left = maxCompressed
	}
	switch a.body = &a.stored; {
	case a.entry.method == 8:
		a.body = flate.NewReader(&a.stored)
	case a.entry.open:
		a.body = a.unsized(a)
	}
	return a.entry.name, nil
}

// header reads a local header.
func (a *Archive) header() error {
	var h [30]byte
	if _, err := io.ReadFull(a.src, h[:]); err != nil {
		return cutOff(err)
	}
	le := binary.LittleEndian
	e := entry{flags: le.Uint16(h[6:]), method: le.Uint16(h[8:]), crc: le.Uint32(h[14:]), compressed: uint64(le.Uint32(h[18:]))}
	rest := make([]byte, int(le.Uint16(h[26:]))+int(le.Uint16(h[28:])))
	if _, err := io.ReadFull(a.src, rest); err != nil {
		return cutOff(err)
	}
	e.name = string(rest[:le.Uint16(h[26:])])
	for x := rest[len(e.name):]; len(x) >= 4; {
		n := int(le.Uint16(x[2:]))
		if len(x) < 4+n {
			return errFormat
		}
		if le.Uint16(x) == 1 { // sizes of 64 bits: that of the content, then the compressed one
			e.zip64 = true
			if e.compressed == 1<<32-1 && n >= 16 {
				e.compressed = le.Uint64(x[12:])
			}
		}
		x = x[4+n:]
	}
	e.open = e.flags&8 != 0 && e.compressed == 0
	if e.flags&1 != 0 || e.method != 0 && e.method != 8 || e.method == 0 && e.open && a.unsized == nil { // 1: encrypted
		return errFeature
	}
	if e.compressed > maxCompressed {
		return errTooLong
	}
	a.entry = e
	return nil
}

// Read reads the content of the member that Next went to; io.EOF at its end.
func (a *Archive) Read(p []byte) (int, error) {
	if a.body == nil {
		return 0, io.EOF
	}
	n, err := a.body.Read(p)
	a.size += int64(n)
	a.room -= int64(n)
	switch {
	case a.size > MaxFile || a.room < 0:
		err = errTooLong
	case err == io.EOF:
		if err = a.finish(); err == nil {
			a.body = nil
			return n, io.EOF
		}
	}
	return n, a.explain(err)
}

// finish reads what may follow the content of a member.
func (a *Archive) finish() error {
	if a.stored.left > 0 && !a.entry.open {
		return errFormat
	}
	if a.entry.flags&8 == 0 {
		return nil
	}
	var d [24]byte // signature (which may be left out), checksum, two sizes
	n := 12
	if a.entry.zip64 {
		n = 20
	}
	sig, err := a.src.Peek(4)
	if err == nil && binary.LittleEndian.Uint32(sig) == sigDescriptor {
		_, err = a.src.Discard(4)
	}
	if err == nil {
		_, err = io.ReadFull(a.src, d[:n])
	}
	a.entry.crc = binary.LittleEndian.Uint32(d[:])
	return cutOff(err)
}

// CRC returns the checksum that the archive gives for the member whose content was read to its end.
func (a *Archive) CRC() uint32 { return a.entry.crc }

// Names returns the names of the files by member, after Next has returned io.EOF.
func (a *Archive) Names() (map[string]string, error) {
	if a.names == nil {
		return nil, a.explain(errMeta)
	}
	members, err := jsontext.ParseObject(a.names)
	if err != nil {
		return nil, a.explain(err)
	}
	names := make(map[string]string, len(members))
	for _, m := range members {
		name, ok := jsontext.String(m.Raw)
		if !ok {
			return nil, a.explain(errType)
		}
		names[m.Key] = name
	}
	return names, nil
}

// Drain reads the directory at the end, so that the connection can be used again.
func (a *Archive) Drain() { _, _ = io.CopyN(io.Discard, a.src, maxRest) }

// explain gives the errors of the archive their kind and leaves those of the reader as they are.
func (a *Archive) explain(err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	if _, ok := errors.AsType[*fault.Error](err); ok || fault.KindOf(err) == fault.Cancelled {
		return err
	}
	return damaged(a.what, err)
}

// cutOff is the error of an archive that ends too early.
func cutOff(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// exactly reads a known number of bytes.
type exactly struct {
	src  *bufio.Reader
	left uint64
}

func (x *exactly) Read(p []byte) (int, error) {
	if x.left == 0 {
		return 0, io.EOF
	}
	n, err := x.src.Read(p[:min(uint64(len(p)), x.left)])
	x.left -= uint64(n)
	return n, cutOff(err)
}

// ReadByte is for the inflater, which then reads no byte too many.
func (x *exactly) ReadByte() (byte, error) {
	if x.left == 0 {
		return 0, io.EOF
	}
	x.left--
	return x.src.ReadByte()
}
