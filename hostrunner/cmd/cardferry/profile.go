package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unicode"

	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/hostrunner"
)

// profileFlag is on every command that works on a profile.
type profileFlag struct {
	Profile string `help:"Folder of the profile." required:"" placeholder:"DIR"`
}

// access says what may be made in a profile folder.
type access uint8

const (
	existing   access = iota // nothing: folder and collection must be there
	collection               // an empty collection, if there is none
	folder                   // the folder itself
)

// with locks the profile folder, runs do, and unlocks it.
func (a *app) with(dir string, may access, do func(*hostrunner.Profile) error) error {
	if err := checkFolder(dir, may); err != nil {
		return err
	}
	p, err := a.runtime.Open(a.ctx, hostrunner.OpenOptions{
		Dir: dir, Engine: a.engine, Create: may != existing, Progress: a.out.progress,
	})
	if err != nil {
		return err
	}
	err = do(p)
	if cerr := p.Close(); err == nil {
		err = cerr
	}
	return err
}

// checkFolder refuses a folder that is not there, unless it may be made: a mistyped name should not become a profile.
func checkFolder(dir string, may access) error {
	if dir == "" {
		return fault.New(fault.InvalidInput, "--profile needs the name of a folder")
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && may == folder:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return fault.New(fault.NotFound, "there is no profile folder %s", dir).
			WithHint("Check the name; cardferry login makes a new one.")
	case err == nil && !info.IsDir():
		return fault.New(fault.InvalidInput, "%s is not a folder", dir).
			WithHint("Give the folder that has the collection, not the file.")
	case errors.Is(err, syscall.ENAMETOOLONG):
		return fault.New(fault.InvalidInput, "the name of the profile folder is too long").WithHint("Use a folder with a shorter path.")
	}
	return nil // other errors come again, with their kind, when it is opened
}

// ready starts the engine, so that the time of the work does not have that of loading the guest.
func (a *app) ready(p *hostrunner.Profile) error {
	a.out.loading()
	if _, err := p.Version(a.ctx); err != nil {
		return err
	}
	a.out.begin()
	return nil
}

// call is one method of an open profile; it returns the address to which the server has redirected it, if any.
type call func(p *hostrunner.Profile, acc *colsync.Account) (newEndpoint string, err error)

// withAccount is with for calls to the server, ready to run. It keeps what the call teaches about the account.
func (a *app) withAccount(dir string, may access, do call) error {
	return a.with(dir, may, func(p *hostrunner.Profile) error {
		acc, err := readAccount(dir)
		if err != nil {
			return err
		}
		if acc == nil {
			return notLoggedIn(dir)
		}
		if err := a.ready(p); err != nil {
			return err
		}
		next, err := do(p, acc.target())
		return settle(dir, acc, next, err)
	})
}

func notLoggedIn(dir string) error {
	return fault.New(fault.Auth, "not logged in").
		WithHint("Log in first: cardferry login --profile " + shellWord(dir) + " --endpoint URL --user NAME")
}

// shellWord is text as one word of a command that a person copies.
func shellWord(text string) string {
	plain := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("/._-+,:@%=\\", r)
	}
	if text != "" && !strings.ContainsFunc(text, func(r rune) bool { return !plain(r) }) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// hasCollection reports whether the profile has a collection, usable or not.
func hasCollection(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, host.Collection))
	return !errors.Is(err, fs.ErrNotExist)
}
