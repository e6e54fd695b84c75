package nethost

import (
	"io"
	"sync"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
)

// Media has the media files that bodies take parts of; every host.Media is one.
type Media interface {
	// Open opens a file for reading.
	Open(name string) (host.File, error)
	// Stat describes a file.
	Stat(name string) (host.MediaFile, error)
}

// seer is implemented by open files that know how they are seen: cheaper than to look for the name again.
type seer interface {
	Seen() (host.MediaFile, error)
}

// sizeOf checks the parts of a body and returns their length.
func sizeOf(parts []host.BodyPart) (size int64, err error) {
	for _, p := range parts {
		if p.Media == "" {
			size += int64(len(p.Bytes))
			continue
		}
		if p.Offset < 0 || p.Len < 0 || p.Len > p.Seen.Size-p.Offset || len(p.Bytes) > 0 {
			return 0, fault.New(fault.Internal, "the request takes %d bytes at %d of a media file with %d", p.Len, p.Offset, p.Seen.Size)
		}
		size += p.Len
	}
	return size, nil
}

// partsBody reads a body that is made of parts. One media file is open at a time, from its first range to that of
// another file. The transport may close it while it is being read.
type partsBody struct {
	media Media
	parts []host.BodyPart // not read to the end yet

	mu     sync.Mutex
	off    int64 // in the first part
	file   host.File
	open   host.BodyPart // says which file that is
	closed bool
}

// Read reads from one part. The last bytes of a range are given out only after the file was found unchanged.
func (b *partsBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.parts) > 0 && !b.closed {
		part := &b.parts[0]
		left := int64(len(part.Bytes))
		if part.Media != "" {
			left = part.Len
		}
		left -= b.off
		if left == 0 {
			b.parts, b.off = b.parts[1:], 0
			continue
		}
		want := p[:min(int64(len(p)), left)]
		if part.Media == "" {
			copy(want, part.Bytes[b.off:])
		} else if err := b.readMedia(part, want); err != nil {
			return 0, err
		}
		b.off += int64(len(want))
		return len(want), nil
	}
	if b.closed {
		return 0, io.ErrClosedPipe
	}
	return 0, io.EOF
}

// readMedia fills p from a media file.
func (b *partsBody) readMedia(part *host.BodyPart, p []byte) error {
	if b.file == nil || b.open.Media != part.Media || b.open.Seen != part.Seen {
		b.closeFile()
		file, err := b.media.Open(part.Media)
		if err != nil {
			return err
		}
		b.file, b.open = file, host.BodyPart{Media: part.Media, Seen: part.Seen}
		if err := b.check(); err != nil {
			return err
		}
	}
	n, err := b.file.ReadAt(p, part.Offset+b.off)
	switch {
	case n < len(p) && err == io.EOF:
		return b.changed()
	case n < len(p):
		return err
	case b.off+int64(n) == part.Len:
		return b.check()
	}
	return nil
}

// check fails if the open file is not as it was seen.
func (b *partsBody) check() error {
	var now host.MediaFile
	var err error
	if s, ok := b.file.(seer); ok {
		now, err = s.Seen()
	} else {
		now, err = b.media.Stat(b.open.Media)
	}
	if err == nil && now != b.open.Seen {
		err = b.changed()
	}
	return err
}

func (b *partsBody) changed() error {
	return fault.New(fault.NotFound, "the media file %s has changed", b.open.Media)
}

func (b *partsBody) closeFile() {
	if b.file != nil {
		_ = b.file.Close() // it was only read
		b.file = nil
	}
}

// Close ends the body.
func (b *partsBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.closeFile()
	return nil
}
