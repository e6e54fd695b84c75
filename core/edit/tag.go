package edit

import (
	"slices"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/names"
	"github.com/cardferry/cardferry/core/notetext"
	"github.com/cardferry/cardferry/core/unicase"
)

// storeTags registers tags and returns them as a note has them: normalised, in the spelling that is registered, each once,
// sorted.
func (e *edit) storeTags(list []string) (string, error) {
	var tags []string
	for _, name := range list {
		// A tag with spaces inside is several, as in the reference's editor.
		for _, part := range notetext.SplitTags(name) {
			tag, added, err := collection.RegisterTag(e.db, names.Tag(e.host.Text, part))
			if err != nil {
				return "", err
			}
			e.changed = e.changed || added
			tags = append(tags, tag)
		}
	}
	return notetext.SortTags(tags), nil
}

// without returns the tags that are not in removed, in any spelling.
func without(tags, removed []string) []string {
	return slices.DeleteFunc(tags, func(tag string) bool {
		return slices.ContainsFunc(removed, func(r string) bool { return unicase.Equal(tag, r) })
	})
}
