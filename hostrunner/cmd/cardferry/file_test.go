package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/hostrunner/hosttest"
	"github.com/cardferry/cardferry/hostrunner/profilelock"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

// Files that we do not open: kind and exit code of the contract, and the file stays byte for byte as it was.
func TestBadCollections(t *testing.T) {
	t.Parallel()
	var files []string
	for _, pattern := range []string{"damaged-*", "unsupported-*"} {
		found, err := filepath.Glob(filepath.Join(fixtures, pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("no fixtures %s: %v", pattern, err)
		}
		files = append(files, found...)
	}
	commands := [][]string{
		{"sync"}, {"sync", "--on-conflict=upload"}, {"sync", "--on-conflict=download"}, {"status"},
		{"status", "--offline"}, {"upload"}, {"download"},
	}
	for _, file := range files {
		name := filepath.Base(file)
		kind := fault.DamagedFile
		if strings.HasPrefix(name, "unsupported-") {
			kind = fault.UnsupportedFile
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := read(t, file)
			for _, command := range commands {
				dir := profileFor(t, "http://127.0.0.1:1/", name)
				o := try(t, append(command, "--profile", dir)...)
				o.want(t, 9, kind)
				after, err := os.ReadFile(filepath.Join(dir, host.Collection))
				if err != nil || !bytes.Equal(before, after) {
					t.Errorf("%v: the file is not as before (%v)", command, err)
				}
				if o.last["changed"] != false || o.last["hint"] == "" {
					t.Errorf("%v: %s", command, o.stdout)
				}
			}
		})
	}
}

// A file of an old schema that cannot be upgraded is a damaged one as well, and stays as it was: there is no backup of it for each try.
func TestNoUpgrade(t *testing.T) {
	t.Parallel()
	dir := profileFor(t, "http://127.0.0.1:1/", "schema11.anki2")
	db, err := sqlitehost.New(dir).Open(context.Background(), host.Collection, host.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Exec("UPDATE col SET models = '{'; PRAGMA journal_mode = DELETE"), db.Close()); err != nil {
		t.Fatal(err)
	}
	before := read(t, filepath.Join(dir, host.Collection))
	for _, command := range []string{"sync", "status", "status --offline", "upload", "download"} {
		o := try(t, append(strings.Fields(command), "--profile", dir)...)
		o.want(t, 9, fault.DamagedFile)
		if !bytes.Equal(before, read(t, filepath.Join(dir, host.Collection))) {
			t.Errorf("%s: the file is not as before", command)
		}
		if o.last["changed"] != false || o.last["hint"] == "" {
			t.Errorf("%s: %s", command, o.stdout)
		}
	}
	if o := try(t, "backups", "--profile", dir); len(o.last["backups"].([]any)) > 0 {
		t.Error(o.stdout)
	}
}

// What is no file in the collection's place stays there, and so does what a link leads to.
func TestNoFile(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(collection string) error{
		"folder": func(c string) error { return os.MkdirAll(filepath.Join(c, "x"), 0o700) },
		"link out": func(c string) error {
			other := filepath.Join(t.TempDir(), "other.anki2")
			return errors.Join(os.WriteFile(other, []byte("x"), 0o600), os.Symlink(other, c))
		},
		"link to nothing": func(c string) error { return os.Symlink("nothing", c) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := profileFor(t, "http://127.0.0.1:1/", "")
			if err := make(filepath.Join(dir, host.Collection)); err != nil {
				t.Fatal(err)
			}
			for _, command := range []string{"sync", "status", "status --offline", "upload", "download"} {
				o := try(t, append(strings.Fields(command), "--profile", dir)...)
				o.want(t, 9, fault.UnsupportedFile)
				if o.last["changed"] != false || o.last["hint"] == "" {
					t.Errorf("%s: %s", command, o.stdout)
				}
			}
			if info, err := os.Lstat(filepath.Join(dir, host.Collection)); err != nil || info.Mode().IsRegular() {
				t.Errorf("afterwards: %v %v", info, err)
			}
		})
	}
}

// A folder of ours that a person has moved to another disk, and linked, is said to be that.
func TestFolderLinkedOut(t *testing.T) {
	t.Parallel()
	dir := profileFor(t, "http://127.0.0.1:1/", "stock.anki2")
	media := filepath.Join(dir, "collection.media")
	if err := errors.Join(os.MkdirAll(media, 0o700), os.WriteFile(filepath.Join(media, "unused.png"), []byte("x"), 0o600),
		os.Symlink(t.TempDir(), filepath.Join(dir, "cardferry.trash"))); err != nil {
		t.Fatal(err)
	}
	o := try(t, "media", "check", "--apply", "--profile", dir)
	o.want(t, 9, fault.UnsupportedFile)
	if hint, _ := o.last["hint"].(string); !strings.Contains(hint, "Links must stay") || !strings.Contains(o.stdout, "cardferry.trash") {
		t.Errorf("%s", o.stdout)
	}
}

// A folder whose name is not text is not another folder.
func TestFolderNotText(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	try(t, "login", "--endpoint", "http://127.0.0.1:1/", "--user", "u", "--profile", filepath.Join(dir, "\xff")).want(t, 2, fault.InvalidInput)
	if made, err := os.ReadDir(dir); len(made) > 0 || err != nil {
		t.Errorf("%v, %v", made, err)
	}
}

func TestBusy(t *testing.T) {
	t.Parallel()
	dir := profileFor(t, "http://127.0.0.1:1/", "stock.anki2")
	lock, err := profilelock.Acquire(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"sync", "status", "upload", "download", "backups", "logout", "login --endpoint http://127.0.0.1:1/ --user u"} {
		try(t, append(strings.Fields(command), "--profile", dir)...).want(t, 1, fault.Busy)
	}
	lock.Release()

	db, err := sqlitehost.New(dir).Open(context.Background(), host.Collection, host.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Exec("PRAGMA locking_mode=exclusive; BEGIN EXCLUSIVE; UPDATE col SET mod = mod"); err != nil {
		t.Fatal(err)
	}
	try(t, "status", "--offline", "--profile", dir).want(t, 1, fault.Busy)
}

func TestReadOnlyFolder(t *testing.T) {
	t.Parallel()
	if !hosttest.Unprivileged(t) {
		return
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o700)
	try(t, "status", "--offline", "--profile", dir).want(t, 1, fault.NotWritable)
	try(t, "login", "--user", "u", "--endpoint", "http://127.0.0.1:1/", "--profile", filepath.Join(dir, "new")).want(t, 1, fault.NotWritable)
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := hosttest.TinyDisk(t, 200<<10)
	copyFixture(t, "schema11.anki2", dir) // its upgrade needs a backup, and there is no room for one
	before := read(t, filepath.Join(dir, host.Collection))
	o := try(t, "status", "--offline", "--profile", dir)
	o.want(t, 1, fault.StorageFull)
	after, err := os.ReadFile(filepath.Join(dir, host.Collection))
	if err != nil || !bytes.Equal(before, after) || o.last["changed"] != false {
		t.Errorf("the file is not as before (%v)", err)
	}
}

// An account file that cannot be read asks for a new login.
func TestDamagedAccount(t *testing.T) {
	t.Parallel()
	dir := profileFor(t, "http://127.0.0.1:1/", "stock.anki2")
	if err := os.WriteFile(accountFile(dir), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	try(t, "sync", "--profile", dir).want(t, 4, fault.Auth)
	if o := try(t, "status", "--offline", "--profile", dir); o.code != 0 {
		t.Errorf("offline status: %s", o.stdout)
	}
}

// What is no file in the account's place is said to be that, where reading a pipe would wait for ever.
func TestAccountNoFile(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(string) error{
		"folder": func(name string) error { return os.Mkdir(name, 0o700) },
		"pipe":   func(name string) error { return exec.Command("mkfifo", name).Run() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := make(accountFile(dir)); err != nil {
				t.Skip(err)
			}
			if _, err := readAccount(dir); fault.KindOf(err) != fault.UnsupportedFile {
				t.Errorf("%v", err)
			}
		})
	}
}

// A password is one line, which is not cut.
func TestReadLine(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxPassword-1)
	for input, want := range map[string]string{"": "", "p\n": "p", "p\r\nmore": "p", "p": "p", long + "\n": long, long: long} {
		if got, err := readLine(strings.NewReader(input)); got != want || err != nil {
			t.Errorf("%.10q: %.10q, %v", input, got, err)
		}
	}
	if got, err := readLine(strings.NewReader(long + "xx\n")); err == nil {
		t.Errorf("%d bytes of a longer line", len(got))
	}
}

// A media folder that cannot be read has to become readable: no command that decides about deletions helps.
func TestUnreadableMedia(t *testing.T) {
	t.Parallel()
	dir := profileFor(t, "http://127.0.0.1:1/", "stock.anki2")
	if err := os.WriteFile(filepath.Join(dir, "collection.media"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	o := try(t, "media", "sync", "--profile", dir)
	o.want(t, 10, fault.NeedsDecision)
	if hint := fmt.Sprint(o.last["hint"]); !strings.Contains(hint, "readable") || strings.Contains(hint, "--") {
		t.Errorf("hint %q", hint)
	}
}

// A command in a hint can be copied.
func TestHintCommand(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "Anna's cards")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	o := try(t, "sync", "--profile", dir)
	if hint := `--profile '` + filepath.Dir(dir) + `/Anna'\''s cards' --endpoint`; !strings.Contains(fmt.Sprint(o.last["hint"]), hint) {
		t.Errorf("hint %q, want %q in it", o.last["hint"], hint)
	}
}

// The account file is its owner's, also when a stale one was not.
func TestAccountMode(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{accountFile(dir), accountFile(dir) + ".tmp"} {
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := writeAccount(dir, &account{User: "u", Endpoint: "e", Key: "k"}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(accountFile(dir))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
