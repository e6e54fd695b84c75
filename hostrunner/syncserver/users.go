package syncserver

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// Users makes and changes accounts by the rules for names and passwords. Server has one; the program's commands use one on
// the same accounts while a server runs.
type Users struct {
	accounts  store.Accounts
	passwords *Passwords
	now       func() time.Time
	changing  sync.Mutex // of passwords
}

// NewUsers returns the users of a store. Of p only the settings are used; nil is the default.
func NewUsers(accounts store.Accounts, p *Passwords, now func() time.Time) *Users {
	own := &Passwords{}
	if p != nil {
		own.Memory, own.Passes, own.Random = p.Memory, p.Passes, p.Random
	}
	own.init()
	if now == nil {
		now = time.Now
	}
	return &Users{accounts: accounts, passwords: own, now: now}
}

const (
	maxName     = 100 // bytes
	minPassword = 8   // characters
	maxPassword = 1000
)

// CheckName returns a user name as it is kept: trimmed, in normalization form C. Errors are fault.InvalidInput with a reason
// for people.
func CheckName(name string) (string, error) {
	name = norm.NFC.String(strings.TrimSpace(name))
	switch {
	case name == "":
		return "", fault.New(fault.InvalidInput, "the user name is empty")
	case len(name) > maxName:
		return "", fault.New(fault.InvalidInput, "the user name is too long (at most %d bytes)", maxName)
	case strings.ContainsFunc(name, unseen) || strings.Trim(name, selectors) == "":
		return "", fault.New(fault.InvalidInput, "the user name has characters that cannot be seen")
	}
	return name, nil
}

// selectors choose the look of the character before them, as that of an emoji.
const selectors = "\ufe0e\ufe0f"

// unseen reports whether a character cannot be seen, or would not be in a name: Unicode has fillers among letters and symbols, too.
func unseen(r rune) bool {
	const brailleBlank = '\u2800'
	return !unicode.IsPrint(r) || r == utf8.RuneError || r == brailleBlank || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}

// CheckPassword applies the rules for new passwords: length, and not what is tried first. Errors are fault.InvalidInput with a
// reason for people.
func CheckPassword(name, password string) error {
	n := utf8.RuneCountInString(password)
	folded := store.FoldName(password)
	switch {
	case strings.ContainsRune(password, utf8.RuneError):
		return fault.New(fault.InvalidInput, "the password is not text")
	case n < minPassword:
		return fault.New(fault.InvalidInput, "the password is too short (at least %d characters)", minPassword)
	case len(password) > maxPassword:
		return fault.New(fault.InvalidInput, "the password is too long (at most %d bytes)", maxPassword)
	case folded == store.FoldName(name):
		return fault.New(fault.InvalidInput, "the password is the user name")
	case common[folded] || strings.Trim(password, string([]rune(password)[:1])) == "":
		return fault.New(fault.InvalidInput, "the password is one that is guessed first")
	}
	return nil
}

// common are the passwords of at least minPassword characters that head every list of leaked ones.
var common = map[string]bool{
	"12345678": true, "123456789": true, "1234567890": true, "0123456789": true, "0987654321": true, "87654321": true,
	"password": true, "password1": true, "password123": true, "passw0rd": true, "qwertyui": true, "qwertyuiop": true, "qwerty123": true,
	"1q2w3e4r": true, "1q2w3e4r5t": true, "1qaz2wsx": true, "abcd1234": true, "abc12345": true, "iloveyou": true, "sunshine": true,
	"princess": true, "football": true, "baseball": true, "superman": true, "trustno1": true, "letmein1": true, "welcome1": true,
	"asdfghjk": true, "asdfghjkl": true, "zxcvbnm1": true, "changeme": true, "changeme123": true, "administrator": true, "michelle": true,
}

// Add makes an account. Errors: fault.InvalidInput with a reason for people, store.ErrTaken.
func (u *Users) Add(ctx context.Context, name, password string) (store.Account, error) {
	name, err := CheckName(name)
	if err != nil {
		return store.Account{}, err
	}
	if err := CheckPassword(name, password); err != nil {
		return store.Account{}, err
	}
	// Hashing costs more than looking. Create decides between two who ask at once.
	if _, err := u.accounts.ByName(ctx, name); err == nil {
		return store.Account{}, store.ErrTaken
	}
	verifier, err := u.passwords.Hash(ctx, password)
	if err != nil {
		return store.Account{}, err
	}
	a := store.Account{ID: newAccountID(), Name: name, Verifier: verifier, Created: u.now()}
	return a, u.accounts.Create(ctx, a)
}

// SetPassword changes the password of an account, and revokes all devices but one: who knew the old password must not stay.
// Errors: fault.NotFound, fault.InvalidInput.
func (u *Users) SetPassword(ctx context.Context, name, password string, except store.DeviceID) error {
	a, err := u.accounts.ByName(ctx, name)
	if err != nil {
		return err
	}
	verifier, err := u.newVerifier(ctx, a, password)
	if err != nil {
		return err
	}
	u.changing.Lock()
	defer u.changing.Unlock()
	return u.setVerifier(ctx, a, verifier, except)
}

// changePassword is SetPassword for somebody who has shown to know the password of a. If it is another one by now, that stays (fault.Auth): hashing
// takes its time, in which the owner may have shut out who asks.
func (u *Users) changePassword(ctx context.Context, a store.Account, password string, except store.DeviceID) error {
	verifier, err := u.newVerifier(ctx, a, password)
	if err != nil {
		return err
	}
	u.changing.Lock()
	defer u.changing.Unlock()
	if err := u.unchanged(ctx, a); err != nil {
		return err
	}
	return u.setVerifier(ctx, a, verifier, except)
}

// newVerifier returns the verifier of a new password.
func (u *Users) newVerifier(ctx context.Context, a store.Account, password string) (string, error) {
	if a.Fixed && !a.Disabled {
		return "", fault.New(fault.InvalidInput, "the password of this account is set in the server's environment (SYNC_USER…)")
	}
	if err := CheckPassword(a.Name, password); err != nil {
		return "", err
	}
	return u.passwords.Hash(ctx, password)
}

// setVerifier makes an account that the environment does not name any more one like any other: nothing else would let its owner in again.
func (u *Users) setVerifier(ctx context.Context, a store.Account, verifier string, except store.DeviceID) error {
	a.Verifier, a.Fixed, a.Disabled = verifier, false, false
	return u.accounts.Renew(ctx, a, except)
}

// unchanged returns fault.Auth if what was shown to be the password of a is not that of the account any more.
func (u *Users) unchanged(ctx context.Context, a store.Account) error {
	now, err := u.accounts.ByID(ctx, a.ID)
	if fault.KindOf(err) == fault.NotFound || err == nil && (now.Disabled || now.Verifier != a.Verifier) {
		return fault.New(fault.Auth, "the account has another password by now")
	}
	return err
}

// check returns the account if the password is right; fault.Auth if there is none, if it is wrong or if the account is disabled, after
// the same time.
func (u *Users) check(ctx context.Context, name, password string) (store.Account, error) {
	a, err := u.accounts.ByName(ctx, name)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return store.Account{}, err
	}
	verifier := a.Verifier
	if err != nil || a.Disabled || len(password) > maxPassword {
		verifier = ""
	}
	ok, err := u.passwords.Check(ctx, password, verifier)
	if err != nil {
		return store.Account{}, err
	}
	if !ok {
		return store.Account{}, fault.New(fault.Auth, "wrong user or password")
	}
	return a, nil
}

// addDevice gives an account a new device and returns its key. If the password is another one than that of a by now, it is fault.Auth: a change
// revokes the devices that there are, and a login that began before it must not come after it. If the account is gone, it is that as well.
func (u *Users) addDevice(ctx context.Context, a store.Account, client string, limit int) (key string, err error) {
	b := make([]byte, 20)
	_, _ = rand.Read(b) // never fails
	key = hex.EncodeToString(b)
	now := u.now()
	d := store.Device{ID: store.DeviceID(newID()), Name: deviceName(client), Key: store.HashKey(key), Created: now, Seen: now}
	if err := u.accounts.AddDevice(ctx, a.ID, d, limit); fault.KindOf(err) == fault.NotFound {
		return "", fault.New(fault.Auth, "the account was removed meanwhile")
	} else if err != nil {
		return "", err
	}
	// Looked at when the device is there: a change that comes after this finds and revokes it.
	if err := u.unchanged(ctx, a); err != nil {
		_ = u.accounts.RemoveDevice(ctx, a.ID, d.ID) // nobody is told its key anyway
		return "", err
	}
	return key, nil
}

func newAccountID() store.AccountID { return store.AccountID(newID()) }

// newID returns a random name of lower-case letters and digits.
func newID() string { return strings.ToLower(rand.Text()) }
