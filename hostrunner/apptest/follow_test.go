package apptest_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cardferry/cardferry/core/mediawire"
	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/apptest"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// held holds the requests of one path back, and keeps which media files are asked for, in that order.
type held struct {
	path string
	open chan struct{}
	mu   sync.Mutex
	// asked are the names in each request for media files.
	asked [][]string
}

func hold(path string) *held {
	return &held{path: path, open: make(chan struct{})}
}

func (h *held) answer(_ http.ResponseWriter, r *http.Request) bool {
	if r.URL.Path == "/msync/"+mediawire.DownloadFiles {
		body, err := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		if err == nil {
			body, err = wire.NewCodec().Decompress(nil, body, 1<<20)
		}
		if names, perr := mediawire.ParseDownloadRequest(body); err == nil && perr == nil {
			h.mu.Lock()
			h.asked = append(h.asked, names)
			h.mu.Unlock()
		}
	}
	if strings.HasPrefix(r.URL.Path, h.path) {
		select {
		case <-h.open:
		case <-r.Context().Done():
		}
	}
	return false
}

// inFlight bounds how many requests a browser makes at once: in which order those of them arrive is chance.
const inFlight = 6

// TestPicturesFollow is flow 1 with more pictures than come at once: their number is shown, those of today's cards are asked for first, and who has
// enough of it stops them, which holds; the next sync fetches the rest. What the app does by itself cannot be stopped, and does not say so.
func TestPicturesFollow(t *testing.T) {
	t.Parallel()
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	add := func(letter string, n int) (card int64) {
		var field strings.Builder
		for i := range n {
			name := fmt.Sprintf("%s%03d.gif", letter, i)
			desktop.Do(t, "media_add", anki.Args{"name": name, "data": base64.StdEncoding.EncodeToString([]byte("GIF89a" + name))}, nil)
			fmt.Fprintf(&field, `<img src="%s">`, name)
		}
		var note struct{ Cards []int64 }
		desktop.Do(t, "add_note", anki.Args{"fields": []string{letter, field.String()}}, &note)
		return note.Cards[0]
	}
	desktop.Do(t, "suspend", anki.Args{"cards": []int64{add("a", 280)}}, nil)
	add("today", 20)
	desktop.Upload(t)

	between := s.Between(t)
	media := hold("/msync/" + mediawire.DownloadFiles)
	between.Answer(media.answer)
	a := apptest.Open(t, browsertest.Start(t), between.URL)
	a.Size(t, 360, 780, false)
	signIn(t, a)
	a.Tap(t, "Fetch my decks")
	a.Read(t, "Study Default")
	a.Go(t, "#/sync")
	a.Read(t, "0 of 300 here")
	a.Read(t, "Fetching pictures and sounds")
	shot(t, a, "media-follow")
	a.Tap(t, "Stop")
	a.Read(t, "Sync now")
	a.Go(t, "#/")
	synced(t, a) // and nothing begins again
	a.Go(t, "#/sync")
	close(media.open)
	a.Tap(t, "Sync now")
	a.Read(t, "All here")
	media.mu.Lock()
	first := slices.Concat(media.asked[:min(len(media.asked), inFlight)]...)
	media.mu.Unlock()
	for i := range 20 {
		if name := fmt.Sprintf("today%03d.gif", i); !slices.Contains(first, name) {
			t.Errorf("%s, of a card of today, was not among the first that were asked for", name)
		}
	}

	a.Read(t, "Sync now")
	meta := hold("/sync/meta")
	between.Answer(meta.answer)
	desktop.Do(t, "add_note", anki.Args{"fields": []string{"news", "x"}}, nil)
	desktop.SyncAll(t) // the server tells
	a.Wait(t, `all("[role=progressbar]").length === 1`)
	var stop bool
	a.Eval(t, &stop, `return named("button", "Stop") !== undefined`)
	if stop {
		t.Error("there is a button to stop a sync that it cannot stop")
	}
	close(meta.open)
	a.Read(t, "Sync now")
	a.Go(t, "#/browse?q=news")
	a.Read(t, "1 card")
}

// TestSyncSeen goes to the place of syncing while the collection is synced: what goes on is shown, and can be stopped.
func TestSyncSeen(t *testing.T) {
	t.Parallel()
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	desktop.Do(t, "add_notes", anki.Args{"prefix": "word", "count": 3}, nil)
	desktop.Upload(t)
	between := s.Between(t)
	meta := hold("/sync/meta")
	defer close(meta.open)
	a := apptest.Open(t, browsertest.Start(t), between.URL)
	a.Size(t, 360, 780, false)
	fetchDecks(t, a, "Study Default")
	between.Answer(meta.answer)
	a.Tap(t, "In sync")
	a.Wait(t, `all("[role=progressbar]").length === 1`)
	a.Go(t, "#/sync")
	a.Tap(t, "Stop")
	a.Read(t, "Sync now")
}
