package hostrunner

import (
	"context"
	"io"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner/filehost"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

// importStaged is where a package lies while it is imported.
const importStaged = host.Staging + "import.colpkg"

// ExportFile writes the collection, with its media files if media is set, to w as a collection package (.colpkg), which the
// desktop program imports. What a sync or an edit changes meanwhile is in it as it was or as it is.
func (p *Profile) ExportFile(ctx context.Context, w io.Writer, media bool) (r service.ExportResult, err error) {
	return r, p.packaged(ctx, func(s *shared, files host.Files) error {
		if err := call(ctx, s, service.MethodExportFile, service.ExportParams{Media: media}, &r); err != nil {
			return err
		}
		defer files.Remove(r.File)
		f, err := files.Open(r.File)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(w, io.NewSectionReader(f, 0, r.Bytes))
		kind := fault.NotWritable
		if filehost.KindOf(err) == fault.StorageFull {
			kind = fault.StorageFull
		}
		return fault.Wrap(kind, err, "write the package")
	})
}

// ImportFile replaces the collection by that of the collection package (.colpkg) in r, after a backup, and adds its media
// files. The next sync is a one-way one. Errors: fault.DamagedFile and fault.UnsupportedFile, with nothing changed.
func (p *Profile) ImportFile(ctx context.Context, r io.Reader) (result service.ImportResult, err error) {
	return result, p.packaged(ctx, func(s *shared, files host.Files) error {
		defer files.Remove(importStaged)
		f, err := files.Create(importStaged)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, r)
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return fault.Step("read the package", err)
		}
		return call(ctx, s, service.MethodImportFile, service.ImportParams{File: importStaged}, &result)
	})
}

// packaged opens the collection, which empties the staging folder, and lends the engine and the profile's files.
func (p *Profile) packaged(ctx context.Context, do func(*shared, host.Files) error) error {
	if err := p.enter(ctx); err != nil {
		return err
	}
	defer p.leave()
	return p.with(ctx, func(s *shared) error {
		if err := p.ensureOpen(ctx, s); err != nil {
			return err
		}
		return do(s, filehost.New(p.opts.Dir, sqlitehost.Settle))
	})
}
