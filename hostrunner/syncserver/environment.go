package syncserver

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// FixedUser is an account of the reference server's settings (§18).
type FixedUser struct {
	Name string
	// Value is the whole value of the variable: the reference's key is its hash.
	Value string
	// Password is what follows the first colon: a password or, with Hashed, its hash.
	Password string
	Hashed   bool
}

// key returns the key that the reference server gives every device of the account.
func (f *FixedUser) key() string {
	sum := sha1.Sum([]byte(f.Value))
	return hex.EncodeToString(sum[:])
}

// FixedUsers reads SYNC_USER1, SYNC_USER2, … up to the first gap, and PASSWORDS_HASHED, which counts with any value. Errors
// are fault.InvalidInput; they name the variable, never its value.
func FixedUsers(lookup func(name string) (string, bool)) (list []FixedUser, err error) {
	_, hashed := lookup("PASSWORDS_HASHED")
	seen := map[string]bool{}
	for i := 1; ; i++ {
		variable := "SYNC_USER" + strconv.Itoa(i)
		value, ok := lookup(variable)
		if !ok {
			return list, nil
		}
		name, password, ok := strings.Cut(value, ":")
		if !ok {
			return nil, fault.New(fault.InvalidInput, "%s is not of the form user:password", variable)
		}
		if name, err = CheckName(name); err != nil {
			return nil, fault.Step(variable, err)
		}
		if password == "" { // as from name:${UNSET}: anybody could log in
			return nil, fault.New(fault.InvalidInput, "%s has no password after the colon", variable)
		}
		if len(password) > maxPassword { // nobody could log in
			return nil, fault.New(fault.InvalidInput, "%s has a password that is too long (at most %d bytes)", variable, maxPassword)
		}
		if hashed {
			if _, err := parseVerifier(password); err != nil {
				return nil, fault.Step(variable+" (with PASSWORDS_HASHED)", err)
			}
		}
		if seen[store.FoldName(name)] {
			return nil, fault.New(fault.InvalidInput, "%s names a user for the second time", variable)
		}
		seen[store.FoldName(name)] = true
		list = append(list, FixedUser{Name: name, Value: value, Password: password, Hashed: hashed})
	}
}

// fixedDevice is the device that stands for all devices with the reference's key.
const fixedDevice = "reference"

// SetFixed makes the accounts those of the settings: users that are new get an account, a changed password revokes
// what logged in with the old one, and users that are not in the settings any more are disabled, with their data kept. An account
// of the same name that was made by sign-up becomes the fixed user's.
func (u *Users) SetFixed(ctx context.Context, fixed []FixedUser) error {
	all, err := u.accounts.List(ctx)
	if err != nil {
		return err
	}
	known := map[string]store.Account{}
	for _, a := range all {
		known[store.FoldName(a.Name)] = a
	}
	for i := range fixed {
		f := &fixed[i]
		a, ok := known[store.FoldName(f.Name)]
		delete(known, store.FoldName(f.Name))
		if err := u.setFixed(ctx, f, a, ok); err != nil {
			return fault.Step("set up the users of the environment", err)
		}
	}
	for _, a := range known {
		if a.Fixed && !a.Disabled {
			a.Disabled = true
			if err := u.accounts.Update(ctx, a); err != nil {
				return err
			}
		}
	}
	return nil
}

func (u *Users) setFixed(ctx context.Context, f *FixedUser, a store.Account, exists bool) error {
	if f.Hashed {
		if h, _ := parseVerifier(f.Password); h != nil {
			if pb, ok := h.(*pbkdf2Hash); ok {
				dummy := *pb
				u.passwords.dummyPBKDF2 = &dummy
			}
		}
	}
	same := exists && a.Fixed && f.Hashed && a.Verifier == f.Password
	if exists && a.Fixed && !f.Hashed {
		// A verifier of another kind was left by settings with hashes.
		same, _ = u.passwords.Check(ctx, f.Password, a.Verifier)
	}
	if same && !a.Disabled {
		return nil
	}
	verifier := f.Password
	var err error
	if same {
		verifier = a.Verifier
	} else if !f.Hashed {
		if verifier, err = u.passwords.Hash(ctx, f.Password); err != nil {
			return err
		}
	}
	if !exists {
		a = store.Account{ID: newAccountID(), Name: f.Name, Created: u.now()}
	}
	a.Fixed, a.Disabled, a.Verifier = true, false, verifier
	if !exists {
		// Without its device the account is not complete: if this ends here, the next start goes on.
		unfinished := a
		unfinished.Disabled = true
		if err := u.accounts.Create(ctx, unfinished); err != nil {
			return err
		}
	}
	return u.accounts.Renew(ctx, a, "", store.Device{
		ID: store.DeviceID(fixedDevice + newID()), Name: "every device of before", Key: store.HashKey(f.key()), Created: u.now(), Seen: u.now(),
	})
}
