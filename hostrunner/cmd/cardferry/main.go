// Program cardferry syncs a folder with an Anki-format collection with a sync server.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner"
	"golang.org/x/term"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// app is what the commands share.
type app struct {
	ctx     context.Context
	in      io.Reader
	out     *output
	engine  hostrunner.Engine
	runtime *hostrunner.Runtime
}

// run runs the program and returns its exit code.
func run(ctx context.Context, args []string, in io.Reader, stdout, stderr io.Writer) int {
	out := &output{json: wantsJSON(args), out: stdout, err: stderr, started: time.Now()}
	var c commands
	parser, err := kong.New(&c, kong.Name("cardferry"), kong.UsageOnError(),
		kong.Description("Syncs Anki-format flashcards with a sync server. Exit codes: 0 done, 2 usage, 3 one side must replace the other, "+
			"4 login, 5 network, 6 refused by the server, 7 the sides do not add up, 8 another device is syncing, 9 damaged file, 130 cancelled."),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { panic(exit(code)) }))
	if err != nil {
		return out.fail(fault.Wrap(fault.Internal, err, "set up the command line"))
	}
	selected, code, err := parse(parser, args)
	if selected == nil && err == nil {
		return code // help was printed
	}
	if err != nil {
		return out.fail(fault.New(fault.InvalidInput, "%v", err).WithHint("Run cardferry --help."))
	}
	if f, ok := stderr.(*os.File); ok && !out.json && term.IsTerminal(int(f.Fd())) {
		out.bar = newBar(stderr)
	}
	a := &app{ctx: ctx, in: in, out: out}
	if a.engine, err = hostrunner.ParseEngine(c.Engine); err != nil {
		return out.fail(err)
	}
	if a.runtime, err = hostrunner.New(ctx, hostrunner.Options{}); err != nil {
		return out.fail(err)
	}
	defer a.runtime.Close(context.WithoutCancel(ctx))
	if err := selected.Run(a); err != nil {
		return out.fail(err)
	}
	return 0
}

// exit carries kong's wish to end the program (after --help).
type exit int

func parse(p *kong.Kong, args []string) (c *kong.Context, code int, err error) {
	defer func() {
		if e, ok := recover().(exit); ok {
			c, code, err = nil, int(e), nil
		}
	}()
	c, err = p.Parse(args)
	return c, 0, err
}

// wantsJSON looks for --json before parsing, so that usage errors are JSON as well.
func wantsJSON(args []string) bool {
	for _, a := range args {
		if a == "--json" || a == "--json=true" {
			return true
		}
	}
	return false
}

// with opens a profile, runs do, and closes it.
func (a *app) with(dir string, create bool, do func(*hostrunner.Profile) error) error {
	p, err := a.runtime.Open(a.ctx, hostrunner.OpenOptions{
		Dir: dir, Engine: a.engine, Create: create, Progress: a.out.progress,
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

// folderExists reports whether there is a profile folder.
func (a *app) folderExists(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.IsDir()
}

// password comes from CARDFERRY_PASSWORD, else from standard input: one line, asked for on a terminal.
func (a *app) password() (string, error) {
	if p, ok := os.LookupEnv("CARDFERRY_PASSWORD"); ok {
		return p, nil
	}
	if f, ok := a.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(a.out.err, "Password: ")
		b, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(a.out.err)
		return string(b), fault.Wrap(fault.InvalidInput, err, "read the password")
	}
	const limit = 64 << 10
	b, err := io.ReadAll(io.LimitReader(a.in, limit))
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fault.Wrap(fault.InvalidInput, err, "read the password")
	}
	line, _, _ := strings.Cut(string(b), "\n")
	return strings.TrimSuffix(line, "\r"), nil
}
