package profile

import (
	"context"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/jsontext"
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
	// AutoSettings has the settings of core/autosync.
	AutoSettings Key = "settings"

	mediaSeen Key = "media" // see Profile.MediaSeen
	clean     Key = "clean" // cleanState
)

// state is the core's own small memory about the collection. It may be lost: then files are checked once more, and
// edits of config keys that raced a killed sync follow the plain merge rule, and the settings are the usual ones.
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
	// NORMAL: a power cut may take the last entry, which the state may lose (see there), and each sync writes several.
	err = db.Exec("PRAGMA synchronous = NORMAL; CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
	if err == nil {
		_, err = rows.One(db, "SELECT value FROM state LIMIT 1")
	}
	if err != nil {
		db.Close()
		return nil, fault.Step("open "+host.State, err)
	}
	return &state{db}, nil
}

func (s *state) close() { s.db.Close() }

// get returns the members of the JSON object under key; found is false if there is none, or nothing that is one.
func (s *state) get(key Key) (members []jsontext.Member, found bool, err error) {
	row, err := rows.One(s.db, "SELECT value FROM state WHERE key = ?", string(key))
	if err != nil || row == nil {
		return nil, false, err
	}
	members, err = jsontext.ParseObject(row[0].Bytes)
	return members, err == nil, nil
}

// put stores a JSON object under key, durably; nil removes the key.
func (s *state) put(key Key, object []byte) (err error) {
	if object == nil {
		_, err = rows.Exec(s.db, "DELETE FROM state WHERE key = ?", string(key))
	} else {
		_, err = rows.Exec(s.db, "INSERT OR REPLACE INTO state VALUES (?, ?)", string(key), string(object))
	}
	return err
}

// Recall returns the members of the entry key; found is false if there is none, or if it is damaged.
func (p *Profile) Recall(key Key) (members []jsontext.Member, found bool, err error) {
	return p.state.get(key)
}

// Remember stores a JSON object as the entry key, durably; nil removes the entry.
func (p *Profile) Remember(key Key, object []byte) error { return p.state.put(key, object) }

// MediaSeen returns the number of the server's last media change at the last sync: files of later changes may belong to notes that are not
// here yet (mediasync). known is false before the first sync.
func (p *Profile) MediaSeen() (usn int64, known bool, err error) {
	members, _, err := p.state.get(mediaSeen)
	usn, known = jsontext.Int(jsontext.Get(members, "usn"))
	return usn, known, err
}

// SeeMedia stores what MediaSeen returns, durably.
func (p *Profile) SeeMedia(usn int64) error {
	return p.state.put(mediaSeen, append(jsontext.PutInt([]byte("{"), "usn", usn), '}'))
}

// ForgetSync drops what is known about unfinished syncs, as when the collection is replaced.
func (p *Profile) ForgetSync() error {
	var err error
	for _, key := range []Key{Baseline, mediaSeen, calls} {
		if err == nil {
			err = p.state.put(key, nil)
		}
	}
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
	size     int64
	modified int64 // Unix nanoseconds
}

// setClean stores c, or that the file is in use. Losing this only costs a check at the next open.
func (s *state) setClean(c *cleanState) {
	var object []byte
	if c != nil {
		object = append(jsontext.PutInt(jsontext.PutInt([]byte("{"), "size", c.size), "modified", c.modified), '}')
	}
	_ = s.put(clean, object)
}

func fingerprint(info host.FileInfo) cleanState {
	return cleanState{info.Size, info.Modified.UnixNano()}
}

// cleanlyClosed reports whether the collection is as our last clean close left it. On a host that knows no times no
// other program can reach the file, and SQLite's own recovery is enough after a kill.
func (p *Profile) cleanlyClosed() bool {
	info, err := p.host.Files.Stat(host.Collection)
	if err != nil {
		return false
	}
	if info.Modified.IsZero() {
		return true
	}
	members, known, err := p.state.get(clean)
	size, ok1 := jsontext.Int(jsontext.Get(members, "size"))
	modified, ok2 := jsontext.Int(jsontext.Get(members, "modified"))
	return err == nil && known && ok1 && ok2 && cleanState{size, modified} == fingerprint(info)
}

func (p *Profile) rememberClean() {
	// Where no times are known nobody asks for this, and it would cost a write at each closing and opening.
	if info, err := p.host.Files.Stat(host.Collection); err == nil && !info.Modified.IsZero() {
		c := fingerprint(info)
		p.state.setClean(&c)
	}
}
