package edit

import (
	"slices"
	"strings"

	"github.com/cardferry/cardferry/core/names"
	"github.com/cardferry/cardferry/core/order"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/unicase"
)

// storeTags registers tags and returns them as a note has them: normalised, in the spelling that is registered, each once,
// sorted.
func (e *edit) storeTags(list []string) (string, error) {
	var tags []string
	for _, name := range list {
		// A tag with spaces inside is several, as in the reference's editor.
		for _, part := range strings.FieldsFunc(name, func(r rune) bool { return r == ' ' || r == '\u3000' }) {
			tag, err := e.registerTag(names.Tag(e.host.Text, part))
			if err != nil {
				return "", err
			}
			tags = append(tags, tag)
		}
	}
	if len(tags) == 0 {
		return "", nil
	}
	order.Func(tags, unicase.CompareStrings)
	tags = slices.CompactFunc(tags, unicase.Equal)
	return " " + strings.Join(tags, " ") + " ", nil
}

// registerTag stores a tag unless it is there, and returns how it is spelled. The nearest ancestor that is there says how that
// part is spelled.
func (e *edit) registerTag(tag string) (string, error) {
	for prefix := tag; prefix != ""; prefix = names.TagParent(prefix) {
		row, err := rows.One(e.db, "SELECT tag FROM tags WHERE tag = ?", prefix)
		if err != nil {
			return "", err
		}
		if row == nil {
			continue
		}
		if prefix == tag {
			return row[0].String(), nil
		}
		tag = row[0].String() + tag[len(prefix):]
		break
	}
	return tag, e.exec("INSERT INTO tags (tag, usn, collapsed, config) VALUES (?, -1, 1, NULL)", tag)
}

// without returns the tags that are not in removed, in any spelling.
func without(tags, removed []string) []string {
	return slices.DeleteFunc(tags, func(tag string) bool {
		return slices.ContainsFunc(removed, func(r string) bool { return unicase.Equal(tag, r) })
	})
}
