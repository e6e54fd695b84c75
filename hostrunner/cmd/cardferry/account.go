package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/fault"
)

// account is the profile's login. Its file is readable by its owner only.
type account struct {
	User     string `json:"user"`
	Endpoint string `json:"endpoint"`
	// CurrentEndpoint is where a redirect of the server has sent us; it goes before Endpoint (sync spec §2.3).
	CurrentEndpoint string `json:"current_endpoint,omitempty"`
	Key             string `json:"key"`
}

func accountFile(profile string) string { return filepath.Join(profile, "cardferry.account.json") }

// readAccount returns the profile's account, nil if nobody is logged in.
func readAccount(profile string) (*account, error) {
	b, err := os.ReadFile(accountFile(profile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Wrap(fault.NotWritable, err, "read the account")
	}
	var a account
	if err := json.Unmarshal(b, &a); err != nil || a.Key == "" || a.Endpoint == "" {
		return nil, fault.New(fault.Auth, "the account file cannot be read").WithHint("Log in again.")
	}
	return &a, nil
}

// writeAccount replaces the account file in one step, so that a crash leaves the old or the new one.
func writeAccount(profile string, a *account) error {
	b, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return err
	}
	tmp := accountFile(profile) + ".tmp"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fault.Wrap(fault.NotWritable, err, "store the account")
	}
	err = os.WriteFile(tmp, append(b, '\n'), 0o600)
	if err == nil {
		err = os.Rename(tmp, accountFile(profile))
	}
	return fault.Wrap(fault.NotWritable, err, "store the account")
}

// removeAccount forgets the login; a profile without one is no error.
func removeAccount(profile string) error {
	err := os.Remove(accountFile(profile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fault.Wrap(fault.NotWritable, err, "forget the account")
}

// target is where and with which key to sync; nil without a login.
func (a *account) target() *colsync.Account {
	if a == nil {
		return nil
	}
	endpoint := a.Endpoint
	if a.CurrentEndpoint != "" {
		endpoint = a.CurrentEndpoint
	}
	return &colsync.Account{Endpoint: endpoint, Key: a.Key}
}
