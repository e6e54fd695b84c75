package collection_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/wire"
)

// TestTagVectors sends tags one after another, as it was done to the reference server.
func TestTagVectors(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/tags.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Cases []struct {
			Received string
			Table    []string
		}
	}
	if err := json.Unmarshal(b, &vectors); err != nil {
		t.Fatal(err)
	}
	db := mergeDB(t, "empty.anki2")
	// One Applier for all: what it remembers must not go stale.
	err = applyTo(t, db, -1, func(a *collection.Applier) error {
		for _, c := range vectors.Cases {
			if err := a.Changes(&wire.Changes{Tags: []string{c.Received}}); err != nil {
				return err
			}
			wantRows(t, db, "SELECT tag FROM tags ORDER BY tag COLLATE BINARY", c.Table...)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	wantRows(t, db, "SELECT DISTINCT usn, collapsed, config IS NULL FROM tags", "40|1|1")
}

// TestTagsKeepTheirRow: a tag that is there in any spelling is left alone, usn and collapsed included; an ancestor
// that arrives later than it was first asked for lends its spelling from then on.
func TestTagsKeepTheirRow(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	mustExec(t, db, "INSERT INTO tags VALUES ('Animal', -1, 0, NULL), ('Animal::Cat', 3, 0, NULL)")
	err := applyChanges(t, db, -1, &wire.Changes{Tags: []string{
		"animal", "ANIMAL::CAT", "animal::cat::tabby", "animal::dog", "new::x", "NEW", "new::y", "new::y::z",
	}})
	if err != nil {
		t.Fatal(err)
	}
	wantRows(t, db, "SELECT tag, usn, collapsed FROM tags ORDER BY tag COLLATE BINARY",
		"Animal|-1|0", "Animal::Cat|3|0", "Animal::Cat::tabby|40|1", "Animal::dog|40|1", "NEW|40|1", "NEW::y|40|1", "NEW::y::z|40|1", "new::x|40|1")
}
