package simtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/anki"
)

// maxRounds is how many times every device may have to sync until nothing moves.
const maxRounds = 9

// settle repairs everything, syncs until nothing moves, and judges.
func (w *world) settle() {
	w.note("everything is repaired")
	w.settling = true
	latest := w.clock.Now()
	for _, d := range w.devices {
		if t := d.clock.Now(); t.After(latest) {
			latest = t
		}
	}
	w.clock.advance(latest.Sub(w.clock.Now()))
	for _, d := range w.devices {
		d.clock.Set(latest)
		d.removeOdd()
		w.tick(d, 0)
	}
	for round := 0; ; round++ {
		if round == maxRounds {
			w.fail("not settled after %d rounds", maxRounds)
			return
		}
		moved := false
		for _, d := range w.devices {
			m, f := w.settleOne(d)
			moved = moved || m
			if f || len(w.failures) > 0 {
				return
			}
		}
		if !moved {
			break
		}
	}
	for _, a := range w.accounts {
		last := a.devices[len(a.devices)-1]
		if r, err := w.trySync(last, ""); err != nil || r.RoundTrips != 1 {
			w.fail("device %d has synced last, and syncs again: %+v, %v", last.id, r, err)
		}
		a.judge(w)
		a.afresh()
	}
	w.settling = false
}

// afresh goes on from what was judged: nothing of it is excused any more.
func (a *account) afresh() {
	old := a.truth
	a.truth, a.versions = newTruth(), versions{}
	a.truth.editors = old.editors // what they have made unequal stays so until the next edit
	for _, d := range a.devices {
		a.known(d)
	}
	for o := range old.made {
		if !a.truth.made[o] { // it is gone, and stays so
			a.truth.made[o] = true
			a.truth.deleted[o] = map[int]bool{a.devices[0].id: true}
		}
	}
}

// settleOne syncs a device with nothing in its way.
func (w *world) settleOne(d *device) (moved, failed bool) {
	w.tick(d, 0)
	d.plan = newPlan(d)
	config := w.serverConfig(d.own)
	r, err := w.trySync(d, "")
	moved = rowsMoved(r) || w.serverConfig(d.own) != config
	if fault.KindOf(err) == fault.OneWayNeeded {
		w.choose(d, err, false)
		return true, len(w.failures) > 0
	}
	if err != nil {
		return false, true
	}
	if d.forced { // and yet it saw nothing to do: the times of change are equal, by chance (sync spec, trap 10), until the next edit
		w.cover.add("known: an edit in the millisecond of an upload")
		w.edit(d, d.plan.rng, focusAdd)
		return true, len(w.failures) > 0
	}
	m, err := w.mediaOne(d)
	if moved {
		w.note("device %d sends %v and receives %v", d.id, some(r.Sent), some(r.Received))
	}
	return moved || m.Downloaded+m.Uploaded+m.DeletedLocal+m.DeletedRemote > 0 || err != nil, err != nil && fault.KindOf(err) != fault.NeedsDecision
}

// rowsMoved reports whether a sync had anything to do. Every sync makes the server newer for the other devices, and config comes as
// a whole, so the numbers of requests and of received config keys say nothing; nor do they count the keys that the beginning of a sync writes
// (sync spec §7.2), which is why settleOne looks at the server's config.
func rowsMoved(r service.SyncResult) bool {
	var n int64
	for key, sent := range r.Sent {
		n += sent
		if key != "config" {
			n += r.Received[key]
		}
	}
	return n > 0
}

// serverConfig is the config that the server has, as one text.
func (w *world) serverConfig(a *account) (all string) {
	if db, err := w.serverCollection(a); err == nil {
		for row, err := range rows.Query(db, "SELECT key, CAST(val AS TEXT) FROM config ORDER BY key") {
			if err != nil {
				break
			}
			all += row[0].String() + "=" + row[1].String() + "\n"
		}
	}
	return all
}

// some returns the counts that are not zero.
func some(c colsync.Counts) colsync.Counts {
	less := colsync.Counts{}
	for key, n := range c {
		if n > 0 {
			less[key] = n
		}
	}
	return less
}

// serverDump reads the server's collection, what is committed of it.
func (w *world) serverDump(a *account) (anki.Dump, []string, error) {
	db, err := w.serverCollection(a)
	if err != nil {
		return nil, nil, err
	}
	d, err := anki.ReadDB(db)
	if err != nil {
		return nil, nil, err
	}
	lines, err := w.integrity(db)
	return d, lines, err
}

// integrity is SQLite's integrity check, on the one connection: what a host makes of it is not of interest here. A file that is damaged
// stays so, and the check takes longer than a sync, so it is made once, in the end.
func (w *world) integrity(db host.DB) (lines []string, err error) {
	if !w.ending {
		return nil, nil
	}
	for row, err := range rows.Query(db, "PRAGMA integrity_check(5)") {
		if err != nil {
			return nil, err
		}
		if line := row[0].String(); line != "ok" {
			lines = append(lines, line)
		}
	}
	return lines, nil
}

// serverObjects returns the watched rows of the server, none if it has no collection.
func (w *world) serverObjects(a *account) map[object]int64 {
	all := map[object]int64{}
	db, err := w.serverCollection(a)
	if err != nil {
		return all
	}
	for row, err := range rows.Query(db, watchedRows) {
		if err != nil {
			return map[object]int64{}
		}
		all[object{watched[row[0].Int()], row[1].Int()}] = row[2].Int()
	}
	return all
}

func objects(d anki.Dump) map[object]int64 {
	all := map[object]int64{}
	for _, table := range watched {
		t := d[table]
		i, m := slices.Index(t.Columns, "id"), slices.Index(t.Columns, modOf(table))
		for _, row := range t.Rows {
			id, _ := row[i].(int64)
			all[object{table, id}] = 0
			if m >= 0 {
				all[object{table, id}], _ = row[m].(int64)
			}
		}
	}
	return all
}

// deviceDump reads a device's collection, and checks the file.
func (w *world) deviceDump(d *device) (anki.Dump, []string, error) {
	if d.opened && w.ending {
		if _, err := d.call(service.MethodClose, struct{}{}); err != nil {
			return nil, nil, err
		}
		d.opened = false
	}
	e := d.disk.entries[host.Collection]
	if e == nil {
		return nil, nil, fault.New(fault.NotFound, "no collection")
	}
	e.database()
	db := d.through(e)
	if db == nil {
		return nil, nil, fault.New(fault.DamagedFile, "the collection does not open")
	}
	dump, err := anki.ReadDB(db)
	if err != nil {
		return nil, nil, err
	}
	lines, err := w.integrity(db)
	return dump, lines, err
}

// judge looks at what all of it has come to.
func (a *account) judge(w *world) {
	server, lines, err := w.serverDump(a)
	if err != nil || len(lines) > 0 {
		w.fail("read the server: %v %v", lines, err)
		return
	}
	a.invariants(w, "the server", server)
	usns(w, "the server", server)
	a.renamed(server)
	for _, d := range a.devices {
		dump, lines, err := w.deviceDump(d)
		if err != nil || len(lines) > 0 {
			w.fail("read device %d: %v %v", d.id, lines, err)
			return
		}
		if p := dump.Pending(); len(p) > 0 {
			w.fail("device %d still has pending rows in %v", d.id, p)
		}
		a.invariants(w, fmt.Sprint("device ", d.id), dump)
		usns(w, fmt.Sprint("device ", d.id), dump)
		a.renamed(dump)
		dump, other := a.excusedNames(w, dump, server)
		for _, line := range anki.Compare(dump, other) {
			w.fail("device %d and the server differ: %s", d.id, line)
		}
	}
	a.truth.judge(w, objects(server))
	a.versions.judge(w, &a.truth, server)
	a.judgeMedia(w)
	for _, table := range slices.Sorted(maps.Keys(server)) {
		w.trace("%s %d", table, len(server[table].Rows))
	}
	var ids []string
	for o := range objects(server) {
		ids = append(ids, fmt.Sprint(o.table, o.id))
	}
	slices.Sort(ids)
	w.trace("%v", ids)
}

// excusedNames leaves out of the comparison what is known to stay different until the next edit: a deck whose name met another
// deck's has a + at one side and not at the other, and the time of that as its time of change, so that an edit made shortly before on a
// third device does not reach it (sync spec §8.1); flags of cards; and the day on which buried cards came back, which each side notes by its own
// clock when a sync begins (§7.2): around the start of a day the clocks may stand on either side of it.
func (own *account) excusedNames(w *world, a, b anki.Dump) (x, y anki.Dump) {
	x, y = maps.Clone(a), maps.Clone(b)
	if day := fmt.Sprint(a.Get("config", "val", "lastUnburied")) != fmt.Sprint(b.Get("config", "val", "lastUnburied")); day {
		w.cover.add("known: days of unburying")
		for _, d := range []anki.Dump{x, y} {
			d["config"] = copyTable(d["config"])
			maps.DeleteFunc(d["config"].Rows, func(_ string, row []any) bool { return row[0] == "lastUnburied" })
		}
	}
	for _, table := range watched {
		ta, tb := copyTable(a[table]), copyTable(b[table])
		for key, ra := range ta.Rows {
			if rb := tb.Rows[key]; rb != nil {
				own.excuseRow(w, table, ta.Columns, ra, rb)
			}
		}
		x[table], y[table] = ta, tb
	}
	return x, y
}

func copyTable(t anki.Table) anki.Table {
	c := anki.Table{Columns: t.Columns, Rows: make(map[string][]any, len(t.Rows))}
	for key, row := range t.Rows {
		c.Rows[key] = slices.Clone(row)
	}
	return c
}

// excuseRow makes two rows equal if their difference is a known one.
func (own *account) excuseRow(w *world, table string, columns []string, a, b []any) {
	at := func(name string) int { return slices.Index(columns, name) }
	id, _ := a[at("id")].(int64)
	if table == "decks" && own.namesMet(id, columns, a, b) {
		w.cover.add("known: deck names with +")
		copy(b, a)
		return
	}
	mod := int64(0)
	if m := at(modOf(table)); m >= 0 {
		if a[m] != b[m] {
			return
		}
		mod, _ = a[m].(int64)
	}
	if len(own.truth.editors[edition{object{table, id}, mod}]) > 1 {
		w.cover.add("known: edits of one second")
		copy(b, a)
		return
	}
	// Flags are set without a new time of change (study spec §5), so of two flags none wins.
	if f := at("flags"); table == "cards" && a[f] != b[f] {
		w.cover.add("known: flags of the same time")
		b[f] = a[f]
	}
}

// modOf names the column with a row's time of change.
func modOf(table string) string {
	if table == "decks" || table == "notetypes" {
		return "mtime_secs"
	}
	return "mod"
}

// checkOutgoing looks for rows that leave as pending.
func (w *world) checkOutgoing(d *device, method string, body []byte) {
	if method != "applyChunk" && method != "applyChanges" {
		return
	}
	plain, err := w.codec.Decompress(nil, body, 64<<20)
	if err != nil {
		return // cut on purpose
	}
	var c wire.Chunk
	if method == "applyChanges" {
		if strings.Contains(string(plain), `"usn":-1`) {
			w.fail("device %d sends an object with usn -1: %s", d.id, plain)
		}
		return
	}
	if err := wire.ParseApplyChunk(plain, &c); err != nil {
		w.fail("device %d sends a chunk that does not parse: %v", d.id, err)
		return
	}
	for _, r := range c.Revlog {
		w.leaving(d, "revlog", int64(r.ID), int64(r.USN))
	}
	for _, r := range c.Cards {
		w.leaving(d, "card", int64(r.ID), int64(r.USN))
	}
	for _, r := range c.Notes {
		w.leaving(d, "note", int64(r.ID), int64(r.USN))
	}
}

func (w *world) leaving(d *device, what string, id, usn int64) {
	if usn < 0 {
		w.fail("device %d sends %s %d with usn %d", d.id, what, id, usn)
	}
}
