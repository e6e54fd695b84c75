package service_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/autosync"
	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/edit"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/mediasync"
	"github.com/cardferry/cardferry/core/profile"
	"github.com/cardferry/cardferry/core/render"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/filehost"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

// TestResults compares the JSON of the results with what their struct tags say, which hosts decode.
func TestResults(t *testing.T) {
	t.Parallel()
	counts := colsync.Counts{"notes": 1, "cards": -2}
	for _, v := range []interface{ AppendJSON([]byte) []byte }{
		service.OpenResult{}, service.OpenResult{Created: true, Upgraded: true},
		service.LoginResult{Endpoint: "https://h/\n", User: "ü", Key: "k\""},
		service.StatusResult{Required: colsync.RequiredFull, UploadOK: true, DownloadOK: true, LastSync: 1, Pending: 2, NewEndpoint: "e"},
		service.SyncResult{Required: "none", Sent: colsync.Counts{}, Received: colsync.Counts{}},
		service.SyncResult{Required: "normal", Sent: counts, Received: counts, RoundTrips: 7, NewEndpoint: "e", Message: "m", Bytes: 8, Backup: "b", MediaUSN: 9, USN: 10, Events: true},
		service.TransferResult{}, service.TransferResult{Bytes: 1, Backup: "b", NewEndpoint: "e", Message: "m", RoundTrips: 2, Lost: counts},
		service.BackupsResult{Backups: []profile.Backup{}},
		service.BackupsResult{Backups: []profile.Backup{{ID: "i", Created: 1, Reason: "r", Bytes: 2}, {ID: "j"}}},
		service.EditResult{Results: []edit.Result{}}, service.UndoResult{Undone: "addNote"},
		service.EditResult{Results: []edit.Result{{}, {NoteID: 1, CardIDs: []int64{2, 3}}, {CardIDs: []int64{}}, {DeckID: 4}}},
		service.RestoreResult{Backup: "b"}, service.VersionResult{Version: "v"},
		service.MediaSyncResult{SetAside: mediasync.Asides{}},
		service.MediaSyncResult{
			Held: 1, Downloaded: 2, Uploaded: 3, DeletedLocal: 4, DeletedRemote: 5, RoundTrips: 6, NewEndpoint: "e", Warning: "w",
			SetAside: mediasync.Asides{{Name: "a\"b", Reason: "empty"}, {Name: "c", Reason: "gone"}},
		},
		service.GetMediaResult{Name: "n", Size: 1, SHA1: "s", NewEndpoint: "e"},
		service.MediaCheckResult{Missing: []string{}, Unused: []string{}, TemplateMissing: mediasync.TemplateFiles{}},
		service.MediaCheckResult{
			Missing: []string{"m"}, Unused: []string{"u", "v"}, Trashed: 1, Kept: 2,
			TemplateMissing: mediasync.TemplateFiles{{Notetype: "n", Template: "t", Name: "f"}, {}},
		},
		service.RenderResult{AV: service.RenderAV{Question: []render.AV{}, Answer: []render.AV{}}, Error: &render.Error{Side: "back", Problem: "not_closed", Tag: "{{/A}}", Field: "A"}},
		service.RenderResult{
			Question: "q\n", Answer: "a", CSS: "c", Ord: 3, Empty: "no_number", Typed: &render.Typed{Marker: "m", Field: "f", Expected: "é", NoMarks: true},
			AV: service.RenderAV{Question: []render.AV{{Sound: "s"}, {Speech: &render.Speech{Text: "t", Lang: "l", Voices: []string{"v", "w"}, Speed: 0.75, Other: []string{"x=y"}}}}, Answer: []render.AV{{Speech: &render.Speech{Speed: 1}}}},
		},
		service.CompareTypedResult{HTML: "h"},
		service.AutoResult{}, service.AutoResult{
			Answer:   autosync.Answer{Do: autosync.Sync, Live: true, Activity: autosync.Attention, Error: "auth", Wake: 1500},
			Settings: autosync.Settings{AutoSync: true, Live: true, SyncMedia: true, MediaInterval: 0.25, Metered: "all"},
		},
		service.AutoResult{Status: &service.StatusResult{Required: "normal", Pending: 3}},
		autosync.Defaults(), autosync.Settings{MediaInterval: 1440.001},
		wire.Counts{Cards: 1, Notes: 2, Revlog: 3, Graves: 4, Notetypes: 5, Decks: 6, DeckConfigs: 7},
	} {
		want, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if got := v.AppendJSON([]byte("x"))[1:]; !bytes.Equal(got, want) {
			t.Errorf("%T\ngot  %s\nwant %s", v, got, want)
		}
	}
}

// mediaNothing is the result of a media sync that had nothing to do.
const mediaNothing = `{"held":0,"downloaded":0,"uploaded":0,"deleted_local":0,"deleted_remote":0,"set_aside":[],"round_trips":0,"new_endpoint":"","warning":""}`

// newService returns a service on a folder; answer is the server, nil if there is none.
func newService(t testing.TB, answer func(context.Context, *host.Request) (*host.Response, error)) *service.Service {
	t.Helper()
	dir := t.TempDir()
	if answer == nil {
		answer = func(context.Context, *host.Request) (*host.Response, error) {
			return nil, fault.New(fault.Offline, "no route")
		}
	}
	sql, files := sqlitehost.New(dir), filehost.New(dir, nil)
	return service.New(host.Host{
		SQL: sql, Files: files, HTTP: &coretest.HTTP{Answer: answer, Files: files},
		Media: coretest.NewMedia(nil),
		Clock: coretest.NewClock(time.UnixMilli(1_800_000_000_000), 0), Random: coretest.NewRandom(1),
		Events: &coretest.Events{}, Yield: coretest.Yield{}, Text: coretest.Text{},
	})
}

func TestParameters(t *testing.T) {
	t.Parallel()
	s := newService(t, nil)
	for _, c := range []struct{ method, params string }{
		{"nothing", `{}`}, {"", `{}`}, {"open", `[]`}, {"open", `{"create":1}`}, {"open", `{"create":"true"}`},
		{"open", `{"Create":true}`}, {"open", `{"create":true,"path":"/"}`}, {"open", `{"create":true} {}`}, {"open", `{`},
		{"close", `{"now":true}`}, {"login", `{"user":1}`}, {"status", `{"account":"x"}`}, {"status", `{"account":{"user":"x"}}`},
		{"status", `{"account":{"key":5}}`}, {"sync", `{"on_conflict":"merge"}`}, {"sync", `{"on_conflict":5}`},
		{"mediaSync", `{"server_usn":"1"}`}, {"mediaSync", `{"server_usn":1.5}`}, {"getMedia", `{"name":1}`}, {"mediaCheck", `{"apply":1}`},
		{"auto", `{}`}, {"auto", `{"event":"open"}`}, {"auto", `{"event":"opened","settings":{"autosync":true}}`},
		{"auto", `{"event":"opened","settings":{"live":1}}`}, {"auto", `{"event":"settings","settings":[]}`}, {"auto", `{"event":"settings","settings":{"metered":""}}`}, {"auto", `{"event":"opened","settings":{"mediaInterval":"5"}}`},
		{"auto", `{"event":"opened","settings":{"metered":"some"}}`}, {"auto", `{"event":"finished","what":"upload"}`},
		{"auto", `{"event":"network","network":"wifi"}`},
		{"render", `{"cardId":"1"}`}, {"render", `{"fields":"x"}`}, {"render", `{"fields":[1]}`}, {"compareTyped", `{"typed":1}`},
		{"restore", `{"id":["x"]}`}, {"version", `{"v":1}`},
	} {
		b, err := s.Call(t.Context(), c.method, []byte(c.params))
		if fault.KindOf(err) != fault.InvalidInput || b != nil {
			t.Errorf("%s %s: %s, %v", c.method, c.params, b, err)
		}
	}
	for _, params := range []string{"", `{}`, ` { } `} {
		if b, err := s.Call(t.Context(), "version", []byte(params)); err != nil || string(b) != `{"version":"`+service.Version+`"}` {
			t.Errorf("%q: %s, %v", params, b, err)
		}
	}
}

// TestCalls goes through the methods that need no server; null counts as missing, the last of equal keys counts.
func TestCalls(t *testing.T) {
	t.Parallel()
	s := newService(t, nil)
	for _, c := range []struct {
		method, params, want string
		kind                 fault.Kind
	}{
		{"open", `{"create":false}`, "", fault.NotFound},
		{"status", `{"account":null,"offline":true}`, "", fault.Closed},
		{"backups", `{}`, `{"backups":[]}`, 0},
		{"close", `{}`, `{}`, 0},
		{"open", `{"create":false,"client":null,"create":true}`, `{"created":true,"upgraded":false}`, 0},
		{"open", `{"create":true}`, "", fault.InvalidInput},
		{"status", `{"offline":true}`, `{"required":"none","upload_ok":true,"download_ok":true,"last_sync":0,"pending":0,"new_endpoint":""}`, 0},
		{"status", `{}`, "", fault.Auth},
		{"sync", `{"account":null}`, "", fault.Auth},
		{"sync", `{"account":{"endpoint":"http://h/","key":""}}`, "", fault.Auth},
		{"sync", `{"account":{"endpoint":"http://h/","key":"k"}}`, "", fault.Offline},
		{"sync", `{"account":{"endpoint":"h:8080","key":"k"}}`, "", fault.InvalidInput},
		{"upload", `{"account":{"endpoint":"http://h/","key":"k"},"backup":true}`, "", fault.Offline},
		{"download", `{"account":{"endpoint":"ftp://h/","key":"k"}}`, "", fault.Network},
		{"login", `{"endpoint":"http://h/","user":" ","password":"p"}`, "", fault.InvalidInput},
		{"restore", `{"id":"nothing"}`, "", fault.NotFound},
		{"mediaSync", `{}`, "", fault.Auth},
		{"mediaSync", `{"account":{"endpoint":"http://h/","key":"k"},"server_usn":null}`, "", fault.Offline},
		{"mediaSync", `{"account":{"endpoint":"http://h/","key":"k"},"server_usn":0}`, mediaNothing, 0},
		{"mediaSync", `{"account":{"endpoint":"http://h/","key":"k"},"allow_deletions":true,"restore_held":true}`, "", fault.InvalidInput},
		{"getMedia", `{"account":{"endpoint":"http://h/","key":"k"},"name":"a.png"}`, "", fault.Offline},
		{"getMedia", `{"account":{"endpoint":"http://h/","key":"k"},"name":".."}`, "", fault.NotFound},
		{"mediaCheck", `{"apply":true}`, `{"missing":[],"unused":[],"template_missing":[],"trashed":0,"kept":0}`, 0},
		{"forgetMedia", `{}`, `{}`, 0},
		{"render", `{"cardId":5}`, "", fault.NotFound},
		{"render", `{}`, "", fault.NotFound},
		{"render", `{"notetypeId":1800000000000,"fields":["a"]}`, "", fault.InvalidInput},
		{"compareTyped", `{"cardId":5,"typed":"x"}`, "", fault.NotFound},
		{"compareTyped", `{"expected":"<b>é</b>","nc":true,"typed":"e"}`, `{"html":"<code id=typeans><span class=typeGood>é</span></code>"}`, 0},
		{"close", `{}`, `{}`, 0},
		{"open", `{}`, `{"created":false,"upgraded":false}`, 0},
		{"close", `{}`, `{}`, 0},
		{"mediaCheck", `{}`, "", fault.Closed},
		{"render", `{"cardId":5}`, "", fault.Closed},
	} {
		b, err := s.Call(t.Context(), c.method, []byte(c.params))
		if fault.KindOf(err) != c.kind || string(b) != c.want {
			t.Errorf("%s %s: %s, %v", c.method, c.params, b, err)
		}
	}
}

// TestRender has a note that is not stored.
func TestRender(t *testing.T) {
	t.Parallel()
	s := newService(t, nil)
	if _, err := s.Call(t.Context(), "open", []byte(`{"create":true}`)); err != nil {
		t.Fatal(err)
	}
	const typing = 1_800_000_000_003 // the id of the stock notetype "Basic (type in the answer)"
	b, err := s.Call(t.Context(), "render", fmt.Appendf(nil, `{"notetypeId":%d,"ord":0,"fields":["a [sound:x.mp3]","<b>b</b>"],"tags":["t"]}`, typing))
	if err != nil {
		t.Fatal(err)
	}
	var r service.RenderResult
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	if r.Question != "a [anki:play:q:0]\n\n[[type:Back]]" || r.Answer != "a [anki:play:a:0]\n\n<hr id=answer>\n\n[[type:Back]]" || r.Typed == nil ||
		r.Typed.Expected != "<b>b</b>" || len(r.AV.Question) != 1 || r.AV.Answer[0].Sound != "x.mp3" || r.CSS == "" {
		t.Errorf("%s", b)
	}
}

// TestAuto goes through the scheduler's parameters.
func TestAuto(t *testing.T) {
	t.Parallel()
	s := newService(t, nil)
	if _, err := s.Call(t.Context(), "open", []byte(`{"create":true}`)); err != nil {
		t.Fatal(err)
	}
	const status = `,"status":{"required":"none","upload_ok":true,"download_ok":true,"last_sync":0,"pending":0,"new_endpoint":""}}`
	const settings = `,"settings":{"autoSync":true,"live":true,"syncMedia":false,"mediaInterval":0.5,"metered":"all"}}`
	for _, c := range []struct{ params, want string }{
		{
			`{"event":"wake"}`,
			`{"do":"","live":false,"activity":"idle","error":"","wake_ms":0,"settings":{"autoSync":true,"live":true,"syncMedia":true,"mediaInterval":15,"metered":"collection"}}`,
		},
		{
			`{"event":"edited"}`,
			`{"do":"","live":false,"activity":"idle","error":"","wake_ms":0,"settings":{"autoSync":true,"live":true,"syncMedia":true,"mediaInterval":15,"metered":"collection"}` + status,
		},
		{`{"event":"settings","settings":{"metered":"all","mediaInterval":0.5}}`, ""},
		{`{"event":"settings","settings":{"syncMedia":false}}`, `{"do":"","live":false,"activity":"idle","error":"","wake_ms":0` + settings},
		{`{"event":"opened","network":"metered","logged_in":true}`, `{"do":"sync","live":false,"activity":"syncing","error":"","wake_ms":0` + settings},
		{
			`{"event":"finished","what":"sync","report":{"usn":7,"media_usn":2,"events":true,"received":{"notes":1,"cards":2}}}`,
			`{"do":"","live":true,"activity":"idle","error":"","wake_ms":0` + settings[:len(settings)-1] + status,
		},
		{`{"event":"changed","usn":7,"media_usn":null}`, `{"do":"","live":true,"activity":"idle","error":"","wake_ms":0` + settings},
		{`{"event":"changed","usn":8,"media_usn":3,"empty":true}`, `{"do":"","live":true,"activity":"idle","error":"","wake_ms":0` + settings},
		{`{"event":"changed","usn":9,"media_usn":3}`, `{"do":"sync","live":true,"activity":"syncing","error":"","wake_ms":0` + settings},
		{`{"event":"finished","what":"sync","error":"auth"}`, `{"do":"","live":false,"activity":"attention","error":"auth","wake_ms":0` + settings[:len(settings)-1] + status},
	} {
		if b, err := s.Call(t.Context(), "auto", []byte(c.params)); err != nil || c.want != "" && string(b) != c.want {
			t.Errorf("%s\ngot  %s, %v\nwant %s", c.params, b, err, c.want)
		}
	}
}

// TestErrors: a cancel hides what it led to; hints and details survive the steps in front of them.
func TestErrors(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := newService(t, func(context.Context, *host.Request) (*host.Response, error) {
		cancel()
		return nil, fault.New(fault.Network, "broken pipe")
	})
	_, err := s.Call(ctx, "login", []byte(`{"endpoint":"http://h/","user":"u","password":"p"}`))
	if fault.KindOf(err) != fault.Cancelled {
		t.Error(err)
	}
	s = newService(t, func(context.Context, *host.Request) (*host.Response, error) {
		inner := fault.New(fault.Offline, "no route").WithHint("plug it in").With("interface", "eth0")
		return nil, fault.Wrap(fault.Offline, inner, "connect")
	})
	_, err = s.Call(t.Context(), "login", []byte(`{"endpoint":"http://h/","user":"u","password":"p"}`))
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || e.Kind != fault.Offline || e.Hint != "plug it in" || e.Details["interface"] != "eth0" || e.Changed {
		t.Errorf("%#v", err)
	}
}
