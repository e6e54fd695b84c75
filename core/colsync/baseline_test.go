package colsync

import (
	"context"
	"maps"
	"reflect"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/jsontext"
	"github.com/cardferry/cardferry/core/profile"
	"github.com/cardferry/cardferry/core/remote"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/filehost"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

// newAttempt returns an attempt on a new collection with the given config.
func newAttempt(t *testing.T, config map[string]string) *attempt {
	t.Helper()
	dir := t.TempDir()
	h := &host.Host{
		SQL: sqlitehost.New(dir), Files: filehost.New(dir, nil), HTTP: &coretest.HTTP{}, Random: coretest.NewRandom(1),
		Clock: coretest.NewClock(time.UnixMilli(1_800_000_000_000), 0), Events: &coretest.Events{}, Yield: coretest.Yield{}, Text: coretest.Text{},
	}
	p, _, err := profile.Open(t.Context(), h, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	if _, err := rows.Exec(p.DB(), "DELETE FROM config"); err != nil {
		t.Fatal(err)
	}
	a := &attempt{syncer: &Syncer{Host: h, Store: p}}
	edit(t, a, config)
	begin(t, a)
	return a
}

// edit sets config keys, as an app does; "" removes one.
func edit(t *testing.T, a *attempt, config map[string]string) {
	t.Helper()
	if err := a.putBack(config, 1); err != nil {
		t.Fatal(err)
	}
}

// begin starts a sync: it takes the base and what counts as known.
func begin(t *testing.T, a *attempt) {
	t.Helper()
	var err error
	if a.base.config, err = configMap(a.db()); err == nil {
		a.known, err = a.knownConfig()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// merge does what the merge does with the server's config and returns what is there afterwards.
func merge(t *testing.T, a *attempt, server map[string]string) map[string]string {
	t.Helper()
	list := []wire.ConfigEntry{}
	for k, v := range server {
		list = append(list, wire.ConfigEntry{Key: k, Value: []byte(v)})
	}
	a.serverChanges = &wire.Changes{Config: list}
	err := rows.Transaction(a.db(), func() error {
		applier, err := collection.NewApplier(a.db(), coretest.Text{}, 5, -1, time.Unix(2, 0))
		if err != nil {
			return err
		}
		defer applier.Close()
		return a.applyChanges(applier, 2)
	})
	if err != nil {
		t.Fatal(err)
	}
	now, err := configMap(a.db())
	if err != nil {
		t.Fatal(err)
	}
	return now
}

// TestConfigEdits: the server's config replaces ours, but for keys that were edited since the sync began.
func TestConfigEdits(t *testing.T) {
	t.Parallel()
	type config = map[string]string
	before := config{"a": "1", "b": "2", "c": "3"}
	server := config{"a": "10", "b": "20", "new": "5"}
	for _, tt := range []struct {
		name         string
		edits, want  config
		putBack, set bool
	}{
		{"no edit", nil, config{"a": "10", "b": "20", "new": "5"}, false, false},
		{"changed", config{"a": "7"}, config{"a": "7", "b": "20", "new": "5"}, true, true},
		{"removed", config{"a": ""}, config{"b": "20", "new": "5"}, true, false},
		{"added", config{"mine": "7"}, config{"a": "10", "b": "20", "mine": "7", "new": "5"}, true, true},
		{"changed to the server's", config{"a": "10"}, config{"a": "10", "b": "20", "new": "5"}, true, true},
		{"changed what the server removed", config{"c": "7"}, config{"a": "10", "b": "20", "c": "7", "new": "5"}, true, true},
		{"changed back", config{"a": "1"}, config{"a": "10", "b": "20", "new": "5"}, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newAttempt(t, before)
			edit(t, a, tt.edits)
			if got := merge(t, a, server); !maps.Equal(got, tt.want) || a.putBackKeys != tt.putBack {
				t.Errorf("%v, put back %t", got, a.putBackKeys)
			}
			pending, err := rows.IntOf(a.db(), "SELECT count(*) FROM config WHERE usn = -1")
			if err != nil || pending > 0 != tt.set {
				t.Errorf("%d pending, %v", pending, err)
			}
		})
	}
}

// TestConfigAfterUnfinishedSync: a merge was committed, then the sync died. What that sync knew and received counts as not
// edited in the next one, what was edited in between does.
func TestConfigAfterUnfinishedSync(t *testing.T) {
	t.Parallel()
	type config = map[string]string
	a := newAttempt(t, config{"a": "1", "b": "2", "c": "3"})
	merge(t, a, config{"a": "10", "b": "20"})
	edit(t, a, config{"b": "7"})
	begin(t, a)
	if got, want := merge(t, a, config{"a": "11", "b": "21", "c": "4"}), (config{"a": "11", "b": "7", "c": "4"}); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if err := a.syncer.Store.ForgetSync(); err != nil {
		t.Fatal(err)
	}
	begin(t, a)
	if got, want := merge(t, a, config{"b": "22"}), (config{"b": "22"}); !maps.Equal(got, want) {
		t.Errorf("after a finished sync: got %v, want %v", got, want)
	}
}

// TestConfigAfterLostFinish: the server has our config, and we do not know it. Its time may be later than that of a key edited since, by a
// clock that is behind: then it sends the config, and the key stays.
func TestConfigAfterLostFinish(t *testing.T) {
	t.Parallel()
	type config = map[string]string
	a := newAttempt(t, config{"a": "1", "b": "2", "c": "3"})
	var err error
	if a.remote, err = remote.New(a.syncer.Host, Account{Endpoint: "http://example.org/", Key: "k"}, "test", remote.Sync); err != nil {
		t.Fatal(err)
	}
	a.syncer.Host.HTTP.(*coretest.HTTP).Answer = func(context.Context, *host.Request) (*host.Response, error) {
		return nil, fault.New(fault.Network, "the answer is lost")
	}
	a.localNewer = true
	if a.sentChanges, err = collection.PendingChanges(a.db(), 5, nil, true); err != nil {
		t.Fatal(err)
	}
	edit(t, a, config{"a": "7"}) // while the sync runs
	if err := a.finish(t.Context()); fault.KindOf(err) != fault.Network {
		t.Fatal(err)
	}
	edit(t, a, config{"b": "8", "mine": "9"})
	begin(t, a)
	if got, want := merge(t, a, config{"a": "1", "b": "2", "c": "4"}), (config{"a": "7", "b": "8", "c": "4", "mine": "9"}); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestStoredForms(t *testing.T) {
	t.Parallel()
	b := baseline{"a": {"1", ""}, "\"é": {`{"x":"\u0000"}`}, "none": {}}
	members, err := jsontext.ParseObject(b.appendJSON(nil))
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := parseBaseline(members); !ok || !reflect.DeepEqual(got, b) {
		t.Errorf("%v, %t", got, ok)
	}
	o := offered{Now: 1, LocalMod: 2, LocalScm: 3, ServerMod: 4, Bytes: 5}
	if members, err = jsontext.ParseObject(o.appendJSON(nil)); err != nil {
		t.Fatal(err)
	}
	if got, ok := parseOffered(members); !ok || got != o {
		t.Errorf("%v, %t", got, ok)
	}
	for _, damaged := range []string{`{"now":1}`, `{"now":"1","local_mod":2,"local_scm":3,"server_mod":4,"bytes":5}`, `{}`} {
		members, _ := jsontext.ParseObject([]byte(damaged))
		if o, ok := parseOffered(members); ok || o != (offered{}) {
			t.Errorf("%s: %v", damaged, o)
		}
	}
	members, _ = jsontext.ParseObject([]byte(`{"a":["1"],"b":[2]}`))
	if got, ok := parseBaseline(members); ok {
		t.Errorf("%v", got)
	}
}
