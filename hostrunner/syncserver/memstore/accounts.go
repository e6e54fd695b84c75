// Package memstore keeps what a sync server keeps in the memory of the process: for tests, and for trying things out.
package memstore

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

var _ store.Accounts = (*Accounts)(nil)

// Accounts keeps accounts in memory.
type Accounts struct {
	mu     sync.Mutex
	byID   map[store.AccountID]*account
	byName map[string]*account // by folded name
	byKey  map[store.KeyHash]*account
	gone   map[store.AccountID]bool
}

type account struct {
	store.Account
	devices []store.Device
}

// NewAccounts returns an empty store.
func NewAccounts() *Accounts {
	return &Accounts{byID: map[store.AccountID]*account{}, byName: map[string]*account{}, byKey: map[store.KeyHash]*account{}, gone: map[store.AccountID]bool{}}
}

// Clone returns a copy, which goes its own way.
func (s *Accounts) Clone() *Accounts {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := NewAccounts()
	c.gone = maps.Clone(s.gone)
	for id, a := range s.byID {
		own := &account{Account: a.Account, devices: slices.Clone(a.devices)}
		c.byID[id], c.byName[store.FoldName(a.Name)] = own, own
		for _, d := range a.devices {
			c.byKey[d.Key] = own
		}
	}
	return c
}

func errNoAccount() error { return fault.New(fault.NotFound, "there is no such account") }
func errNoDevice() error  { return fault.New(fault.NotFound, "there is no such device") }

// Create adds an account (see store.Accounts).
func (s *Accounts) Create(_ context.Context, a store.Account) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := store.FoldName(a.Name)
	if s.byName[name] != nil || s.byID[a.ID] != nil {
		return store.ErrTaken
	}
	a.Created = milliseconds(a.Created)
	own := &account{Account: a}
	s.byID[a.ID], s.byName[name] = own, own
	return nil
}

// ByName returns an account (see store.Accounts).
func (s *Accounts) ByName(_ context.Context, name string) (store.Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.byName[store.FoldName(name)]; a != nil {
		return a.Account, nil
	}
	return store.Account{}, errNoAccount()
}

// ByID returns an account (see store.Accounts).
func (s *Accounts) ByID(_ context.Context, id store.AccountID) (store.Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.byID[id]; a != nil {
		return a.Account, nil
	}
	return store.Account{}, errNoAccount()
}

// List returns all accounts (see store.Accounts).
func (s *Accounts) List(context.Context) ([]store.Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]store.Account, 0, len(s.byID))
	for _, a := range s.byID {
		list = append(list, a.Account)
	}
	slices.SortFunc(list, func(a, b store.Account) int { return strings.Compare(store.FoldName(a.Name), store.FoldName(b.Name)) })
	return list, nil
}

// Update replaces an account (see store.Accounts).
func (s *Accounts) Update(_ context.Context, a store.Account) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.byID[a.ID]
	if own == nil {
		return errNoAccount()
	}
	own.replace(a)
	return nil
}

// replace replaces everything but ID and name.
func (a *account) replace(by store.Account) {
	by.Name, by.Created = a.Name, milliseconds(by.Created)
	a.Account = by
}

// Remove removes an account (see store.Accounts).
func (s *Accounts) Remove(_ context.Context, id store.AccountID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.byID[id]
	if a == nil {
		return errNoAccount()
	}
	delete(s.byID, id)
	delete(s.byName, store.FoldName(a.Name))
	for _, d := range a.devices {
		delete(s.byKey, d.Key)
	}
	s.gone[id] = true
	return nil
}

// Removed reports whether an account was removed (see store.Accounts).
func (s *Accounts) Removed(_ context.Context, id store.AccountID) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gone[id], nil
}

// AddDevice adds a device (see store.Accounts).
func (s *Accounts) AddDevice(_ context.Context, id store.AccountID, d store.Device, limit int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.byID[id]
	if a == nil {
		return errNoAccount()
	}
	for len(a.devices) > 0 && len(a.devices) >= limit {
		oldest := slices.MinFunc(a.devices, func(x, y store.Device) int {
			if x.Seen.After(d.Seen) != y.Seen.After(d.Seen) {
				return y.Seen.Compare(x.Seen)
			}
			return x.Seen.Compare(y.Seen)
		})
		s.drop(a, func(x store.Device) bool { return x.ID == oldest.ID })
	}
	s.add(a, d)
	return nil
}

func (s *Accounts) add(a *account, d store.Device) {
	d.Created, d.Seen = milliseconds(d.Created), milliseconds(d.Seen)
	a.devices = append(a.devices, d)
	s.byKey[d.Key] = a
}

// drop removes the account's devices for which gone holds, and returns how many these were.
func (s *Accounts) drop(a *account, gone func(store.Device) bool) int {
	before := len(a.devices)
	a.devices = slices.DeleteFunc(a.devices, func(d store.Device) bool {
		if gone(d) {
			delete(s.byKey, d.Key)
			return true
		}
		return false
	})
	return before - len(a.devices)
}

// ByKey returns a device and its account (see store.Accounts).
func (s *Accounts) ByKey(_ context.Context, key store.KeyHash) (store.Account, store.Device, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.byKey[key]; a != nil {
		i := slices.IndexFunc(a.devices, func(d store.Device) bool { return d.Key == key })
		return a.Account, a.devices[i], nil
	}
	return store.Account{}, store.Device{}, errNoDevice()
}

// Devices returns the devices of an account (see store.Accounts).
func (s *Accounts) Devices(_ context.Context, id store.AccountID) ([]store.Device, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.byID[id]; a != nil {
		return slices.Clone(a.devices), nil
	}
	return nil, nil
}

// Touch records that a device was seen (see store.Accounts).
func (s *Accounts) Touch(_ context.Context, id store.AccountID, device store.DeviceID, name string, seen time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.byID[id]; a != nil {
		for i := range a.devices {
			if d := &a.devices[i]; d.ID == device {
				d.Name, d.Seen = name, milliseconds(seen)
				return nil
			}
		}
	}
	return errNoDevice()
}

// RemoveDevice revokes a device (see store.Accounts).
func (s *Accounts) RemoveDevice(_ context.Context, id store.AccountID, device store.DeviceID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.byID[id]; a != nil && s.drop(a, func(d store.Device) bool { return d.ID == device }) > 0 {
		return nil
	}
	return errNoDevice()
}

// Renew replaces an account and its devices (see store.Accounts).
func (s *Accounts) Renew(_ context.Context, a store.Account, except store.DeviceID, add ...store.Device) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.byID[a.ID]
	if own == nil {
		return errNoAccount()
	}
	own.replace(a)
	s.drop(own, func(d store.Device) bool { return d.ID != except })
	for _, d := range add {
		s.add(own, d)
	}
	return nil
}

// Close does nothing: what is in memory needs no end.
func (s *Accounts) Close() error { return nil }

// milliseconds cuts a time down to what stores keep.
func milliseconds(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return time.UnixMilli(t.UnixMilli())
}
