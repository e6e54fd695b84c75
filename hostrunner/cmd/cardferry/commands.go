package main

import (
	"context"
	"fmt"

	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner"
)

// commands is the program's command line (contract §3).
type commands struct {
	JSON   bool   `help:"Print one JSON object per line." name:"json"`
	Engine string `help:"Where the sync logic runs: in the Wasm guest, or natively." enum:"wazero,native" default:"wazero"`

	Login    loginCommand    `cmd:"" help:"Log in to a sync server and store the key in the profile."`
	Logout   logoutCommand   `cmd:"" help:"Forget the key."`
	Status   statusCommand   `cmd:"" help:"Say what a sync would do."`
	Sync     syncCommand     `cmd:"" help:"Sync the collection both ways."`
	Upload   uploadCommand   `cmd:"" help:"Replace the server's collection by this one."`
	Download downloadCommand `cmd:"" help:"Replace this collection by the server's."`
	Backups  backupsCommand  `cmd:"" help:"List or restore backups."`
	Doctor   doctorCommand   `cmd:"" help:"Say what is wrong with a server, as a client sees it."`
	Version  versionCommand  `cmd:"" help:"Print the versions of program and guest."`
}

// profileFlag is on every command that works on a profile.
type profileFlag struct {
	Profile string `help:"Folder of the profile." required:"" placeholder:"DIR"`
}

type loginCommand struct {
	profileFlag
	Endpoint string `help:"Address of the sync server." required:"" placeholder:"URL"`
	User     string `help:"User name; the password comes from standard input or CARDFERRY_PASSWORD." required:"" placeholder:"U"`
}

func (c *loginCommand) Run(app *app) error {
	password, err := app.password()
	if err != nil {
		return err
	}
	var res service.LoginResult
	err = app.with(c.Profile, true, func(p *hostrunner.Profile) (err error) {
		res, err = p.Login(app.ctx, service.LoginParams{Endpoint: c.Endpoint, User: c.User, Password: password})
		return err
	})
	if err != nil {
		return err
	}
	if err := writeAccount(c.Profile, &account{User: res.User, Endpoint: res.Endpoint, Key: res.Key}); err != nil {
		return err
	}
	app.out.result(map[string]any{"user": res.User, "endpoint": res.Endpoint},
		fmt.Sprintf("Logged in as %s at %s", res.User, res.Endpoint))
	return nil
}

type logoutCommand struct{ profileFlag }

func (c *logoutCommand) Run(app *app) error {
	if err := removeAccount(c.Profile); err != nil {
		return err
	}
	app.out.result(map[string]any{}, "Logged out")
	return nil
}

type statusCommand struct {
	profileFlag
	Offline bool `help:"Do not ask the server."`
}

func (c *statusCommand) Run(app *app) error {
	acc, err := readAccount(c.Profile)
	if err != nil {
		return err
	}
	var res service.StatusResult
	err = app.with(c.Profile, app.folderExists(c.Profile), func(p *hostrunner.Profile) (err error) {
		res, err = p.Status(app.ctx, service.StatusParams{Account: acc.target(), Offline: c.Offline})
		return err
	})
	if err = app.settleAccount(c.Profile, acc, res.NewEndpoint, err); err != nil {
		return err
	}
	app.out.result(res, statusText(res))
	return nil
}

type syncCommand struct {
	profileFlag
	NoMedia    bool              `help:"Sync the collection only."`
	OnConflict colsync.Direction `help:"What to do when one side must replace the other: ask (end with exit code 3), upload or download." enum:"ask,upload,download" default:"ask"`
}

func (c *syncCommand) Run(app *app) error {
	acc, err := requireAccount(c.Profile)
	if err != nil {
		return err
	}
	var res service.SyncResult
	err = app.with(c.Profile, true, func(p *hostrunner.Profile) (err error) {
		res, err = p.Sync(app.ctx, service.SyncParams{Account: acc.target(), OnConflict: c.OnConflict})
		return err
	})
	if err = app.settleAccount(c.Profile, acc, res.NewEndpoint, err); err != nil {
		return err
	}
	app.out.result(struct {
		service.SyncResult
		Media any `json:"media"` // null until media sync exists, and with --no-media
	}{SyncResult: res}, syncText(res))
	return nil
}

type transferFlags struct {
	profileFlag
	NoBackup bool `help:"Make no backup of the side that will be replaced."`
}

type uploadCommand struct{ transferFlags }

func (c *uploadCommand) Run(app *app) error {
	return c.run(app, (*hostrunner.Profile).Upload, "Uploaded", false)
}

type downloadCommand struct{ transferFlags }

func (c *downloadCommand) Run(app *app) error {
	return c.run(app, (*hostrunner.Profile).Download, "Downloaded", true)
}

// transfer is Upload or Download of a profile.
type transfer func(*hostrunner.Profile, context.Context, service.TransferParams) (service.TransferResult, error)

func (c *transferFlags) run(app *app, do transfer, done string, create bool) error {
	acc, err := requireAccount(c.Profile)
	if err != nil {
		return err
	}
	var res service.TransferResult
	err = app.with(c.Profile, create, func(p *hostrunner.Profile) (err error) {
		res, err = do(p, app.ctx, service.TransferParams{Account: acc.target(), Backup: !c.NoBackup})
		return err
	})
	if err = app.settleAccount(c.Profile, acc, res.NewEndpoint, err); err != nil {
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
	err := app.with(c.Profile, false, func(p *hostrunner.Profile) (err error) {
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
	ID string `arg:"" help:"The backup's id."`
}

func (c *backupsRestoreCommand) Run(app *app) error {
	var res service.RestoreResult
	err := app.with(c.Profile, false, func(p *hostrunner.Profile) (err error) {
		res, err = p.Restore(app.ctx, service.RestoreParams{ID: c.ID})
		return err
	})
	if err != nil {
		return err
	}
	app.out.result(res, "Restored. The next sync asks which side to keep.")
	return nil
}

type versionCommand struct{}

func (c *versionCommand) Run(app *app) error {
	sum, err := app.runtime.GuestSHA256()
	if err != nil {
		return err
	}
	app.out.result(map[string]any{"version": service.Version, "guest_sha256": sum},
		fmt.Sprintf("cardferry %s (guest %.12s)", service.Version, sum))
	return nil
}

// requireAccount is readAccount for commands that need one.
func requireAccount(profile string) (*account, error) {
	acc, err := readAccount(profile)
	if err == nil && acc == nil {
		err = fault.New(fault.Auth, "not logged in").WithHint("Log in first: cardferry login --profile DIR --endpoint URL --user U")
	}
	return acc, err
}

// settleAccount keeps what a call has taught about the account: a redirect's address, or that it is no longer good.
func (a *app) settleAccount(profile string, acc *account, newEndpoint string, err error) error {
	switch {
	case acc == nil:
		return err
	case err == nil && newEndpoint != "" && newEndpoint != acc.CurrentEndpoint:
		acc.CurrentEndpoint = newEndpoint
	case fault.KindOf(err) == fault.Auth && acc.CurrentEndpoint != "":
		acc.CurrentEndpoint = "" // it is asked for again at the address that the user gave
	default:
		return err
	}
	if werr := writeAccount(profile, acc); err == nil {
		err = werr
	}
	return err
}
