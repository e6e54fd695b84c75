package interop_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner"
	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/nodetest"
)

// mediaDevice is the media folder of one of a user's devices.
type mediaDevice interface {
	name() string
	put(t testing.TB, name, content string)
	remove(t testing.TB, names ...string)
	media(t testing.TB) anki.Media
	// syncMedia syncs, which must succeed.
	syncMedia(t testing.TB)
}

// ownMedia is a device of ours.
type ownMedia interface {
	mediaDevice
	try(ctx context.Context, options service.MediaSyncParams) (service.MediaSyncResult, error)
}

// mustSync syncs and returns the result.
func mustSync(t testing.TB, d ownMedia) service.MediaSyncResult {
	t.Helper()
	r, err := d.try(t.Context(), service.MediaSyncParams{})
	if err != nil {
		t.Fatalf("%s: %v", d.name(), err)
	}
	if r.Warning != "" {
		t.Errorf("%s: %s", d.name(), r.Warning)
	}
	return r
}

// folderMedia is a device of ours with a plain folder.
type folderMedia struct {
	profile *hostrunner.Profile
	engine  hostrunner.Engine
	dir     string // of the profile
	account colsync.Account
}

// mediaFolder and mediaTrash are folders of a profile, mediaIndexFile a file.
const (
	mediaFolder    = "collection.media"
	mediaTrash     = "cardferry.trash"
	mediaIndexFile = "cardferry.media.db"
)

func openMedia(t testing.TB, e hostrunner.Engine, acc colsync.Account, dir string) *folderMedia {
	t.Helper()
	p, err := get(t, shared.runtime).Open(t.Context(), hostrunner.OpenOptions{Dir: dir, Engine: e, Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return &folderMedia{profile: p, engine: e, dir: dir, account: acc}
}

// reopen ends the process, as far as a test can without one, and begins anew.
func (f *folderMedia) reopen(t testing.TB) {
	t.Helper()
	if err := f.profile.Close(); err != nil {
		t.Fatal(err)
	}
	*f = *openMedia(t, f.engine, f.account, f.dir)
}

func (f *folderMedia) name() string   { return f.engine.String() }
func (f *folderMedia) folder() string { return filepath.Join(f.dir, mediaFolder) }

func (f *folderMedia) put(t testing.TB, name, content string) {
	t.Helper()
	anki.PutMedia(t, f.folder(), name, []byte(content))
}

func (f *folderMedia) remove(t testing.TB, names ...string) {
	t.Helper()
	anki.RemoveMedia(t, f.folder(), names...)
}

func (f *folderMedia) media(t testing.TB) anki.Media {
	t.Helper()
	return anki.ReadMedia(t, f.folder())
}
func (f *folderMedia) syncMedia(t testing.TB) { t.Helper(); mustSync(t, f) }

func (f *folderMedia) try(ctx context.Context, o service.MediaSyncParams) (service.MediaSyncResult, error) {
	o.Account = &f.account
	return f.profile.MediaSync(ctx, o)
}

// trash returns the sums of what is in the trash.
func (f *folderMedia) trash(t testing.TB) (sums []string) {
	t.Helper()
	days, err := filepath.Glob(filepath.Join(f.dir, mediaTrash, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, day := range days {
		for _, sum := range anki.ReadMedia(t, day) {
			sums = append(sums, sum)
		}
	}
	return sums
}

// trashed fails unless a content is in the trash.
func (f *folderMedia) trashed(t testing.TB, content string) {
	t.Helper()
	if !slices.Contains(f.trash(t), anki.SHA1([]byte(content))) {
		t.Errorf("%q is not in the trash", content)
	}
}

// nodeMedia is a device of ours under Node, with its files in memory.
type nodeMedia struct {
	host    *nodetest.Host
	build   string
	account colsync.Account
}

func (n *nodeMedia) name() string { return "node " + n.build }

func (n *nodeMedia) put(t testing.TB, name, content string) {
	t.Helper()
	n.must(t, n.host.PutMedia(name, []byte(content)))
}

func (n *nodeMedia) remove(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		n.must(t, n.host.RemoveMedia(name))
	}
}

func (n *nodeMedia) media(t testing.TB) anki.Media {
	t.Helper()
	names, err := n.host.MediaNames()
	n.must(t, err)
	m := anki.Media{}
	for _, name := range names {
		b, err := n.host.Media(name)
		n.must(t, err)
		m[name] = anki.SHA1(b)
	}
	return m
}

func (n *nodeMedia) syncMedia(t testing.TB) { t.Helper(); mustSync(t, n) }

func (n *nodeMedia) try(_ context.Context, o service.MediaSyncParams) (r service.MediaSyncResult, err error) {
	o.Account = &n.account
	return r, n.host.Call(service.MethodMediaSync, o, &r)
}

func (n *nodeMedia) must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", n.name(), err)
	}
}

// realMedia is a device with the real client.
type realMedia struct {
	*anki.Client
	endpoint, key string
}

func newRealMedia(t testing.TB, acc *anki.Account, endpoint string) *realMedia {
	t.Helper()
	return &realMedia{get(t, shared.agent).Client(t, filepath.Join(t.TempDir(), "collection.anki2")), endpoint, acc.Key}
}

func (r *realMedia) name() string { return "real" }

func (r *realMedia) put(t testing.TB, name, content string) {
	t.Helper()
	r.PutMedia(t, name, []byte(content))
}

func (r *realMedia) remove(t testing.TB, names ...string) { t.Helper(); r.RemoveMedia(t, names...) }
func (r *realMedia) media(t testing.TB) anki.Media        { t.Helper(); return r.Media(t) }
func (r *realMedia) syncMedia(t testing.TB)               { t.Helper(); r.try(t) }

// try syncs; where the real client asks for a second sync (media-sync.md §7.7) it gets one.
func (r *realMedia) try(t testing.TB) {
	t.Helper()
	for range 3 {
		_, err := r.SyncMedia(r.endpoint, r.key)
		if err == nil {
			return
		}
		if e, ok := errors.AsType[*anki.Error](err); !ok || !strings.Contains(e.Message, "sync again") {
			t.Fatalf("real client: %v", err)
		}
	}
	t.Fatal("real client: its sync does not come to an end")
}

// mediaSetup is a user with a device of ours, a real one, an account, and a proxy between ours and the server.
type mediaSetup struct {
	acc   *anki.Account
	proxy *anki.Proxy
	ours  ownMedia
	real  *realMedia
}

// newMediaSetup makes one on the shared server; ours is opened by open.
func newMediaSetup(t testing.TB, open func(t testing.TB, acc colsync.Account) ownMedia) *mediaSetup {
	t.Helper()
	return mediaSetupAt(t, get(t, shared.server), open)
}

func mediaSetupAt(t testing.TB, server *anki.Server, open func(t testing.TB, acc colsync.Account) ownMedia) *mediaSetup {
	t.Helper()
	acc := server.Account(t)
	proxy := anki.NewProxy(t, server.URL)
	return &mediaSetup{
		acc: acc, proxy: proxy, ours: open(t, colsync.Account{Endpoint: proxy.URL, Key: acc.Key}), real: newRealMedia(t, acc, server.URL),
	}
}

// folderSetup is newMediaSetup for a plain folder.
func folderSetup(t testing.TB, e hostrunner.Engine) (*mediaSetup, *folderMedia) {
	t.Helper()
	s := newMediaSetup(t, inFolder(e))
	return s, s.ours.(*folderMedia)
}

// inFolder opens a new folder.
func inFolder(e hostrunner.Engine) func(testing.TB, colsync.Account) ownMedia {
	return func(t testing.TB, acc colsync.Account) ownMedia { return openMedia(t, e, acc, t.TempDir()) }
}

// settle syncs all devices in turn until each has what the others had.
func (s *mediaSetup) settle(t testing.TB) {
	t.Helper()
	for range 2 {
		s.ours.syncMedia(t)
		s.real.syncMedia(t)
	}
	s.ours.syncMedia(t)
}

// files are contents by name.
type files map[string]string

// sums returns what a folder with the files has.
func (f files) sums() anki.Media {
	m := anki.Media{}
	for name, content := range f {
		m[name] = anki.SHA1([]byte(content))
	}
	return m
}

// with returns a copy with more files.
func (f files) with(more files) files {
	c := maps.Clone(f)
	maps.Copy(c, more)
	return c
}

// have fails unless the server and both devices have the files, and nothing else.
func (s *mediaSetup) have(t testing.TB, want files) {
	t.Helper()
	s.same(t, want.sums(), s.ours, s.real)
}

// same fails unless the server and the devices have that.
func (s *mediaSetup) same(t testing.TB, want anki.Media, devices ...mediaDevice) {
	t.Helper()
	if d := anki.CompareMedia(want, s.acc.Media(t)); len(d) > 0 {
		t.Errorf("wanted, and on the server: %q", d)
	}
	for _, device := range devices {
		if d := anki.CompareMedia(want, device.media(t)); len(d) > 0 {
			t.Errorf("wanted, and on %s: %q", device.name(), d)
		}
	}
}

// aside fails unless exactly those files were set aside: name, reason, name, reason, …
func aside(t testing.TB, r service.MediaSyncResult, want ...string) {
	t.Helper()
	var got []string
	for _, a := range r.SetAside {
		got = append(got, a.Name, a.Reason)
	}
	if !slices.Equal(got, want) {
		t.Errorf("set aside %q, want %q", got, want)
	}
}

// held fails unless the error holds back that many deletions, and returns the result that it comes with.
func held(t testing.TB, err error, n int64) service.MediaSyncResult {
	t.Helper()
	var r service.MediaSyncResult
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || e.Kind != fault.NeedsDecision {
		t.Fatalf("got %v, want kind needs_decision", err)
	}
	b, jerr := json.Marshal(e.Details)
	if jerr == nil {
		jerr = json.Unmarshal(b, &r)
	}
	if jerr != nil || r.Held != n {
		t.Fatalf("%d are held, want %d: %v %v", r.Held, n, e.Details, jerr)
	}
	return r
}

// mediaHosts is mediaFolders, and for a smaller sample the page.
func mediaHosts(t *testing.T, n uint32, do func(t *testing.T, s *mediaSetup)) {
	mediaFolders(t, n, do)
	if testing.Short() || nativeOnly() || !sampled(t.Name()+inPage.String(), 4*n) {
		return
	}
	t.Run(inPage.String(), func(t *testing.T) {
		t.Parallel()
		do(t, pageSetup(t))
	})
}

// mediaFolders runs do with the native engine and, where the sample of one in n has this test, with wazero and under Node. There a user
// can put any file with any name.
func mediaFolders(t *testing.T, n uint32, do func(t *testing.T, s *mediaSetup)) {
	engines(t, n, func(t *testing.T, e hostrunner.Engine) { do(t, newMediaSetup(t, inFolder(e))) })
	if nativeOnly() {
		return
	}
	every := n
	if testing.Short() {
		every *= n
	}
	for i, build := range []string{nodetest.Reactor, nodetest.Program} {
		if !sampled(t.Name()+build, every*uint32(1+i)) {
			continue
		}
		t.Run("node "+build, func(t *testing.T) {
			t.Parallel()
			do(t, newMediaSetup(t, func(t testing.TB, acc colsync.Account) ownMedia {
				return &nodeMedia{nodetest.Start(t, build), build, acc}
			}))
		})
	}
}
