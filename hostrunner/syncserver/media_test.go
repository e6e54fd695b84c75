package syncserver_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/mediawire"
	"github.com/cardferry/cardferry/hostrunner/anki"
)

// files are those of an account as its change list tells them: the hash by name, "" for a deletion.
type files map[string]string

func hashOf(content string) string {
	sum := sha1.Sum([]byte(content))
	return hex.EncodeToString(sum[:])
}

// data sends a request and returns the data of its answer.
func (c *client) data(method, request string) string {
	c.t.Helper()
	var answer struct {
		Data json.RawMessage
		Err  *string
	}
	if err := json.Unmarshal(c.must("msync/"+method, []byte(request)), &answer); err != nil || answer.Err == nil || *answer.Err != "" {
		c.t.Fatalf("%s: %+v %v", method, answer, err)
	}
	return string(answer.Data)
}

// archive is the archive of an upload; without content a file is a deletion.
func archive(t testing.TB, files ...anki.MediaFile) []byte {
	t.Helper()
	b, err := anki.MediaArchive(files)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func file(name, content string) anki.MediaFile {
	return anki.MediaFile{Name: name, Content: []byte(content)}
}

func deletion(name string) anki.MediaFile { return anki.MediaFile{Name: name} }

// put uploads files and returns the data of the answer.
func (c *client) put(files ...anki.MediaFile) string {
	c.t.Helper()
	return c.data("uploadChanges", string(archive(c.t, files...)))
}

func (c *client) changes() files {
	c.t.Helper()
	list := files{}
	for after := int32(0); ; {
		page, err := mediawire.ParseChanges(c.must("msync/mediaChanges", fmt.Appendf(nil, `{"lastUsn":%d}`, after)), after)
		if err != nil {
			c.t.Fatal(err)
		}
		if len(page) == 0 {
			return list
		}
		for _, change := range page {
			list[change.Name], after = hex.EncodeToString([]byte(change.SHA1)), change.USN
		}
	}
}

// wantFiles fails unless the account has these files, and can deliver them.
func (c *client) wantFiles(want map[string]string) {
	c.t.Helper()
	got := c.changes()
	for name, content := range want {
		if got[name] != hashOf(content) {
			c.t.Errorf("%.60q has the hash %q", name, got[name])
			continue
		}
		if names, contents := c.download(name); names["0"] != name || contents["0"] != content {
			c.t.Errorf("%.60q: %d bytes, %v", name, len(contents["0"]), names)
		}
	}
	maps.DeleteFunc(got, func(name, sum string) bool { return sum == "" || want[name] != "" })
	if len(got) > 0 {
		c.t.Errorf("unexpected: %v", got)
	}
	if answer := c.data("mediaSanity", fmt.Sprintf(`{"local":%d}`, len(want))); answer != `"OK"` {
		c.t.Errorf("the server counts other than %d files", len(want))
	}
}

// unzip returns the names and the contents of a download by member.
func unzip(t testing.TB, b []byte) (names, contents map[string]string) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	names, contents = map[string]string{}, map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		contents[f.Name] = string(content)
	}
	if err := json.Unmarshal([]byte(contents["_meta"]), &names); err != nil {
		t.Fatal(err)
	}
	delete(contents, "_meta")
	return names, contents
}

func (c *client) download(names ...string) (got, contents map[string]string) {
	c.t.Helper()
	request, err := json.Marshal(map[string]any{"files": append([]string{}, names...)})
	if err != nil {
		c.t.Fatal(err)
	}
	return unzip(c.t, c.must("msync/downloadFiles", request))
}

// byHand are the requests of the shared fixture media/wire/requests-by-hand.jsonl.
type byHand struct {
	Label, Method, Header string
	Body                  json.RawMessage
	Status                int
	Response              json.RawMessage
}

// differences are the recorded requests that this server answers in another way, on purpose: it refuses names that the
// reference's own clients cannot keep, or that the reference fails with, and one name twice in an archive.
var differences = map[string]int{
	"name twice in one zip": 400, "add and delete in one zip": 400, "member not in _meta: ignored": 400,
	"name ": 400, "name .": 400, "name ..": 400, "name nul\x00.txt": 400, "name w\\x.txt": 400, "name con.txt": 400, "name q?.txt": 400, "name end.": 400, "name thumbs.db": 400,
}

// TestRequestsByHand sends what was sent to the real server by hand, and wants its answers, but for the differences.
func TestRequestsByHand(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/media-requests.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	_, c := newServer(t)
	refused := map[string]bool{}
	missed := 0 // changes that the reference has counted and we have not
	for line := range bytes.Lines(b) {
		var r byHand
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		payload := []byte(r.Body)
		var upload struct{ Base64 []byte }
		if r.Method == "uploadChanges" && json.Unmarshal(r.Body, &upload) == nil {
			payload = upload.Base64
		}
		sender := *c
		status, answer := 0, []byte(nil)
		if r.Header != "" {
			resp := do(t, "POST", c.url+"msync/"+r.Method, anki.Compress(payload), map[string]string{"anki-sync": strings.ReplaceAll(r.Header, recordedKey, c.key)})
			status = resp.StatusCode
		} else if r.Method == "frob" {
			status = do(t, "POST", c.url+"msync/frob", anki.Compress(payload), map[string]string{"anki-sync": c.header()}).StatusCode
		} else {
			status, answer = sender.call("msync/"+r.Method, payload)
		}
		want := r.Status
		if d, ok := differences[r.Label]; ok {
			want, refused[r.Label] = d, true
		}
		if status != want {
			t.Errorf("%.60s: %d, want %d", r.Label, status, want)
			continue
		}
		if refused[r.Label] && r.Status == 200 {
			missed += changesIn(t, r.Response, &r)
			continue
		}
		if status == 200 {
			compareByHand(t, c, &r, answer, &missed)
		}
	}
	if len(refused) != len(differences) {
		t.Errorf("of the differences only these were met: %v", slices.Sorted(maps.Keys(refused)))
	}
}

const recordedKey = "0509f67889ed1243f495d68693017e4a224b3138"

// changesIn is how many changes an upload was that only the reference has taken.
func changesIn(t *testing.T, response json.RawMessage, r *byHand) int {
	t.Helper()
	var answer struct{ Data [2]int }
	if err := json.Unmarshal(response, &answer); err != nil {
		t.Fatalf("%s: %v", r.Label, err)
	}
	return answer.Data[0]
}

// compareByHand compares answers. Numbers of changes are lower by what was not taken.
func compareByHand(t *testing.T, c *client, r *byHand, answer []byte, missed *int) {
	t.Helper()
	if r.Method == "downloadFiles" {
		var want struct {
			Meta map[string]string `json:"zip_meta"`
		}
		if err := json.Unmarshal(r.Response, &want); err != nil {
			t.Fatal(err)
		}
		if names, _ := unzip(t, answer); !reflect.DeepEqual(names, want.Meta) {
			t.Errorf("%s: %v, want %v", r.Label, names, want.Meta)
		}
		return
	}
	var got, want struct{ Data, Err any }
	if err := json.Unmarshal(bytes.ReplaceAll(r.Response, []byte(recordedKey), []byte(c.key)), &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(answer, &got); err != nil {
		t.Fatal(err)
	}
	switch r.Method {
	case "uploadChanges":
		pair := want.Data.([]any)
		pair[1] = pair[1].(float64) - float64(*missed)
	case "mediaChanges":
		want.Data = namesOf(want.Data)
		got.Data = namesOf(got.Data)
	case "mediaSanity":
		return // the numbers of files differ, too; see TestMediaMethods
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%.60s: %v, want %v", r.Label, got, want)
	}
}

// namesOf leaves names and hashes of a change list, of those names that both servers take.
func namesOf(data any) any {
	list := [][2]any{}
	for _, row := range data.([]any) {
		r := row.([]any)
		name := r[0].(string)
		if _, refused := differences["name "+name]; refused || slices.Contains([]string{"t.txt", "u.txt", "x.txt"}, name) {
			continue
		}
		list = append(list, [2]any{name, r[2]})
	}
	return list
}

// TestMediaMethods has the table of §9.3 and what each method answers.
func TestMediaMethods(t *testing.T) {
	t.Parallel()
	s, c := newServer(t)
	_ = s
	begin := func(want int) {
		t.Helper()
		if got := c.data("begin", `{"v":"test,1,linux"}`); got != fmt.Sprintf(`{"usn":%d,"sk":%q}`, want, c.key) {
			t.Errorf("begin: %s, want %d", got, want)
		}
	}
	begin(0)
	c.wantFiles(nil)
	if got := c.data("mediaChanges", `{"lastUsn":-5}`); got != "[]" {
		t.Error(got)
	}
	for _, u := range []struct {
		files []anki.MediaFile
		want  string
	}{
		{nil, "[0,0]"},
		{[]anki.MediaFile{file("a.txt", "A"), file("b.txt", "B")}, "[2,2]"},
		{[]anki.MediaFile{file("a.txt", "A"), file("b.txt", "B")}, "[2,2]"},                                    // the same again
		{[]anki.MediaFile{file("a.txt", "AA"), deletion("nix"), deletion("b.txt")}, "[3,4]"},                   // replaced, unknown, deleted
		{[]anki.MediaFile{deletion("b.txt")}, "[1,4]"},                                                         // deleted already
		{[]anki.MediaFile{file("b.txt", "B"), file("c.txt", "B"), file("C.txt", "B")}, "[3,7]"},                // revived; the same content under other names
		{[]anki.MediaFile{deletion("c.txt"), deletion(".."), deletion("con"), deletion("thumbs.db")}, "[4,8]"}, // the content stays, as others have it
	} {
		if got := c.put(u.files...); got != u.want {
			t.Errorf("%v: %s, want %s", u.files, got, u.want)
		}
	}
	begin(8)
	want := map[string]string{"a.txt": "AA", "b.txt": "B", "C.txt": "B"}
	c.wantFiles(want)
	if got := c.data("mediaChanges", `{"lastUsn":5}`); got != fmt.Sprintf(`[["C.txt",7,%q],["c.txt",8,""]]`, hashOf("B")) {
		t.Error(got)
	}
	if got := c.data("mediaSanity", `{"local":4}`); got != `"mediaSanity"` {
		t.Error(got)
	}
	if names, contents := c.download("b.txt", "a.txt", "b.txt"); !reflect.DeepEqual(names, map[string]string{"0": "b.txt", "1": "a.txt", "2": "b.txt"}) || contents["2"] != "B" {
		t.Error(names, contents)
	}
	if names, contents := c.download(); len(names)+len(contents) > 0 {
		t.Error(names, contents)
	}
	for _, list := range []string{`["a.txt","c.txt"]`, `["nix"]`, `["../media.db"]`, `[""]`, `["A.txt"]`} {
		c.want(409, "msync/downloadFiles", `{"files":`+list+`}`)
	}
	for _, bad := range [][2]string{
		{"begin", `{"v":""}`}, {"begin", `{}`}, {"begin", `{"v":1}`}, {"begin", `null`}, {"begin", ""},
		{"mediaChanges", `{}`}, {"mediaChanges", `{"lastUsn":2147483648}`}, {"mediaChanges", `{"lastUsn":1.5}`}, {"mediaChanges", `{"lastUsn":"1"}`},
		{"mediaSanity", `{"local":-1}`}, {"mediaSanity", `{"local":4294967296}`}, {"mediaSanity", `{}`},
		{"downloadFiles", `{}`}, {"downloadFiles", `{"files":"a.txt"}`}, {"downloadFiles", `{"files":[1]}`},
		{"downloadFiles", `{"files":[` + strings.Repeat(`"a.txt",`, 25) + `"a.txt"]}`},
		{"uploadChanges", ""}, {"uploadChanges", "hello"},
	} {
		c.want(400, "msync/"+bad[0], bad[1])
	}
	c.want(200, "msync/downloadFiles", `{"files":[`+strings.Repeat(`"a.txt",`, 24)+`"a.txt"]}`)
	if resp := do(t, "GET", c.url+"msync/begin?k="+c.key+"&v=x", nil, nil); resp.StatusCode != 501 {
		t.Errorf("begin of version 10: %d", resp.StatusCode)
	}
	if resp := do(t, "GET", c.url+"msync/mediaChanges", nil, nil); resp.StatusCode != 405 {
		t.Errorf("GET: %d", resp.StatusCode)
	}
	c.wantFiles(want)
}

// TestDownloadIsCut: an answer ends with the file that takes it above the target (§4.3); what comes after is not looked at.
func TestDownloadIsCut(t *testing.T) {
	t.Parallel()
	_, c := newServer(t)
	half := strings.Repeat("h", mediawire.BatchBytes/2)
	c.put(file("a", half), file("b", half), file("c", "x"), file("d", "y"))
	c.put(file("big", strings.Repeat("b", mediawire.BatchBytes+1)))
	for _, d := range []struct {
		names []string
		want  int
	}{
		{[]string{"a", "b", "c", "d", "nix"}, 3}, {[]string{"big", "a"}, 1}, {[]string{"c", "big", "nix"}, 2}, {[]string{"c", "d"}, 2}, {[]string{"a", "c", "big", "d"}, 3},
	} {
		names, contents := c.download(d.names...)
		if len(names) != d.want || len(contents) != d.want {
			t.Errorf("%v: %v", d.names, names)
		}
		for i, name := range d.names[:d.want] {
			if names[fmt.Sprint(i)] != name {
				t.Errorf("%v: %v", d.names, names)
			}
		}
	}
	c.want(409, "msync/downloadFiles", `{"files":["a","b","nix"]}`)
}

// TestLostContent: of the files that a client asks for, all whose content is lost are forgotten at once. With one at a time, as with the
// reference, its syncs would fail as many times as there are files.
func TestLostContent(t *testing.T) {
	t.Parallel()
	s, c := newServer(t)
	c.put(file("a", "one"), file("b", "two"), file("c", "three"), file("d", "four"))
	a, err := s.Accounts.ByName(t.Context(), "ada")
	coretest.Must(t, err)
	coretest.Must(t, s.Blobs.Remove(t.Context(), a.ID, sha1.Sum([]byte("two")), sha1.Sum([]byte("four"))))
	c.want(409, "msync/downloadFiles", `{"files":["a","b","c","nix","d"]}`)
	c.wantFiles(map[string]string{"a": "one", "c": "three"})
}

// TestPages: changes come in pages of 1000, in the order of their numbers.
func TestPages(t *testing.T) {
	t.Parallel()
	_, c := newServer(t)
	want := map[string]string{}
	for i := range 45 {
		var part []anki.MediaFile
		for k := range 25 {
			name := fmt.Sprintf("%d.txt", (i*25+k)*7919%1125)
			want[name] = "content of " + name
			part = append(part, file(name, want[name]))
		}
		c.put(part...)
	}
	for after, n := range map[int]int{0: 1000, 125: 1000, 126: 999, 1000: 125, 1124: 1, 1125: 0, 1 << 30: 0} {
		page, err := mediawire.ParseChanges(c.must("msync/mediaChanges", fmt.Appendf(nil, `{"lastUsn":%d}`, after)), int32(after))
		if err != nil || len(page) != n || n > 0 && page[0].USN != int32(after)+1 {
			t.Errorf("after %d: %d changes, %v", after, len(page), err)
		}
	}
	if got := c.changes(); len(got) != len(want) {
		t.Errorf("%d names", len(got))
	}
	if got := c.data("mediaSanity", `{"local":1125}`); got != `"OK"` {
		t.Error(got)
	}
}

// TestArchiveForms: what the real server understands besides the archives of its own clients.
func TestArchiveForms(t *testing.T) {
	t.Parallel()
	_, c := newServer(t)
	long := strings.Repeat("PK\x07\x08 and more of it ", 20_000)
	type member struct {
		method uint16
		raw    bool
	}
	for name, form := range map[string]member{
		"stored": {zip.Store, true}, "stored, size behind": {zip.Store, false}, "deflated, size behind": {zip.Deflate, false},
	} {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		if err := z.SetComment("a comment"); err != nil {
			t.Fatal(err)
		}
		content := name + long
		for _, m := range [][2]string{{"_meta", fmt.Sprintf(` [[%q, "z"], ["gone", ""]] `, name)}, {"z", content}} {
			h := &zip.FileHeader{Name: m[0], Method: form.method}
			create := z.CreateHeader
			if form.raw {
				h.CRC32, h.CompressedSize64, h.UncompressedSize64 = crc32.ChecksumIEEE([]byte(m[1])), uint64(len(m[1])), uint64(len(m[1]))
				create = z.CreateRaw
			}
			w, err := create(h)
			if err == nil {
				_, err = io.WriteString(w, m[1])
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		around := append([]byte("something before"), append(b.Bytes(), "something behind"...)...)
		for _, body := range [][]byte{b.Bytes(), around} {
			c.must("msync/uploadChanges", body)
		}
		if names, contents := c.download(name); names["0"] != name || contents["0"] != content {
			t.Errorf("%s: %d bytes", name, len(contents["0"]))
		}
	}
}
