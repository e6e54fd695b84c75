package collection

import (
	"fmt"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/jsontext"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
)

const putConfig = "INSERT INTO config (key, usn, mtime_secs, val) VALUES (?, ?, ?, ?) " +
	"ON CONFLICT(key) DO UPDATE SET usn = excluded.usn, mtime_secs = excluded.mtime_secs, val = excluded.val"

// ReadConfig returns all config entries in the order of their keys, with their values as they are stored. It never
// returns nil without an error, so that an empty config is sent as one. A value that is not JSON cannot be sent:
// fault.DamagedFile.
func ReadConfig(db host.DB) ([]wire.ConfigEntry, error) {
	list := []wire.ConfigEntry{}
	for row, err := range rows.Query(db, "SELECT key, val FROM config ORDER BY key") {
		if err != nil {
			return nil, fmt.Errorf("read config: %w", err)
		}
		e := wire.ConfigEntry{Key: row[0].String(), Value: row[1].Clone()}
		if !jsontext.Valid(e.Value) {
			return nil, fault.New(fault.DamagedFile, "the config entry %q is not JSON", e.Key)
		}
		list = append(list, e)
	}
	return list, nil
}

// PutConfig stores the JSON value of a config key. usn is -1 for an edit of this device.
func PutConfig(db host.DB, key string, value []byte, usn int64, mtime int64) error {
	if !jsontext.Valid(value) {
		return fault.New(fault.InvalidInput, "the value of the config entry %q is not JSON", key)
	}
	_, err := rows.Exec(db, putConfig, key, usn, mtime, value)
	return err
}

// RemoveConfig removes a config key; a missing one is no error.
func RemoveConfig(db host.DB, key string) error {
	_, err := rows.Exec(db, "DELETE FROM config WHERE key = ?", key)
	return err
}

// applyConfig replaces the whole config (§8.5).
func (a *Applier) applyConfig(list []wire.ConfigEntry) error {
	st, err := a.statement("DELETE FROM config")
	if err != nil {
		return err
	}
	if _, err := st.Run(nil); err != nil {
		return err
	}
	a.packed = a.packed[:0]
	for _, e := range list {
		a.packed = rows.Pack(a.packed, e.Key, a.usn, a.now.Unix(), e.Value)
	}
	return a.run(putConfig)
}
