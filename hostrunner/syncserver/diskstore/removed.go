package diskstore

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/filehost"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// removedFile marks the folder of an account that was removed. Folders without an account are not removed for that alone: after
// accounts.db was replaced by an older copy, they are what a user still has.
const removedFile = "removed"

// RemoveAccount removes an account and everything that the data folder has of it. If a server has the account's files open, they are only
// marked, left is true, and the server's next Sweep removes them. fault.NotFound if there is no such account.
func RemoveAccount(ctx context.Context, dir string, accounts store.Accounts, id store.AccountID) (left bool, err error) {
	path, err := folder(dir).of(id)
	if err != nil {
		return false, err
	}
	_, err = os.Stat(path)
	if missing(err) {
		return false, accounts.Remove(ctx, id) // it has never synced
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(path, removedFile), nil, 0o600)
	}
	if err != nil {
		return false, filehost.Convert(err, "remove the account's files")
	}
	if err := accounts.Remove(ctx, id); err != nil {
		return false, err
	}
	return removeFolder(ctx, dir, path, id)
}

// removeFolder removes an account's folder while nobody else has its lease.
func removeFolder(ctx context.Context, dir, path string, id store.AccountID) (left bool, err error) {
	lease, err := NewLeases(dir, "").Acquire(ctx, id)
	if _, ok := errors.AsType[*store.Elsewhere](err); ok {
		return true, nil
	}
	if err != nil {
		return true, err
	}
	defer lease.Release()
	return false, filehost.Convert(os.RemoveAll(path), "remove the account's files")
}

// Sweep removes the files of accounts that were removed while a server had them open. It returns how many accounts that were.
func Sweep(ctx context.Context, dir string, accounts store.Accounts) (n int, err error) {
	marked, err := filepath.Glob(filepath.Join(dir, accountsFolder, "*", removedFile))
	if err != nil {
		return 0, err
	}
	for _, mark := range marked {
		path := filepath.Dir(mark)
		id := store.AccountID(filepath.Base(path))
		if _, err := accounts.ByID(ctx, id); fault.KindOf(err) != fault.NotFound {
			continue // it was marked, and then not removed
		}
		left, err := removeFolder(ctx, dir, path, id)
		if err != nil {
			return n, err
		}
		if !left {
			n++
		}
	}
	return n, nil
}
