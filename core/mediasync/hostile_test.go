package mediasync_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/mediasync"
	"github.com/cardferry/cardferry/core/mediawire"
)

// answerDownloads lets make answer the downloads; it gets the names asked for.
func (s *server) answerDownloads(make func(names []string) *host.Response) {
	s.before = func(method string, body []byte) (*host.Response, error) {
		if method != mediawire.DownloadFiles {
			return nil, nil
		}
		var in struct{ Files []string }
		if err := json.Unmarshal(body, &in); err != nil {
			panic(err)
		}
		return make(in.Files), nil
	}
}

// TestWrongContent: what does not match the list is asked for once more where the list has changed, else set aside.
func TestWrongContent(t *testing.T) {
	t.Parallel()
	s := newServer()
	d := newDevice(t, s)
	for i := range 5 {
		s.put(fmt.Sprintf("f%d.txt", i), []byte(fmt.Sprint(i)))
	}
	replaced := false
	s.answerDownloads(func(names []string) *host.Response {
		if !replaced { // another device is in between
			replaced = true
			s.put("f1.txt", []byte("replaced"))
		}
		var files [][2]string
		for _, name := range names {
			content := string(s.rows[name].data)
			if name == "f3.txt" {
				content = "always wrong"
			}
			files = append(files, [2]string{name, content})
		}
		return okBody(downloadZip(files))
	})
	wantAside(t, d.sync(), "f3.txt hash")
	s.before = nil
	wantAside(t, d.sync())
	d.want(map[string]string{"f0.txt": "0", "f1.txt": "replaced", "f2.txt": "2", "f3.txt": "3", "f4.txt": "4"})
}

// TestWrongList: the list told another sum once; its row is read again.
func TestWrongList(t *testing.T) {
	t.Parallel()
	s := newServer()
	d := newDevice(t, s)
	s.put("a.txt", []byte("a"))
	s.put("b.txt", []byte("b"))
	lied := false
	s.before = func(method string, _ []byte) (*host.Response, error) {
		if method == mediawire.MediaChanges && !lied {
			lied = true
			return okData([][]any{{"a.txt", 1, sumOf([]byte("something else"))}, {"b.txt", 2, sumOf([]byte("b"))}}), nil
		}
		return nil, nil
	}
	if r := d.sync(); r.Downloaded != 2 {
		t.Errorf("%+v", r)
	}
	d.want(map[string]string{"a.txt": "a", "b.txt": "b"})
}

// TestRepeatedNumber: a list that gives two changes one number, and the same ones whatever it is asked for, ends.
func TestRepeatedNumber(t *testing.T) {
	t.Parallel()
	s := newServer()
	d := newDevice(t, s)
	s.put("a.txt", []byte("a"))
	d.sync()
	s.put("b.txt", []byte("b"))
	s.before = func(method string, _ []byte) (*host.Response, error) {
		if method == mediawire.MediaChanges {
			return okData([][]any{{"c.txt", 3, sumOf([]byte("c"))}, {"c.txt", 3, sumOf([]byte("c"))}}), nil
		}
		return nil, nil
	}
	wantAside(t, d.sync(), "c.txt gone")
	s.before = nil
	d.sync()
	d.want(map[string]string{"a.txt": "a", "b.txt": "b"})
}

// TestHostileArchives: an answer that is no archive, or not the one asked for, ends the sync or is passed over; nothing of
// it gets into the folder.
func TestHostileArchives(t *testing.T) {
	t.Parallel()
	zeros := strings.Repeat("\x00", 101<<20)
	for _, c := range []struct {
		name string
		body func(names []string) []byte
		kind fault.Kind
		want string // the files that come in spite of it
	}{
		{"no archive", func([]string) []byte { return []byte("<html>") }, fault.DamagedDownload, ""},
		{"nothing", func([]string) []byte { return nil }, fault.DamagedDownload, ""},
		{"empty archive", func([]string) []byte { return storedZip(nil) }, fault.DamagedDownload, ""},
		{"only names", func([]string) []byte { return downloadZip(nil) }, 0, ""},
		{"too large", func(names []string) []byte { return downloadZip([][2]string{{names[0], zeros}}) }, fault.DamagedDownload, ""},
		{"traversal", func([]string) []byte {
			return downloadZip([][2]string{{"../a.txt", "a"}, {"/etc/passwd", "a"}, {"..", "a"}})
		}, fault.DamagedDownload, ""},
		{"not asked for", func([]string) []byte { return downloadZip([][2]string{{"c.txt", "c"}, {"a.txt", "a"}}) }, fault.DamagedDownload, "a.txt"},
		{"twice", func([]string) []byte { return downloadZip([][2]string{{"a.txt", "a"}, {"a.txt", "a"}}) }, fault.DamagedDownload, "a.txt"},
		{"twice, once wrong", func([]string) []byte { return downloadZip([][2]string{{"a.txt", "x"}, {"a.txt", "a"}}) }, fault.DamagedDownload, "a.txt"},
		{"swapped", func([]string) []byte { return downloadZip([][2]string{{"a.txt", "b"}, {"b.txt", "a"}}) }, 0, ""},
		{"too many", func([]string) []byte {
			return storedZip([][2]string{{"0", "a"}, {"1", "b"}, {"2", "c"}, {"3", "d"}, {"_meta", `{"0":"a.txt"}`}})
		}, fault.DamagedDownload, ""},
		{"one not asked for", func(names []string) []byte {
			return downloadZip([][2]string{{"c.txt", "c"}, {names[0], names[0][:1]}}[2-len(names):])
		}, 0, "a.txt b.txt"},
		{"names without members", func([]string) []byte {
			return storedZip([][2]string{{"0", "a"}, {"_meta", `{"0":"a.txt","1":"b.txt"}`}})
		}, 0, "a.txt"},
		{"members without names", func([]string) []byte {
			return storedZip([][2]string{{"0", "a"}, {"1", "b"}, {"_meta", `{"1":"b.txt"}`}})
		}, fault.DamagedDownload, "b.txt"},
		{"list of names as an array", func([]string) []byte { return storedZip([][2]string{{"0", "a"}, {"_meta", `[["a.txt","0"]]`}}) }, fault.DamagedDownload, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newServer()
			d := newDevice(t, s)
			s.put("a.txt", []byte("a"))
			s.put("b.txt", []byte("b"))
			s.answerDownloads(func(names []string) *host.Response { return okBody(c.body(names)) })
			if c.kind != 0 {
				d.syncKind(mediasync.Options{}, c.kind)
			} else if r := d.sync(); r.RoundTrips > 20 {
				t.Errorf("%d requests", r.RoundTrips)
			}
			want := map[string]string{}
			for _, name := range strings.Fields(c.want) {
				want[name] = name[:1]
			}
			d.want(want)
			if n := d.media.Drafts(); n > 0 {
				t.Errorf("%d drafts are left", n)
			}
			s.before = nil
			wantAside(t, d.sync())
			d.want(map[string]string{"a.txt": "a", "b.txt": "b"})
		})
	}
}

// TestHostileAnswers: answers to the other methods that make no sense.
func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method string
		resp   *host.Response
		kind   fault.Kind
	}{
		{mediawire.Begin, okBody([]byte(`{"data":null,"err":"your account is closed"}`)), fault.ServerMessage},
		{mediawire.Begin, okBody([]byte(`[]`)), fault.DamagedDownload},
		{mediawire.Begin, &host.Response{Status: 200, Body: []byte("<html>")}, fault.DamagedDownload},
		{mediawire.Begin, status(403), fault.Auth},
		{mediawire.Begin, status(404), fault.Network},
		{mediawire.Begin, status(501), fault.ClientTooOld},
		{mediawire.MediaChanges, okData([][]any{{"a.txt", 0, ""}}), fault.DamagedDownload}, // does not go on
		{mediawire.MediaChanges, okData("x"), fault.DamagedDownload},
		{mediawire.MediaChanges, status(500), fault.ServerError},
		{mediawire.DownloadFiles, status(403), fault.Auth},
		{mediawire.DownloadFiles, status(500), fault.ServerError},
		{mediawire.UploadChanges, okData([]int{0, 5}), fault.ServerError},
		{mediawire.UploadChanges, okData("x"), fault.DamagedDownload},
		{mediawire.UploadChanges, status(403), fault.Auth},
		{mediawire.MediaSanity, okData("perhaps"), fault.DamagedDownload},
	} {
		t.Run(fmt.Sprint(c.method, c.resp.Status, c.kind), func(t *testing.T) {
			t.Parallel()
			s := newServer()
			d := newDevice(t, s)
			s.put("a.txt", []byte("a"))
			d.put("b.txt", "b")
			s.before = func(method string, _ []byte) (*host.Response, error) {
				if method == c.method {
					return c.resp, nil
				}
				return nil, nil
			}
			_, e := d.syncKind(mediasync.Options{}, c.kind)
			if e.Message == "" && e.Err == nil {
				t.Errorf("%+v", e)
			}
			s.before = nil
			d.sync()
			d.want(map[string]string{"a.txt": "a", "b.txt": "b"})
			d.wantServer(d.files())
		})
	}
}

// TestShortUploads: a server may handle fewer entries than it was sent, or claim more.
func TestShortUploads(t *testing.T) {
	t.Parallel()
	s := newServer()
	d := newDevice(t, s)
	want := map[string]string{}
	for i := range 60 {
		name := fmt.Sprintf("f%02d.txt", i)
		want[name] = name
		d.put(name, name)
	}
	short := true
	s.before = func(method string, body []byte) (*host.Response, error) {
		if method != mediawire.UploadChanges {
			return nil, nil
		}
		list, files, _ := unpack(body)
		if short = !short; short {
			s.carryOut(method, body)
			return okData([]int{1000, s.last}), nil
		}
		for _, e := range list[:len(list)/2+1] {
			s.put(e[0].(string), files[e[1].(string)])
		}
		return okData([]int{len(list)/2 + 1, s.last}), nil
	}
	if r := d.sync(); r.Uploaded != 60 {
		t.Errorf("%+v", r)
	}
	d.wantServer(want)
}

// TestCancel: a cancelled sync ends with that kind, wherever it was, and the next one goes on.
func TestCancel(t *testing.T) {
	t.Parallel()
	for n := range 12 {
		s := newServer()
		d := newDevice(t, s)
		want := map[string]string{}
		for i := range 60 {
			name, theirs := fmt.Sprintf("f%02d.txt", i), fmt.Sprintf("g%02d.txt", i)
			want[name], want[theirs] = name, theirs
			d.put(name, name)
			s.put(theirs, []byte(theirs))
		}
		ctx, cancel := context.WithCancel(t.Context())
		left := n
		s.before = func(string, []byte) (*host.Response, error) {
			if left--; left < 0 {
				cancel()
			}
			return nil, nil
		}
		_, err := d.syncer.Sync(ctx, account, mediasync.Options{})
		if k := fault.KindOf(err); left < 0 && k != fault.Cancelled {
			t.Errorf("cancelled at request %d: %v", n, err)
		}
		s.before = nil
		d.sync()
		d.want(want)
		d.wantServer(want)
		cancel()
	}
}
