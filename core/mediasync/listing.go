package mediasync

import (
	"bytes"
	"encoding/binary"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

// entry is one file of the folder's listing. Its name shares memory with the listing: of a hundred thousand files few have
// changed, and only of those the name is copied.
type entry struct {
	name    string
	file    host.MediaFile
	regular bool
}

// listing reads the folder's listing.
type listing struct {
	scan host.MediaScan
	buf  []byte
	rest []byte // of buf, not passed yet
	tail []byte // rest without the row that head has decoded
	row  rows.Row
	done bool
}

// head returns the next file without going on to the one after it, which pass does; ok is false at the end. The name is
// valid until the call of head after that.
func (l *listing) head() (e entry, ok bool, err error) {
	for len(l.rest) == 0 {
		if l.done {
			return e, false, nil
		}
		if l.buf, l.done, err = l.scan.Next(l.buf[:0]); err != nil {
			return e, false, err
		}
		l.rest = l.buf
	}
	if l.row, l.tail, err = rows.Decode(l.rest, l.row); err != nil {
		return e, false, err
	}
	e = entry{l.row[0].Shared(), host.MediaFile{Size: l.row[1].Int(), Modified: l.row[2].Int()}, l.row[3].Int() != 0}
	return e, true, nil
}

// pass goes on to the file after the one that head has returned.
func (l *listing) pass() { l.rest = l.tail }

// passUnchanged goes on for as long as the listing and a page of the index have the same rows. It returns their number, the
// last of them and what is left of the page. Both have rows of name, size, modified and 1 (a regular file; nothing to look
// at anew), so that the bytes tell it: to decode them was a third of the time of a scan.
func (l *listing) passUnchanged(page []byte) (n int, last, rest []byte) {
	for rest = page; ; n++ {
		size := unchanged(rest, l.rest)
		if size == 0 {
			return n, last, rest
		}
		last, rest, l.rest = rest[:size], rest[size:], l.rest[size:]
	}
}

// unchanged returns the size of the packed row with which both begin if it says that a file is unchanged, else 0.
func unchanged(page, listed []byte) int {
	const before, after = 2 + 1 + 4, 3 * (1 + 8) // count, tag and length; three integers
	if len(page) < before || page[2] != rows.TagText {
		return 0
	}
	size := uint64(binary.LittleEndian.Uint32(page[3:])) + before + after
	if size > uint64(len(page)) || size > uint64(len(listed)) || !bytes.Equal(page[:size], listed[:size]) ||
		binary.LittleEndian.Uint64(page[size-8:]) != 1 {
		return 0
	}
	return int(size)
}
