package simtest

import (
	"crypto/sha1"
	"strings"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

// The cells of the tables that decide: which of them a sync meets is counted from outside, by looking at both sides before it. Looking
// costs more than a small sync, so one sync in cellsEvery is looked at, and those that end a pattern.
const cellsEvery = 8

// side is what one side has to say in a sync of one kind of object: ids with their time of change, and ids that were deleted.
type side struct {
	changed map[any]int64
	deleted map[any]bool
}

// merged are the kinds of objects with rows of their own: how each side's changes are found. ? is the usn from which on the server's rows
// are news; the device's are the pending ones.
var merged = []struct {
	name, from string
	grave      int64 // its kind in graves, -1 if it has none
}{
	{"note", "SELECT id, mod FROM notes WHERE usn %s", 1},
	{"card", "SELECT id, mod FROM cards WHERE usn %s", 0},
	{"deck", "SELECT id, mtime_secs FROM decks WHERE usn %s", 2},
	{"notetype", "SELECT id, mtime_secs FROM notetypes WHERE usn %s", -1},
	{"tag", "SELECT tag, 0 FROM tags WHERE usn %s", -1},
	{"revlog", "SELECT id, 0 FROM revlog WHERE usn %s", -1},
}

// mergeCells counts what the sync that d is about to begin has to merge (sync spec §8).
func (w *world) mergeCells(d *device) {
	if w.syncs%cellsEvery != 0 && !d.plan.look || d.disk.entries[host.Collection] == nil {
		return
	}
	server, err := w.serverCollection(d.own)
	if err != nil {
		return // no collection yet
	}
	var usn, mod int64
	d.each("SELECT usn, mod FROM col", func(r rows.Row) { usn, mod = r[0].Int(), r[1].Int() })
	theirs, err := rows.IntOf(server, "SELECT mod FROM col")
	if err != nil {
		return // a session holds it
	}
	switch {
	case mod > theirs:
		w.cover.add("merge: config, newer here")
	case mod < theirs:
		w.cover.add("merge: config, newer there")
	}
	for _, kind := range merged {
		here, there := side{map[any]int64{}, map[any]bool{}}, side{map[any]int64{}, map[any]bool{}}
		here.read(d.each, kind.from, "= -1", kind.grave)
		there.read(server.each, kind.from, ">= ?", kind.grave, usn)
		here.meet(kind.name, there, w.cover)
	}
}

func (s side) read(each func(string, func(rows.Row), ...any), from, which string, grave int64, args ...any) {
	each(strings.Replace(from, "%s", which, 1), func(r rows.Row) { s.changed[keyOf(r[0])] = r[1].Int() }, args...)
	if grave >= 0 {
		each("SELECT oid FROM graves WHERE usn "+which+" AND type = "+string(rune('0'+grave)), func(r rows.Row) { s.deleted[keyOf(r[0])] = true }, args...)
	}
}

func keyOf(v rows.Value) any {
	if v.Tag == rows.TagText {
		return v.String()
	}
	return v.Int()
}

// meet counts how the changes of two sides meet.
func (s side) meet(name string, there side, cover *Coverage) {
	cell := func(what string) { cover.add("merge: " + name + ", " + what) }
	for id, mod := range s.changed {
		theirs, both := there.changed[id]
		switch {
		case there.deleted[id]:
			cell("changed here, deleted there")
		case !both:
			cell("only here")
		case mod > theirs:
			cell("both, newer here")
		case mod < theirs:
			cell("both, newer there")
		default:
			cell("both, same time")
		}
	}
	for id := range there.changed {
		if _, both := s.changed[id]; !both && !s.deleted[id] {
			cell("only there")
		}
	}
	for id := range s.deleted {
		_, changed := there.changed[id]
		switch {
		case there.deleted[id]:
			cell("deleted on both sides")
		case changed:
			cell("deleted here, changed there")
		default:
			cell("deleted here")
		}
	}
	for id := range there.deleted {
		if _, changed := s.changed[id]; !changed && !s.deleted[id] {
			cell("deleted there")
		}
	}
}

// mediaRow is what both sides have under a name, and what they last agreed on: a SHA-1, or a word.
type mediaRow struct {
	here, server, agreed, offered string
	odd                           bool
}

const tombstone = "-"

// mediaCells counts the rows of the table of design §4 that the media sync which d is about to begin meets.
func (w *world) mediaCells(d *device) {
	if w.syncs%cellsEvery != 0 && !d.plan.look {
		return
	}
	list := map[string]*mediaRow{}
	at := func(name string) *mediaRow {
		if list[name] == nil {
			list[name] = &mediaRow{}
		}
		return list[name]
	}
	for _, name := range d.media.Names() {
		content := d.media.Get(name)
		sum := sha1.Sum(content)
		at(name).here = string(sum[:])
		at(name).odd = len(content) == 0
	}
	if e := d.disk.entries[host.MediaIndex]; e != nil {
		e.database()
		db, err := d.index.into(e.db)
		if err != nil {
			return
		}
		for r, err := range rows.Query(db, "SELECT name, agreed, offered FROM media") {
			if err == nil {
				x := at(r[0].String())
				x.agreed, x.offered = string(r[1].Bytes), string(r[2].Bytes)
			}
		}
	}
	server, err := w.serverMedia(d.own)
	if err != nil {
		return
	}
	for r, err := range rows.Query(server, "SELECT name, size, sum FROM media") {
		if err != nil {
			return
		}
		x := at(r[0].String())
		if x.server = string(r[2].Bytes); r[1].Int() == 0 {
			x.server = tombstone
		}
	}
	for _, x := range list {
		if cell := x.cell(); cell != "" {
			w.cover.add("media table: " + cell)
		}
	}
}

// cell names the row of the table: here, server, agreed.
func (x *mediaRow) cell() string {
	if x.offered != "" && x.offered == x.server {
		x.agreed = x.server
		if x.agreed == tombstone {
			x.agreed = ""
		}
	}
	live := x.server != "" && x.server != tombstone
	switch {
	case x.odd:
		return "cannot be synced"
	case x.here == "" && !live:
		return "nothing, nothing or deleted, any"
	case x.here == "" && x.agreed == "":
		return "nothing, X, nothing"
	case x.here == "" && x.agreed == x.server:
		return "nothing, X, X"
	case x.here == "":
		return "nothing, Y, X"
	case x.server == "":
		return "X, nothing, any"
	case !live && x.agreed == x.here:
		return "X, deleted, X"
	case !live:
		return "X, deleted, nothing or Y"
	case x.here == x.server && x.agreed == x.here:
		return "" // settled
	case x.here == x.server:
		return "X, X, another"
	case x.agreed == x.server:
		return "Y, X, X"
	case x.agreed == x.here:
		return "X, Y, X"
	}
	return "Z, Y, X or nothing"
}

// mediaTable lists the rows of the table.
var mediaTable = []string{
	"nothing, nothing or deleted, any", "nothing, X, nothing", "nothing, X, X", "nothing, Y, X", "X, nothing, any", "X, X, another", "X, deleted, X",
	"X, deleted, nothing or Y", "Y, X, X", "X, Y, X", "Z, Y, X or nothing", "cannot be synced",
}
