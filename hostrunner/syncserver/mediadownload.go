package syncserver

import (
	"context"
	"hash/crc32"
	"net/http"
	"strconv"
	"sync"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/mediawire"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// downloadFiles sends the first of the files that are asked for (§4.3).
func downloadFiles(ctx context.Context, c *call, payload []byte) (a answer, err error) {
	names, err := mediawire.ParseDownloadRequest(payload)
	if err != nil {
		return a, err
	}
	d := &mediaDownload{call: c, index: &c.tenant.media}
	if err := d.choose(ctx, names); err != nil {
		d.close()
		return a, fault.Step("media download", err)
	}
	return answer{send: d.send}, nil
}

// mediaDownload is an answer to downloadFiles: files whose content is open.
type mediaDownload struct {
	call  *call
	index *mediaIndex
	files []mediawire.Served
	rows  []mediaRow
	blobs []store.Blob
}

func (d *mediaDownload) close() {
	for _, b := range d.blobs {
		b.Close()
	}
}

// choose opens the files, in the order of their names, until they are enough.
func (d *mediaDownload) choose(ctx context.Context, names []string) error {
	if len(names) == 0 {
		return nil
	}
	absent := refuse(http.StatusConflict, "a file is not there")
	err := d.index.with(ctx, host.ReadWrite, func() error {
		for total := int64(0); len(d.files) < len(names) && total <= mediawire.BatchBytes; {
			name := names[len(d.files)]
			row, ok, err := d.index.row(name)
			if err != nil {
				return err
			}
			if !ok || row.size == 0 {
				return absent
			}
			blob, err := d.open(ctx, row)
			if isLost(err) {
				return d.forgetLost(ctx, names[len(d.files):], absent)
			}
			if err != nil {
				return err
			}
			d.blobs, d.rows = append(d.blobs, blob), append(d.rows, row)
			d.files = append(d.files, mediawire.Served{Name: name, Size: row.size, CRC: row.crc})
			total += row.size
		}
		return nil
	})
	if err == nil && len(d.files) == 0 {
		return absent // there are no media at all yet
	}
	return err
}

// open opens the content of a file.
func (d *mediaDownload) open(ctx context.Context, row mediaRow) (store.Blob, error) {
	blob, err := d.call.server.Blobs.Open(ctx, d.call.tenant.id, row.sum)
	if err == nil && blob.Size() != row.size {
		blob.Close()
		err = fault.New(fault.DamagedFile, "the content has another size")
	}
	return blob, err
}

// isLost reports whether an error of open means that there is no content any more.
func isLost(err error) bool {
	kind := fault.KindOf(err)
	return kind == fault.NotFound || kind == fault.DamagedFile
}

// forgetLost forgets all of the files whose content is lost, and returns then: with one at a time the client's syncs would fail once for each of
// them. The lock is held.
func (d *mediaDownload) forgetLost(ctx context.Context, names []string, then error) error {
	for _, name := range names {
		row, ok, err := d.index.row(name)
		if err == nil && ok && row.size > 0 {
			var blob store.Blob
			if blob, err = d.open(ctx, row); err == nil {
				blob.Close()
			} else if isLost(err) {
				err = d.lost(row, nil)
			}
		}
		if err != nil {
			return err
		}
	}
	return then
}

// lost forgets a file whose content is missing or damaged (§9.4), and returns then. The lock is held.
func (d *mediaDownload) lost(row mediaRow, then error) error {
	d.call.server.Log.Error("media content is lost", "account", string(d.call.tenant.id), "usn", row.usn, "bytes", row.size)
	if err := d.index.forget(row); err != nil {
		return err
	}
	return then
}

// sendBlock is how much is written at a time.
const sendBlock = 128 << 10

var sendBuffers = sync.Pool{New: func() any { b := make([]byte, 0, sendBlock); return &b }}

// send sends the archive and closes the files.
func (d *mediaDownload) send() error {
	defer d.close()
	parts, size := mediawire.DownloadBody(d.files)
	length := int64(0)
	for _, p := range parts {
		length += int64(len(p.Bytes)) + p.Len
	}
	w := d.call.w
	h := w.Header()
	h.Set("anki-original-size", strconv.FormatInt(size, 10))
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Length", strconv.FormatInt(length, 10))
	w.WriteHeader(http.StatusOK)
	buf := sendBuffers.Get().(*[]byte)
	defer sendBuffers.Put(buf)
	s := mediaSender{mediaDownload: d, buf: (*buf)[:0]}
	for _, p := range parts {
		if err := s.part(p); err != nil {
			return err
		}
	}
	return s.flush()
}

// mediaSender writes the parts of an archive in blocks.
type mediaSender struct {
	*mediaDownload
	buf []byte
	crc uint32 // of the file, so far
}

func (s *mediaSender) flush() error {
	_, err := s.call.w.Write(s.buf)
	s.buf = s.buf[:0]
	return err
}

func (s *mediaSender) part(p host.BodyPart) error {
	for rest := p.Bytes; len(rest) > 0; {
		n := copy(s.buf[len(s.buf):cap(s.buf)], rest)
		if s.buf, rest = s.buf[:len(s.buf)+n], rest[n:]; len(s.buf) == cap(s.buf) {
			if err := s.flush(); err != nil {
				return err
			}
		}
	}
	if p.Len == 0 {
		return nil
	}
	i, err := strconv.Atoi(p.Media)
	if err != nil {
		return err
	}
	return s.content(i, p.Offset, p.Len)
}

// content sends a part of a file. What is not what was stored must not reach a client as that: the connection is closed, and the file
// is forgotten, so that a device that has it sends it again.
func (s *mediaSender) content(i int, at, n int64) error {
	if at == 0 {
		s.crc = 0
	}
	for end := at + n; at < end; {
		room := s.buf[len(s.buf):cap(s.buf)]
		room = room[:min(int64(len(room)), end-at)]
		if got, err := s.blobs[i].ReadAt(room, at); got < len(room) {
			return s.broken(i, err)
		}
		s.crc = crc32.Update(s.crc, crc32.IEEETable, room)
		at += int64(len(room))
		if at == s.rows[i].size && s.crc != s.rows[i].crc {
			return s.broken(i, nil)
		}
		if s.buf = s.buf[:len(s.buf)+len(room)]; len(s.buf) == cap(s.buf) {
			if err := s.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// broken forgets a file that turned out to be damaged while it was sent.
func (s *mediaSender) broken(i int, cause error) error {
	damaged := &fault.Error{Kind: fault.DamagedFile, Message: "media content is damaged", Err: cause}
	ctx, cancel := s.call.work(context.Background())
	defer cancel()
	return s.index.with(ctx, host.ReadWrite, func() error { return s.lost(s.rows[i], damaged) })
}
