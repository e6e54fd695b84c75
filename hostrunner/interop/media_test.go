package interop_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/hostrunner"
	"github.com/cardferry/cardferry/hostrunner/anki"
)

// stock are the files that most media scenarios start from, on all sides.
var stock = files{"keep.png": "keep", "change.png": "change", "remove.mp3": "remove", "both.jpg": "both"}

// start puts the stock on the server and both devices.
func (s *mediaSetup) start(t testing.TB) {
	t.Helper()
	for name, content := range stock {
		s.ours.put(t, name, content)
	}
	s.settle(t)
	s.have(t, stock)
}

// mediaScenarios end with the files that they return, on both devices and the server.
var mediaScenarios = []struct {
	name string
	do   func(t *testing.T, s *mediaSetup) files
}{
	{"add", func(t *testing.T, s *mediaSetup) files {
		s.ours.put(t, "ours.png", "1")
		s.real.put(t, "real.png", "2")
		s.settle(t)
		return stock.with(files{"ours.png": "1", "real.png": "2"})
	}},
	{"replace", func(t *testing.T, s *mediaSetup) files {
		s.ours.put(t, "change.png", "by ours")
		s.real.put(t, "both.jpg", "REAL")
		s.settle(t)
		return stock.with(files{"change.png": "by ours", "both.jpg": "REAL"})
	}},
	{"replace again and again", func(t *testing.T, s *mediaSetup) files {
		for i := range 3 {
			s.ours.put(t, "change.png", fmt.Sprint("o", i))
			s.settle(t)
			s.real.put(t, "change.png", fmt.Sprint("r", i))
			s.settle(t)
		}
		return stock.with(files{"change.png": "r2"})
	}},
	{"delete here", func(t *testing.T, s *mediaSetup) files {
		s.ours.remove(t, "remove.mp3")
		s.settle(t)
		return files{"keep.png": "keep", "change.png": "change", "both.jpg": "both"}
	}},
	{"delete there", func(t *testing.T, s *mediaSetup) files {
		s.real.remove(t, "remove.mp3")
		s.settle(t)
		if f, ok := s.ours.(*folderMedia); ok {
			f.trashed(t, "remove")
		}
		return files{"keep.png": "keep", "change.png": "change", "both.jpg": "both"}
	}},
	{"delete and add again", func(t *testing.T, s *mediaSetup) files {
		s.ours.remove(t, "remove.mp3")
		s.settle(t)
		s.real.put(t, "remove.mp3", "again")
		s.settle(t)
		return stock.with(files{"remove.mp3": "again"})
	}},
	{"rename", func(t *testing.T, s *mediaSetup) files {
		s.ours.remove(t, "remove.mp3")
		s.ours.put(t, "renamed.mp3", "remove")
		s.settle(t)
		return files{"keep.png": "keep", "change.png": "change", "both.jpg": "both", "renamed.mp3": "remove"}
	}},
	{"conflict, the other device first", func(t *testing.T, s *mediaSetup) files {
		s.real.put(t, "both.jpg", "theirs")
		s.ours.put(t, "both.jpg", "ours")
		s.real.syncMedia(t)
		s.settle(t)
		if f, ok := s.ours.(*folderMedia); ok {
			f.trashed(t, "ours")
		}
		return stock.with(files{"both.jpg": "theirs"})
	}},
	{"conflict, ours first", func(t *testing.T, s *mediaSetup) files {
		s.real.put(t, "both.jpg", "theirs")
		s.ours.put(t, "both.jpg", "ours")
		s.settle(t)
		return stock.with(files{"both.jpg": "ours"})
	}},
	{"the same change on both", func(t *testing.T, s *mediaSetup) files {
		s.real.put(t, "both.jpg", "equal")
		s.ours.put(t, "both.jpg", "equal")
		s.real.syncMedia(t)
		if r := mustSync(t, s.ours); r.Downloaded+r.Uploaded > 0 {
			t.Errorf("transferred: %+v", r)
		}
		s.settle(t)
		return stock.with(files{"both.jpg": "equal"})
	}},
	{"deleted here, changed there", func(t *testing.T, s *mediaSetup) files {
		s.ours.remove(t, "both.jpg")
		s.real.put(t, "both.jpg", "changed")
		s.real.syncMedia(t)
		s.settle(t)
		return stock.with(files{"both.jpg": "changed"})
	}},
	{"changed here, deleted there", func(t *testing.T, s *mediaSetup) files {
		s.ours.put(t, "both.jpg", "changed")
		s.real.remove(t, "both.jpg")
		s.real.syncMedia(t)
		s.settle(t)
		return stock.with(files{"both.jpg": "changed"})
	}},
	{"deleted on both", func(t *testing.T, s *mediaSetup) files {
		s.ours.remove(t, "both.jpg")
		s.real.remove(t, "both.jpg")
		s.real.syncMedia(t)
		s.settle(t)
		return files{"keep.png": "keep", "change.png": "change", "remove.mp3": "remove"}
	}},
	{"one content under several names", func(t *testing.T, s *mediaSetup) files {
		same := files{"keep 2.png": "keep", "twin a.png": "twin", "twin b.png": "twin"}
		s.real.put(t, "keep 2.png", "keep")
		s.real.put(t, "twin a.png", "twin")
		s.ours.put(t, "twin b.png", "twin")
		s.settle(t)
		s.real.put(t, "twin a.png", "not any more")
		s.ours.remove(t, "keep 2.png")
		s.settle(t)
		delete(same, "keep 2.png")
		return stock.with(same).with(files{"twin a.png": "not any more"})
	}},
	{"names", func(t *testing.T, s *mediaSetup) files {
		names := files{
			"é.png": "composed", "日本語 テスト.mp3": "kana", "😀.png": "emoji", ".hidden": "dot", "_font.ttf": "static", "a'b&c%20;d#e.png": "signs",
			"_meta": "meta", "0": "number", "İstanbul.png": "turkish", "한국어.png": "hangul", strings.Repeat("k", 116) + ".ogg": "120 bytes",
		}
		turn := []mediaDevice{s.ours, s.real}
		for name, content := range names {
			turn[0].put(t, name, content)
			turn[0], turn[1] = turn[1], turn[0]
		}
		s.settle(t)
		return stock.with(names)
	}},
	{"names that differ in case", func(t *testing.T, s *mediaSetup) files {
		names := files{"a.png": "lower", "A.png": "upper", "KEEP.PNG": "upper", "straße.mp3": "s", "STRASSE.mp3": "S"}
		for name, content := range names {
			if name == "A.png" {
				s.real.put(t, name, content)
			} else {
				s.ours.put(t, name, content)
			}
		}
		s.settle(t)
		return stock.with(names)
	}},
}

// The scenarios of two devices.
func TestMedia(t *testing.T) {
	t.Parallel()
	for _, sc := range mediaScenarios {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			spread := mediaHosts
			if strings.HasPrefix(sc.name, "names") { // a page gives some of them another form
				spread = mediaFolders
			}
			spread(t, 3, func(t *testing.T, s *mediaSetup) {
				s.start(t)
				want := sc.do(t, s)
				s.have(t, want)
				s.nothingToDo(t)
			})
		})
	}
}

// nothingToDo fails unless a further sync of ours is one request.
func (s *mediaSetup) nothingToDo(t testing.TB) {
	t.Helper()
	s.proxy.Use(anki.Hooks{})
	r := mustSync(t, s.ours)
	if log := s.proxy.Log(); len(log) != 1 || log[0] != "begin" || r.RoundTrips != 1 {
		t.Errorf("a sync without changes: %v, %d round trips", log, r.RoundTrips)
	}
}

// Names and files that no client syncs are set aside, and stay.
func TestMediaSetAside(t *testing.T) {
	t.Parallel()
	mediaFolders(t, 3, func(t *testing.T, s *mediaSetup) {
		s.start(t)
		odd := files{
			"e\u0301.png": "decomposed", "\U0001F970.png": "too new", "aux.txt": "device", "end.": "dot",
			strings.Repeat("k", 117) + ".ogg": "121 bytes",
		}
		for name, content := range odd {
			s.ours.put(t, name, content)
		}
		s.ours.put(t, "none.png", "")
		s.ours.put(t, "Thumbs.db", "ignored")
		s.ours.put(t, "new.png", "new")
		r := mustSync(t, s.ours)
		aside(t, r, "aux.txt", "name", "end.", "name", "e\u0301.png", "name", strings.Repeat("k", 117)+".ogg", "name", "none.png", "empty",
			"\U0001F970.png", "name")
		s.real.syncMedia(t)
		want := stock.with(files{"new.png": "new"})
		s.same(t, want.sums(), s.real)
		s.same(t, want.sums())
		local := want.with(odd).with(files{"none.png": "", "Thumbs.db": "ignored"})
		if d := anki.CompareMedia(local.sums(), s.ours.media(t)); len(d) > 0 {
			t.Errorf("ours: %q", d)
		}
	})
}

// A file that becomes empty, or goes over the limit, is one that cannot be synced: it is not deleted anywhere.
func TestMediaEmptied(t *testing.T) {
	t.Parallel()
	mediaFolders(t, 3, func(t *testing.T, s *mediaSetup) {
		s.start(t)
		s.ours.put(t, "keep.png", "")
		aside(t, mustSync(t, s.ours), "keep.png", "empty")
		s.real.syncMedia(t)
		s.same(t, stock.sums(), s.real)
		s.ours.put(t, "keep.png", "filled again")
		s.settle(t)
		s.have(t, stock.with(files{"keep.png": "filled again"}))
	})
}

// An empty file stands where the server has one, and nothing was ever agreed for it: as after a power cut. It goes to the
// trash.
func TestMediaEmptyFileInTheWay(t *testing.T) {
	t.Parallel()
	mediaFolders(t, 3, func(t *testing.T, s *mediaSetup) {
		s.real.put(t, "a.png", "content")
		s.real.syncMedia(t)
		s.ours.put(t, "a.png", "")
		aside(t, mustSync(t, s.ours))
		s.have(t, files{"a.png": "content"})
	})
}

// Names that the server has, and no client would send: they are set aside here, and no other file waits for them.
func TestMediaNamesOfServer(t *testing.T) {
	if throughOwn() {
		t.Skip("our server takes none of these names")
	}
	t.Parallel()
	mediaHosts(t, 3, func(t *testing.T, s *mediaSetup) {
		bad := files{
			"con.txt": "device", "a:b.png": "colon", `c\d.png`: "backslash", "thumbs.db": "system", "x\x01.png": "control", "end ": "space",
			strings.Repeat("n", 200) + ".png": "long",
		}
		good := files{"good.png": "good", "z.png": "z"}
		for name, content := range bad.with(good) {
			s.acc.UploadMedia(t, anki.MediaFile{Name: name, Content: []byte(content)})
		}
		r := mustSync(t, s.ours)
		if len(r.SetAside) != len(bad) {
			t.Errorf("set aside: %q", r.SetAside)
		}
		for _, a := range r.SetAside {
			if _, ok := bad[a.Name]; !ok || a.Reason != "name" {
				t.Errorf("set aside: %q", a)
			}
		}
		if d := anki.CompareMedia(good.sums(), s.ours.media(t)); len(d) > 0 {
			t.Errorf("ours: %q", d)
		}
		s.same(t, bad.with(good).sums())
		s.nothingToDo(t)
	})
}

// Names of up to 120 bytes are synced. Longer ones that a server has are set aside here, and stay there; Anki's client cuts them, in
// whole characters, and deletes the long ones for everybody (media-sync.md §7.3). Then the files come under their short names.
func TestMediaLongNames(t *testing.T) {
	if throughOwn() {
		t.Skip("our server takes none of these names")
	}
	t.Parallel()
	mediaHosts(t, 3, func(t *testing.T, s *mediaSetup) {
		short := strings.Repeat("m", 116) + ".png" // 120 bytes
		long := map[string]string{
			strings.Repeat("k", 117) + ".ogg": strings.Repeat("k", 115) + ".ogg", // 121 bytes
			strings.Repeat("n", 251) + ".png": strings.Repeat("n", 115) + ".png", // 255 bytes
			strings.Repeat("é", 80) + ".png":  strings.Repeat("é", 57) + ".png",  // 164 bytes
		}
		before, after := files{short: "short"}, files{short: "short"}
		for name, cut := range long {
			before[name], after[cut] = "content of "+cut, "content of "+cut
		}
		for name, content := range before {
			s.acc.UploadMedia(t, anki.MediaFile{Name: name, Content: []byte(content)})
		}
		for range 2 {
			r := mustSync(t, s.ours)
			if len(r.SetAside) != len(long) {
				t.Errorf("set aside: %q", r.SetAside)
			}
			for _, a := range r.SetAside {
				if long[a.Name] == "" || a.Reason != "name" {
					t.Errorf("set aside: %q", a)
				}
			}
			s.same(t, before.sums())
		}
		if d := anki.CompareMedia(files{short: "short"}.sums(), s.ours.media(t)); len(d) > 0 {
			t.Errorf("ours: %q", d)
		}
		s.real.syncMedia(t)
		aside(t, mustSync(t, s.ours))
		s.have(t, after)
	})
}

// A folder that has files already, some of them equal, is merged with what the server has: nothing is deleted, equal files
// are not transferred, and of two different ones the server's stays.
func TestMediaMerge(t *testing.T) {
	t.Parallel()
	mediaHosts(t, 3, func(t *testing.T, s *mediaSetup) {
		for name, content := range stock {
			s.real.put(t, name, content)
		}
		s.real.syncMedia(t)
		s.ours.put(t, "keep.png", "keep")
		s.ours.put(t, "both.jpg", "another")
		s.ours.put(t, "own.png", "own")
		r := mustSync(t, s.ours)
		if r.Downloaded != 3 || r.Uploaded != 1 || r.DeletedLocal+r.DeletedRemote > 0 {
			t.Errorf("%+v", r)
		}
		if f, ok := s.ours.(*folderMedia); ok {
			f.trashed(t, "another")
		}
		s.settle(t)
		s.have(t, stock.with(files{"own.png": "own"}))
	})
}

// TestMediaAccountSwitched: another account's server has other files. Ours are sent to it, and nothing is deleted there.
func TestMediaAccountSwitched(t *testing.T) {
	t.Parallel()
	engines(t, 2, func(t *testing.T, e hostrunner.Engine) {
		s, own := folderSetup(t, e)
		s.start(t)
		other := mediaSetupAt(t, get(t, shared.server), func(testing.TB, colsync.Account) ownMedia { return own })
		theirs := files{"theirs.png": "t", "both.jpg": "theirs"}
		for name, content := range theirs {
			other.real.put(t, name, content)
		}
		other.real.syncMedia(t)
		// Files that are gone when the account changes were never on the new one.
		own.remove(t, "remove.mp3")
		first := own.account
		own.account = colsync.Account{Endpoint: other.proxy.URL, Key: other.acc.Key}
		other.settle(t)
		want := files{"keep.png": "keep", "change.png": "change"}.with(theirs)
		other.have(t, want)
		s.same(t, stock.sums(), s.real)
		// And back: what is in the folder now is merged with what the first account has.
		own.account = first
		s.settle(t)
		s.have(t, stock.with(files{"theirs.png": "t"}))
		other.same(t, want.sums(), other.real)
	})
}

// TestMediaManyFiles syncs thousands of files both ways.
func TestMediaManyFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("thousands of files")
	}
	t.Parallel()
	engines(t, 2, func(t *testing.T, e hostrunner.Engine) {
		s, own := folderSetup(t, e)
		want := files{}
		fill := func(dir string, from, to int) {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			for i := from; i < to; i++ {
				name, content := fmt.Sprintf("file %04d.png", i), fmt.Sprint("content ", i)
				want[name] = content
				if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
		fill(own.folder(), 0, 2500)
		fill(s.real.MediaDir(), 2000, 5000)
		s.settle(t)
		s.have(t, want)
		s.nothingToDo(t)
	})
}
