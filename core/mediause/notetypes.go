package mediause

import (
	"strings"
	"unicode/utf8"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/legacy"
	"github.com/cardferry/cardferry/core/mediaref"
	"github.com/cardferry/cardferry/core/rows"
)

// nfc spares ASCII, which is most names, the way to the host.
func nfc(t host.Text, s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return t.NFC(strings.ToValidUTF8(s, "\ufffd"))
		}
	}
	return s
}

// notetype is what of a notetype has to do with media.
type notetype struct {
	id       int64
	name     string
	css      string
	latexSVG bool
}

// notetypes returns all notetypes in the order of their ids.
func (c *Collection) notetypes() (list []notetype, err error) {
	for row, err := range rows.Query(c.DB, "SELECT id, name, config FROM notetypes ORDER BY id") {
		if err != nil {
			return nil, err
		}
		n := notetype{id: row[0].Int(), name: row[1].String()}
		if n.css, n.latexSVG, err = legacy.NotetypeMedia(row[2].Bytes); err != nil {
			return nil, fault.Wrap(fault.DamagedFile, err, "notetype %d", n.id)
		}
		list = append(list, n)
	}
	return list, nil
}

// svgOnly returns the notetypes whose images of LaTeX are SVG.
func svgOnly(list []notetype) map[int64]bool {
	svg := map[int64]bool{}
	for _, n := range list {
		if n.latexSVG {
			svg[n.id] = true
		}
	}
	return svg
}

// statics calls yield for each file that a notetype's templates name literally, and with an empty template for those in
// its style. A name may come again with another template.
func (c *Collection) statics(n notetype, yield func(template string, s mediaref.Static) error) error {
	for _, s := range mediaref.Style(n.css) {
		if err := yield("", s); err != nil {
			return err
		}
	}
	type template struct{ name, question, answer string }
	var list []template // yield may use the database
	for row, err := range rows.Query(c.DB, "SELECT name, config FROM templates WHERE ntid = ? ORDER BY ord", n.id) {
		if err != nil {
			return err
		}
		t := template{name: row[0].String()}
		if t.question, t.answer, err = legacy.TemplateSides(row[1].Bytes); err != nil {
			return fault.Wrap(fault.DamagedFile, err, "template %q of notetype %d", t.name, n.id)
		}
		list = append(list, t)
	}
	for _, t := range list {
		for _, side := range [...]string{t.question, t.answer} {
			for _, s := range mediaref.Template(side) {
				if err := yield(t.name, s); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
