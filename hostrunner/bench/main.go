// Command bench compares Cardferry with the real Anki client on the same data, against the same real server, in the same
// run, and prints a table with the budgets of design.md §8. Its workloads named "server …" compare cardferry serve with the real server, each in
// a process of its own, with the same clients; there the processor time of the servers is shown, too.
//
//	go run ./hostrunner/bench [-short] [-run REGEXP] [-n 3] [-check]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/guestfile"
)

// options are the command line.
type options struct {
	short, check bool
	only         *regexp.Regexp
	repeat       int
	dir          string
	profiles     string
	engines      []string
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == childCommand {
		exit(runChild(os.Args[2:]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	exit(run(ctx, os.Args[1:]))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func parse(args []string) (o options, err error) {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.BoolVar(&o.short, "short", false, "the size M only, and a tenth of the media files")
	f.BoolVar(&o.check, "check", false, "exit with 1 if a budget is exceeded")
	f.IntVar(&o.repeat, "n", 3, "how often each workload of the size M is run; the median counts")
	f.StringVar(&o.dir, "dir", "", "where the collections are (default: a temporary folder on disk)")
	f.StringVar(&o.profiles, "cpuprofile", "", "folder for a CPU profile of each measurement of ours")
	only := f.String("run", "", "run the workloads that match this regular expression")
	engines := f.String("engines", "wazero,native", "engines to measure; budgets hold for the first")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.engines = strings.Split(*engines, ",")
	if o.profiles != "" {
		if err := os.MkdirAll(o.profiles, 0o700); err != nil {
			return o, err
		}
	}
	o.only, err = regexp.Compile(*only)
	return o, err
}

func run(ctx context.Context, args []string) (err error) {
	o, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(o.dir, "cardferry-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b, err := newBench(o, dir)
	if err != nil {
		return err
	}
	defer b.close()
	return b.runAll(ctx)
}

// bench is one run of the program.
type bench struct {
	options
	dir    string
	server *anki.Server
	files  files
	media  mediaFiles
	table  *table
	number int    // of measurements so far
	serve  string // the program cardferry
}

// users is the number of accounts: one for each measurement.
func (o options) users() int {
	return (o.repeat*len(workloads())+len(o.mediaWorkloads()))*(1+len(o.engines)) + o.repeat*len(linear())*parts
}

func newBench(o options, dir string) (*bench, error) {
	// A stale guest must not be measured.
	guest, err := guestfile.Build()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, guestfile.Name)
	if err := os.WriteFile(path, guest, 0o600); err != nil {
		return nil, err
	}
	if err := os.Setenv(guestfile.Env, path); err != nil {
		return nil, err
	}
	fmt.Fprintln(os.Stderr, "starting the real server …")
	server, err := anki.NewServer(filepath.Join(dir, "server"), o.users())
	if err != nil {
		return nil, err
	}
	return &bench{options: o, dir: dir, server: server, files: files{dir: filepath.Join(dir, "files"), made: map[string]string{}}, media: mediaFiles{dir: filepath.Join(dir, "media")}, table: newTable(o.engines)}, nil
}

func (b *bench) close() { b.server.Kill() }

func (b *bench) runAll(ctx context.Context) error {
	for _, w := range workloads() {
		if w.size == anki.SizeL && b.short || !b.only.MatchString(w.String()) {
			continue
		}
		row, err := b.run(ctx, w)
		if err != nil {
			return fmt.Errorf("%s: %w", w, err)
		}
		b.table.add(row)
	}
	if b.only.MatchString("linear") {
		if err := b.linearity(ctx); err != nil {
			return fmt.Errorf("linear: %w", err)
		}
	}
	if err := b.runMedia(ctx); err != nil {
		return err
	}
	if err := b.runServers(ctx); err != nil {
		return err
	}
	b.table.print(os.Stdout)
	if b.check && b.table.exceeded > 0 {
		return fmt.Errorf("%d budgets are exceeded", b.table.exceeded)
	}
	return nil
}
