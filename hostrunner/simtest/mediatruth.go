package simtest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/service"
)

// mediaTruth is what the learner did with media files. What they replace or delete is what they see; every other version that
// they made has to be found in the end, in the folders or in a trash.
type mediaTruth struct {
	alive, made map[version]bool
	next        int
	// unsure are names that a device may have sent without learning it, until its next complete sync; mayReturn those that another
	// device has deleted meanwhile: the list cannot tell the first device that the deletion was one of its version. unseen are files
	// that a device has received when it was killed: if the user deletes or replaces one, no one knows that it was here.
	unsure, unseen []map[string]bool
	// cut are devices whose index has lost commits, until their next complete sync: what they had received is to them a file of their own.
	cut       []bool
	parent    map[version]version  // what was under the name when it was written
	removed   map[string][]version // what the learner has deleted
	odd       []map[string]bool    // what a device has that cannot be synced
	wasOdd    map[string]bool      // names that some device has had such a thing under
	mayReturn map[string]bool
	// mayGo are names whose deletion was on its way when another device synced: a server takes whatever comes last, so it may meet a version
	// that nobody had seen who deleted the one before. That version is in a trash, then.
	mayGo   map[string]bool
	held    []bool // deletions of this device wait, or are taken back
	allowed bool   // the user has let the deletions of a lost folder go
}

type version struct{ name, content string }

func newMediaTruth(devices int) mediaTruth {
	m := mediaTruth{
		alive: map[version]bool{}, made: map[version]bool{}, mayReturn: map[string]bool{},
		parent: map[version]version{}, removed: map[string][]version{},
		unsure: make([]map[string]bool, devices), unseen: make([]map[string]bool, devices),
		wasOdd: map[string]bool{}, mayGo: map[string]bool{},
		odd: make([]map[string]bool, devices), held: make([]bool, devices), cut: make([]bool, devices),
	}
	for i := range devices {
		m.unsure[i], m.unseen[i], m.odd[i] = map[string]bool{}, map[string]bool{}, map[string]bool{}
	}
	return m
}

// baseFiles are there from the beginning and never touched, so that the brake does not hold all the time.
const baseFiles = 24

func (w *world) firstFiles(d *device) {
	for i := range baseFiles {
		d.media.Put(fmt.Sprintf("base%02d.png", i), []byte(fmt.Sprintf("base %02d of %d", i, d.own.id)))
	}
}

// changeFiles lets the learner change files.
func (w *world) changeFiles(d *device, rng *rand.Rand, about focus) {
	if about == focusCopy {
		w.copyFile(d)
		return
	}
	if about != "" {
		w.changeFile(d, "f00.png", about == focusDelete)
		return
	}
	if rng.IntN(40) == 0 {
		w.emptyFolder(d)
		return
	}
	for range 1 + rng.IntN(4) {
		name := fmt.Sprintf("f%02d.png", rng.IntN(20))
		if rng.IntN(25) == 0 {
			w.oddFile(d, rng, name)
			continue
		}
		w.changeFile(d, name, rng.IntN(5) < 2)
	}
}

// changeFile writes a file, or deletes it if it is there.
func (w *world) changeFile(d *device, name string, remove bool) {
	m := &d.own.media
	old := d.media.Get(name)
	was := version{name, string(old)}
	if old != nil {
		delete(m.alive, was)
		if remove {
			w.note("device %d deletes %s (%s)", d.id, name, old)
			d.media.Remove(name)
			m.deleted(d, name)
			m.removed[name] = append(m.removed[name], was)
			w.cover.add("media: deleted")
			return
		}
	}
	m.next++
	v := version{name, fmt.Sprintf("content %d of %d", m.next, d.own.id)}
	m.alive[v], m.made[v] = true, true
	if m.parent[v] = was; m.unseen[d.id][name] { // no one knows that it was here: a conflict, of which the server's wins (design §4)
		m.parent[v] = m.parent[was]
	}
	w.note("device %d writes %s: %s", d.id, name, v.content)
	d.media.Put(name, []byte(v.content))
	w.cover.add("media: written")
}

// copyFile lets the learner give a device the file that another one has under a name, by hand, or write one if none has. What both
// sides had before they ever agreed on anything is not known to them as older or newer (design §4), so what is lost of this name is not judged.
func (w *world) copyFile(d *device) {
	const name = "f19.png"
	m := &d.own.media
	if d.media.Get(name) != nil {
		return
	}
	for _, other := range d.own.devices {
		if content := other.media.Get(name); len(content) > 0 && m.made[version{name, string(content)}] {
			w.note("device %d gets %s from device %d by hand: %s", d.id, name, other.id, content)
			d.media.Put(name, content)
			m.alive[version{name, string(content)}] = true
			m.wasOdd[name], m.mayReturn[name] = true, true
			return
		}
	}
	w.changeFile(d, name, false)
}

// replaces reports whether a version was written in the place of another one, or of one that was.
func (m *mediaTruth) replaces(v, old version) bool {
	for v.content != "" {
		if v = m.parent[v]; v == old {
			return true
		}
	}
	return false
}

// oddFile puts something under a name that cannot be synced, in the place of what is there, until everything is repaired.
func (w *world) oddFile(d *device, rng *rand.Rand, name string) {
	m := &d.own.media
	if old := d.media.Get(name); old != nil {
		delete(m.alive, version{name, string(old)})
	}
	w.note("device %d: %s is something that cannot be synced", d.id, name)
	switch rng.IntN(3) {
	case 0:
		d.media.Put(name, nil)
	case 1:
		d.media.PutSpecial(name)
	case 2:
		d.media.PutUnreadable(name, []byte("a secret"))
	}
	m.odd[d.id][name] = true
	m.wasOdd[name] = true
	m.mayReturn[name] = true
	w.cover.add("media: cannot be synced")
}

// removeOdd takes away what cannot be synced.
func (d *device) removeOdd() {
	m := &d.own.media
	for name := range m.odd[d.id] {
		if content := d.media.Get(name); len(content) == 0 || string(content) == "a secret" {
			d.media.Remove(name)
		}
	}
	clear(m.odd[d.id])
}

// emptyFolder loses all files: nobody has deleted them, so they must not vanish elsewhere unless the user lets them.
func (w *world) emptyFolder(d *device) {
	w.note("device %d loses its folder", d.id)
	m := &d.own.media
	for v := range m.alive { // what was nowhere else yet is lost with it
		if string(d.media.Get(v.name)) != v.content {
			continue
		}
		elsewhere := false
		for _, other := range d.own.devices {
			elsewhere = elsewhere || other != d && string(other.media.Get(v.name)) == v.content
		}
		if !elsewhere {
			delete(m.alive, v)
			m.mayReturn[v.name] = true
		}
	}
	for name := range m.removed { // what was deleted before, and not sent, is lost like the rest, and fetched again with it
		m.mayReturn[name] = true
	}
	d.media.RemoveAll()
	m.held[d.id] = true
	w.cover.add("media: folder lost")
}

func (m *mediaTruth) deleted(d *device, name string) {
	again := m.unseen[d.id][name] || m.held[d.id]
	for i := range m.unsure {
		again = again || i != d.id && (m.unsure[i][name] || m.cut[i] && m.unseen[i][name])
	}
	m.mayReturn[name] = m.mayReturn[name] || again
}

// overtaken notes what a device was about to delete when another one synced.
func (m *mediaTruth) overtaken(d *device) {
	for name := range m.removed {
		if d.media.Get(name) == nil {
			m.mayGo[name] = true
		}
	}
}

// before remembers what a device has before a media sync.
func (m *mediaTruth) before(d *device) map[string]string {
	have := map[string]string{}
	for _, name := range d.media.Names() {
		have[name] = string(d.media.Get(name))
	}
	return have
}

// after notes what is not certain after a media sync.
func (m *mediaTruth) after(d *device, before map[string]string, err error, p service.MediaSyncParams) {
	if p.AllowDeletions && m.held[d.id] { // the user lets all go that was lost
		m.allowed = true
		for v := range m.alive {
			if d.media.Get(v.name) == nil {
				delete(m.alive, v)
				m.mayReturn[v.name] = true
			}
		}
	}
	if p.RestoreHeld {
		m.restored(before)
	}
	switch {
	case err == nil && !d.dead:
		clear(m.unsure[d.id])
		clear(m.unseen[d.id])
		m.cut[d.id] = false
		m.held[d.id] = m.held[d.id] && !p.AllowDeletions && !p.RestoreHeld
	default:
		for name := range before {
			m.unsure[d.id][name] = true
		}
		for _, name := range d.media.Names() {
			if before[name] != string(d.media.Get(name)) {
				m.unseen[d.id][name] = true
			}
		}
	}
	if fault.KindOf(err) == fault.NeedsDecision {
		m.held[d.id] = true
	}
	if m.held[d.id] {
		for v := range m.made {
			m.mayReturn[v.name] = true
		}
	}
}

// restored notes what a sync that brings back what is held may have brought back of the user's deletions. before is what was there then.
func (m *mediaTruth) restored(before map[string]string) {
	var gone []string
	for name := range m.removed {
		if before[name] == "" {
			gone = append(gone, name)
		}
	}
	first := 0 // of the files of the beginning, which are on the server as well if they are here
	for name := range before {
		if name[0] == 'b' {
			first++
		}
	}
	if n := len(gone); first > 0 && (n <= 10 || n*5 <= n+first) {
		return // so few are not held (design §4, core/mediasync)
	}
	for _, name := range gone {
		m.mayReturn[name] = true
	}
}

// contents is what a device has in the end. An empty file is what a power cut leaves of one that was being received; where the other devices
// have deleted it meanwhile nothing replaces it, and nobody can know that it is not the user's: it is set aside, and said.
func (m *mediaTruth) contents(w *world, d *device) map[string]string {
	have := m.before(d)
	maps.DeleteFunc(have, func(_, content string) bool {
		if content == "" {
			w.cover.add("known: an empty file after a power cut")
		}
		return content == ""
	})
	return have
}

// judgeMedia compares the folders in the end with what the learner did.
func (a *account) judgeMedia(w *world) {
	m := &a.media
	final := m.contents(w, a.devices[0])
	trash := map[version]bool{}
	for _, d := range a.devices {
		have := m.contents(w, d)
		for name, content := range have {
			if final[name] != content {
				w.fail("media: %s is %q on device %d and %q on device %d", name, final[name], a.devices[0].id, content, d.id)
			}
		}
		if len(have) != len(final) {
			w.fail("media: %d files on device %d, %d on device %d", len(final), a.devices[0].id, len(have), d.id)
		}
		for _, f := range d.media.Trashed() {
			trash[version{f.Name, string(f.Data)}] = true
		}
	}
	for i := range baseFiles {
		if name := fmt.Sprintf("base%02d.png", i); final[name] == "" && !m.allowed {
			w.fail("media: lost: %s, with a folder that nobody has emptied on purpose", name)
		}
	}
	wanted := map[string]bool{}
	for v := range m.alive {
		wanted[v.name] = true
		if final[v.name] != v.content && !trash[v] {
			w.fail("media: lost: %s (%s)", v.name, v.content)
		}
		old := version{v.name, final[v.name]}
		if old.content != "" && old != v && !m.wasOdd[v.name] && !m.mayReturn[v.name] && m.replaces(v, old) {
			w.fail("media: reverted: %s is %s again, which was replaced by %s", v.name, old.content, v.content)
		}
		if final[v.name] == "" && !m.wasOdd[v.name] && !m.mayGo[v.name] && !m.allowed && m.onlyOlder(v) {
			w.fail("media: lost: %s (%s), which has replaced what was deleted", v.name, v.content)
		}
	}
	for _, name := range sortedNames(final) {
		content := final[name]
		if name[:1] == "b" && content != fmt.Sprintf("base %s of %d", strings.TrimSuffix(name[4:], ".png"), a.id) {
			w.fail("media: nobody has made %s (%q)", name, content)
		}
		if name[:1] == "f" && !m.made[version{name, content}] {
			w.fail("media: nobody has made %s (%q)", name, content)
		}
		if name[:1] == "f" && !wanted[name] && !m.mayReturn[name] {
			w.fail("media: back: %s (%s) was deleted", name, content)
		}
	}
}

// onlyOlder reports whether all that was deleted under the name of v is what v, or what it replaced, was written over: then nobody who has
// deleted something has seen v, and an edit beats a deletion.
func (m *mediaTruth) onlyOlder(v version) bool {
	for _, gone := range m.removed[v.name] {
		if !m.replaces(v, gone) {
			return false
		}
	}
	return true
}

func sortedNames(final map[string]string) (names []string) {
	for name := range final {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
