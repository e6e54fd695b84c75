package interop_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha1"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner"
	"github.com/cardferry/cardferry/hostrunner/anki"
)

// packaged is a collection of the real client with media files.
func packaged(t *testing.T) (*anki.Client, files) {
	t.Helper()
	w := get(t, shared.seed)
	dir := t.TempDir()
	path := filepath.Join(dir, "collection.anki2")
	if err := os.WriteFile(path, w.file, 0o600); err != nil {
		t.Fatal(err)
	}
	media := files{"ä é.png": "picture", "b.mp3": strings.Repeat("sound ", 400_000), "empty.txt": "", "_x.css": "b {}"}
	for name, content := range media {
		write(t, filepath.Join(dir, mediaFolder, name), content)
	}
	c := get(t, shared.agent).Client(t, path)
	realEditor{c}.editNote(t, w.notes[2], "pending")
	return c, media
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// packageOf returns a package of the real client's collection.
func packageOf(t *testing.T, c *anki.Client, legacy bool) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "real.colpkg")
	c.Do(t, "export", anki.Args{"path": path, "media": true, "legacy": legacy}, nil)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// openFolder opens a profile of ours that has a collection and a media file of its own.
func openFolder(t *testing.T, e engine) (p *hostrunner.Profile, dir string) {
	t.Helper()
	dir = t.TempDir()
	write(t, filepath.Join(dir, "collection.anki2"), string(get(t, shared.seed).file))
	write(t, filepath.Join(dir, mediaFolder, "b.mp3"), "another sound")
	write(t, filepath.Join(dir, mediaFolder, "ours.png"), "ours")
	o := hostrunner.OpenOptions{Dir: dir, Engine: e.runner()}
	p, err := get(t, shared.runtime).Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p, dir
}

// withoutTimes returns a collection without the times that an import sets.
func withoutTimes(d anki.Dump) anki.Dump {
	delete(d, "col")
	return d
}

// Packages of the real client give the same collection here as there, and its media files.
func TestImportPackage(t *testing.T) {
	t.Parallel()
	for _, legacy := range []bool{false, true} {
		name := "new"
		if legacy {
			name = "legacy"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			locals(t, 1, func(t *testing.T, e engine) {
				c, media := packaged(t)
				b := packageOf(t, c, legacy)
				there := filepath.Join(t.TempDir(), "there.anki2")
				path := filepath.Join(t.TempDir(), "real.colpkg")
				write(t, path, string(b))
				c.Do(t, "import", anki.Args{"col": there, "path": path}, nil)
				p, dir := openFolder(t, e)
				r, err := p.ImportFile(t.Context(), bytes.NewReader(b))
				if err != nil {
					t.Fatal(err)
				}
				if r.Backup == "" || r.Media != int64(len(media)) || len(r.SetAside) > 0 {
					t.Errorf("%+v", r)
				}
				real := get(t, shared.agent).Client(t, there)
				own := anki.Read(t, filepath.Join(dir, "collection.anki2"))
				if d := anki.Compare(withoutTimes(own), withoutTimes(real.Dump(t))); len(d) > 0 {
					t.Errorf("ours and the real client's collection: %q", d)
				}
				want := media.with(files{"ours.png": "ours"}).sums()
				if d := anki.CompareMedia(want, anki.ReadMedia(t, filepath.Join(dir, mediaFolder))); len(d) > 0 {
					t.Errorf("media wanted, and here: %q", d)
				}
				o := &ours{app: app{filepath.Join(dir, "collection.anki2")}, profile: p, engine: e}
				o.checked(t)
				tidy(t, dir)
			})
		})
	}
}

// The real client imports our packages. Of a file whose name it does not have, as older clients and newer Unicode do, it gets the content.
func TestExportPackage(t *testing.T) {
	t.Parallel()
	locals(t, 1, func(t *testing.T, e engine) {
		c, media := packaged(t)
		c.Close(t)
		for name, stem := range map[string]string{strings.Repeat("x", 190) + ".txt": strings.Repeat("x", 74), "\U0001fae9.txt": ""} {
			write(t, filepath.Join(filepath.Dir(c.Path), mediaFolder, name), name)
			media[fmt.Sprintf("%s-%x.txt", stem, sha1.Sum([]byte(name)))] = name
		}
		rt := get(t, shared.runtime)
		p, err := rt.Open(t.Context(), hostrunner.OpenOptions{Dir: filepath.Dir(c.Path), Engine: e.runner()})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		for _, with := range []bool{true, false} {
			var b bytes.Buffer
			r, err := p.ExportFile(t.Context(), &b, with)
			if err != nil || r.Bytes != int64(b.Len()) {
				t.Fatalf("%+v %v", r, err)
			}
			path := filepath.Join(t.TempDir(), "ours.colpkg")
			write(t, path, b.String())
			there := filepath.Join(t.TempDir(), "there.anki2")
			c.Do(t, "import", anki.Args{"col": there, "path": path}, nil)
			real := get(t, shared.agent).Client(t, there)
			if d := anki.Compare(withoutTimes(anki.Read(t, c.Path)), withoutTimes(real.Dump(t))); len(d) > 0 {
				t.Errorf("ours and the real client's collection: %q", d)
			}
			want := files{}
			if with {
				want = media
			}
			if d := anki.CompareMedia(want.sums(), anki.ReadMedia(t, strings.TrimSuffix(there, ".anki2")+".media")); len(d) > 0 || r.Media != int64(len(want)) {
				t.Errorf("media wanted, and there: %q", d)
			}
		}
		tidy(t, filepath.Dir(c.Path))
	})
}

// What is wrong with a package is said, and changes nothing but what can be used of it.
func TestHostilePackage(t *testing.T) {
	t.Parallel()
	c, _ := packaged(t)
	whole := packageOf(t, c, false)
	entry := func(name string) string {
		return "\x0a" + string(rune(len(name)+2)) + "\x0a" + string(rune(len(name))) + name
	}
	for _, x := range []struct {
		name  string
		edit  func(map[string]string)
		kind  fault.Kind
		aside string
	}{
		{"no archive", nil, fault.DamagedFile, ""},
		{"newer", func(m map[string]string) { m["meta"] = "\x08\x04" }, fault.UnsupportedFile, ""},
		{"no collection", func(m map[string]string) { delete(m, "collection.anki21b") }, fault.UnsupportedFile, ""},
		{"collection is junk", func(m map[string]string) { m["collection.anki21b"] = frameOf("junk") }, fault.DamagedFile, ""},
		{"collection is no frame", func(m map[string]string) { m["collection.anki21b"] = "junk" }, fault.DamagedFile, ""},
		{"list is junk", func(m map[string]string) { m["media"] = frameOf("junk") }, fault.DamagedFile, ""},
		{"a name that leaves the folder", func(m map[string]string) { m["media"] = frameOf(entry("../x.png")) }, 0, "../x.png name"},
		{"a device", func(m map[string]string) { m["media"] = frameOf(entry("con.txt")) }, 0, "con.txt name"},
		{"file is missing", func(m map[string]string) { delete(m, "0"); m["media"] = frameOf(entry("x.png")) }, 0, "x.png gone"},
		{"file is junk", func(m map[string]string) { m["0"] = "junk"; m["media"] = frameOf(entry("x.png")) }, 0, "x.png damaged"},
		{"file is another", func(m map[string]string) { m["0"] = frameOf("another content") }, 0, " hash"},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			b := []byte("no archive")
			if x.edit != nil {
				b = edited(t, whole, x.edit)
			}
			p, dir := openFolder(t, inProcess)
			before := anki.Read(t, filepath.Join(dir, "collection.anki2"))
			media := anki.ReadMedia(t, filepath.Join(dir, mediaFolder))
			r, err := p.ImportFile(t.Context(), bytes.NewReader(b))
			if fault.KindOf(err) != x.kind {
				t.Fatalf("got %v, want kind %v", err, x.kind)
			}
			tidy(t, dir)
			if x.kind == 0 {
				if len(r.SetAside) != 1 || !strings.HasSuffix(r.SetAside[0].Name+" "+r.SetAside[0].Reason, x.aside) {
					t.Errorf("set aside %+v", r.SetAside)
				}
				return
			}
			if d := anki.Compare(before, anki.Read(t, filepath.Join(dir, "collection.anki2"))); len(d) > 0 {
				t.Errorf("the collection has changed: %q", d)
			}
			if d := anki.CompareMedia(media, anki.ReadMedia(t, filepath.Join(dir, mediaFolder))); len(d) > 0 {
				t.Errorf("the media files have changed: %q", d)
			}
		})
	}
}

// tidy fails if a package is left among the temporary files.
func tidy(t *testing.T, dir string) {
	t.Helper()
	if found, err := filepath.Glob(filepath.Join(dir, "cardferry.tmp", "*.*")); err != nil || len(found) > 0 {
		t.Errorf("left behind: %q %v", found, err)
	}
}

// edited returns an archive with other members.
func edited(t *testing.T, b []byte, edit func(map[string]string)) []byte {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	members := map[string]string{}
	for _, f := range r.File {
		src, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(src)
		if err != nil {
			t.Fatal(err)
		}
		members[f.Name] = string(content)
	}
	edit(members)
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, content := range members {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name})
		if err == nil {
			_, err = io.WriteString(w, content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// frameOf returns a zstd frame.
func frameOf(content string) string {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		panic(err)
	}
	return string(w.EncodeAll([]byte(content), nil))
}
