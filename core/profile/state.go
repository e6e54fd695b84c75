package profile

import (
	"context"
	"encoding/json"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

// Key names an entry of the state database.
type Key string

// The entries.
const (
	// Baseline has the config values that a merge knew, until that sync is finished (colsync).
	Baseline Key = "baseline"
	// Offered has what an upload offered, until the server's answer is known (colsync).
	Offered Key = "offered"

	clean Key = "clean" // cleanState
)

// state is the core's own small memory about the collection. It may be lost: then files are checked once more, and
// edits of config keys that raced a killed sync follow the plain merge rule.
type state struct {
	db host.DB
}

// openState opens the state database; a damaged one is made anew.
func openState(ctx context.Context, h *host.Host) (*state, error) {
	st, err := tryState(ctx, h)
	if k := fault.KindOf(err); k == fault.DamagedFile || k == fault.Other && err != nil {
		if err := h.Files.Remove(host.State); err != nil {
			return nil, err
		}
		st, err = tryState(ctx, h)
	}
	return st, err
}

func tryState(ctx context.Context, h *host.Host) (*state, error) {
	db, err := h.SQL.Open(ctx, host.State, host.Create)
	if err != nil {
		return nil, err
	}
	err = db.Exec("CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
	if err == nil {
		_, err = rows.One(db, "SELECT value FROM state LIMIT 1")
	}
	if err != nil {
		db.Close()
		return nil, stepError("open "+host.State, err)
	}
	return &state{db}, nil
}

func (s *state) close() { s.db.Close() }

// get decodes the value of key into v and reports whether there was one.
func (s *state) get(key Key, v any) (bool, error) {
	row, err := rows.One(s.db, "SELECT value FROM state WHERE key = ?", string(key))
	if err != nil || row == nil {
		return false, err
	}
	return json.Unmarshal(row[0].Bytes, v) == nil, nil
}

// put stores v under key, durably; nil removes the key.
func (s *state) put(key Key, v any) error {
	if v == nil {
		_, err := rows.Exec(s.db, "DELETE FROM state WHERE key = ?", string(key))
		return err
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = rows.Exec(s.db, "INSERT OR REPLACE INTO state VALUES (?, ?)", string(key), string(b))
	return err
}

// Recall decodes the entry key into v and reports whether there was one.
func (p *Profile) Recall(key Key, v any) (bool, error) { return p.state.get(key, v) }

// Remember stores v as the entry key, durably; nil removes the entry.
func (p *Profile) Remember(key Key, v any) error { return p.state.put(key, v) }

// ForgetSync drops what is known about unfinished syncs, as when the collection is replaced.
func (p *Profile) ForgetSync() error {
	err := p.state.put(Baseline, nil)
	if oerr := p.DropOffered(); err == nil {
		err = oerr
	}
	return err
}

// DropOffered forgets an upload whose answer was not known.
func (p *Profile) DropOffered() error {
	if err := p.state.put(Offered, nil); err != nil {
		return err
	}
	return p.host.Files.Remove(OfferedCopy)
}

// cleanState is the file as our last clean close left it.
type cleanState struct {
	Size     int64 `json:"size"`
	Modified int64 `json:"modified"` // Unix nanoseconds; 0 where the host does not know
}

func (s *state) setClean(c *cleanState) {
	// Losing this only costs a check at the next open.
	if c == nil {
		_ = s.put(clean, nil)
	} else {
		_ = s.put(clean, c)
	}
}

func fingerprint(info host.FileInfo) cleanState {
	c := cleanState{Size: info.Size}
	if !info.Modified.IsZero() {
		c.Modified = info.Modified.UnixNano()
	}
	return c
}

// cleanlyClosed reports whether the collection is as our last clean close left it. On a host that knows no times no
// other program can reach the file, and SQLite's own recovery is enough after a kill.
func (p *Profile) cleanlyClosed() bool {
	info, err := p.host.Files.Stat(host.Collection)
	if err != nil {
		return false
	}
	var c cleanState
	known, err := p.state.get(clean, &c)
	if info.Modified.IsZero() {
		return true
	}
	return err == nil && known && c == fingerprint(info)
}

func (p *Profile) rememberClean() {
	if info, err := p.host.Files.Stat(host.Collection); err == nil {
		c := fingerprint(info)
		p.state.setClean(&c)
	}
}
