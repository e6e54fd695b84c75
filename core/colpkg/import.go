package colpkg

import (
	"context"
	"io"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/jsontext"
	"github.com/cardferry/cardferry/core/legacy"
	"github.com/cardferry/cardferry/core/medianame"
	"github.com/cardferry/cardferry/core/mediasync"
	"github.com/cardferry/cardferry/core/mediawire"
	"github.com/cardferry/cardferry/core/profile"
	"github.com/cardferry/cardferry/core/wire"
)

// Imported is the result of an import. Backup is the id of the backup of the collection that was replaced; Media counts the
// files that were stored (not those that were here already), SetAside lists those that were left out.
type Imported struct {
	Backup   string           `json:"backup"`
	Media    int64            `json:"media"`
	SetAside mediasync.Asides `json:"set_aside"`
}

// AppendJSON appends r as JSON.
func (r Imported) AppendJSON(dst []byte) []byte {
	dst = jsontext.PutText(append(dst, '{'), "backup", r.Backup)
	dst = jsontext.PutInt(dst, "media", r.Media)
	return append(r.SetAside.AppendJSON(append(dst, `,"set_aside":`...)), '}')
}

// Import replaces the open collection by that of the package in the file name, after a backup, and adds its media files; one of
// another content under the same name goes to the trash. As after the real program's import the next sync is a
// one-way one. The collection is checked before anything changes, and replaced last: if that fails, media files that were
// stored before stay, as more files do no harm.
//
// Errors: fault.DamagedFile, fault.UnsupportedFile (made by a newer program), and those of the files.
func Import(ctx context.Context, h *host.Host, p *profile.Profile, name string) (r Imported, err error) {
	file, err := h.Files.Open(name)
	if err != nil {
		return r, fault.Step("import", err)
	}
	defer file.Close()
	r, err = run(ctx, h, p, file)
	return r, fault.Step("import", err)
}

func run(ctx context.Context, h *host.Host, p *profile.Profile, file host.File) (r Imported, err error) {
	m := &importer{ctx: ctx, host: h, buf: make([]byte, 256<<10)}
	if m.zip, err = openArchive(file); err != nil {
		return r, err
	}
	if err := m.findVersion(); err != nil {
		return r, err
	}
	defer func() { _ = h.Files.Remove(stagedCollection) }() // gone already if all went well
	if err := m.collection(); err != nil {
		return r, err
	}
	if err := p.PrepareReplacement(ctx, stagedCollection); err != nil {
		return r, err
	}
	if err := m.media(); err != nil {
		return r, err
	}
	if m.stored > 0 {
		if err := h.Media.Flush(ctx); err != nil {
			return r, err
		}
	}
	r.Media, r.SetAside = m.stored, m.aside
	if r.Backup, err = p.Backup(ctx, "import"); err != nil {
		return r, err
	}
	return r, p.Install(ctx, stagedCollection)
}

type importer struct {
	ctx     context.Context
	host    *host.Host
	zip     *archive
	version int64
	stored  int64
	aside   mediasync.Asides
	buf     []byte
}

// findVersion reads what kind of package it is.
func (m *importer) findVersion() error {
	b, err := m.whole(memberMeta, maxMeta)
	if err != nil {
		return err
	}
	switch {
	case b != nil:
		if m.version, err = legacy.PackageVersion(b); err != nil {
			return damaged("%v", err)
		}
	case m.zip.has(collections[2]):
		m.version = 2
	default:
		m.version = 1
	}
	if m.version > version {
		return fault.New(fault.UnsupportedFile, "the package was made by a newer program").
			WithHint("Export it there with support for older versions, or update this program.")
	}
	if m.version < 1 || !m.zip.has(collections[m.version]) {
		return fault.New(fault.UnsupportedFile, "there is no collection in the file").WithHint("Choose a collection package (.colpkg).")
	}
	return nil
}

// collection writes the collection to the staged file.
func (m *importer) collection() error {
	src, err := m.content(collections[m.version], maxCollection)
	if err != nil {
		return err
	}
	defer src.Close()
	out, err := m.host.Files.Create(stagedCollection)
	if err != nil {
		return err
	}
	err = m.copy(&plainJournal{w: out}, src)
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	return err
}

// plainJournal writes a database that is marked as one with a write-ahead log, as the real program's are, as one without:
// a page cannot open the other kind (design.md §10).
type plainJournal struct {
	w  io.Writer
	at int64
}

func (j *plainJournal) Write(p []byte) (int, error) {
	for _, at := range []int64{18, 19} {
		if i := at - j.at; i >= 0 && i < int64(len(p)) && p[i] == 2 {
			p[i] = 1
		}
	}
	n, err := j.w.Write(p)
	j.at += int64(n)
	return n, err
}

// media stores the media files.
func (m *importer) media() error {
	if !m.zip.has(memberMedia) {
		return nil
	}
	list, err := m.list()
	if err != nil {
		return err
	}
	next := int64(0)
	if m.version < 3 {
		err = m.legacyList(list)
	} else {
		err = legacy.PackageFiles(list, func(f legacy.PackageFile) error {
			number := next
			next++
			if f.Member >= 0 {
				number = f.Member
			}
			return m.file(memberName(number), f)
		})
		if fault.KindOf(err) == fault.DamagedFile {
			err = damaged("its list of media files")
		}
	}
	m.aside.Sort()
	return err
}

// list reads the list of media files.
func (m *importer) list() ([]byte, error) {
	src, err := m.content(memberMedia, maxList)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	b, err := io.ReadAll(io.LimitReader(src, maxList+1))
	if err == nil && len(b) > maxList {
		err = damaged("its list of media files is too long")
	}
	return b, err
}

func (m *importer) legacyList(list []byte) error {
	members, err := jsontext.ParseObject(list)
	if err != nil {
		return damaged("its list of media files")
	}
	for _, e := range members {
		name, ok := jsontext.String(e.Raw)
		if !ok {
			return damaged("its list of media files")
		}
		if err := m.file(e.Key, legacy.PackageFile{Name: name, Size: -1}); err != nil {
			return err
		}
	}
	return nil
}

// file stores one media file, or sets it aside.
func (m *importer) file(member string, f legacy.PackageFile) error {
	if err := m.host.Yield.Tick(m.ctx); err != nil {
		return err
	}
	name := m.host.Text.NFC(f.Name)
	reason := ""
	switch {
	case medianame.CheckTaken(m.host.Text, name) != nil:
		reason = "name"
	case !m.zip.has(member):
		reason = "gone"
	default:
		var err error
		if reason, err = m.store(member, name, f); err != nil {
			return err
		}
	}
	if reason != "" {
		m.aside = append(m.aside, mediasync.Aside{Name: f.Name, Reason: reason})
	}
	return nil
}

// store writes a member to the media store. reason says why it was not.
func (m *importer) store(member, name string, f legacy.PackageFile) (reason string, err error) {
	src, err := m.content(member, mediawire.MaxFile)
	if err != nil {
		return unusable(err)
	}
	defer src.Close()
	draft, err := m.host.Media.Create()
	if err != nil {
		return "", err
	}
	defer draft.Discard()
	if err := m.copy(draft, io.LimitReader(src, mediawire.MaxFile+1)); err != nil {
		return unusable(err)
	}
	size, sum, err := draft.Sum()
	switch {
	case err != nil:
		return "", err
	case size > mediawire.MaxFile:
		return "too_large", nil
	case f.Size >= 0 && f.Size != size, len(f.SHA1) > 0 && string(f.SHA1) != string(sum.SHA1[:]):
		return "hash", nil
	}
	return m.install(draft, name, sum.SHA1)
}

func (m *importer) install(draft host.MediaDraft, name string, sum [20]byte) (reason string, err error) {
	const tries = 3
	for range tries {
		var seen *host.MediaFile
		file, here, err := m.host.Media.Hash(m.ctx, name)
		switch fault.KindOf(err) {
		case 0:
			if here.SHA1 == sum {
				return "", nil
			}
			seen = &file
		case fault.NotFound:
		case fault.InvalidInput:
			return "name", nil
		case fault.Busy:
			continue
		default:
			return "", err
		}
		_, changed, err := draft.Install(name, seen)
		if fault.KindOf(err) == fault.InvalidInput {
			return "name", nil
		}
		if err != nil {
			return "", err
		}
		if !changed {
			m.stored++
			return "", nil
		}
	}
	return "unreadable", nil
}

// unusable makes a reason of an error of the package's content.
func unusable(err error) (reason string, _ error) {
	switch fault.KindOf(err) {
	case fault.DamagedFile, fault.DamagedDownload:
		return "damaged", nil
	}
	return "", err
}

// content opens a member, decompressed if the package's version has it compressed.
func (m *importer) content(member string, limit int64) (io.ReadCloser, error) {
	raw, err := m.zip.open(member, limit+limit/8+1<<10)
	if err != nil {
		return nil, err
	}
	if raw == nil {
		return nil, damaged("its member %q is missing", member)
	}
	if m.version < 3 {
		return io.NopCloser(raw), nil
	}
	z, err := wire.NewReader(raw)
	if err != nil {
		return nil, err
	}
	return &frame{ReadCloser: z, left: limit + 1, member: member}, nil
}

// frame reads a decompressed member up to a limit.
type frame struct {
	io.ReadCloser
	left   int64
	member string
}

func (f *frame) Read(p []byte) (int, error) {
	n, err := f.ReadCloser.Read(p)
	if f.left -= int64(n); f.left < 0 {
		return n, damaged("its member %q is too large", f.member)
	}
	if fault.KindOf(err) == fault.DamagedDownload {
		err = damaged("its member %q cannot be decompressed", f.member)
	}
	return n, err
}

// whole returns a small member as it is; nil if there is none.
func (m *importer) whole(member string, limit int64) ([]byte, error) {
	src, err := m.zip.open(member, limit)
	if err != nil || src == nil {
		return nil, err
	}
	return io.ReadAll(src)
}

func (m *importer) copy(w io.Writer, r io.Reader) error {
	for {
		if err := m.host.Yield.Tick(m.ctx); err != nil {
			return err
		}
		n, err := r.Read(m.buf)
		if n > 0 {
			if _, werr := w.Write(m.buf[:n]); werr != nil {
				return werr
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
