package abi

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
)

var (
	_ host.Media      = mediaPort{}
	_ host.MediaScan  = (*stmt)(nil)
	_ host.MediaDraft = (*draft)(nil)
)

// MediaRecord is what media_hash and media_sum write: size, modified, SHA-1, CRC.
type MediaRecord [40]byte

// PutMediaRecord returns the record of a file and its sums.
func PutMediaRecord(f host.MediaFile, s host.MediaSum) (r MediaRecord) {
	binary.LittleEndian.PutUint64(r[:], uint64(f.Size))
	binary.LittleEndian.PutUint64(r[8:], uint64(f.Modified))
	copy(r[16:], s.SHA1[:])
	binary.LittleEndian.PutUint32(r[36:], s.CRC)
	return r
}

func (r *MediaRecord) file() host.MediaFile {
	return host.MediaFile{
		Size: int64(binary.LittleEndian.Uint64(r[:])), Modified: int64(binary.LittleEndian.Uint64(r[8:])),
	}
}

func (r *MediaRecord) sum() host.MediaSum {
	return host.MediaSum{SHA1: [20]byte(r[16:36]), CRC: binary.LittleEndian.Uint32(r[36:])}
}

// mediaPort looks at contexts only before an import: the host knows which task runs, and ends its work itself.
type mediaPort struct{ g *Guest }

func (p mediaPort) Scan(ctx context.Context) (host.MediaScan, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	h := p.g.imports.MediaScan()
	if h < 0 {
		return nil, p.g.failure(int64(h))
	}
	return &stmt{p.g, h}, nil
}

func (p mediaPort) Stat(name string) (host.MediaFile, error) {
	var out [2]int64
	if err := p.g.check(p.g.imports.MediaStat(name, &out)); err != nil {
		return host.MediaFile{}, err
	}
	return host.MediaFile{Size: out[0], Modified: out[1]}, nil
}

func (p mediaPort) Hash(ctx context.Context, name string) (host.MediaFile, host.MediaSum, error) {
	if err := ctx.Err(); err != nil {
		return host.MediaFile{}, host.MediaSum{}, err
	}
	var r MediaRecord
	if err := p.g.check(p.g.imports.MediaHash(name, &r)); err != nil {
		return host.MediaFile{}, host.MediaSum{}, err
	}
	return r.file(), r.sum(), nil
}

func (p mediaPort) Open(name string) (host.File, error) {
	return filesPort(p).file(p.g.imports.MediaOpen(name))
}

func (p mediaPort) Create() (host.MediaDraft, error) {
	h := p.g.imports.MediaCreate()
	if h < 0 {
		return nil, p.g.failure(int64(h))
	}
	return &draft{p.g, h}, nil
}

func (p mediaPort) Copy(name string, seen host.MediaFile) (host.MediaDraft, bool, error) {
	h := p.g.imports.MediaCopy(name, seen.Size, seen.Modified)
	switch {
	case h < 0:
		return nil, false, p.g.failure(int64(h))
	case h == 0:
		return nil, true, nil
	}
	return &draft{p.g, h}, false, nil
}

func (p mediaPort) Trash(name string, seen host.MediaFile) (bool, error) {
	r := p.g.imports.MediaTrash(name, seen.Size, seen.Modified)
	return r == Changed, p.g.check(r)
}

func (p mediaPort) Expire(t time.Time) error {
	return p.g.check(p.g.imports.MediaExpire(t.UnixMilli()))
}

func (p mediaPort) Flush(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return p.g.check(p.g.imports.MediaFlush())
}

// draft is a media file that is being written; its handle is 0 when it has ended.
type draft struct {
	g *Guest
	h int32
}

func (d *draft) ended() error {
	if d.h == 0 {
		return fault.New(fault.Closed, "the media file is installed or was given up")
	}
	return nil
}

func (d *draft) Write(p []byte) (int, error) {
	if err := d.ended(); err != nil {
		return 0, err
	}
	written := 0
	for written < len(p) {
		piece := p[written:min(len(p), written+maxIO)]
		if err := d.g.check(d.g.imports.MediaWrite(d.h, piece)); err != nil {
			return written, err
		}
		written += len(piece)
	}
	return written, nil
}

func (d *draft) Sum() (int64, host.MediaSum, error) {
	if err := d.ended(); err != nil {
		return 0, host.MediaSum{}, err
	}
	var r MediaRecord
	if err := d.g.check(d.g.imports.MediaSum(d.h, &r)); err != nil {
		return 0, host.MediaSum{}, err
	}
	return r.file().Size, r.sum(), nil
}

func (d *draft) Install(name string, seen *host.MediaFile) (host.MediaFile, bool, error) {
	if err := d.ended(); err != nil {
		return host.MediaFile{}, false, err
	}
	there, as := int32(0), host.MediaFile{}
	if seen != nil {
		there, as = 1, *seen
	}
	var out [2]int64
	switch r := d.g.imports.MediaInstall(d.h, name, there, as.Size, as.Modified, &out); {
	case r < 0:
		return host.MediaFile{}, false, d.g.failure(int64(r))
	case r == Changed:
		return host.MediaFile{}, true, nil
	}
	d.h = 0
	return host.MediaFile{Size: out[0], Modified: out[1]}, false, nil
}

func (d *draft) Discard() {
	if d.h != 0 {
		_ = d.g.imports.MediaDiscard(d.h) // a host that cannot remove it now does so later
		d.h = 0
	}
}
