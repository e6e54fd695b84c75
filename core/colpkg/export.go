package colpkg

import (
	"context"
	"io"
	"slices"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/jsontext"
	"github.com/cardferry/cardferry/core/legacy"
	"github.com/cardferry/cardferry/core/medianame"
	"github.com/cardferry/cardferry/core/profile"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
)

// Exported is the result of an export. File is the staged file with the package, which the host takes; Bytes its size; Media
// the number of media files in it.
type Exported struct {
	File  string `json:"file"`
	Bytes int64  `json:"bytes"`
	Media int64  `json:"media"`
}

// AppendJSON appends e as JSON.
func (e Exported) AppendJSON(dst []byte) []byte {
	dst = jsontext.PutText(append(dst, '{'), "file", e.File)
	return append(jsontext.PutInt(jsontext.PutInt(dst, "bytes", e.Bytes), "media", e.Media), '}')
}

// smallFile is up to where a media file is compressed in memory.
const smallFile = 1 << 20

// Export writes the open collection and, if media is set, its media files to the staged file Staged. What changes meanwhile
// is in the package as it was or as it is.
func Export(ctx context.Context, h *host.Host, p *profile.Profile, media bool) (r Exported, err error) {
	out, err := h.Files.Create(Staged)
	if err != nil {
		return r, fault.Step("export", err)
	}
	x := &exporter{ctx: ctx, host: h, zip: &zipWriter{w: out}, codec: wire.NewCodec()}
	err = x.all(p, media)
	if err == nil {
		r = Exported{File: Staged, Bytes: x.zip.offset, Media: x.files}
		err = out.Sync()
	}
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = h.Files.Remove(Staged) // the first error is the one to tell
	}
	return r, fault.Step("export", err)
}

type exporter struct {
	ctx   context.Context
	host  *host.Host
	zip   *zipWriter
	codec *wire.Codec
	list  []byte
	files int64
	plain []byte
	frame []byte
}

func (x *exporter) all(p *profile.Profile, media bool) error {
	x.zip.whole(memberMeta, legacy.AppendPackageVersion(nil, version))
	if err := x.collection(p); err != nil {
		return err
	}
	if media {
		if err := x.media(); err != nil {
			return err
		}
	}
	x.zip.whole(memberMedia, x.codec.Compress(nil, x.list))
	return x.zip.close()
}

// collection adds a clean copy of the collection.
func (x *exporter) collection(p *profile.Profile) error {
	files := x.host.Files
	if err := files.Remove(stagedCollection); err != nil {
		return err
	}
	defer files.Remove(stagedCollection)
	if err := p.DB().CopyInto(stagedCollection, true); err != nil {
		return err
	}
	x.zip.begin(collections[version])
	if fast, ok := files.(host.Compressor); ok {
		done, err := fast.Compress(x.ctx, stagedCollection, stagedFrame)
		defer files.Remove(stagedFrame)
		if err != nil {
			return err
		}
		if done {
			return x.member(stagedFrame, func(src host.File) error { return profile.CopyFile(x.ctx, x.host, x.zip, src) })
		}
	}
	return x.member(stagedCollection, x.stream)
}

// member writes the content of a staged file as the member that was begun.
func (x *exporter) member(staged string, write func(host.File) error) error {
	src, err := x.host.Files.Open(staged)
	if err != nil {
		return err
	}
	defer src.Close()
	if err := write(src); err != nil {
		return err
	}
	x.zip.end()
	return x.zip.err
}

// stream compresses a file of any size into the member.
func (x *exporter) stream(src host.File) error {
	w, err := wire.NewWriter(x.zip)
	if err != nil {
		return err
	}
	if err := profile.CopyFile(x.ctx, x.host, w, src); err != nil {
		return err
	}
	return w.Close()
}

// media adds all files of the store.
func (x *exporter) media() error {
	scan, err := x.host.Media.Scan(x.ctx)
	if fault.KindOf(err) == fault.NotFound {
		return nil // no file was ever there
	}
	if err != nil {
		return err
	}
	defer scan.Close()
	var buf []byte
	var row rows.Row
	for done := false; !done; {
		if buf, done, err = scan.Next(buf[:0]); err != nil {
			return err
		}
		for rest := buf; len(rest) > 0; {
			if row, rest, err = rows.Decode(rest, row); err != nil {
				return err
			}
			if err := x.file(row[0].String(), row[3].Int() != 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// file adds a media file, unless it is one that cannot be kept under its name everywhere, or is being changed or removed. A name that the
// real program would not give, as a longer one of an older client, becomes another.
func (x *exporter) file(name string, regular bool) error {
	if !regular || medianame.CheckTaken(x.host.Text, name) != nil {
		return nil
	}
	if err := x.host.Yield.Tick(x.ctx); err != nil {
		return err
	}
	seen, sum, err := x.host.Media.Hash(x.ctx, name)
	if err == nil && seen.Size < 1<<32 {
		err = x.content(name, seen)
	}
	switch fault.KindOf(err) {
	case 0:
		if !medianame.Normalized(x.host.Text, name) { // it would refuse the whole package
			name = medianame.WithSum(medianame.Normalize(x.host.Text, name), sum.SHA1)
		}
		x.list = legacy.AppendPackageFile(x.list, legacy.PackageFile{Name: name, Size: seen.Size, SHA1: sum.SHA1[:]})
		x.files++
		return x.zip.err
	case fault.NotFound, fault.Busy:
		return nil
	}
	return fault.Step(name, err)
}

// content adds the member of a media file; fault.Busy, and there is none, if the file is not as seen.
func (x *exporter) content(name string, seen host.MediaFile) error {
	src, err := x.host.Media.Open(name)
	if err != nil {
		return err
	}
	defer src.Close()
	x.zip.begin(memberName(x.files))
	n, err := x.compress(src, seen.Size)
	if err != nil {
		return err
	}
	x.zip.end()
	if now, err := x.host.Media.Stat(name); err != nil || now != seen || n != seen.Size {
		x.zip.drop()
		return fault.New(fault.Busy, "%s is being changed", name)
	}
	return nil
}

// compress writes the content of a media file and returns its size.
func (x *exporter) compress(src host.File, size int64) (int64, error) {
	if size > smallFile {
		return size, x.stream(src)
	}
	x.plain = slices.Grow(x.plain[:0], int(size))[:size]
	n, err := io.ReadFull(&section{src, 0, size}, x.plain)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return int64(n), nil
	}
	if err != nil {
		return 0, err
	}
	x.frame = x.codec.Compress(x.frame[:0], x.plain)
	_, err = x.zip.Write(x.frame)
	return size, err
}
