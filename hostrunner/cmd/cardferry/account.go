package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/filehost"
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
	info, err := os.Stat(accountFile(profile))
	if err == nil && !info.Mode().IsRegular() { // reading a pipe would wait for its other end
		return nil, fault.New(fault.UnsupportedFile, "%s is not a file", filepath.Base(accountFile(profile))).
			WithHint("Move it away, then log in again.")
	}
	b, err := os.ReadFile(accountFile(profile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, filehost.Convert(err, "read the account")
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
	err = os.Remove(tmp) // it might be readable by others
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = writeSynced(tmp, append(b, '\n'))
	}
	if err == nil {
		err = os.Rename(tmp, accountFile(profile))
	}
	return filehost.Convert(err, "store the account")
}

// writeSynced writes a new file for its owner only, and waits until it is on the disk.
func writeSynced(name string, b []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// removeAccount forgets the login; a profile without one is no error.
func removeAccount(profile string) error {
	err := os.Remove(accountFile(profile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return filehost.Convert(err, "forget the account")
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

// settle keeps what a call has taught about the account: the address that a redirect has led to, also if the call
// has failed later, or that the key is no longer good, or that no sync server answers where a redirect has led to. It returns the
// call's error, or its own if there was none.
func settle(profile string, acc *account, newEndpoint string, err error) error {
	if acc == nil {
		return err
	}
	if f, ok := errors.AsType[*fault.Error](err); ok && newEndpoint == "" {
		newEndpoint, _ = f.Details["new_endpoint"].(string)
	}
	current := acc.CurrentEndpoint
	kind := fault.KindOf(err)
	switch {
	case kind == fault.Auth, kind == fault.DamagedDownload, exitCode(kind) == exitCode(fault.Network):
		current = "" // it is asked for again at the address that the user gave
	case newEndpoint != "":
		current = newEndpoint
	}
	if current == acc.CurrentEndpoint {
		return err
	}
	acc.CurrentEndpoint = current
	if werr := writeAccount(profile, acc); err == nil {
		err = werr
	}
	return err
}
