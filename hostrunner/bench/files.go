package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/cardferry/cardferry/hostrunner/anki"
)

// state is how a side's collection relates to the last sync.
type state string

// The states. In all but none both sides have the same notetypes, decks and config.
const (
	none     state = "none"     // no collection, as after the first start
	bare     state = "bare"     // synced, without notes
	clean    state = "clean"    // synced
	pending  state = "pending"  // synced when it was bare; everything since is still to be sent
	ahead    state = "ahead"    // of a server: everything came after the client's last sync
	reviewed state = "reviewed" // synced, then 100 cards were reviewed
)

// The last sync of generated collections, and the usn of the next.
const lastUSN = 7

func lastSync() int64 { return anki.GeneratedTime.UnixMilli() }

// files makes collection files and keeps them for further measurements.
type files struct {
	dir  string
	made map[string]string
}

// path returns the file with that size and state, "" for none.
func (f *files) path(s state, size anki.Size) (string, error) {
	if s == none {
		return "", nil
	}
	if s == bare {
		size = anki.Size{}
	}
	key := fmt.Sprintf("%s-%d", s, size.Notes)
	if path, ok := f.made[key]; ok {
		return path, nil
	}
	path := filepath.Join(f.dir, key, "collection.anki2")
	fmt.Fprintf(os.Stderr, "making a collection: %s, %d notes …\n", s, size.Notes)
	if err := anki.Generate(path, generated(s, size)); err != nil {
		return "", err
	}
	if s == reviewed {
		if err := review(path); err != nil {
			return "", err
		}
	}
	f.made[key] = path
	return path, nil
}

func generated(s state, size anki.Size) anki.Generated {
	g := anki.Generated{Seed: 1, Size: size, RowUSN: lastUSN - 1, USN: lastUSN, Mod: lastSync(), LS: lastSync()}
	switch s {
	case pending:
		g.RowUSN, g.Mod = -1, lastSync()+1000
	case ahead:
		g.RowUSN, g.Mod, g.USN = lastUSN, lastSync()+1000, lastUSN+1
	}
	return g
}

// review answers 100 cards.
func review(path string) error {
	db, err := anki.OpenSQL(path)
	if err != nil {
		return err
	}
	defer db.Close()
	return db.Exec(`BEGIN;
		INSERT INTO revlog SELECT (SELECT max(id) FROM revlog) + row_number() OVER (), id, -1, 3, ivl * 2, ivl, factor, 5000, 1
			FROM (SELECT * FROM cards WHERE type = 2 ORDER BY id LIMIT 100);
		UPDATE cards SET usn = -1, mod = mod + 100, reps = reps + 1, ivl = ivl * 2 WHERE id IN (SELECT cid FROM revlog WHERE usn = -1);
		UPDATE col SET mod = mod + 1000;
		COMMIT`)
}
