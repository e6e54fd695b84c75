package colsync

import (
	"slices"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/jsontext"
	"github.com/cardferry/cardferry/core/order"
	"github.com/cardferry/cardferry/core/profile"
	"github.com/cardferry/cardferry/core/wire"
)

// The server's config replaces ours as a whole (§8.5). Keys that an app edits while a sync runs must survive that, so
// they are put back after the merge, and the collection stays newer than the server, which sends them next time.
// A key counts as edited when its value is none that the sync knows of. What an unfinished sync knew is kept for the
// next one: its merge, or the server's, may have happened already.

// baseline has the values known for each key; "" is an absent key (no JSON value is empty).
type baseline map[string][]string

// appendJSON appends the stored form.
func (b baseline) appendJSON(dst []byte) []byte {
	dst = append(dst, '{')
	for _, k := range order.Keys(b) {
		dst = jsontext.AppendStrings(jsontext.AppendKey(dst, k), b[k])
	}
	return append(dst, '}')
}

// parseBaseline reads the stored form; ok is false if it is damaged.
func parseBaseline(members []jsontext.Member) (b baseline, ok bool) {
	b = make(baseline, len(members))
	for _, m := range members {
		if b[m.Key], ok = jsontext.Strings(m.Raw); !ok {
			return nil, false
		}
	}
	return b, true
}

func configMap(db host.DB) (map[string]string, error) {
	entries, err := collection.ReadConfig(db)
	if err != nil {
		return nil, err
	}
	m := make(map[string]string, len(entries))
	for _, e := range entries {
		m[e.Key] = string(e.Value)
	}
	return m, nil
}

// knownConfig returns what counts as not edited: the values at the start of this sync or, after an unfinished one,
// those that it knew.
func (a *attempt) knownConfig() (baseline, error) {
	members, found, err := a.syncer.Store.Recall(profile.Baseline)
	if err != nil {
		return nil, err
	}
	if known, ok := parseBaseline(members); found && ok {
		return known, nil
	}
	known := make(baseline, len(a.base.config))
	for k, v := range a.base.config {
		known[k] = []string{v}
	}
	return known, nil
}

// editedConfig returns the keys that were edited since, with their values ("" = removed).
func (a *attempt) editedConfig(known baseline) (map[string]string, error) {
	now, err := configMap(a.syncer.db())
	if err != nil {
		return nil, err
	}
	edited := map[string]string{}
	note := func(k string) {
		v := now[k]
		during := v != a.base.config[k]
		values, ok := known[k]
		before := !slices.Contains(values, v) && (ok || v != "")
		if during || before {
			edited[k] = v
		}
	}
	for k := range now {
		note(k)
	}
	for k := range known {
		note(k)
	}
	for k := range a.base.config {
		note(k)
	}
	return edited, nil
}

// rememberConfig stores what is known together with the values that the server has sent, before the merge is committed, or that it has got, before
// it is told to commit.
func (a *attempt) rememberConfig(known baseline, config []wire.ConfigEntry) error {
	add := func(k, v string) {
		if !slices.Contains(known[k], v) {
			known[k] = append(known[k], v)
		}
	}
	got := map[string]bool{}
	for _, e := range config {
		got[e.Key] = true
		add(e.Key, string(e.Value))
	}
	for k := range known {
		if !got[k] {
			add(k, "")
		}
	}
	return a.syncer.Store.Remember(profile.Baseline, known.appendJSON(nil))
}

// putBack restores the edited keys after the server's config was applied.
func (a *attempt) putBack(edited map[string]string, mtime int64) error {
	db := a.syncer.db()
	for k, v := range edited {
		var err error
		if v == "" {
			err = collection.RemoveConfig(db, k)
		} else {
			err = collection.PutConfig(db, k, []byte(v), -1, mtime)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
