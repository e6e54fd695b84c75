package interop_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner"
	"github.com/cardferry/cardferry/hostrunner/anki"
)

// Two devices of ours and a real one, edited and synced in random order, some syncs broken anywhere: in the end all folders
// are equal, nothing is gone that no user has deleted, and nothing that a user made is lost. CARDFERRY_SEED repeats one run.
func TestMediaRandom(t *testing.T) {
	t.Parallel()
	seeds := []uint64{1, 2, 3, 4, 5, 6}
	if full() {
		seeds = nil
		for i := range uint64(60) {
			seeds = append(seeds, i)
		}
	}
	if n, err := strconv.ParseUint(os.Getenv("CARDFERRY_SEED"), 10, 64); err == nil {
		seeds = []uint64{n}
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			engines(t, 3, func(t *testing.T, e hostrunner.Engine) { newMediaGame(t, e, seed).play(t) })
		})
	}
}

// mediaGame is one random run.
type mediaGame struct {
	*mediaSetup
	rand    *rand.Rand
	own     [2]*folderMedia
	proxies [2]*anki.Proxy
	devices []mediaDevice
	made    int
	log     []string
	// latest is what the user wrote last on a device and has not replaced or deleted there; put are names that were ever
	// written, removed those that a user has deleted somewhere; onServer are all versions that the server ever had.
	latest   [3]files
	put      map[string]bool
	removed  map[string]bool
	onServer map[string]bool
}

func newMediaGame(t *testing.T, e hostrunner.Engine, seed uint64) *mediaGame {
	g := &mediaGame{rand: rand.New(rand.NewPCG(seed, 11)), put: map[string]bool{}, removed: map[string]bool{}, onServer: map[string]bool{}}
	g.mediaSetup, g.own[0] = folderSetup(t, e)
	g.proxies = [2]*anki.Proxy{g.proxy, anki.NewProxy(t, get(t, shared.server).URL)}
	g.own[1] = openMedia(t, e, colsync.Account{Endpoint: g.proxies[1].URL, Key: g.acc.Key}, t.TempDir())
	g.devices = []mediaDevice{g.own[0], g.own[1], g.real}
	g.latest = [3]files{{}, {}, {}}
	for name, content := range numbered(60) { // so that the brake never holds
		g.own[0].put(t, name, content)
	}
	g.settleAll(t)
	return g
}

func (g *mediaGame) note(format string, args ...any) {
	g.log = append(g.log, fmt.Sprintf(format, args...))
}

func (g *mediaGame) play(t *testing.T) {
	defer func() {
		if t.Failed() {
			for _, line := range g.log {
				t.Log(line)
			}
		}
	}()
	for range 40 {
		who := g.rand.IntN(len(g.devices))
		if g.rand.IntN(5) < 3 {
			g.edit(t, who)
			continue
		}
		g.sync(t, who)
		for name, sum := range g.acc.Media(t) {
			g.onServer[name+sum] = true
		}
	}
	for _, p := range g.proxies {
		p.Use(anki.Hooks{})
	}
	g.settleAll(t)
	g.check(t)
}

func (g *mediaGame) settleAll(t *testing.T) {
	t.Helper()
	for range 3 {
		for _, d := range g.devices {
			d.syncMedia(t)
		}
	}
}

// edit lets the user write or delete a file on a device.
func (g *mediaGame) edit(t *testing.T, who int) {
	d := g.devices[who]
	name := fmt.Sprintf("play %d.png", g.rand.IntN(10))
	if _, here := d.media(t)[name]; here && g.rand.IntN(3) == 0 {
		g.note("%d removes %s", who, name)
		d.remove(t, name)
		g.removed[name] = true
		delete(g.latest[who], name)
		return
	}
	g.made++
	content := fmt.Sprint("version ", g.made)
	if g.rand.IntN(6) == 0 {
		content = "a content that several have"
	}
	g.note("%d writes %s: %s", who, name, content)
	d.put(t, name, content)
	g.put[name], g.latest[who][name] = true, content
}

// sync syncs a device; those of ours with a disturbance.
func (g *mediaGame) sync(t *testing.T, who int) {
	if who == 2 {
		g.note("real client syncs")
		g.real.syncMedia(t)
		return
	}
	p := point{n: g.rand.IntN(7), after: g.rand.IntN(2) == 0}
	kind := g.rand.IntN(4)
	g.note("%d syncs (%d at %d, after %v)", who, kind, p.n, p.after)
	hooks := p.at(func(*anki.Exchange) anki.Verdict {
		switch kind {
		case 0:
			return anki.Drop
		case 1:
			g.edit(t, who)
		case 2: // another device is in the middle of ours
			g.note("  real client syncs")
			g.real.syncMedia(t)
		}
		return anki.Pass
	})
	g.proxies[who].Use(hooks)
	_, err := g.own[who].try(t.Context(), service.MediaSyncParams{})
	if err != nil && (kind != 0 || fault.KindOf(err) != fault.Network) {
		t.Fatalf("device %d: %v", who, err)
	}
	g.proxies[who].Use(anki.Hooks{})
	if g.rand.IntN(6) == 0 {
		g.own[who].reopen(t)
		g.devices[who] = g.own[who]
	}
}

func (g *mediaGame) check(t *testing.T) {
	final := g.acc.Media(t)
	if d := anki.CompareMedia(final, g.real.media(t)); len(d) > 0 {
		// The real client may have missed changes of others for good (media-sync.md §7.6); it begins anew, which may bring
		// deleted files back.
		t.Logf("the real client: %q", d)
		g.real.ForgetMedia(t)
		g.settleAll(t)
		final = g.acc.Media(t)
	}
	g.same(t, final, g.devices...)
	names := maps.Clone(g.put)
	for name := range numbered(60) {
		names[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if _, ok := final[name]; !ok && !g.removed[name] {
			t.Errorf("%s is gone, and no user has deleted it", name)
		}
	}
	trash := append(g.own[0].trash(t), g.own[1].trash(t)...)
	for who, list := range g.latest[:2] {
		for name, content := range list {
			sum := anki.SHA1([]byte(content))
			if final[name] != sum && !g.onServer[name+sum] && !slices.Contains(trash, sum) {
				t.Errorf("%s of device %d is lost: %s", name, who, content)
			}
		}
	}
}
