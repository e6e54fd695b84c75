package anki

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// MediaCall sends one hand-made media request to the server and returns the status and the decompressed answer.
func (a *Account) MediaCall(method string, payload []byte) (int, []byte, error) {
	return a.call("msync/"+method, "harness", payload)
}

// mediaData is MediaCall for an answer that is JSON; args become its body unless they are bytes.
func (a *Account) mediaData(method string, args, data any) error {
	payload, ok := args.([]byte)
	if !ok {
		var err error
		if payload, err = json.Marshal(args); err != nil {
			return err
		}
	}
	status, body, err := a.MediaCall(method, payload)
	if err != nil || status != 200 {
		return fmt.Errorf("%s: %d %.200s %w", method, status, body, err)
	}
	wrapped := struct {
		Data any    `json:"data"`
		Err  string `json:"err"`
	}{Data: data}
	if err := json.Unmarshal(body, &wrapped); err != nil {
		return fmt.Errorf("%s: %w: %.200s", method, err, body)
	}
	return nil
}

// MediaChange is one row of a server's list of changes; SHA1 is "" for a deletion.
type MediaChange struct {
	Name string
	USN  int64
	SHA1 string
}

// UnmarshalJSON reads [name, usn, sha1].
func (m *MediaChange) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, &[]any{&m.Name, &m.USN, &m.SHA1})
}

// MediaChanges lists all changes after a usn.
func (a *Account) MediaChanges(t testing.TB, after int64) []MediaChange {
	t.Helper()
	list, err := a.mediaChanges(after)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func (a *Account) mediaChanges(after int64) (list []MediaChange, err error) {
	for {
		var page []MediaChange
		if err := a.mediaData("mediaChanges", map[string]any{"lastUsn": after}, &page); err != nil {
			return nil, err
		}
		if len(page) == 0 {
			return list, nil
		}
		list = append(list, page...)
		after = page[len(page)-1].USN
	}
}

// Media returns what the server says it has.
func (a *Account) Media(t testing.TB) Media {
	t.Helper()
	m, err := a.ListMedia()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// ListMedia is Media outside of tests.
func (a *Account) ListMedia() (Media, error) {
	list, err := a.mediaChanges(0)
	m := Media{}
	for _, c := range list {
		if c.SHA1 != "" {
			m[c.Name] = c.SHA1
		}
	}
	return m, err
}

// MediaUSN returns the server's current media usn.
func (a *Account) MediaUSN(t testing.TB) int64 {
	t.Helper()
	var data struct{ USN int64 }
	if err := a.mediaData("begin", map[string]any{"v": "harness,1,test"}, &data); err != nil {
		t.Fatal(err)
	}
	return data.USN
}

// MediaFile is a file for a server; without Content it is a deletion.
type MediaFile struct {
	Name    string
	Content []byte
}

// UploadMedia sends files and deletions as another device does, and returns the server's usn after them.
func (a *Account) UploadMedia(t testing.TB, files ...MediaFile) (usn int64) {
	t.Helper()
	usn, err := a.uploadMedia(files)
	if err != nil {
		t.Fatal(err)
	}
	return usn
}

// uploadMedia sends them in archives of at most 25.
func (a *Account) uploadMedia(files []MediaFile) (usn int64, err error) {
	const most = 25
	for len(files) > 0 {
		part := files[:min(most, len(files))]
		archive, err := MediaArchive(part)
		if err != nil {
			return 0, err
		}
		var answer []int64 // processed, usn
		if err := a.mediaData("uploadChanges", archive, &answer); err != nil {
			return 0, err
		}
		if len(answer) != 2 || answer[0] != int64(len(part)) {
			return 0, fmt.Errorf("uploadChanges of %d files: %v", len(part), answer)
		}
		usn, files = answer[1], files[len(part):]
	}
	return usn, nil
}

// MediaArchive builds the archive of an upload, as the real client does (media-sync.md §5.1), however many files there are.
func MediaArchive(files []MediaFile) ([]byte, error) {
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	meta := make([][2]any, len(files))
	for i, f := range files {
		meta[i][0] = f.Name
		if f.Content == nil {
			continue
		}
		meta[i][1] = strconv.Itoa(i)
		if err := store(z, strconv.Itoa(i), f.Content); err != nil {
			return nil, err
		}
	}
	list, err := json.Marshal(meta)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(store(z, "_meta", list), z.Close()); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// store writes a member whose header has its sizes, uncompressed.
func store(z *zip.Writer, name string, content []byte) error {
	size := uint64(len(content))
	w, err := z.CreateRaw(&zip.FileHeader{
		Name: name, Method: zip.Store, CRC32: crc32.ChecksumIEEE(content), CompressedSize64: size, UncompressedSize64: size,
	})
	if err != nil {
		return err
	}
	_, err = w.Write(content)
	return err
}

// DownloadMedia fetches files as another device does. The server may return only the first of them.
func (a *Account) DownloadMedia(t testing.TB, names ...string) map[string][]byte {
	t.Helper()
	args, err := json.Marshal(map[string]any{"files": names})
	if err != nil {
		t.Fatal(err)
	}
	status, body, err := a.MediaCall("downloadFiles", args)
	if err != nil || status != 200 {
		t.Fatalf("downloadFiles: %d %.200s %v", status, body, err)
	}
	members, err := unzip(body)
	if err != nil {
		t.Fatal(err)
	}
	var meta map[string]string
	if err := json.Unmarshal(members["_meta"], &meta); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for member, name := range meta {
		files[name] = members[member]
	}
	return files
}

func unzip(archive []byte) (map[string][]byte, error) {
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, err
	}
	members := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			return nil, err
		}
		members[f.Name], err = io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil {
			return nil, err
		}
	}
	return members, nil
}

// UploadFolder sends all files of a folder: the state before a download that is measured.
func (a *Account) UploadFolder(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	const most = 25
	for len(entries) > 0 {
		var files []MediaFile
		for _, e := range entries[:min(most, len(entries))] {
			content, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				return err
			}
			files = append(files, MediaFile{e.Name(), content})
		}
		if _, err := a.uploadMedia(files); err != nil {
			return err
		}
		entries = entries[len(files):]
	}
	return nil
}

// clearMedia deletes all media for the next test.
func (a *Account) clearMedia(t testing.TB) {
	t.Helper()
	var gone []MediaFile
	for name := range a.Media(t) {
		gone = append(gone, MediaFile{Name: name})
	}
	if len(gone) > 0 {
		a.UploadMedia(t, gone...)
	}
}

// MediaDir returns the folder on the server's disk that has the account's media. Deleting or changing a file there is
// damage that the server does not know of.
func (a *Account) MediaDir() string { return filepath.Join(a.server.Dir, a.User, "media") }

// WipeMedia makes the server forget all media of the account: its usn begins anew. The server restarts, so the test must
// have one of its own.
func (a *Account) WipeMedia(t testing.TB) {
	t.Helper()
	a.whileStopped(t, func() error { return a.removeMedia() })
}

// KeepMedia keeps what the server has of the account's media as it is now; restore brings that back, as restoring a backup of
// the server does. The server restarts both times, so the test must have one of its own.
func (a *Account) KeepMedia(t testing.TB) (restore func()) {
	t.Helper()
	kept := t.TempDir()
	user := filepath.Dir(a.MediaDir())
	a.whileStopped(t, func() error { return copyMedia(user, kept) })
	return func() {
		t.Helper()
		a.whileStopped(t, func() error { return errors.Join(a.removeMedia(), copyMedia(kept, user)) })
	}
}

func (a *Account) whileStopped(t testing.TB, do func() error) {
	t.Helper()
	a.server.Kill()
	if err := do(); err != nil {
		t.Fatal(err)
	}
	a.server.Restart(t)
}

// mediaFiles are what the server keeps of media beside the collection.
var mediaFiles = [...]string{"media.db", "media.db-wal", "media.db-shm", "media"}

func (a *Account) removeMedia() (err error) {
	for _, name := range mediaFiles {
		err = errors.Join(err, os.RemoveAll(filepath.Join(filepath.Dir(a.MediaDir()), name)))
	}
	return err
}

func copyMedia(from, to string) error {
	for _, name := range mediaFiles {
		info, err := os.Stat(filepath.Join(from, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil && info.IsDir() {
			err = os.CopyFS(filepath.Join(to, name), os.DirFS(filepath.Join(from, name)))
		} else if err == nil {
			err = copyOne(filepath.Join(from, name), filepath.Join(to, name))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
