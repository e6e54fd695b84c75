package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/cardferry/cardferry/hostrunner/anki"
)

// serverWorkload is one row of the table of servers: a figure of each, found with the same clients and the same data.
type serverWorkload struct {
	name, unit string
	// budget is the largest allowed ratio of our server's figure to the real one's, most that of our figure itself; 0 for none.
	budget, most float64
	// rounds is how often each server is measured, in turn with the other one, so that a machine that becomes slower does so for both;
	// the median counts. 0: once, and each server is alone.
	rounds  int
	measure func(ctx context.Context, c *contender) (float64, error)
	// least, if it is set, is what no server can change of the figure: the ratio to the real one's cannot be smaller.
	least func() (float64, error)
}

// String names the workload for -run.
func (w serverWorkload) String() string { return "server " + w.name }

// serverRow is a measured one.
type serverRow struct {
	serverWorkload
	figure, cpu map[string]float64 // by server
	floor       float64            // what least has found, 0 for nothing
}

// serverSizes are the sizes of the server workloads.
type serverSizes struct {
	large, middle, part anki.Size // a whole collection, one, and what a user of several sends
	largeName           string
	samples             int // small syncs, at least
	media               anki.MediaSet
	open                int // accounts for the memory per account
	crowds              []int
	quiet               time.Duration // how long a server has nothing to do before its memory counts
}

func (o options) serverSizes() serverSizes {
	tenth := anki.Size{Notes: anki.SizeM.Notes / 10, Cards: anki.SizeM.Cards / 10, Reviews: anki.SizeM.Reviews / 10}
	s := serverSizes{large: anki.SizeL, largeName: "L", middle: anki.SizeM, part: tenth, samples: 200, media: anki.MediaSmall, open: 32, crowds: []int{1, 4, 8, 16}, quiet: 12 * time.Second}
	if o.short {
		s.large, s.largeName, s.samples, s.open = anki.SizeM, "M", 100, 16
		s.media.Files /= 10
	}
	return s
}

// serverWorkloads are the server rows of design.md §8, and those of the issue about the server.
func (b *bench) serverWorkloads(s serverSizes) (list []serverWorkload) {
	add := func(name, unit string, budget, most float64, measure func(context.Context, *contender) (float64, error)) {
		list = append(list, serverWorkload{name: name, unit: unit, budget: budget, most: most, measure: measure})
	}
	last := func() *serverWorkload { return &list[len(list)-1] }
	add("idle memory", "MiB", 0, 40, func(ctx context.Context, c *contender) (float64, error) { return c.idle(ctx, s) })
	for _, client := range []string{real, b.engines[0]} {
		for _, w := range s.oneUser() {
			add(fmt.Sprintf("%s, %s client", w.label(), clientName(client)), "s", 1, 0, func(ctx context.Context, c *contender) (float64, error) {
				m, err := c.measure(ctx, w, client) // with an account of its own
				return m.Seconds, err
			})
			last().rounds = b.repeat
		}
	}
	upload := workload{name: "full upload", do: doUpload, size: s.large, sizeName: s.largeName, client: clean, server: none, times: 1}
	add(fmt.Sprintf("full upload %s, real client", s.largeName), "s", 0.2, 0, func(ctx context.Context, c *contender) (float64, error) {
		m, err := c.measure(ctx, upload, real)
		return m.Seconds, err
	})
	last().least = func() (float64, error) { return b.uploadAlone(s.large) }
	for _, n := range s.crowds {
		budget := 1.0
		if n == 8 {
			budget = 0.8
		}
		add(fmt.Sprintf("%d users at once", n), "s", budget, 0, func(ctx context.Context, c *contender) (float64, error) { return c.crowd(s, n) })
	}
	add("small sync", "s", 1, 0, func(ctx context.Context, c *contender) (float64, error) { return c.beside(ctx, s, nil, 50) })
	last().rounds = b.repeat
	add("small sync p99", "s", 1, 0, func(ctx context.Context, c *contender) (float64, error) { return c.beside(ctx, s, nil, 99) })
	last().rounds = b.repeat
	add(fmt.Sprintf("small sync p99 beside a full upload of %s", s.largeName), "s", 0.05, 0, func(ctx context.Context, c *contender) (float64, error) {
		return c.beside(ctx, s, c.uploads, 99)
	})
	add(fmt.Sprintf("small sync p99 beside %d media files", s.media.Files), "s", 1, 0, func(ctx context.Context, c *contender) (float64, error) {
		if _, err := c.media.folder(s.media); err != nil { // made before anything is measured
			return 0, err
		}
		return c.beside(ctx, s, c.sendsMedia, 99)
	})
	last().rounds = b.repeat
	add("memory per open account", "MiB", 0.5, 0, func(ctx context.Context, c *contender) (float64, error) { return c.perAccount(ctx, s) })
	return list
}

func clientName(engine string) string {
	if engine == real {
		return "real"
	}
	return "our"
}

// label names a workload of one user.
func (w workload) label() string { return w.name + " " + w.sizeName }

// oneUser are the operations of one user.
func (s serverSizes) oneUser() []workload {
	list := []workload{
		{name: "no change", do: doSync, client: clean, server: clean, times: 20}, {name: "day", do: doSync, client: reviewed, server: clean},
		{name: "send all", do: doSync, client: pending, server: bare}, {name: "receive all", do: doSync, client: bare, server: ahead},
		{name: "full upload", do: doUpload, client: clean, server: none}, {name: "full download", do: doDownload, client: none, server: clean},
	}
	for i := range list {
		list[i].size, list[i].sizeName, list[i].times = s.middle, "M", max(list[i].times, 1)
	}
	return list
}

// runServers measures the workloads that match with both servers, one after the other.
func (b *bench) runServers(ctx context.Context) error {
	return b.runServerWorkloads(ctx, b.serverSizes())
}

func (b *bench) runServerWorkloads(ctx context.Context, s serverSizes) (err error) {
	for _, w := range b.serverWorkloads(s) {
		if !b.only.MatchString(w.String()) {
			continue
		}
		if b.serve, err = b.program(ctx); err != nil {
			return err
		}
		r := serverRow{serverWorkload: w, figure: map[string]float64{}, cpu: map[string]float64{}}
		if w.rounds > 0 {
			err = b.runInTurn(ctx, &r)
		} else {
			err = errors.Join(b.runServer(ctx, &r, realServer), b.runServer(ctx, &r, ownServer))
		}
		if err == nil && w.least != nil {
			r.floor, err = w.least()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", w, err)
		}
		b.table.servers = append(b.table.servers, r)
	}
	return nil
}

// runServer measures a workload with a server of its own, which has nothing of others in its memory.
func (b *bench) runServer(ctx context.Context, r *serverRow, name string) (err error) {
	c, err := b.startContender(name, serverUsers)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	r.figure[name], err = r.round(ctx, c)
	return err
}

// runInTurn measures a workload several times with each server.
func (b *bench) runInTurn(ctx context.Context, r *serverRow) (err error) {
	var servers []*contender
	defer func() {
		for _, c := range servers {
			err = errors.Join(err, c.close())
		}
	}()
	for _, name := range []string{realServer, ownServer} {
		c, err := b.startContender(name, serverUsers)
		if err != nil {
			return err
		}
		servers = append(servers, c)
	}
	figures := map[string][]float64{}
	for range r.rounds {
		for _, c := range servers {
			figure, err := r.round(ctx, c)
			if err != nil {
				return err
			}
			figures[c.name] = append(figures[c.name], figure)
		}
	}
	for name, list := range figures {
		r.figure[name] = median(list)
	}
	return nil
}

// round measures a workload once.
func (r *serverRow) round(ctx context.Context, c *contender) (float64, error) {
	fmt.Fprintf(os.Stderr, "%s: %s … ", r, c.name)
	before := c.cpu()
	figure, err := r.measure(ctx, c)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", c.name, err)
	}
	used := c.cpu() - before
	r.cpu[c.name] += used
	fmt.Fprintf(os.Stderr, "%.3f %s, %.2f s of processor\n", figure, r.unit, used)
	return figure, nil
}

// serverUsers is how many accounts a measured server has.
const serverUsers = 40

// printServers shows the figures of both servers, the smallest ratio that any could have, and their processor time for all of the workload.
func (t *table) printServers(out io.Writer) {
	if len(t.servers) == 0 {
		return
	}
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "server\tunit\treal\tours\tratio\tbudget\t\tleast\treal CPU s\tours\tratio\t")
	for _, r := range t.servers {
		base, own := r.figure[realServer], r.figure[ownServer]
		budget, verdict, least := "", "", ""
		if r.floor > 0 {
			least = fmt.Sprintf("%.2f", r.floor/base)
		}
		switch {
		case r.budget > 0:
			budget, verdict = fmt.Sprintf("≤ %.2f", r.budget), t.verdict(own/base, r.budget)
		case r.most > 0:
			budget, verdict = fmt.Sprintf("≤ %.0f %s", r.most, r.unit), t.verdict(own, r.most)
		}
		fmt.Fprintf(w, "%s\t%s\t%.4f\t%.4f\t%.2f\t%s\t%s\t%s\t%.2f\t%.2f\t%.2f\t\n",
			r.name, r.unit, base, own, own/base, budget, verdict, least, r.cpu[realServer], r.cpu[ownServer], r.cpu[ownServer]/r.cpu[realServer])
	}
	_ = w.Flush()
}
