package interop_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner"
	"github.com/cardferry/cardferry/hostrunner/anki"
)

// Media syncs among the operations of child processes: one that has to succeed, one that has to hold deletions.
const (
	mediaOperation     = "media"
	mediaHeldOperation = "media held"
)

func mediaOperations() []operation {
	run := func(ctx context.Context, o *ours) error {
		_, err := o.profile.(*hostrunner.Profile).MediaSync(ctx, service.MediaSyncParams{Account: &o.account})
		return err
	}
	return []operation{
		{name: mediaOperation, run: run},
		{name: mediaHeldOperation, run: func(ctx context.Context, o *ours) error {
			if err := run(ctx, o); fault.KindOf(err) != fault.NeedsDecision {
				return fmt.Errorf("got %w, want kind needs_decision", err)
			}
			return nil
		}},
	}
}

// mediaPoints are those of a sync of mediaApart.
func mediaPoints() []point {
	return pointsOf("begin", "mediaChanges", "uploadChanges", "uploadChanges", "mediaChanges", "downloadFiles", "downloadFiles", "mediaSanity")
}

// mediaApart makes both devices differ from the stock in every way, with more files than fit into one request, and returns
// what both have to have in the end. The real one has synced.
func (s *mediaSetup) mediaApart(t testing.TB) files {
	t.Helper()
	s.start(t)
	want := stock.with(files{"both.jpg": "theirs", "change.png": "by ours"})
	for i := range 30 {
		want[fmt.Sprintf("ours %02d.png", i)] = fmt.Sprint("o", i)
		want[fmt.Sprintf("theirs %02d.png", i)] = fmt.Sprint("t", i)
	}
	delete(want, "remove.mp3")
	delete(want, "keep.png")
	for name, content := range want {
		switch {
		case strings.HasPrefix(name, "ours"):
			s.ours.put(t, name, content)
		case strings.HasPrefix(name, "theirs"):
			s.real.put(t, name, content)
		}
	}
	s.real.put(t, "both.jpg", "theirs")
	s.ours.put(t, "both.jpg", "a conflict")
	s.ours.put(t, "change.png", "by ours")
	s.ours.remove(t, "keep.png")
	s.real.remove(t, "remove.mp3")
	s.real.syncMedia(t)
	s.proxy.Use(anki.Hooks{})
	return want
}

// eachMediaPoint runs do at each point of a media sync of a folder.
func eachMediaPoint(t *testing.T, do func(t *testing.T, s *mediaSetup, own *folderMedia, p point)) {
	for _, p := range mediaPoints() {
		t.Run(fmt.Sprint(p.n, " ", p), func(t *testing.T) {
			t.Parallel()
			engines(t, 4, func(t *testing.T, e hostrunner.Engine) {
				s, own := folderSetup(t, e)
				want := s.mediaApart(t)
				do(t, s, own, p)
				s.proxy.Use(anki.Hooks{})
				s.resumed(t, own, want)
			})
		})
	}
}

// resumed syncs after whatever has happened: nothing is lost, nothing returns, and nothing is left behind.
func (s *mediaSetup) resumed(t *testing.T, own *folderMedia, want files) {
	t.Helper()
	s.settle(t)
	s.have(t, want)
	own.trashed(t, "a conflict")
	own.trashed(t, "remove")
	s.real.put(t, "last.png", "last") // what a killed process has left goes with the next download
	s.settle(t)
	s.have(t, want.with(files{"last.png": "last"}))
	s.nothingToDo(t)
	own.tidy(t)
}

// tidy fails if there is anything in the folder that a media sync should not have left there.
func (f *folderMedia) tidy(t *testing.T) {
	t.Helper()
	drafts := filepath.Join(f.dir, host.Staging, "media")
	if entries, err := os.ReadDir(drafts); err != nil || len(entries) > 0 {
		t.Errorf("drafts are left: %v %v", entries, err)
	}
	_ = os.Remove(drafts)
	left(t, f.dir)
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		t.Fatal(err)
	}
	known := []string{mediaFolder, mediaTrash, mediaIndexFile, mediaIndexFile + "-wal", mediaIndexFile + "-shm", "cardferry.lock", filepath.Base(host.Staging)}
	for _, e := range entries {
		if !slices.Contains(known, e.Name()) {
			t.Errorf("left behind: %s", e.Name())
		}
	}
	days, err := filepath.Glob(filepath.Join(f.dir, mediaTrash, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, day := range days {
		if _, err := time.Parse(time.DateOnly, filepath.Base(day)); err != nil {
			t.Errorf("left behind: %s", day)
		}
	}
}

// TestMediaRequests pins the requests of a sync of mediaApart, so that the points below are those that they name.
func TestMediaRequests(t *testing.T) {
	t.Parallel()
	engines(t, 2, func(t *testing.T, e hostrunner.Engine) {
		s, own := folderSetup(t, e)
		want := s.mediaApart(t)
		r := mustSync(t, own)
		var points []string
		for _, p := range mediaPoints() {
			if !p.after {
				points = append(points, strings.TrimSuffix(p.method, " again"))
			}
		}
		if log := s.proxy.Log(); !slices.Equal(log, points) || int(r.RoundTrips) != len(log) {
			t.Errorf("requests %v, %d round trips, want %v", log, r.RoundTrips, points)
		}
		if r.Uploaded != 31 || r.Downloaded != 31 || r.DeletedLocal != 1 || r.DeletedRemote != 1 {
			t.Errorf("%+v", r)
		}
		s.resumed(t, own, want)
	})
}

// One answer, or one request, is lost.
func TestMediaLostReply(t *testing.T) {
	t.Parallel()
	eachMediaPoint(t, func(t *testing.T, s *mediaSetup, own *folderMedia, p point) {
		s.proxy.Use(p.at(func(*anki.Exchange) anki.Verdict { return anki.Drop }))
		if _, err := own.try(t.Context(), service.MediaSyncParams{}); err != nil && fault.KindOf(err) != fault.Network {
			t.Fatalf("got %v, want kind network", err)
		}
	})
}

// The connection is lost, and does not come back.
func TestMediaLostConnection(t *testing.T) {
	t.Parallel()
	eachMediaPoint(t, func(t *testing.T, s *mediaSetup, own *folderMedia, p point) {
		drop := func(ex *anki.Exchange) anki.Verdict {
			if ex.N < p.n {
				return anki.Pass
			}
			return anki.Drop
		}
		hooks := anki.Hooks{Before: drop}
		if p.after {
			hooks = anki.Hooks{After: drop}
		}
		s.proxy.Use(hooks)
		if _, err := own.try(t.Context(), service.MediaSyncParams{}); fault.KindOf(err) != fault.Network {
			t.Fatalf("got %v, want kind network", err)
		}
		own.reopen(t)
	})
}

// A body is cut off in its middle.
func TestMediaCutBody(t *testing.T) {
	t.Parallel()
	eachMediaPoint(t, func(t *testing.T, s *mediaSetup, own *folderMedia, p point) {
		if !p.after {
			t.Skip("there is no body yet")
		}
		s.proxy.Use(p.at(func(ex *anki.Exchange) anki.Verdict {
			ex.Cut = max(len(ex.Body)/2, 1)
			return anki.Pass
		}))
		_, err := own.try(t.Context(), service.MediaSyncParams{})
		if k := fault.KindOf(err); k != 0 && k != fault.Network && k != fault.DamagedDownload {
			t.Fatal(err)
		}
	})
}

// A cancel ends the sync within a second, wherever it waits.
func TestMediaCancel(t *testing.T) {
	t.Parallel()
	eachMediaPoint(t, func(t *testing.T, s *mediaSetup, own *folderMedia, p point) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		var once sync.Once
		var cancelled time.Time
		s.proxy.Use(p.at(func(*anki.Exchange) anki.Verdict {
			once.Do(func() {
				cancelled = time.Now()
				cancel()
				<-ended // the answer comes only after the call has ended
			})
			return anki.Drop
		}))
		_, err := own.try(ctx, service.MediaSyncParams{})
		took := time.Since(cancelled)
		close(ended)
		if fault.KindOf(err) != fault.Cancelled {
			t.Fatalf("got %v, want kind cancelled", err)
		}
		if took > 10*time.Second {
			t.Errorf("the cancel took %v", took)
		}
	})
}

// The process is killed.
func TestMediaKilled(t *testing.T) {
	t.Parallel()
	eachMediaPoint(t, func(t *testing.T, s *mediaSetup, own *folderMedia, p point) {
		if err := own.profile.Close(); err != nil {
			t.Fatal(err)
		}
		cmd := child(t, &ours{app: app{filepath.Join(own.dir, host.Collection)}, engine: engine(own.engine.String()), account: own.account}, mediaOperation)
		killed := make(chan struct{})
		s.proxy.Use(p.at(func(*anki.Exchange) anki.Verdict {
			close(killed)
			_ = cmd.Process.Kill()
			return anki.Drop
		}))
		if err := cmd.Run(); err == nil {
			t.Fatal("the process was not killed")
		}
		select {
		case <-killed:
		default:
			t.Fatal("the process has ended by itself")
		}
		*own = *openMedia(t, own.engine, own.account, own.dir)
	})
}

// The user works in the folder at each request: what was done last is what counts, on all devices.
func TestMediaEditedMeanwhile(t *testing.T) {
	t.Parallel()
	for _, p := range mediaPoints() {
		t.Run(fmt.Sprint(p.n, " ", p), func(t *testing.T) {
			t.Parallel()
			engines(t, 4, func(t *testing.T, e hostrunner.Engine) {
				s, own := folderSetup(t, e)
				want := maps.Clone(s.mediaApart(t))
				s.proxy.Use(p.at(func(*anki.Exchange) anki.Verdict {
					own.put(t, "ours 03.png", "edited while it was sent")
					own.put(t, "theirs 05.png", "added while it came")
					own.put(t, "meanwhile.png", "meanwhile")
					own.remove(t, "ours 07.png")
					return anki.Pass
				}))
				if _, err := own.try(t.Context(), service.MediaSyncParams{}); err != nil {
					t.Fatal(err)
				}
				s.proxy.Use(anki.Hooks{})
				s.settle(t)
				want["ours 03.png"], want["meanwhile.png"] = "edited while it was sent", "meanwhile"
				if _, ok := s.acc.Media(t)["ours 07.png"]; !ok { // else it was deleted before it was ever sent, or brought back by another
					delete(want, "ours 07.png")
				} else {
					t.Error("a deleted file is back")
				}
				// One that was there before the file came is a conflict, which the server wins; one after it is an edit.
				if own.media(t)["theirs 05.png"] == anki.SHA1([]byte("added while it came")) {
					want["theirs 05.png"] = "added while it came"
				} else {
					own.trashed(t, "added while it came")
				}
				s.have(t, want)
			})
		})
	}
}
