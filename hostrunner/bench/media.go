package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/hostrunner/anki"
)

// direction is what a media workload does.
type direction string

// The directions.
const (
	down direction = "down"
	up   direction = "up"
	same direction = "no change" // both sides are equal
	scan direction = "scan"      // the same, with a server that only has a list
)

// mediaWorkload is one row of the table of media files.
type mediaWorkload struct {
	anki.MediaSet
	direction direction
	roundTrip time.Duration
	// budget is the largest allowed ratio of our time to the real client's, 0 for none; seconds is that of the time itself.
	budget, seconds float64
	// alone leaves out the real client.
	alone bool
}

// String names the workload for -run.
func (w mediaWorkload) String() string {
	return fmt.Sprintf("media %s %d x %d %dms", w.direction, w.Files, w.Size, w.roundTrip.Milliseconds())
}

// bytes is the size of all files.
func (w mediaWorkload) bytes() int { return w.Files * w.Size }

// mediaWorkloads are those of design.md §8 and of the issue about media.
func (o options) mediaWorkloads() (list []mediaWorkload) {
	const near, far, remote = 0, 50 * time.Millisecond, 150 * time.Millisecond
	tenth := func(s anki.MediaSet) anki.MediaSet {
		if o.short {
			s.Files /= 10
		}
		return s
	}
	small, large := tenth(anki.MediaSmall), tenth(anki.MediaLarge)
	for _, roundTrip := range []time.Duration{near, far, remote} {
		if o.short && roundTrip != far {
			continue
		}
		budgets := [2]float64{}
		if roundTrip == far {
			budgets = [2]float64{0.25, 0.5}
		}
		for _, d := range []direction{down, up} {
			list = append(list,
				mediaWorkload{MediaSet: small, direction: d, roundTrip: roundTrip, budget: budgets[0]},
				mediaWorkload{MediaSet: large, direction: d, roundTrip: roundTrip, budget: budgets[1]})
		}
	}
	huge := anki.MediaSet{Files: 1, Size: 100_000_000}
	return append(list,
		mediaWorkload{MediaSet: huge, direction: down},
		mediaWorkload{MediaSet: huge, direction: up, alone: true}, // the real client may time out: its server needs 20 s for its small chunks
		mediaWorkload{MediaSet: small, direction: same},
		mediaWorkload{MediaSet: tenth(anki.MediaSet{Files: 100_000, Size: 50}), direction: scan, seconds: 1, alone: true})
}

// mediaFiles makes folders of media files, and accounts whose server has them, and keeps both for further measurements.
type mediaFiles struct {
	dir      string
	accounts map[anki.MediaSet]*anki.Account
}

// folder returns a folder with the files.
func (f *mediaFiles) folder(set anki.MediaSet) (string, error) {
	dir := filepath.Join(f.dir, fmt.Sprintf("%d-%d", set.Files, set.Size), "media")
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	fmt.Fprintf(os.Stderr, "making %d files of %d bytes …\n", set.Files, set.Size)
	return dir, anki.GenerateMedia(dir, set)
}

// account returns an account that has the files. Downloads change nothing there.
func (f *mediaFiles) account(server *anki.Server, set anki.MediaSet) (*anki.Account, error) {
	if a := f.accounts[set]; a != nil {
		return a, nil
	}
	dir, err := f.folder(set)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(os.Stderr, "sending %d files of %d bytes …\n", set.Files, set.Size)
	a := server.Take()
	if err := a.UploadFolder(dir); err != nil {
		return nil, err
	}
	if f.accounts == nil {
		f.accounts = map[anki.MediaSet]*anki.Account{}
	}
	f.accounts[set] = a
	return a, nil
}

// link gives a client the files of a folder. They are not changed, so they need not be copied.
func link(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.Link(filepath.Join(from, e.Name()), filepath.Join(to, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) runMedia(ctx context.Context) error {
	for _, w := range b.mediaWorkloads() {
		if !b.only.MatchString(w.String()) {
			continue
		}
		if err := b.runMediaWorkload(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// runMediaWorkload measures a workload with every engine.
func (b *bench) runMediaWorkload(ctx context.Context, w mediaWorkload) error {
	r := mediaRow{mediaWorkload: w, result: map[string]measured{}}
	for _, engine := range append([]string{real}, b.engines...) {
		if engine == real && w.alone {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s: %s … ", w, engine)
		m, err := b.measureMedia(ctx, w, engine)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", w, engine, err)
		}
		fmt.Fprintf(os.Stderr, "%.3f s, %d MiB\n", m.Seconds, m.Kilobytes>>10)
		r.result[engine] = m
	}
	b.table.media = append(b.table.media, r)
	return nil
}

// measureMedia runs a workload with a new client, and checks that both sides are equal afterwards.
func (b *bench) measureMedia(ctx context.Context, w mediaWorkload, engine string) (m measured, err error) {
	b.number++
	dir := filepath.Join(b.dir, fmt.Sprintf("client-%d", b.number))
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	folder, err := b.media.folder(w.MediaSet)
	if err != nil {
		return m, err
	}
	if w.direction == scan {
		return b.measureScan(ctx, w, engine, dir, folder)
	}
	account, err := b.mediaAccount(w)
	if err != nil {
		return m, err
	}
	if w.direction == up {
		defer func() { err = errors.Join(err, os.RemoveAll(filepath.Dir(account.File()))) }()
	}
	media := filepath.Join(dir, "collection.media")
	if w.direction != down {
		err = link(folder, media)
	} else {
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return m, err
	}
	task := workload{name: w.String(), do: doMedia, times: 1}
	if w.direction == same { // once without measuring
		if _, err := b.measureAt(ctx, task, engine, dir, account, 0); err != nil {
			return m, err
		}
		task.times = 5
	}
	if m, err = b.measureAt(ctx, task, engine, dir, account, w.roundTrip); err != nil {
		return m, err
	}
	return m, compareMedia(media, account)
}

func (b *bench) mediaAccount(w mediaWorkload) (*anki.Account, error) {
	if w.direction == up {
		return b.server.Take(), nil
	}
	return b.media.account(b.server, w.MediaSet)
}

// measureAt runs a task at a distance from the server.
func (b *bench) measureAt(ctx context.Context, w workload, engine, dir string, account *anki.Account, roundTrip time.Duration) (measured, error) {
	acc := colsync.Account{Endpoint: b.server.URL, Key: account.Key}
	if roundTrip > 0 {
		proxy, err := anki.NewDelayProxy(b.server.URL, roundTrip)
		if err != nil {
			return measured{}, err
		}
		defer proxy.Close()
		acc.Endpoint = proxy.URL
	}
	if engine == real {
		return b.measureReal(w, dir, acc)
	}
	return b.measureOurs(ctx, w, engine, dir, acc)
}

// measureScan lets a client take note of a large folder that its server has as well, and measures the next syncs.
func (b *bench) measureScan(ctx context.Context, w mediaWorkload, engine, dir, folder string) (m measured, err error) {
	list, err := anki.HashMedia(folder)
	if err != nil {
		return m, err
	}
	server := newLister(list)
	defer server.Close()
	if err := link(folder, filepath.Join(dir, "collection.media")); err != nil {
		return m, err
	}
	acc := colsync.Account{Endpoint: server.URL + "/", Key: "key"}
	if _, err := b.measureOurs(ctx, workload{name: "first " + w.String(), do: doMedia, times: 1}, engine, dir, acc); err != nil {
		return m, err
	}
	return b.measureOurs(ctx, workload{name: w.String(), do: doMedia, times: 5}, engine, dir, acc)
}

// compareMedia checks that the client and the server have the same files: a fast sync that loses something is not fast.
func compareMedia(dir string, account *anki.Account) error {
	here, err := anki.HashMedia(dir)
	if err != nil {
		return err
	}
	there, err := account.ListMedia()
	if err != nil {
		return err
	}
	if d := anki.CompareMedia(here, there); len(d) > 0 {
		return fmt.Errorf("client and server differ in %d files: %s", len(d), strings.Join(d[:min(len(d), 3)], ", "))
	}
	return nil
}
