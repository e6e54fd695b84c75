package collection

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/order"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/unicase"
)

// SplitTags returns the tags of a note.
func SplitTags(stored string) []string {
	return strings.FieldsFunc(stored, func(r rune) bool { return r == ' ' || r == '\u3000' })
}

// AddTag registers a tag without parents and adds it to a note, unless it has it in any spelling (§5.5). The spelling that is
// registered wins.
func AddTag(db host.DB, now time.Time, noteID int64, tag string) error {
	row, err := rows.One(db, "SELECT tags FROM notes WHERE id = ?", noteID)
	if err != nil || row == nil {
		return err
	}
	if _, err := rows.Exec(db, "INSERT INTO tags (tag, usn, collapsed, config) VALUES (?, -1, 1, NULL) ON CONFLICT DO NOTHING", tag); err != nil {
		return fmt.Errorf("register a tag: %w", err)
	}
	tags := SplitTags(row[0].String())
	if slices.ContainsFunc(tags, func(t string) bool { return unicase.Equal(t, tag) }) {
		return nil
	}
	if row, err = rows.One(db, "SELECT tag FROM tags WHERE tag = ?", tag); err != nil {
		return err
	}
	tags = append(tags, row[0].String())
	order.Func(tags, unicase.CompareStrings)
	_, err = rows.Exec(db, "UPDATE notes SET tags = ?, mod = max(?, mod + 1), usn = -1 WHERE id = ?", " "+strings.Join(tags, " ")+" ", now.Unix(), noteID)
	return err
}
