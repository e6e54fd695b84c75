package diskstore

import (
	"context"
	"time"

	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// AddDevice adds a device (see store.Accounts).
func (s *Accounts) AddDevice(_ context.Context, id store.AccountID, d store.Device, limit int) error {
	return s.write(func(c *connection) error {
		if err := c.addDevice(id, d); err != nil {
			return err
		}
		_, err := c.run("DELETE FROM devices WHERE number IN (SELECT number FROM devices WHERE account = ?1 AND id <> ?2 "+
			"ORDER BY seen > ?4, seen DESC, number DESC LIMIT -1 OFFSET ?3)", string(id), string(d.ID), max(limit-1, 0), toMillis(d.Seen))
		return err
	})
}

// addDevice adds a device. The account must be there, and as long as the transaction lasts it stays.
func (c *connection) addDevice(id store.AccountID, d store.Device) error {
	n, err := c.run("INSERT INTO devices (id, account, name, key, created, seen) SELECT ?1, id, ?3, ?4, ?5, ?6 FROM accounts WHERE id = ?2",
		string(d.ID), string(id), d.Name, d.Key[:], toMillis(d.Created), toMillis(d.Seen))
	return changed(n, err, errNoAccount())
}

// ByKey returns a device and its account (see store.Accounts).
func (s *Accounts) ByKey(_ context.Context, key store.KeyHash) (a store.Account, d store.Device, err error) {
	o, found, at, again := s.keys.find(key)
	if found {
		return o.account, o.device, nil
	}
	err = s.reading.each(func(row rows.Row) { a, d, found = accountOf(row), deviceOf(row[6:]), true },
		"SELECT "+accountColumns+", "+deviceColumns+" FROM devices d JOIN accounts a ON a.id = d.account WHERE d.key = ?", key[:])
	if err == nil && !found {
		err = errNoDevice()
	}
	if err == nil && again {
		s.keys.remember(at, key, owner{a, d})
	}
	return a, d, err
}

// Devices returns the devices of an account (see store.Accounts).
func (s *Accounts) Devices(_ context.Context, id store.AccountID) (list []store.Device, err error) {
	err = s.reading.each(func(row rows.Row) { list = append(list, deviceOf(row)) },
		"SELECT "+deviceColumns+" FROM devices d WHERE account = ? ORDER BY number", string(id))
	return list, err
}

// Touch records that a device was seen (see store.Accounts).
func (s *Accounts) Touch(_ context.Context, id store.AccountID, device store.DeviceID, name string, seen time.Time) error {
	// The first request of most syncs comes here, and would wait for the disk.
	return s.writeAs("NORMAL", func(c *connection) error {
		n, err := c.run("UPDATE devices SET name = ?, seen = ? WHERE id = ? AND account = ?", name, toMillis(seen), string(device), string(id))
		return changed(n, err, errNoDevice())
	})
}

// RemoveDevice revokes a device (see store.Accounts).
func (s *Accounts) RemoveDevice(_ context.Context, id store.AccountID, device store.DeviceID) error {
	return s.write(func(c *connection) error {
		n, err := c.run("DELETE FROM devices WHERE id = ? AND account = ?", string(device), string(id))
		return changed(n, err, errNoDevice())
	})
}

// Renew replaces an account and its devices (see store.Accounts).
func (s *Accounts) Renew(_ context.Context, a store.Account, except store.DeviceID, add ...store.Device) error {
	return s.write(func(c *connection) error {
		if err := c.update(a); err != nil {
			return err
		}
		_, err := c.run("DELETE FROM devices WHERE account = ? AND id <> ?", string(a.ID), string(except))
		for i := 0; i < len(add) && err == nil; i++ {
			err = c.addDevice(a.ID, add[i])
		}
		return err
	})
}
