package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
	"github.com/cardferry/cardferry/hostrunner/syncserver/diskstore"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// userCommand changes the accounts of a server, also while it runs.
type userCommand struct {
	Add    userAddCommand    `cmd:"" help:"Make an account. The password is one line on standard input, or CARDFERRY_PASSWORD."`
	Passwd userPasswdCommand `cmd:"" help:"Change a password, and log all devices out. The password is one line on standard input, or CARDFERRY_PASSWORD."`
	Remove userRemoveCommand `cmd:"" help:"Remove an account with its collection, media files and backups."`
	List   userListCommand   `cmd:"" help:"List the accounts."`
}

// nameArg names an account.
type nameArg struct {
	dataFlag
	Name string `arg:"" help:"Name of the account."`
}

// withAccounts runs do with the accounts of a data folder, which is created only if create says so.
func (f *dataFlag) withAccounts(app *app, create bool, do func(*diskstore.Accounts) error) error {
	dir, err := f.folder()
	if err != nil {
		return err
	}
	app.out.begin()
	ready := checkDataFolder
	if create {
		ready = makeDataFolder
	}
	if err := ready(dir); err != nil {
		return err
	}
	switch _, err := os.Stat(filepath.Join(dir, diskstore.AccountsFile)); {
	case create:
	case errors.Is(err, os.ErrNotExist):
		return fault.New(fault.NotFound, "there are no accounts in %s", dir).WithHint("Is it the --data folder of cardferry serve?")
	case err != nil:
		return dataError(fault.Wrap(fault.NotWritable, err, "use the data folder"))
	}
	accounts, err := diskstore.OpenAccounts(dir)
	if err != nil {
		return dataError(err)
	}
	return dataError(errors.Join(do(accounts), accounts.Close()))
}

type userAddCommand struct{ nameArg }

func (c *userAddCommand) Run(app *app) error {
	if _, err := syncserver.CheckName(c.Name); err != nil {
		return err
	}
	if _, err := c.folder(); err != nil {
		return err
	}
	password, err := app.password()
	if err != nil {
		return err
	}
	// A server's folder is made here as well, before its first start; in a mistyped one nobody would find the account.
	_, err = os.Stat(filepath.Join(c.Data, diskstore.AccountsFile))
	fresh := errors.Is(err, os.ErrNotExist)
	return c.withAccounts(app, true, func(accounts *diskstore.Accounts) error {
		a, err := syncserver.NewUsers(accounts, nil, time.Now).Add(app.ctx, c.Name, password)
		if errors.Is(err, store.ErrTaken) {
			return fault.New(fault.InvalidInput, "there is an account with the name %s already", c.Name).
				WithHint("cardferry user passwd changes its password.")
		}
		if err != nil {
			return err
		}
		text := "Added " + a.Name
		if fresh {
			text += "\nThe data folder " + c.Data + " is new: no server has used it yet"
		}
		app.out.result(map[string]any{"user": a.Name, "new_data": fresh}, text)
		return nil
	})
}

type userPasswdCommand struct{ nameArg }

func (c *userPasswdCommand) Run(app *app) error {
	if _, err := c.folder(); err != nil {
		return err
	}
	password, err := app.password()
	if err != nil {
		return err
	}
	return c.withAccounts(app, false, func(accounts *diskstore.Accounts) error {
		if err := syncserver.NewUsers(accounts, nil, time.Now).SetPassword(app.ctx, c.Name, password, ""); err != nil {
			return noUser(c.Name, err)
		}
		app.out.result(map[string]string{"user": c.Name}, "The password is changed. All devices have to log in again.")
		return nil
	})
}

type userRemoveCommand struct{ nameArg }

// Run needs a whole server, which may have to take the account's files away. One that runs does that itself, once the account is no
// longer in use.
func (c *userRemoveCommand) Run(app *app) error {
	return c.withAccounts(app, false, func(accounts *diskstore.Accounts) error {
		s := diskServer(c.Data, accounts)
		if err := s.RemoveUser(app.ctx, c.Name); err != nil {
			return noUser(c.Name, err)
		}
		app.out.result(map[string]string{"user": c.Name}, "Removed "+c.Name)
		return nil
	})
}

// noUser says which user there is not.
func noUser(name string, err error) error {
	if fault.KindOf(err) == fault.NotFound {
		return fault.New(fault.NotFound, "there is no account with the name %s", name).WithHint("cardferry user list shows them.")
	}
	return err
}

type userListCommand struct{ dataFlag }

// userInfo is an account in the result of user list.
type userInfo struct {
	ID       string `json:"id"` // of its folder
	Name     string `json:"name"`
	Created  int64  `json:"created"` // ms
	LastSeen int64  `json:"last_seen"`
	Devices  int    `json:"devices"`
	Fixed    bool   `json:"fixed"`    // from SYNC_USER1, …
	Disabled bool   `json:"disabled"` // was in SYNC_USER1, … once
}

func (c *userListCommand) Run(app *app) error {
	return c.withAccounts(app, false, func(accounts *diskstore.Accounts) error {
		list, err := accounts.List(app.ctx)
		if err != nil {
			return err
		}
		users := make([]userInfo, 0, len(list))
		var lines []string
		for _, a := range list {
			u := userInfo{ID: string(a.ID), Name: a.Name, Created: a.Created.UnixMilli(), Fixed: a.Fixed, Disabled: a.Disabled}
			devices, err := accounts.Devices(app.ctx, a.ID)
			if err != nil {
				return err
			}
			u.Devices = len(devices)
			for _, d := range devices {
				u.LastSeen = max(u.LastSeen, d.Seen.UnixMilli())
			}
			users = append(users, u)
			lines = append(lines, u.text())
		}
		if len(lines) == 0 {
			lines = []string{"No accounts"}
		}
		app.out.result(map[string]any{"users": users}, strings.Join(lines, "\n"))
		return nil
	})
}

func (u *userInfo) text() string {
	s := fmt.Sprintf("%-24s  made %s, %d devices", u.Name, when(u.Created), u.Devices)
	if u.LastSeen > 0 {
		s += ", last seen " + when(u.LastSeen)
	}
	if u.Disabled {
		s += " (disabled: not among SYNC_USER1, … any more)"
	} else if u.Fixed {
		s += " (from SYNC_USER1, …)"
	}
	return s
}
