package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/remote"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner"
)

// commands is the program's command line (contract §3).
type commands struct {
	JSON   bool   `help:"Print one JSON object per line." name:"json"`
	Engine string `help:"Where the sync logic runs: in the Wasm guest (wazero), or compiled into this program (native)." enum:"wazero,native" default:"wazero"`

	Login    loginCommand    `cmd:"" help:"Log in to a sync server and keep the key in the profile. The password is one line on standard input, or CARDFERRY_PASSWORD."`
	Logout   logoutCommand   `cmd:"" help:"Forget the key, and what is known of the server's media files."`
	Status   statusCommand   `cmd:"" help:"Say what a sync would do."`
	Sync     syncCommand     `cmd:"" help:"Sync the collection both ways, then the media files."`
	Upload   uploadCommand   `cmd:"" help:"Replace the server's collection by this one."`
	Download downloadCommand `cmd:"" help:"Replace this collection by the server's."`
	Media    mediaCommand    `cmd:"" help:"Sync, fetch or check pictures and sounds."`
	Backups  backupsCommand  `cmd:"" help:"List or restore backups."`
	Doctor   doctorCommand   `cmd:"" help:"Say what is wrong with a server, as a client sees it."`
	Serve    serveCommand    `cmd:"" help:"Serve accounts that sync with this program, Anki and pages, and a gateway to other servers."`
	User     userCommand     `cmd:"" help:"Make, change, remove or list the accounts of a server."`
	Version  versionCommand  `cmd:"" help:"Print the versions of program and guest."`
}

type loginCommand struct {
	profileFlag
	Endpoint string `help:"Address of the sync server." required:"" placeholder:"URL"`
	User     string `help:"Name of the account there." required:"" placeholder:"NAME"`
}

func (c *loginCommand) Run(app *app) error {
	// Before the password is asked for, and before a folder is made.
	if _, err := remote.ParseEndpoint(c.Endpoint); err != nil {
		return err
	}
	if err := checkFolder(c.Profile, folder); err != nil {
		return err
	}
	password, err := app.password()
	if err != nil {
		return err
	}
	var res service.LoginResult
	err = app.with(c.Profile, folder, func(p *hostrunner.Profile) (err error) {
		if err := app.ready(p); err != nil {
			return err
		}
		if res, err = p.Login(app.ctx, service.LoginParams{Endpoint: c.Endpoint, User: c.User, Password: password}); err != nil {
			return err
		}
		return writeAccount(c.Profile, &account{User: res.User, Endpoint: res.Endpoint, Key: res.Key})
	})
	if err != nil {
		return err
	}
	app.out.result(map[string]any{"user": res.User, "endpoint": res.Endpoint},
		fmt.Sprintf("Logged in as %s at %s", res.User, res.Endpoint))
	return nil
}

type logoutCommand struct{ profileFlag }

func (c *logoutCommand) Run(app *app) error {
	app.out.begin()
	err := app.with(c.Profile, existing, func(p *hostrunner.Profile) error {
		return errors.Join(p.ForgetMedia(app.ctx), removeAccount(c.Profile))
	})
	if err != nil {
		return err
	}
	app.out.result(nil, "Logged out. The collection stays.")
	return nil
}

type statusCommand struct {
	profileFlag
	Offline bool `help:"Do not ask the server."`
}

// Run needs no account if the server need not be asked. A profile without a collection has the status of an empty one,
// which only a sync or a download makes.
func (c *statusCommand) Run(app *app) error {
	var res service.StatusResult
	err := app.with(c.Profile, existing, func(p *hostrunner.Profile) error {
		acc, err := readAccount(c.Profile)
		if err != nil && !c.Offline {
			return err
		}
		if acc == nil && !c.Offline {
			return notLoggedIn(c.Profile)
		}
		if err := app.ready(p); err != nil {
			return err
		}
		ask := func(p *hostrunner.Profile) (err error) {
			res, err = p.Status(app.ctx, service.StatusParams{Account: acc.target(), Offline: c.Offline})
			return err
		}
		if hasCollection(c.Profile) {
			err = ask(p)
		} else {
			err = app.withEmpty(ask)
		}
		return settle(c.Profile, acc, res.NewEndpoint, err)
	})
	if err != nil {
		return err
	}
	app.out.result(res, statusText(res))
	return nil
}

// withEmpty runs do on an empty collection of its own.
func (a *app) withEmpty(do func(*hostrunner.Profile) error) error {
	dir, err := os.MkdirTemp("", "cardferry-empty-")
	if err != nil {
		return fault.Wrap(fault.NotWritable, err, "make a temporary folder")
	}
	defer os.RemoveAll(dir)
	return a.with(dir, collection, do)
}

type syncCommand struct {
	profileFlag
	NoMedia    bool              `help:"Sync the collection only."`
	OnConflict colsync.Direction `help:"What to do when one side must replace the other: ask (end with exit code 3), upload or download." enum:"ask,upload,download" default:"ask"`
}

func (c *syncCommand) Run(app *app) error {
	var res synced
	err := app.withAccount(c.Profile, collection, func(p *hostrunner.Profile, acc *colsync.Account) (_ string, err error) {
		res.SyncResult, err = p.Sync(app.ctx, service.SyncParams{Account: acc, OnConflict: c.OnConflict})
		res.replaced = c.OnConflict == colsync.Download && res.Bytes > 0
		if err == nil && !c.NoMedia {
			err = app.syncMedia(p, acc, &res)
		}
		return res.NewEndpoint, err
	})
	if err != nil {
		return heldHint(c.Profile, err)
	}
	text := syncText(res.SyncResult)
	if res.Media != nil {
		text += "\n" + mediaText(*res.Media)
	}
	app.out.result(res, text)
	return nil
}

// transferFlags are those of upload and download.
type transferFlags struct {
	profileFlag
	NoBackup bool `help:"Make no backup of the side that will be replaced."`
}

type uploadCommand struct{ transferFlags }

func (c *uploadCommand) Run(app *app) error {
	return c.run(app, existing, (*hostrunner.Profile).Upload, "Uploaded")
}

type downloadCommand struct{ transferFlags }

func (c *downloadCommand) Run(app *app) error {
	return c.run(app, collection, (*hostrunner.Profile).Download, "Downloaded")
}

// transfer is Upload or Download of a profile.
type transfer func(*hostrunner.Profile, context.Context, service.TransferParams) (service.TransferResult, error)

func (c *transferFlags) run(app *app, may access, do transfer, done string) error {
	var res service.TransferResult
	err := app.withAccount(c.Profile, may, func(p *hostrunner.Profile, acc *colsync.Account) (_ string, err error) {
		res, err = do(p, app.ctx, service.TransferParams{Account: acc, Backup: !c.NoBackup})
		return res.NewEndpoint, err
	})
	if err != nil {
		return err
	}
	app.out.result(res, transferText(done, res))
	return nil
}

type backupsCommand struct {
	List    backupsListCommand    `cmd:"" default:"withargs" help:"List the backups."`
	Restore backupsRestoreCommand `cmd:"" help:"Replace the collection by a backup."`
}

type backupsListCommand struct{ profileFlag }

func (c *backupsListCommand) Run(app *app) error {
	var res service.BackupsResult
	err := app.with(c.Profile, existing, func(p *hostrunner.Profile) (err error) {
		if err := app.ready(p); err != nil {
			return err
		}
		res, err = p.Backups(app.ctx)
		return err
	})
	if err != nil {
		return err
	}
	app.out.result(res, backupsText(res))
	return nil
}

type backupsRestoreCommand struct {
	profileFlag
	ID string `arg:"" help:"The backup's id, as backups lists it."`
}

func (c *backupsRestoreCommand) Run(app *app) error {
	var res service.RestoreResult
	err := app.with(c.Profile, existing, func(p *hostrunner.Profile) (err error) {
		if err := app.ready(p); err != nil {
			return err
		}
		res, err = p.Restore(app.ctx, service.RestoreParams{ID: c.ID})
		return err
	})
	if err != nil {
		return err
	}
	app.out.result(res, restoreText(c.ID, res))
	return nil
}

type versionCommand struct{}

func (c *versionCommand) Run(app *app) error {
	app.out.begin()
	sum, err := app.runtime.GuestSHA256()
	if err != nil {
		return err
	}
	app.out.result(map[string]any{"version": service.Version, "guest_sha256": sum},
		fmt.Sprintf("cardferry %s (guest %.12s)", service.Version, sum))
	return nil
}
