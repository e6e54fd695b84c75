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
func (c *Collection) notetypes() (list []*notetype, err error) {
	err = c.each(func(row rows.Row) (err error) {
		n := &notetype{id: row[0].Int(), name: row[1].String()}
		list = append(list, n)
		_, n.latexSVG, n.css, err = legacy.NotetypeCards(row[2].Bytes)
		return fault.Wrap(fault.DamagedFile, err, "notetype %d", n.id)
	}, "SELECT id, name, config FROM notetypes ORDER BY id")
	return list, err
}

// svgOnly returns the notetypes whose images of LaTeX are SVG.
func svgOnly(list []*notetype) map[int64]bool {
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
func (c *Collection) statics(n *notetype, yield func(template string, s mediaref.Static) error) error {
	names, texts := []string{""}, [][]mediaref.Static{mediaref.Style(n.css)}
	err := c.each(func(row rows.Row) error {
		question, answer, _, err := legacy.TemplateCards(row[1].Bytes)
		names = append(names, row[0].String())
		texts = append(texts, append(mediaref.Template(question), mediaref.Template(answer)...))
		return fault.Wrap(fault.DamagedFile, err, "template of notetype %d", n.id)
	}, "SELECT name, config FROM templates WHERE ntid = ? ORDER BY ord", n.id)
	if err != nil {
		return err
	}
	// yield may use the database.
	for i, list := range texts {
		for _, s := range list {
			if err := yield(names[i], s); err != nil {
				return err
			}
		}
	}
	return nil
}
