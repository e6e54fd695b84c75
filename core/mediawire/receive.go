package mediawire

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"

	"github.com/cardferry/cardferry/core/jsontext"
)

const (
	// maxUploadMeta bounds the list of names of an upload, as the reference's server does.
	maxUploadMeta = 51_200
	// maxBefore bounds what may come before an archive. Nobody sends anything there, but the reference would take it.
	maxBefore       = 64 << 10
	sigEnd64Locator = 0x07064b50
)

var (
	errTwice     = errors.New("two members of the archive have one name")
	errDirectory = errors.New("the directory of the archive is not that of its members")
	errUnnamed   = errors.New("the list of names does not name a member of the archive")
)

// Received reads an uploaded zip archive (§5.1) in one pass, as a server does. Unlike a reader that begins with the directory at
// the end, it needs no room for the archive; that both mean the same is checked at the end. What clients send besides plain
// members is understood, as by the reference's server: deflated ones, data descriptors, comments, bytes around the archive.
type Received struct {
	archive Archive
	begun   bool
	pending bool              // the member being read is not in members
	members map[string]sealed // that were read
}

// sealed is what the directory must say of a member.
type sealed struct {
	crc  uint32
	size int64
}

// Sent is an entry of an upload: the file whose content is a member, or a deletion.
type Sent struct {
	Name   string
	Member string
	Delete bool
}

// NewReceived returns a reader of the archive in r, whose members have up to limit bytes together, and each up to MaxFile.
func NewReceived(r io.Reader, limit int64) *Received {
	return &Received{
		archive: Archive{src: bufio.NewReaderSize(r, maxBefore), left: MaxEntries + 1, room: limit, what: UploadChanges, unsized: newUnsized},
		members: map[string]sealed{},
	}
}

// Next goes to the next file and returns the name of its member; io.EOF after the last one, when all of r was read. What
// is left of the one before is passed over. Errors are fault.DamagedDownload, or those of the reader.
func (r *Received) Next() (member string, err error) {
	if member, err = r.next(); err != nil && err != io.EOF {
		err = r.archive.explain(err)
	}
	return member, err
}

func (r *Received) next() (member string, err error) {
	if !r.begun {
		r.begun = true
		if err := r.skipBefore(); err != nil {
			return "", err
		}
	}
	for {
		if err := r.seal(); err != nil {
			return "", err
		}
		member, err := r.archive.next()
		if err == io.EOF {
			if err := r.directory(); err != nil {
				return "", err
			}
			return "", io.EOF
		}
		if err != nil {
			return "", err
		}
		if _, ok := r.members[member]; ok {
			return "", errTwice
		}
		if r.pending = true; member != meta {
			return member, nil
		}
		if err := r.archive.list(maxUploadMeta); err != nil {
			return "", err
		}
	}
}

// Read reads the content of the member that Next went to; io.EOF at its end.
func (r *Received) Read(p []byte) (int, error) { return r.archive.Read(p) }

// CRC returns the checksum that the archive gives for the member whose content was read to its end.
func (r *Received) CRC() uint32 { return r.archive.CRC() }

// skipBefore goes to the first header.
func (r *Received) skipBefore() error {
	src := r.archive.src
	sig, err := src.Peek(4)
	if err != nil {
		return cutOff(err)
	}
	if sig[0] == 'P' && sig[1] == 'K' {
		return nil
	}
	b, err := src.Peek(maxBefore)
	if i := bytes.Index(b, []byte("PK\x03\x04")); i > 0 {
		_, err = src.Discard(i)
		return err
	}
	if err != nil && err != io.EOF {
		return err
	}
	return errFormat
}

// seal remembers the member before, once it was read to its end.
func (r *Received) seal() error {
	if !r.pending {
		return nil
	}
	r.pending = false
	if r.archive.body != nil {
		if _, err := io.Copy(io.Discard, &r.archive); err != nil {
			return err
		}
	}
	r.members[r.archive.entry.name] = sealed{r.archive.entry.crc, r.archive.size}
	return nil
}

// directory reads the directory and what follows it. It must list what was read: a reader that goes by the directory would take
// another archive for valid than this one.
func (r *Received) directory() error {
	src, le := r.archive.src, binary.LittleEndian
	for left := len(r.members); ; {
		sig, err := src.Peek(4)
		if err != nil {
			return cutOff(err)
		}
		switch le.Uint32(sig) {
		case sigCentral:
			if left--; left < 0 {
				return errDirectory
			}
			err = r.central()
		case sigEnd64: // the size of the record follows
			var h []byte
			if h, err = src.Peek(12); err == nil {
				err = skip(src, 12+int64(min(le.Uint64(h[4:]), maxRest)))
			}
		case sigEnd64Locator:
			err = skip(src, 20)
		case sigEnd:
			if left != 0 {
				return errDirectory
			}
			return r.rest()
		default:
			return errFormat
		}
		if err != nil {
			return cutOff(err)
		}
	}
}

// central reads an entry of the directory.
func (r *Received) central() error {
	src, le := r.archive.src, binary.LittleEndian
	var h [46]byte
	if _, err := io.ReadFull(src, h[:]); err != nil {
		return err
	}
	name := make([]byte, le.Uint16(h[28:]))
	if _, err := io.ReadFull(src, name); err != nil {
		return err
	}
	m, ok := r.members[string(name)]
	size := le.Uint32(h[24:]) // of the content, all ones if it is elsewhere
	if !ok || m.crc != le.Uint32(h[16:]) || size != 1<<32-1 && int64(size) != m.size {
		return errDirectory
	}
	return skip(src, int64(le.Uint16(h[30:]))+int64(le.Uint16(h[32:])))
}

func skip(src io.Reader, n int64) error {
	_, err := io.CopyN(io.Discard, src, n)
	return err
}

// rest reads the record at the end, and what follows it. Only then it is certain that nothing was cut off.
func (r *Received) rest() error {
	const record = 22
	if err := skip(r.archive.src, record); err != nil {
		return cutOff(err)
	}
	switch n, err := io.CopyN(io.Discard, r.archive.src, maxRest); {
	case n == maxRest:
		return errTooLong
	case err != io.EOF:
		return err
	}
	return nil
}

// Entries returns the list of names, after Next has returned io.EOF: up to MaxEntries, each with a member that there is.
func (r *Received) Entries() ([]Sent, error) {
	entries, err := r.entries()
	if err != nil {
		return nil, r.archive.explain(err)
	}
	return entries, nil
}

func (r *Received) entries() ([]Sent, error) {
	if r.archive.names == nil {
		return nil, errMeta
	}
	if !jsontext.Valid(r.archive.names) {
		return nil, jsontext.ErrSyntax
	}
	pairs, ok := jsontext.Elements(bytes.TrimSpace(r.archive.names))
	if !ok {
		return nil, errType
	}
	if len(pairs) > MaxEntries {
		return nil, errTooMany
	}
	entries := make([]Sent, len(pairs))
	named := map[string]bool{meta: true}
	for i, raw := range pairs {
		e, ok := parseSent(raw)
		if !ok {
			return nil, errType
		}
		if _, there := r.members[e.Member]; !e.Delete && (!there || e.Member == meta) {
			return nil, errUnnamed
		}
		entries[i], named[e.Member] = e, true
	}
	for name := range r.members {
		if !named[name] {
			return nil, errUnnamed
		}
	}
	return entries, nil
}

// parseSent decodes one pair; nothing, which may also be an empty name, stands for a deletion.
func parseSent(raw []byte) (e Sent, ok bool) {
	pair, _ := jsontext.Elements(raw)
	if len(pair) != 2 {
		return e, false
	}
	if e.Name, ok = jsontext.String(pair[0]); !ok {
		return e, false
	}
	if string(pair[1]) != "null" {
		e.Member, ok = jsontext.String(pair[1])
	}
	e.Delete = e.Member == ""
	return e, ok
}

// unsized reads the content of a stored member that ends where a descriptor comes whose checksum and sizes are those of
// what was read. Content that looks so on purpose is found out by the directory.
type unsized struct {
	src  *bufio.Reader
	wide bool // sizes of 64 bits
	crc  uint32
	size uint64
}

func newUnsized(a *Archive) io.Reader { return &unsized{src: a.src, wide: a.entry.zip64} }

// Read stops before the descriptor, which Archive.finish reads.
func (u *unsized) Read(p []byte) (int, error) {
	const longest = 24
	_, err := u.src.Peek(longest)
	b, _ := u.src.Peek(u.src.Buffered())
	n := bytes.Index(b, []byte("PK\x07\x08"))
	switch {
	case n == 0 && u.ends(b[4:]):
		return 0, io.EOF
	case n == 0:
		n = 1
	case n < 0 && err != nil:
		return 0, cutOff(err)
	case n < 0:
		n = len(b) - 3 // a signature may begin here
	}
	n = copy(p, b[:n])
	u.crc = crc32.Update(u.crc, crc32.IEEETable, p[:n])
	u.size += uint64(n)
	_, err = u.src.Discard(n)
	return n, err
}

// ends reports whether b begins with what follows the signature of this member's descriptor.
func (u *unsized) ends(b []byte) bool {
	le := binary.LittleEndian
	if u.wide {
		return len(b) >= 20 && le.Uint32(b) == u.crc && le.Uint64(b[4:]) == u.size && le.Uint64(b[12:]) == u.size
	}
	return len(b) >= 12 && le.Uint32(b) == u.crc && uint64(le.Uint32(b[4:])) == u.size && uint64(le.Uint32(b[8:])) == u.size
}
