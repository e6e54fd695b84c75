package collection

import (
	"github.com/cardferry/cardferry/core/names"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/unicase"
)

// registerTag stores a tag unless it is there in any spelling (§8.4). The spelling of the nearest ancestor that is
// there replaces that prefix, which does not change the tag under the collation, so that the insert can decide.
func (a *Applier) registerTag(name string) error {
	tag := names.Tag(a.text, name)
	for prefix := names.TagParent(tag); prefix != ""; prefix = names.TagParent(prefix) {
		spelling, err := a.tagSpelling(prefix)
		if err != nil {
			return err
		}
		if spelling != "" {
			tag = spelling + tag[len(prefix):]
			break
		}
	}
	a.packed = rows.Pack(a.packed[:0], tag, a.usn)
	st, err := a.statement("INSERT INTO tags (tag, usn, collapsed, config) VALUES (?, ?, 1, NULL) ON CONFLICT DO NOTHING")
	if err != nil {
		return err
	}
	inserted, err := st.Run(a.packed)
	if err != nil {
		return err
	}
	folded := unicase.Fold(tag)
	if _, known := a.ancestors[folded]; known && inserted > 0 {
		a.ancestors[folded] = tag
	}
	return nil
}

// tagSpelling returns how a tag is spelled in the table, "" if it is not there. Many tags share few ancestors, so
// the answers are kept.
func (a *Applier) tagSpelling(tag string) (string, error) {
	folded := unicase.Fold(tag)
	if spelling, known := a.ancestors[folded]; known {
		return spelling, nil
	}
	row, err := a.one("SELECT tag FROM tags WHERE tag = ?", tag)
	if err != nil {
		return "", err
	}
	spelling := ""
	if row != nil {
		spelling = row[0].String()
	}
	a.ancestors[folded] = spelling
	return spelling, nil
}
