package browsertest_test

import (
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// put writes a file and does not flush.
func (m *pageMedia) put(name, content string) host.MediaFile {
	m.t.Helper()
	d, err := m.Create()
	if err == nil {
		_, err = d.Write([]byte(content))
	}
	var now host.MediaFile
	if err == nil {
		now, _, err = d.Install(name, nil)
	}
	if err != nil {
		m.t.Fatalf("put %s: %v", name, err)
	}
	return now
}

func (m *pageMedia) names() (names []string) {
	m.t.Helper()
	list, err := coretest.ScanMedia(m.t.Context(), m)
	if err != nil {
		m.t.Fatal(err)
	}
	for _, row := range list {
		names = append(names, row.Name)
	}
	return names
}

func (m *pageMedia) want(when string, files map[string]string) {
	m.t.Helper()
	if names := m.names(); len(names) != len(files) {
		m.t.Fatalf("%s: the store has %q", when, names)
	}
	for name, content := range files {
		var got []byte
		if m.run(&got, "file", name); string(got) != content {
			m.t.Fatalf("%s: %s has %d bytes, want %d", when, name, len(got), len(content))
		}
	}
}

// opfs runs JavaScript with the folder of the packs as "media".
func (m *pageMedia) opfs(out any, body string) {
	m.t.Helper()
	m.page.Run(m.t, out, `
		const root = await navigator.storage.getDirectory();
		const media = await (await root.getDirectoryHandle(args[0])).getDirectoryHandle("media");
		const packs = [];
		for await (const [name] of media.entries()) packs.push(name);
		packs.sort();
		`+body, m.directory)
}

func newStores(t *testing.T) (*browsertest.Page, func(t *testing.T, name string) *pageMedia) {
	page := browsertest.Start(t).Open(t, browsertest.NewServer(t, "").URL)
	return page, func(t *testing.T, name string) *pageMedia { return &pageMedia{t, page, name} }
}

// TestMediaStoreKilled ends the store's worker at whatever it is doing: what was flushed is there, nothing else is, and the
// space of what was not comes back.
func TestMediaStoreKilled(t *testing.T) {
	t.Parallel()
	_, open := newStores(t)
	m := open(t, "killed")
	small, big := strings.Repeat("small", 1000), strings.Repeat("big", 1<<20)
	m.put("a.png", small)
	m.put("b.png", big)
	m.run(nil, "flush")
	m.put("c.png", big)
	d, err := m.Create()
	if err == nil {
		_, err = d.Write([]byte(big))
	}
	if err != nil {
		t.Fatal(err)
	}
	m.kill()
	want := map[string]string{"a.png": small, "b.png": big}
	m.want("killed before a flush", want)
	m.run(nil, "settled")
	a, err := m.Stat("a.png")
	if err != nil {
		t.Fatal(err)
	}
	if changed, err := m.Trash("a.png", a); changed || err != nil {
		t.Fatal(changed, err)
	}
	m.kill()
	m.want("killed before a removal was flushed", want)
	var sizes []int64
	m.run(nil, "settled")
	m.opfs(&sizes, `return Promise.all(packs.map(async (p) => (await (await media.getFileHandle(p)).getFile()).size))`)
	sum := int64(0)
	for _, size := range sizes {
		sum += size
	}
	if sum != int64(len(small)+len(big)) {
		t.Errorf("the packs have %v bytes", sizes)
	}
}

// TestMediaStoreFull fills the storage: what does not fit fails, all else stays, and there is room again afterwards.
func TestMediaStoreFull(t *testing.T) {
	t.Parallel()
	page, open := newStores(t)
	m := open(t, "full")
	m.put("a.png", "a")
	m.run(nil, "flush")
	m.run(nil, "settled")
	leave := func(bytes float64) {
		var used float64
		page.Run(t, &used, `return (await navigator.storage.estimate()).usage`)
		page.Quota(t, used+bytes)
	}
	leave(4 << 20)
	write := func(name string, size int) error { // in memory up to 1 MiB, then in a pack of its own
		d, err := m.Create()
		if err != nil {
			return err
		}
		defer d.Discard()
		for rest := size; rest > 0 && err == nil; rest -= 100_000 {
			_, err = d.Write([]byte(strings.Repeat("x", 100_000)))
		}
		if err == nil {
			_, _, err = d.Install(name, nil)
		}
		return err
	}
	wantKind(t, write("big.png", 9_000_000), fault.StorageFull)
	want := map[string]string{"a.png": "a"}
	fill := func(part string, size, between int) error { // flushes after so many files
		for i := 0; ; i++ {
			group := map[string]string{}
			for j := range between {
				name := fmt.Sprintf("%s %d %d.png", part, i, j)
				if err := write(name, size); err != nil {
					return err
				}
				group[name] = strings.Repeat("x", size)
			}
			if err := m.call(nil, "flush"); err != nil {
				return err
			}
			maps.Copy(want, group)
		}
	}
	// What is appended is written together: by the flush, before something else is appended, or when it is read.
	wantKind(t, fill("large", 900_000, 1), fault.StorageFull)
	if len(want) < 2 {
		t.Error("after what was too large nothing fits")
	}
	m.want("full", want)
	wantKind(t, fill("small", 60_000, 30), fault.StorageFull)
	m.want("full of small ones", want)
	leave(0)
	_ = m.call(nil, "flush")        // which tells of what failed before it
	read := func(round int) error { // what is not written yet, and flushes it if that could be written
		group := map[string]string{}
		for i := range 15 {
			name := fmt.Sprintf("read %d %d.png", round, i)
			group[name] = strings.Repeat("x", 65_000)
			m.put(name, group[name])
		}
		f, err := m.Open(fmt.Sprintf("read %d 0.png", round))
		if err == nil {
			_, err = f.ReadAt(make([]byte, 10), 0)
		}
		if err == nil {
			m.run(nil, "flush")
			maps.Copy(want, group)
		}
		return err
	}
	var err error
	for round := 0; err == nil; round++ { // there may be room that the browser has set aside
		err = read(round)
	}
	wantKind(t, err, fault.StorageFull)
	wantKind(t, m.call(nil, "flush"), fault.StorageFull)
	m.want("read what could not be written", want)
	page.Quota(t, 0)
	content := strings.Repeat("x", 500_000)
	m.put("big.png", content)
	m.run(nil, "flush")
	m.kill()
	want["big.png"] = content
	m.want("not full any more", want)
}

// TestMediaStoreTidy rewrites packs of which most was deleted, at once or by the end of its time in the trash.
func TestMediaStoreTidy(t *testing.T) {
	t.Parallel()
	_, open := newStores(t)
	m := open(t, "tidy")
	content := strings.Repeat("0123456789", 10_000)
	want := map[string]string{}
	for i := range 10 {
		name := fmt.Sprintf("%d.png", i)
		now := m.put(name, content+name)
		if i < 7 {
			if changed, err := m.Trash(name, now); changed || err != nil {
				t.Fatal(changed, err)
			}
			continue
		}
		want[name] = content + name
	}
	m.run(nil, "flush")
	bytes := func() (n int64) {
		m.opfs(&n, `let sum = 0; for (const p of packs) sum += (await (await media.getFileHandle(p)).getFile()).size; return sum`)
		return n
	}
	before := bytes()
	m.run(nil, "tidy")
	m.kill()
	m.want("with the trash full", want)
	if got := bytes(); got != before {
		t.Errorf("with the trash full there are %d bytes, before %d", got, before)
	}
	m.run(nil, "expire", 1<<50)
	m.run(nil, "flush")
	m.run(nil, "tidy")
	m.want("tidied", want)
	m.kill()
	m.want("opened again", want)
	if got := bytes(); got >= before/2 {
		t.Errorf("there are %d bytes, before %d", got, before)
	}
}

// TestMediaStoreTidyKilled ends the store's worker while a pack is being rewritten, and others are told of what has moved: all is there.
func TestMediaStoreTidyKilled(t *testing.T) {
	t.Parallel()
	_, open := newStores(t)
	m := open(t, "tidykilled")
	want := map[string]string{}
	for i := range 10 {
		name := fmt.Sprintf("%d.png", i)
		now := m.put(name, strings.Repeat(name, 1000))
		if i < 6 {
			if changed, err := m.Trash(name, now); changed || err != nil {
				t.Fatal(changed, err)
			}
			continue
		}
		want[name] = strings.Repeat(name, 1000)
	}
	m.run(nil, "expire", 1<<50)
	m.run(nil, "flush")
	m.run(nil, "tidyPart", "9.png", 4)
	delete(want, "9.png")
	m.kill()
	m.want("killed while it was tidied", want)
}

// TestMediaStoreTakenBack fills the storage while large files are being written: the space of those that are taken back is free again.
func TestMediaStoreTakenBack(t *testing.T) {
	t.Parallel()
	page, open := newStores(t)
	m := open(t, "back")
	kept := strings.Repeat("kept", 500_000)
	m.put("kept.png", kept)
	m.run(nil, "flush")
	draft := func(content string) host.MediaDraft {
		d, err := m.Create()
		if err == nil {
			_, err = d.Write([]byte(content))
		}
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	goingOn := draft(kept)
	m.put("large.png", kept)
	flushed := draft(kept)
	m.put("small.png", "small")
	m.run(nil, "flush")
	if _, err := flushed.Write([]byte(kept)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := flushed.Install("late.png", nil); err != nil {
		t.Fatal(err)
	}
	m.put("lost.png", kept)
	var used float64
	page.Run(t, &used, `return (await navigator.storage.estimate()).usage`)
	page.Quota(t, used)
	var err error
	for i := 0; err == nil; i++ { // there may be room that the browser has set aside
		m.put(fmt.Sprint("lost", i, ".png"), strings.Repeat("x", 900_000))
		err = m.call(nil, "flush")
	}
	wantKind(t, err, fault.StorageFull)
	page.Quota(t, 0)
	_ = m.names()
	if _, _, err := goingOn.Install("going on.png", nil); err != nil {
		t.Fatal(err)
	}
	m.run(nil, "flush")
	m.run(nil, "settled")
	var sizes []int64
	m.opfs(&sizes, `return Promise.all(packs.map(async (p) => (await (await media.getFileHandle(p)).getFile()).size))`)
	sum := int64(0)
	for _, size := range sizes {
		sum += size
	}
	if want := int64(3*len(kept) + len("small")); sum != want {
		t.Errorf("the packs of %q have %v bytes, together %d, want %d", m.names(), sizes, sum, want)
	}
}

// TestMediaStoreBurst writes more large files at once than there are packs ready, which are made asynchronously: that is no full storage.
func TestMediaStoreBurst(t *testing.T) {
	t.Parallel()
	_, open := newStores(t)
	for name, sizes := range map[string][]int{
		"small-last": {1<<20 + 1, 2 << 20, 5},
		"all-large":  {1<<20 + 1, 2 << 20, 9 << 20, 1<<20 + 1, 1 << 20, 1, 9 << 20},
	} {
		m := open(t, name)
		for range 2 { // the second time over files that are there, in packs that are sealed
			want := map[string]string{}
			for i, size := range sizes {
				want[fmt.Sprintf("burst%d.png", i)] = strings.Repeat(string(rune(i+1)), size)
			}
			m.run(nil, "burst", sizes)
			m.want(name, want)
			m.run(nil, "settled")
			for name := range want {
				now, err := m.Stat(name)
				if err != nil {
					t.Fatal(err)
				}
				if changed, err := m.Trash(name, now); changed || err != nil {
					t.Fatal(changed, err)
				}
			}
		}
	}
}

// TestMediaStoreSpeed says how long 10,000 files of 20 kB take (design.md §4).
func TestMediaStoreSpeed(t *testing.T) {
	if os.Getenv("CARDFERRY_MEDIA_SPEED") == "" {
		t.Skip("set CARDFERRY_MEDIA_SPEED to measure")
	}
	_, open := newStores(t)
	m := open(t, "speed")
	var ms map[string]float64
	m.run(&ms, "fill", 10_000, 20_000)
	var single float64
	m.run(&single, "fillFiles", 500, 20_000)
	t.Logf("10,000 x 20 kB, in ms: as packs %v; as single files, 500 of them: %.0f", ms, single)
}

// TestMediaStoreLost removes and cuts packs, as a browser that needs space might: their files are not listed any more, and
// all others are there.
func TestMediaStoreLost(t *testing.T) {
	t.Parallel()
	_, open := newStores(t)
	for _, reopen := range []bool{false, true} {
		m := open(t, fmt.Sprintf("lost-%v", reopen))
		m.put("a.png", "a")
		m.put("b.png", "b")
		m.run(nil, "flush")
		m.run(nil, "settled")
		m.put("c.png", "c")
		m.run(nil, "flush")
		m.run(nil, "settled")
		m.put("d.png", "d")
		m.run(nil, "flush")
		m.run(nil, "settled")
		m.opfs(nil, `await media.removeEntry(packs[1])`)
		if reopen {
			m.opfs(nil, `const w = await (await media.getFileHandle(packs[0])).createWritable({keepExistingData: true}); await w.truncate(1); await w.close()`)
			m.kill()
			m.want("packs lost while closed", map[string]string{"a.png": "a", "d.png": "d"})
		} else {
			m.run(nil, "verify")
			m.want("a pack lost while open", map[string]string{"a.png": "a", "b.png": "b", "d.png": "d"})
			m.opfs(nil, `await media.removeEntry(packs[0])`)
			f, err := m.Open("a.png")
			if err != nil {
				t.Fatal(err)
			}
			_, err = f.ReadAt(make([]byte, 1), 0)
			wantKind(t, err, fault.NotFound)
			_, err = m.Stat("b.png")
			wantKind(t, err, fault.NotFound)
			m.want("another one", map[string]string{"d.png": "d"})
		}
		m.put("c.png", "again")
		m.run(nil, "flush")
		m.kill()
		if names := m.names(); names[len(names)-2] != "c.png" {
			t.Errorf("installed again: %q", names)
		}
	}
}
