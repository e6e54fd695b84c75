package syncserver

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

// contents is what an account's collection has, for people who choose which side replaces the other (contract §5).
type contents struct {
	Cards    int64 `json:"cards"`
	Notes    int64 `json:"notes"`
	Reviews  int64 `json:"reviews"`
	Modified int64 `json:"modified"` // ms
	// Newer is what came after the time that the client asks about: what is lost if a copy of that time replaces this one.
	Newer struct {
		Notes   int64 `json:"notes"`
		Reviews int64 `json:"reviews"`
		// Examples are the first fields of the notes that were changed last, as they are stored.
		Examples []string `json:"examples"`
	} `json:"newer"`
}

// The examples: how many, and how much of each.
const (
	examples        = 3
	exampleRunes    = 400
	endOfFirstField = "\x1f"
)

// showContents tells what the collection has. It ends no session; while there is one, its changes count.
func showContents(ctx context.Context, c *call, _ string) error {
	since, err := strconv.ParseInt(c.r.URL.Query().Get("since"), 10, 64)
	if err != nil || since < 0 {
		return fault.New(fault.InvalidInput, "since is a time in milliseconds")
	}
	t, err := c.server.tenants.enter(ctx, c.account.ID)
	if err != nil {
		return err
	}
	defer c.server.tenants.leave(t)
	var found contents
	err = t.with(ctx, func() error {
		db, err := t.open(ctx)
		if err == nil {
			found, err = readContents(db, since)
		}
		return fault.Step("show what the collection has", err)
	})
	if err != nil {
		return err
	}
	c.json(http.StatusOK, found)
	return nil
}

func readContents(db host.DB, since int64) (found contents, err error) {
	col, err := collection.ReadCol(db)
	if err != nil {
		return found, err
	}
	found.Modified = col.Mod
	row, err := rows.One(db, `SELECT (SELECT count() FROM cards), (SELECT count() FROM notes), (SELECT count() FROM revlog),
		(SELECT count() FROM notes WHERE mod > ?1 / 1000), (SELECT count() FROM revlog WHERE id > ?1)`, since)
	if err != nil {
		return found, err
	}
	for i, to := range []*int64{&found.Cards, &found.Notes, &found.Reviews, &found.Newer.Notes, &found.Newer.Reviews} {
		*to = row[i].Int()
	}
	found.Newer.Examples = make([]string, 0, examples)
	for row, err := range rows.Query(db, "SELECT substr(flds, 1, ?) FROM notes WHERE mod > ? / 1000 ORDER BY mod DESC, id DESC LIMIT ?", exampleRunes, since, examples) {
		if err != nil {
			return found, err
		}
		first, _, _ := strings.Cut(row[0].String(), endOfFirstField)
		found.Newer.Examples = append(found.Newer.Examples, first)
	}
	return found, nil
}
