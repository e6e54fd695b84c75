package service_test

import (
	"context"
	"path"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/filehost"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

// TestEditCalls goes through edit and undo: what they return, and what they refuse.
func TestEditCalls(t *testing.T) {
	t.Parallel()
	s := newService(t, nil)
	for _, c := range []struct {
		method, params, want string
		kind                 fault.Kind
	}{
		{"edit", `{"ops":[]}`, "", fault.Closed},
		{"undo", `{}`, "", fault.Closed},
		{"open", `{"create":true}`, `{"created":true,"upgraded":false}`, 0},
		{"undo", `{}`, "", fault.NotFound},
		{"edit", `{}`, "", fault.InvalidInput},
		{"edit", `{"ops":5}`, "", fault.InvalidInput},
		{"edit", `{"ops":[{"op":"nothing"}]}`, "", fault.InvalidInput},
		{"edit", `{"ops":[],"more":1}`, "", fault.InvalidInput},
		{"edit", `{"ops":[]}`, `{"results":[]}`, 0},
		{"edit", `{"ops":[{"op":"setConfig","key":"a","value":1},{"op":"addDeck","name":"x"}]}`, `{"results":[{},{"deckId":1800000000000}]}`, 0},
		{"status", `{"offline":true}`, `{"required":"none","upload_ok":true,"download_ok":true,"last_sync":0,"pending":1,"new_endpoint":""}`, 0},
		{"edit", `{"ops":[{"op":"setConfig","key":"a","value":2},{"op":"removeDeck","deckId":5}]}`, "", fault.InvalidInput},
		{"undo", `{}`, `{"undone":"setConfig"}`, 0},
		{"undo", `{}`, "", fault.NotFound},
		{"status", `{"offline":true}`, `{"required":"none","upload_ok":true,"download_ok":true,"last_sync":0,"pending":0,"new_endpoint":""}`, 0},
		{"edit", `{"ops":[{"op":"addDeck","name":"x"}]}`, `{"results":[{"deckId":1800000000000}]}`, 0},
		{"close", `{}`, `{}`, 0},
		{"open", `{}`, `{"created":false,"upgraded":false}`, 0},
		{"undo", `{}`, "", fault.NotFound},
	} {
		b, err := s.Call(t.Context(), c.method, []byte(c.params))
		if fault.KindOf(err) != c.kind || string(b) != c.want {
			t.Errorf("%s %s: %s, %v", c.method, c.params, b, err)
		}
	}
}

// waiting is a host.Yielder that makes an edit in the middle of a transaction, and sees it wait.
type waiting struct {
	coretest.Yield
	tick   func()
	paused int
}

func (w *waiting) Tick(ctx context.Context) error {
	if w.tick != nil {
		w.tick()
	}
	return ctx.Err()
}

func (w *waiting) Pause(context.Context) error {
	w.paused++
	return fault.New(fault.Cancelled, "enough")
}

// TestEditWaits: an edit that comes while a sync has its transaction open waits, instead of becoming a part of it; between two
// requests it does not wait.
func TestEditWaits(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	y := &waiting{}
	var s *service.Service
	edits := 0
	answer := func(body string) *host.Response {
		return &host.Response{
			Status: 200, Header: map[string]string{"anki-original-size": strconv.Itoa(len(body))},
			Body: wire.NewCodec().Compress(nil, []byte(body)),
		}
	}
	note := `[1,"g",5,1700000000,3,"","x","","",0,""]`
	answers := map[string]string{
		"meta":         `{"mod":5,"scm":1800000000000,"usn":9,"ts":1800000000,"msg":"","cont":true,"hostNum":0,"media_usn":0}`,
		"start":        `{"cards":[],"notes":[],"decks":[]}`,
		"applyChanges": `{"models":[],"decks":[[],[]],"tags":[]}`,
		"chunk":        `{"done":true,"revlog":[],"cards":[],"notes":[` + note + `]}`,
	}
	s = service.New(host.Host{
		SQL: sqlitehost.New(dir), Files: filehost.New(dir, nil), Media: coretest.NewMedia(nil),
		HTTP: &coretest.HTTP{Answer: func(ctx context.Context, r *host.Request) (*host.Response, error) {
			method := path.Base(r.URL)
			if method == "start" {
				if _, err := s.Call(ctx, "edit", []byte(`{"ops":[{"op":"setConfig","key":"a","value":1}]}`)); err != nil {
					t.Error(err)
				}
			}
			if body, ok := answers[method]; ok {
				return answer(body), nil
			}
			return nil, fault.New(fault.Offline, "no route")
		}},
		Clock: coretest.NewClock(time.UnixMilli(1_800_000_000_000), 0), Random: coretest.NewRandom(1),
		Events: &coretest.Events{}, Yield: y, Text: coretest.Text{},
	})
	if _, err := s.Call(t.Context(), "open", []byte(`{"create":true}`)); err != nil {
		t.Fatal(err)
	}
	y.tick = func() {
		edits++
		_, err := s.Call(t.Context(), "edit", []byte(`{"ops":[{"op":"setConfig","key":"b","value":1}]}`))
		if fault.KindOf(err) != fault.Cancelled {
			t.Error(err)
		}
	}
	_, err := s.Call(t.Context(), "sync", []byte(account))
	y.tick = nil
	if edits == 0 || y.paused != edits {
		t.Errorf("the sync ended with %v; %d edits in its transaction, %d waited", err, edits, y.paused)
	}
	b, err := s.Call(t.Context(), "edit", []byte(`{"ops":[{"op":"setConfig","key":"b","value":1}]}`))
	if err != nil || !strings.Contains(string(b), "results") {
		t.Errorf("%s, %v", b, err)
	}
}
