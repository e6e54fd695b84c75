package store

import (
	"context"
	"crypto/sha256"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// AccountID names an account for good, whatever happens to its user name. It consists of lower-case letters and digits,
// so that it can be a file name, and is never used again.
type AccountID string

// DeviceID names a device of an account, in letters and digits.
type DeviceID string

// Account is one user.
type Account struct {
	ID   AccountID
	Name string // as the user writes it
	// Verifier is what a password is checked against, never the password (a PHC string; package syncserver knows which).
	Verifier string
	// Fixed says that the account comes from the server's environment (SYNC_USER1, …), and with it its password.
	Fixed bool
	// Disabled keeps the account from being used until it is enabled again.
	Disabled bool
	Created  time.Time
}

// KeyHash is the SHA-256 of a device's key; the key itself is not kept.
type KeyHash [sha256.Size]byte

// HashKey returns the hash under which a key is kept. Keys are random, so a fast hash does.
func HashKey(key string) KeyHash { return sha256.Sum256([]byte(key)) }

// Device is something that has logged in: it has a key of its own, which can be revoked.
type Device struct {
	ID      DeviceID
	Name    string // what its program calls itself
	Key     KeyHash
	Created time.Time
	Seen    time.Time // about when it was last here
}

// FoldName returns the form in which user names are compared: no two accounts have the same one. Space around a name is none of it; not
// every client takes it away.
func FoldName(name string) string {
	return norm.NFC.String(strings.ToLower(norm.NFC.String(strings.TrimSpace(name))))
}

// Accounts keeps accounts and their devices. Every method is atomic, and what it has changed is durable when it returns.
// Other processes may change the same accounts at any time (cardferry user), so implementations do not answer from
// memory what may have changed: a key that another process has revoked is refused from then on.
//
// Times are kept to the millisecond. Methods about one account or device fail with fault.NotFound if there is none.
type Accounts interface {
	// Create adds an account; ErrTaken if another one has a name that folds to the same (FoldName).
	Create(ctx context.Context, a Account) error
	// ByName returns the account whose name folds to the same as name.
	ByName(ctx context.Context, name string) (Account, error)
	// ByID returns an account.
	ByID(ctx context.Context, id AccountID) (Account, error)
	// List returns all accounts in the order of their folded names.
	List(ctx context.Context) ([]Account, error)
	// Update replaces everything but ID and Name of the account with the ID.
	Update(ctx context.Context, a Account) error
	// Remove removes an account and its devices, and remembers its ID for good.
	Remove(ctx context.Context, id AccountID) error
	// Removed reports whether an account was removed. One that is not there, and was not removed, may be in another file than the one that
	// somebody has put here: nothing that is kept of it may go.
	Removed(ctx context.Context, id AccountID) (bool, error)

	// AddDevice adds a device to an account. The account's devices seen longest ago are removed so that no more than
	// limit remain; those seen later than the new one, before the clock was set back, go first.
	AddDevice(ctx context.Context, id AccountID, d Device, limit int) error
	// ByKey returns the device with the key's hash and its account.
	ByKey(ctx context.Context, key KeyHash) (Account, Device, error)
	// Devices returns the account's devices in the order in which they were added; none is no error, even of an account that
	// does not exist.
	Devices(ctx context.Context, id AccountID) ([]Device, error)
	// Touch records when a device was seen, and its name. It need not be durable at once.
	Touch(ctx context.Context, id AccountID, device DeviceID, name string, seen time.Time) error
	// RemoveDevice revokes a device; its key stops working with the next request.
	RemoveDevice(ctx context.Context, id AccountID, device DeviceID) error
	// Renew is Update for an account with another password: it revokes all devices but the one named by except, and adds others. All
	// of it is done or nothing: who knew the password before must not stay.
	Renew(ctx context.Context, a Account, except DeviceID, add ...Device) error

	// Close ends the use.
	Close() error
}
