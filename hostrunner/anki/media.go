package anki

import (
	"cmp"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Media is what a folder, or a server, has of media: the SHA-1 of each file in hexadecimal, by name.
type Media map[string]string

// SHA1 returns the sum of a content as Media has it.
func SHA1(content []byte) string {
	sum := sha1.Sum(content)
	return hex.EncodeToString(sum[:])
}

// ReadMedia hashes the regular files of a folder; one that is missing has none.
func ReadMedia(t testing.TB, dir string) Media {
	t.Helper()
	m, err := HashMedia(dir)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// HashMedia is ReadMedia outside of tests.
func HashMedia(dir string) (Media, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return Media{}, nil
	}
	if err != nil {
		return nil, err
	}
	m := Media{}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		sum, err := hashFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		m[e.Name()] = sum
	}
	return m, nil
}

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha1.New()
	_, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), err
}

// CompareMedia returns the differences between two sides, sorted by name; none if they are equal.
func CompareMedia(a, b Media) (differences []string) {
	names := maps.Clone(a)
	maps.Copy(names, b)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if a[name] != b[name] {
			differences = append(differences, fmt.Sprintf("%q: %s and %s", name, cmp.Or(a[name], "nothing"), cmp.Or(b[name], "nothing")))
		}
	}
	return differences
}

// PutMedia writes a file straight into a media folder, as another program does, so that the real client notices: it looks
// at the folder only if the folder's time has changed by a millisecond, and at a file only if its time has by a second
// (media-sync.md §7.2).
func PutMedia(t testing.TB, dir, name string, content []byte) {
	t.Helper()
	if err := putMedia(dir, name, content); err != nil {
		t.Fatal(err)
	}
}

func putMedia(dir, name string, content []byte) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	// It is written elsewhere first, so that no client reads half of it.
	f, err := os.CreateTemp(filepath.Dir(dir), "put-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(content)
	if err := errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	path := filepath.Join(dir, name)
	if old, err := os.Lstat(path); err == nil {
		at := time.Now()
		if next := old.ModTime().Truncate(time.Second).Add(time.Second); at.Before(next) {
			at = next
		}
		if err := os.Chtimes(f.Name(), at, at); err != nil {
			return err
		}
	}
	return touched(dir, func() error { return os.Rename(f.Name(), path) })
}

// RemoveMedia deletes files of a media folder, as another program does, so that the real client notices.
func RemoveMedia(t testing.TB, dir string, names ...string) {
	t.Helper()
	err := touched(dir, func() (err error) {
		for _, name := range names {
			err = errors.Join(err, os.Remove(filepath.Join(dir, name)))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// touched changes a folder and gives it a time that is not the one from before to the millisecond.
func touched(dir string, change func() error) error {
	before, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if err := change(); err != nil {
		return err
	}
	at := time.Now()
	if next := before.ModTime().Add(2 * time.Millisecond); at.Before(next) {
		at = next
	}
	return os.Chtimes(dir, at, at)
}

// MediaDir returns the client's media folder.
func (c *Client) MediaDir() string { return strings.TrimSuffix(c.Path, ".anki2") + ".media" }

// Media hashes the files of the client's media folder.
func (c *Client) Media(t testing.TB) Media {
	t.Helper()
	return ReadMedia(t, c.MediaDir())
}

// AddMedia adds a file as if a user inserted it into a note, and returns the name that the client gave it.
func (c *Client) AddMedia(t testing.TB, name string, content []byte) (stored string) {
	t.Helper()
	c.Do(t, "media_add", Args{"name": name, "data": base64.StdEncoding.EncodeToString(content)}, &stored)
	return stored
}

// PutMedia writes a file straight into the client's media folder.
func (c *Client) PutMedia(t testing.TB, name string, content []byte) {
	t.Helper()
	PutMedia(t, c.MediaDir(), name, content)
}

// RemoveMedia deletes files of the client's media folder.
func (c *Client) RemoveMedia(t testing.TB, names ...string) {
	t.Helper()
	RemoveMedia(t, c.MediaDir(), names...)
}

// TrashMedia makes the client move files to its trash.
func (c *Client) TrashMedia(t testing.TB, names ...string) {
	t.Helper()
	c.Do(t, "media_trash", Args{"names": names}, nil)
}

// ForgetMedia makes the client forget what was synced, as logging out does.
func (c *Client) ForgetMedia(t testing.TB) {
	t.Helper()
	c.Do(t, "media_forget", nil, nil)
}

// MediaProgress is what a finished media sync of the real client shows: texts with numbers, up and down.
type MediaProgress struct{ Added, Removed, Checked string }

// SyncMedia syncs media with the server at endpoint, to its end. The error is an *Error: of the class SyncError with a
// kind, or NetworkError.
func (c *Client) SyncMedia(endpoint, key string) (p MediaProgress, err error) {
	return p, c.Try("media_sync", Args{"endpoint": endpoint, "key": key}, &p)
}

// StartMedia starts a media sync, which goes on until WaitMedia returns; AbortMedia may end it early.
func (c *Client) StartMedia(endpoint, key string) error {
	return c.Try("media_start", Args{"endpoint": endpoint, "key": key}, nil)
}

// WaitMedia waits for the end of a media sync and returns its error.
func (c *Client) WaitMedia() error { return c.Try("media_wait", nil, nil) }

// AbortMedia ends a media sync and returns when it has ended.
func (c *Client) AbortMedia() error { return c.Try("media_abort", nil, nil) }

// SyncWithMedia is Sync that goes on with media, as the desktop program does, and waits for the end of both.
func (c *Client) SyncWithMedia(endpoint, key string) (o Outcome, err error) {
	return o, c.Try("sync", Args{"endpoint": endpoint, "key": key, "media": true}, &o)
}

// MediaCheck is what Check Media of the real client finds.
type MediaCheck struct {
	Unused, Missing []string
	Notes           []int64 // that refer to missing files
	Report          string
	Trash           bool // there is something in the trash
}

// CheckMedia runs Check Media, which may rename files and change notes (media-sync.md §11.3). Names are sorted.
func (c *Client) CheckMedia(t testing.TB) (m MediaCheck) {
	t.Helper()
	c.Do(t, "media_check", nil, &m)
	slices.Sort(m.Unused)
	slices.Sort(m.Missing)
	return m
}
