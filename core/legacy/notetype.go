package legacy

import (
	"math"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/jsontext"
)

// Notetype is a notetype as a file stores it: the columns of its row in notetypes, and those of its rows in fields
// and templates, whose ord is their index here.
type Notetype struct {
	ID        int64
	Name      string
	Mod       int64 // mtime_secs
	USN       int32
	Config    []byte
	Fields    []Field
	Templates []Template
}

// Field is a row of the table fields.
type Field struct {
	Name   string
	Config []byte
}

// Template is a row of the table templates; its mtime_secs and usn are stored as 0.
type Template struct {
	Name   string
	Config []byte
}

var notetypeKeys = []string{
	"id", "name", "type", "mod", "usn", "sortf", "did", "tmpls", "flds", "css", "latexPre", "latexPost", "latexsvg",
	"req", "originalStockKind", "originalId",
}

// ParseNotetype converts a notetype from JSON. It accepts and rejects what the reference does; errors are
// fault.DamagedDownload. The result does not alias b.
func ParseNotetype(b []byte) (*Notetype, error) {
	o := newObject("notetype", b, true)
	n := &Notetype{
		ID:   strict(o, "id", number),
		Name: strict(o, "name", text),
		Mod:  strict(o, "mod", i64),
		USN:  int32(strict(o, "usn", i32)),
	}
	c := notetypeConfig{
		kind:       strict(o, "type", integer(0, 1)),
		sortField:  strict(o, "sortf", u16),
		css:        lenient(o, "css", text, ""),
		did:        lenient(o, "did", i64, 0),
		latexPre:   defaulted(o, "latexPre", text, ""),
		latexPost:  defaulted(o, "latexPost", text, ""),
		latexSVG:   tolerant(o, "latexsvg", boolean, false),
		reqs:       tolerant(o, "req", listOf(parseRequirement), nil),
		stockKind:  defaulted(o, "originalStockKind", i32, 0),
		originalID: defaulted(o, "originalId", orNull(i64), nil),
	}
	fields := strict(o, "flds", jsontext.Elements)
	templates := strict(o, "tmpls", jsontext.Elements)
	if o.err != nil {
		return nil, o.err
	}
	for _, raw := range fields {
		f, err := parseField(raw)
		if err != nil {
			return nil, err
		}
		n.Fields = append(n.Fields, f)
	}
	for _, raw := range templates {
		t, err := parseTemplate(raw)
		if err != nil {
			return nil, err
		}
		n.Templates = append(n.Templates, t)
	}
	c.other = encodeOther(o.rest())
	n.Config = c.encode()
	return n, nil
}

// AppendJSON appends the notetype as JSON. Blobs that do not decode and names that are not UTF-8 are
// fault.DamagedFile. Equal notetypes give equal text.
func (n *Notetype) AppendJSON(dst []byte) ([]byte, error) {
	c, err := decodeNotetype(n.Config)
	if err == nil && !validText(n.Name) {
		err = errName
	}
	if err != nil {
		return nil, fault.Wrap(fault.DamagedFile, err, "notetype %d", n.ID)
	}
	dst = append(dst, '{')
	dst = jsontext.PutInt(dst, "id", n.ID)
	dst = jsontext.PutText(dst, "name", n.Name)
	dst = jsontext.PutInt(dst, "type", boolInt(c.kind == 1))
	dst = jsontext.PutInt(dst, "mod", n.Mod)
	dst = jsontext.PutInt(dst, "usn", int64(n.USN))
	dst = jsontext.PutInt(dst, "sortf", c.sortField&math.MaxUint16)
	dst = appendOptional(dst, "did", unless(0, c.did))
	if dst, err = n.appendTemplates(dst); err != nil {
		return nil, err
	}
	if dst, err = n.appendFields(dst); err != nil {
		return nil, err
	}
	dst = jsontext.PutText(dst, "css", c.css)
	dst = jsontext.PutText(dst, "latexPre", c.latexPre)
	dst = jsontext.PutText(dst, "latexPost", c.latexPost)
	dst = jsontext.PutBool(dst, "latexsvg", c.latexSVG)
	dst = appendRequirements(dst, c.reqs)
	if c.stockKind != 0 {
		dst = jsontext.PutInt(dst, "originalStockKind", c.stockKind)
	}
	if c.originalID != nil {
		dst = jsontext.PutInt(dst, "originalId", *c.originalID)
	}
	return append(appendMembers(dst, decodeOther(c.other, notetypeKeys)), '}'), nil
}

var errName = fault.New(fault.DamagedFile, "its name is not UTF-8")

func boolInt(v bool) int64 {
	if v {
		return 1
	}
	return 0
}

// unless returns an optional value that is unset if v is none.
func unless(none, v int64) *int64 {
	if v == none {
		return nil
	}
	return &v
}

// SortField returns the index of the sort field from a notetype's stored configuration, 0 if that is damaged. It
// may lie beyond the last field.
func SortField(config []byte) int {
	var err error
	var index int64
	for m := newMessage(config, &err); m.next(); {
		if m.num == 2 {
			m.uint32(&index)
		}
	}
	if err != nil {
		return 0
	}
	return int(index)
}
