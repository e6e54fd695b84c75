package collection

import (
	"fmt"
	"slices"
	"time"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/names"
	"github.com/cardferry/cardferry/core/notetext"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/unicase"
)

// RegisterTag stores a normalised tag as pending unless it is there in any spelling (§5.5), and returns how it is spelled. The
// nearest ancestor that is there says how that part is spelled.
func RegisterTag(db host.DB, tag string) (spelling string, added bool, err error) {
	for prefix := tag; prefix != ""; prefix = names.TagParent(prefix) {
		row, err := rows.One(db, "SELECT tag FROM tags WHERE tag = ?", prefix)
		if err != nil {
			return "", false, err
		}
		if row == nil {
			continue
		}
		if prefix == tag {
			return row[0].String(), false, nil
		}
		tag = row[0].String() + tag[len(prefix):]
		break
	}
	if _, err := rows.Exec(db, "INSERT INTO tags (tag, usn, collapsed, config) VALUES (?, -1, 1, NULL)", tag); err != nil {
		return "", false, fmt.Errorf("register a tag: %w", err)
	}
	return tag, true, nil
}

// AddTag registers a tag and adds it to a note, unless it has it in any spelling (§5.5).
func AddTag(db host.DB, now time.Time, noteID int64, tag string) error {
	row, err := rows.One(db, "SELECT tags FROM notes WHERE id = ?", noteID)
	if err != nil || row == nil {
		return err
	}
	if tag, _, err = RegisterTag(db, tag); err != nil {
		return err
	}
	tags := notetext.SplitTags(row[0].String())
	if slices.ContainsFunc(tags, func(t string) bool { return unicase.Equal(t, tag) }) {
		return nil
	}
	_, err = rows.Exec(db, "UPDATE notes SET tags = ?, mod = max(?, mod + 1), usn = -1 WHERE id = ?", notetext.SortTags(append(tags, tag)), now.Unix(), noteID)
	return err
}
