// Program cardferry syncs a folder that has an Anki-format collection with a sync server.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/alecthomas/kong"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner"
)

func main() {
	// A reader that goes away ends our output, not the sync: a write then fails where it would have killed us.
	signal.Ignore(syscall.SIGPIPE)
	log.SetOutput(io.Discard) // net/http tells it what servers send out of turn; what matters comes back as an error
	ctx, stop := signal.NotifyContext(context.Background(), endings()...)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// endings are the signals that end a command in order. That a terminal is closed is one of them, unless nohup has told us not to care.
func endings() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// app is what the commands share.
type app struct {
	ctx     context.Context
	in      io.Reader
	out     *output
	engine  hostrunner.Engine
	runtime *hostrunner.Runtime
}

// patience is how long a cancelled command may take to end in order. After it the program ends as if it were killed,
// which the collection survives at any point.
const patience = 800 * time.Millisecond

// lastWord is how long telling of that may take.
const lastWord = 100 * time.Millisecond

// run runs the program and returns its exit code. When ctx ends, it returns within a second.
func run(ctx context.Context, args []string, in io.Reader, stdout, stderr io.Writer) int {
	out := newOutput(wantsJSON(args), stdout, stderr)
	selected, c, code := parse(args, out)
	if selected == nil {
		return code
	}
	out.json = c.JSON
	a := &app{ctx: ctx, in: in, out: out}
	ended := make(chan int, 1)
	go func() { ended <- a.execute(selected, c) }()
	select {
	case code := <-ended:
		return code
	case <-ctx.Done():
	}
	select {
	case code := <-ended:
		return code
	case <-time.After(patienceOf(selected.Command())):
	}
	abandoned := make(chan int, 1)
	go func() { abandoned <- out.abandon() }()
	select {
	case code := <-abandoned:
		return code
	case <-time.After(lastWord): // nobody reads what we write
		return exitCode(fault.Cancelled)
	}
}

// execute runs the selected command.
func (a *app) execute(selected *kong.Context, c *commands) int {
	var err error
	if a.engine, err = hostrunner.ParseEngine(c.Engine); err != nil {
		return a.out.fail(err)
	}
	if a.runtime, err = hostrunner.New(a.ctx, hostrunner.Options{}); err != nil {
		return a.out.fail(err)
	}
	defer a.runtime.Close(context.WithoutCancel(a.ctx))
	if err := selected.Run(a); err != nil {
		return a.out.fail(err)
	}
	return a.out.exitCode()
}

// parse reads the command line. It returns nil and the exit code if there is nothing to run: a usage error or a request
// for help, which it has answered.
func parse(args []string, out *output) (selected *kong.Context, c *commands, code int) {
	c = new(commands)
	var help bytes.Buffer
	parser, err := kong.New(c, kong.Name("cardferry"), kong.Description(description),
		kong.Writers(&help, &help), kong.Exit(func(int) { panic(helped{}) }))
	if err != nil {
		return nil, nil, out.fail(fault.Wrap(fault.Internal, err, "set up the command line"))
	}
	defer func() {
		if v := recover(); v != nil {
			if _, ok := v.(helped); !ok {
				panic(v)
			}
			selected = nil
			out.result(map[string]any{"help": help.String()}, help.String())
			code = out.exitCode()
		}
	}()
	if i := slices.IndexFunc(args, notText); i >= 0 { // the parser would replace what is none, and so use another folder
		return nil, nil, out.fail(fault.New(fault.InvalidInput, "%q is not UTF-8", args[i]))
	}
	selected, err = parser.Parse(args)
	if err != nil {
		return nil, nil, out.fail(fault.New(fault.InvalidInput, "%v", err).WithHint(usageHint(err)))
	}
	return selected, c, 0
}

func notText(arg string) bool { return !utf8.ValidString(arg) }

// helped ends kong's parsing after it has written a help text.
type helped struct{}

const description = `Syncs Anki-format flashcards with a sync server, and serves as one. Exit codes: 0 done, 1 other errors, 2 usage, ` +
	`3 one side must replace the other, 4 login, 5 network, 6 refused by the server, 7 the sides do not add up, ` +
	`8 another device is syncing, 9 damaged file, 10 media deletions wait for a decision, 130 cancelled.`

// usageHint names the help of the command that was meant.
func usageHint(err error) string {
	command := ""
	if e, ok := err.(*kong.ParseError); ok && e.Context != nil {
		for _, t := range e.Context.Path {
			if t.Command != nil {
				command += " " + t.Command.Name
			}
		}
	}
	return fmt.Sprintf("Run cardferry%s --help to see what it takes.", command)
}

// wantsJSON looks for --json before parsing, so that usage errors and help are JSON as well.
func wantsJSON(args []string) bool {
	for _, a := range args {
		switch a {
		case "--json", "--json=true", "--json=1", "--json=yes":
			return true
		case "--":
			return false
		}
	}
	return false
}
