package syncserver_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
	"github.com/cardferry/cardferry/hostrunner/syncserver/memstore"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// requests are good ones to methods that need a payload of their own; {} is one for the others.
var requests = map[string]string{
	"sync/meta": metaRequest, "sync/start": startRequest, "sync/applyGraves": noGraves, "sync/applyChanges": noChanges,
	"sync/applyChunk": lastChunk, "sync/sanityCheck2": counts, "msync/begin": `{"v":"test,1,linux"}`, "msync/mediaChanges": `{"lastUsn":0}`,
	"msync/downloadFiles": `{"files":["secret.jpg"]}`, "msync/mediaSanity": `{"local":1}`,
}

func requestFor(method string) string {
	if r := requests[method]; r != "" {
		return r
	}
	return "{}"
}

// refused fails unless no method, and no endpoint, serves the client.
func (c *client) refused(why string) {
	c.t.Helper()
	for _, method := range syncserver.MethodsWithKey() {
		if status, _ := c.call(method, []byte(requestFor(method))); status != 403 {
			c.t.Errorf("%s: %s: %d", why, method, status)
		}
	}
	for _, r := range syncserver.RoutesWithKey() {
		resp := do(c.t, r[0], c.url+"api/"+strings.Replace(r[1], "devices/", "devices/x", 1), []byte("{}"), map[string]string{"Authorization": "Bearer " + c.key})
		if resp.StatusCode != 401 {
			c.t.Errorf("%s: %s %s: %d", why, r[0], r[1], resp.StatusCode)
		}
	}
}

// TestForgedKeys: a key that is made up, changed, or stolen in the form in which it is kept opens nothing.
func TestForgedKeys(t *testing.T) {
	t.Parallel()
	s, ada := newServer(t)
	a, err := s.Accounts.ByName(t.Context(), "ada")
	coretest.Must(t, err)
	devices, err := s.Accounts.Devices(t.Context(), a.ID)
	coretest.Must(t, err)
	hash := store.HashKey(ada.key)
	for why, key := range map[string]string{
		"none": "", "made up": strings.Repeat("0123456789", 4), "in capitals": strings.ToUpper(ada.key), "cut": ada.key[1:], "longer": ada.key + "0",
		"its hash": hex.EncodeToString(hash[:]), "the hash's bytes": string(hash[:]), "the device": string(devices[0].ID), "the account": string(a.ID),
		"the name": "ada", "the password": password, "SQL": "' OR 1=1 --", "a pattern": "%", "NUL": ada.key + "\x00", "long": strings.Repeat("k", 3000),
	} {
		forger := *ada
		forger.key = key
		if why == "the hash's bytes" || why == "NUL" {
			forger.key = fmt.Sprintf("%x", key) // a header has no such bytes
		}
		forger.refused(why)
	}
	ada.must("sync/meta", []byte(metaRequest))
}

// TestExpiredKeys: a key that has been good is no more, with every method, from the next request on.
func TestExpiredKeys(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, s *syncserver.Server) {
		url := serve(t, s)
		newClient(t, s, url, "ada")
		for why, expire := range map[string]func(c *client){
			"revoked": func(c *client) {
				other := login(t, url, "ada", password)
				for _, d := range other.devices() {
					if d["current"] == false {
						if status, _ := other.api("DELETE", "devices/"+d["id"].(string), nil); status != 204 {
							t.Fatal(status)
						}
					}
				}
			},
			"password changed": func(c *client) {
				coretest.Must(t, s.Users().SetPassword(t.Context(), "ada", password+password, ""))
				coretest.Must(t, s.Users().SetPassword(t.Context(), "ada", password, ""))
			},
			"disabled": func(c *client) { setDisabled(t, s, true) },
			"removed": func(c *client) {
				coretest.Must(t, s.RemoveUser(t.Context(), "ada"))
				newClient(t, s, url, "ADA") // somebody else has the name now
			},
		} {
			c := login(t, url, "ada", password)
			c.must("sync/start", []byte(startRequest))
			c.put(file("secret.jpg", "secret"))
			expire(c)
			c.refused(why)
			if why == "disabled" {
				setDisabled(t, s, false)
			}
		}
	})
}

// revoking are accounts that do something once a key was looked up.
type revoking struct {
	store.Accounts
	next atomic.Pointer[func()]
}

func (r *revoking) ByKey(ctx context.Context, key store.KeyHash) (store.Account, store.Device, error) {
	a, d, err := r.Accounts.ByKey(ctx, key)
	if next := r.next.Swap(nil); next != nil {
		(*next)()
	}
	return a, d, err
}

// TestRevokedWhileSending: what a device sends that is revoked, or whose account is removed, while its body arrives does not count.
func TestRevokedWhileSending(t *testing.T) {
	t.Parallel()
	accounts := &revoking{Accounts: memstore.NewAccounts()}
	now := newClock()
	s := &syncserver.Server{Accounts: accounts, Now: now.now}
	url := serve(t, s)
	ada := newClient(t, s, url, "ada")
	a, err := s.Accounts.ByName(t.Context(), "ada")
	coretest.Must(t, err)
	before := ada.must("sync/download", []byte("{}"))
	for _, method := range syncserver.MethodsWithKey() {
		body := []byte("{}")
		switch method {
		case "sync/upload":
			body = fixture(t, "stock.anki2")
		case "msync/uploadChanges":
			body = archive(t, file("late.jpg", "late"))
		}
		c := login(t, url, "ada", password)
		revoke := func() {
			coretest.Must(t, accounts.Renew(t.Context(), a, ""))
			now.advance(2 * time.Second) // the body takes its time
		}
		accounts.next.Store(&revoke)
		if status, _ := c.call(method, body); status != 403 {
			t.Errorf("%s: %d", method, status)
		}
	}
	ada = login(t, url, "ada", password)
	want, err := collection.ReadCol(opened(t, before))
	coretest.Must(t, err)
	if m, err := wire.ParseMeta(ada.must("sync/meta", []byte(metaRequest))); err != nil || m.Mod != want.Mod || m.Scm != want.Scm || m.MediaUSN != 0 {
		t.Errorf("%+v, before %+v: %v", m, want, err)
	}
}

func setDisabled(t *testing.T, s *syncserver.Server, disabled bool) {
	t.Helper()
	a, err := s.Accounts.ByName(t.Context(), "ada")
	coretest.Must(t, err)
	a.Disabled = disabled
	coretest.Must(t, s.Accounts.Update(t.Context(), a))
}

// TestMediaAndAPIAreApart: with the methods of media and the endpoints below /api/, a key reaches its own account only, whatever it knows
// of the other (TestAccountsAreApart has those of the collection).
func TestMediaAndAPIAreApart(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, s *syncserver.Server) {
		ada := newClient(t, s, serve(t, s), "ada")
		eve := newClient(t, s, ada.url, "eve")
		ada.put(file("secret.jpg", "secret"), file("other.jpg", "other"))
		eve.wantFiles(nil)
		eve.want(409, "msync/downloadFiles", `{"files":["secret.jpg"]}`)
		eve.put(deletion("secret.jpg"), file("other.jpg", "eve's"))
		ada.wantFiles(map[string]string{"secret.jpg": "secret", "other.jpg": "other"})
		eve.put(file("secret.jpg", "secret")) // the same content is hers, and goes without ada's
		eve.put(deletion("secret.jpg"))
		ada.wantFiles(map[string]string{"secret.jpg": "secret", "other.jpg": "other"})
		eve.wantFiles(map[string]string{"other.jpg": "eve's"})
		id := ada.devices()[0]["id"].(string)
		if status, _ := eve.api("DELETE", "devices/"+id, nil); status != 404 {
			t.Errorf("another user's device: %d", status)
		}
		if status, _ := eve.api("POST", "password", map[string]string{"user": "ada", "old": "wrong", "new": "stolen stolen"}); status != 403 {
			t.Errorf("another user's password: %d", status)
		}
		login(t, ada.url, "ada", password)
		ada.must("sync/meta", []byte(metaRequest))
	})
}

// TestForeignPages: a page of another origin that somehow has a key can use no endpoint below /api/, not even with a request that browsers
// send without asking.
func TestForeignPages(t *testing.T) {
	t.Parallel()
	s, ada := newServer(t)
	for _, r := range append(syncserver.RoutesWithKey(), [2]string{"POST", "signup"}) {
		if r[1] == "events" {
			continue // reading, too, and it would not end
		}
		for _, foreign := range []map[string]string{
			{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
		} {
			header := map[string]string{"Authorization": "Bearer " + ada.key, "Content-Type": "text/plain"}
			for k, v := range foreign {
				header[k] = v
			}
			path := strings.Replace(r[1], "devices/", "devices/"+ada.devices()[0]["id"].(string), 1)
			resp := do(t, r[0], ada.url+"api/"+path, fmt.Appendf(nil, `{"user":"mallory","password":%q,"old":%q,"new":"stolen stolen"}`, password, password), header)
			// Reading has no effect, and without CORS headers the page gets nothing to read.
			if r[0] != "GET" && resp.StatusCode != 403 || resp.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%v %s %s: %d", foreign, r[0], path, resp.StatusCode)
			}
		}
	}
	if list, err := s.Accounts.List(t.Context()); err != nil || len(list) != 1 || len(ada.devices()) != 1 {
		t.Errorf("%d accounts, %v", len(list), err)
	}
	login(t, ada.url, "ada", password)
}

// dataPath is what there may be in a data folder after collections and media of some accounts were stored.
var dataPath = regexp.MustCompile(`^(accounts\.db(-wal|-shm)?|accounts(/[a-z0-9]{26}(/(cardferry\.lock|(collection\.anki2|media\.db)(-wal|-shm)?|media(/[0-9a-f]{2}(/[0-9a-f]{40})?)?|media\.log-[a-z0-9]+|tmp(/[^/]+)?|backups(/[^/]+)?))?)?)$`)

// TestNamesLeadNowhere: whatever users and files are called, files are where they belong, and nowhere else.
func TestNamesLeadNowhere(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	dir := filepath.Join(parent, "a", "data")
	coretest.Must(t, os.MkdirAll(dir, 0o700))
	s := onDisk(t, dir)
	s.Limits.Signups = 100
	c := &client{t: t, url: serve(t, s), session: "one", version: 11, name: "test"}
	names := []string{"..", "../..", "../escape", "/etc/passwd", `..\escape`, "a/b", "a/../../../escape", "%2e%2e%2fescape", "~", "C:escape", "accounts.db",
		"con", ".", "-rf", "$(id)", "a;b", "'; DROP TABLE accounts; --", "\u202eabc", "e\u0301", "ａdmin", "a\x00b", "a\nb", "\xff"}
	taken := 0
	for _, name := range names {
		status, _ := c.api("POST", "signup", map[string]string{"user": name, "password": password})
		if status != 201 && status != 422 {
			t.Errorf("%q: %d", name, status)
		}
		if status != 201 {
			continue
		}
		taken++
		user := login(t, c.url, name, password)
		user.must("sync/upload", fixture(t, "empty.anki2"))
		for i, file := range names {
			// Each alone, as one bad name refuses the whole archive.
			user.raw("msync/uploadChanges", wire.NewCodec().Compress(nil, archiveOf(t, file, fmt.Sprint("content ", i), "0")))
			user.raw("msync/uploadChanges", wire.NewCodec().Compress(nil, archiveOf(t, "good.png", fmt.Sprint("content ", i), file)))
			user.raw("msync/downloadFiles", wire.NewCodec().Compress(nil, fmt.Appendf(nil, `{"files":[%q]}`, file)))
		}
	}
	if taken < 10 {
		t.Errorf("only %d of the names were taken", taken)
	}
	for _, path := range []string{"sync/../accounts.db", "..%2faccounts.db", "accounts.db", "sync/..%2f..%2fetc/passwd", "msync/%2e%2e/accounts.db", "api/devices/..%2f..", "health/../accounts.db"} {
		if resp := do(t, "GET", c.url+path, nil, nil); resp.StatusCode == 200 {
			t.Errorf("%s: %d %.100q", path, resp.StatusCode, resp.body)
		}
	}
	coretest.Must(t, filepath.WalkDir(parent, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		in, err := filepath.Rel(dir, path)
		if path != dir && path != parent && path != filepath.Dir(dir) && !dataPath.MatchString(filepath.ToSlash(in)) {
			t.Errorf("an unexpected file: %s", path)
		}
		return err
	}))
}

// checkedDisk does something when the next file is opened to be checked.
type checkedDisk struct {
	*memstore.Collections
	next atomic.Pointer[func()]
}

func (d *checkedDisk) Stage(ctx context.Context, id store.AccountID) (store.Staged, error) {
	staged, err := d.Collections.Stage(ctx, id)
	return &checkedFile{staged, d}, err
}

type checkedFile struct {
	store.Staged
	disk *checkedDisk
}

func (f *checkedFile) DB(ctx context.Context, mode host.OpenMode) (host.DB, error) {
	if do := f.disk.next.Swap(nil); do != nil {
		(*do)()
	}
	return f.Staged.DB(ctx, mode)
}

// TestRevokedWhileChecked: an upload does not count if its device was revoked, or its account removed, while it was checked, which may take minutes.
func TestRevokedWhileChecked(t *testing.T) {
	t.Parallel()
	disk := &checkedDisk{Collections: memstore.NewCollections()}
	s := &syncserver.Server{Collections: disk}
	url := serve(t, s)
	ada, eve := newClient(t, s, url, "ada"), newClient(t, s, url, "eve")
	before := dumpOf(t, ada)
	thief := login(t, url, "ada", password)
	revoke := func() { coretest.Must(t, s.Users().SetPassword(t.Context(), "ada", battery, "")) }
	disk.next.Store(&revoke)
	if status, _ := thief.call("sync/upload", fixture(t, "stock.anki2")); status != 403 {
		t.Errorf("of a revoked device: %d", status)
	}
	if after := dumpOf(t, login(t, url, "ada", battery)); after != before {
		t.Errorf("it counts: %s, before %s", after, before)
	}
	remove := func() { coretest.Must(t, s.RemoveUser(t.Context(), "eve")) }
	disk.next.Store(&remove)
	if status, _ := eve.call("sync/upload", fixture(t, "stock.anki2")); status != 403 {
		t.Errorf("of a removed account: %d", status)
	}
}
