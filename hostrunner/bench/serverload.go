package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/anki"
)

// user is a user of a measured server with a real client.
type user struct {
	account *anki.Account
	client  *anki.Client
	args    anki.Args // of a sync
}

// newUser gives an account and a client their collections, and opens the client's.
func (c *contender) newUser(agent *anki.Agent, client, server state, size anki.Size) (*user, error) {
	return c.newUserIn(c.dir, agent, client, server, size)
}

// newUserIn has the client in that folder.
func (c *contender) newUserIn(folder string, agent *anki.Agent, client, server state, size anki.Size) (*user, error) {
	c.number++
	u := &user{account: c.server.Take()}
	u.args = anki.Args{"endpoint": c.server.URL, "key": u.account.Key}
	dir := filepath.Join(folder, fmt.Sprintf("client-%d", c.number))
	path, err := c.files.path(server, size)
	if err == nil && path != "" {
		err = u.account.Place(path)
	}
	if err == nil {
		path, err = c.files.path(client, size)
	}
	if err == nil {
		_, err = anki.CopyFile(path, dir)
	}
	if err == nil {
		u.client, err = agent.OpenClient(filepath.Join(dir, host.Collection))
	}
	return u, err
}

// sync makes a normal sync and returns how long it took.
func (u *user) sync() (seconds float64, err error) {
	m, err := u.client.Measure("sync", u.args)
	return m.Seconds, err
}

// answer changes a card, so that the next sync has something to send.
func (u *user) answer() error {
	for _, sql := range []string{
		"UPDATE cards SET usn = -1, mod = mod + 1, reps = reps + 1 WHERE id = (SELECT min(id) FROM cards)",
		"UPDATE col SET mod = max(mod + 1, CAST(strftime('%s', 'now') AS int) * 1000)",
	} {
		if err := u.client.Try("sql", anki.Args{"sql": sql, "args": []any{}}, nil); err != nil {
			return err
		}
	}
	return nil
}

// crowd lets n users send a collection each, at once, and returns how long that takes on the whole.
func (c *contender) crowd(s serverSizes, n int) (float64, error) {
	const perAgent = 4
	var users []*user
	var agent *anki.Agent
	for i := range n {
		if i%perAgent == 0 {
			var err error
			if agent, err = anki.NewAgent(); err != nil {
				return 0, err
			}
			defer agent.Close()
		}
		u, err := c.newUser(agent, pending, bare, s.part)
		if err != nil {
			return 0, err
		}
		users = append(users, u)
	}
	errs := make([]error, n)
	begun := time.Now()
	var wg sync.WaitGroup
	for i, u := range users {
		wg.Go(func() { _, errs[i] = u.sync() })
	}
	wg.Wait()
	return time.Since(begun).Seconds(), errors.Join(errs...)
}

// besides does something large for another user again and again until it is told to stop; once says that it has been done.
type besides func(s serverSizes, stop <-chan struct{}, once chan<- struct{}) error

// due is how often a small sync is wanted whose time is looked at. A server that stands still for two seconds keeps twenty of them waiting, not
// only the one that is under way: each counts from when it was wanted, however late the one before it ended.
const due = 100 * time.Millisecond

// beside makes small syncs of one user while another one does something large, nil: nothing, and returns a percentile of their times.
func (c *contender) beside(ctx context.Context, s serverSizes, large besides, percentile int) (float64, error) {
	agent, err := anki.NewAgent()
	if err != nil {
		return 0, err
	}
	defer agent.Close()
	u, err := c.newUser(agent, clean, clean, s.part)
	if err != nil {
		return 0, err
	}
	if _, err := u.sync(); err != nil { // opens the collection
		return 0, err
	}
	quietDisk(ctx)
	stop, once, ended := make(chan struct{}), make(chan struct{}, 1), make(chan error, 1)
	if large == nil {
		once <- struct{}{}
		ended <- nil
	} else {
		go func() { ended <- large(s, stop, once) }()
	}
	times, err := u.syncs(s.samples, once, ended)
	close(stop)
	if err := errors.Join(err, <-ended); err != nil {
		return 0, err
	}
	slices.Sort(times)
	return times[len(times)*percentile/100], nil
}

// syncs makes small syncs until there are n, and all that were wanted before once came, and returns the seconds of each. Without the latter those
// would be left out that waited until the large thing was over: it ends when the server moves again.
func (u *user) syncs(n int, once <-chan struct{}, ended chan error) (times []float64, err error) {
	begun := time.Now()
	var over time.Time // when once came
	for {
		wanted := begun.Add(time.Duration(len(times)) * due)
		if len(times) >= n && !over.IsZero() && wanted.After(over) {
			return times, nil
		}
		if err = u.answer(); err != nil {
			return nil, err
		}
		time.Sleep(time.Until(wanted))
		started := time.Now()
		seconds, err := u.sync()
		if err != nil {
			return nil, err
		}
		times = append(times, started.Sub(wanted).Seconds()+seconds)
		select {
		case <-once:
			if over.IsZero() {
				over = time.Now()
			}
		case err := <-ended: // too early, or there is nothing beside
			ended <- nil
			if err != nil {
				return nil, err
			}
		default:
		}
	}
}

// memory is a folder in memory, on most systems.
const memory = "/dev/shm"

// uploads replaces another user's large collection. The client of that user has a disk of its own, memory if there is such a folder: on the
// server's, what small commits wait for would be its vacuum, with either server.
func (c *contender) uploads(s serverSizes, stop <-chan struct{}, once chan<- struct{}) error {
	disk := c.dir
	if dir, err := os.MkdirTemp(memory, "cardferry-bench-"); err == nil {
		defer os.RemoveAll(dir)
		disk = dir
	}
	agent, err := anki.NewAgent()
	if err != nil {
		return err
	}
	defer agent.Close()
	u, err := c.newUserIn(disk, agent, clean, none, s.large)
	if err != nil {
		return err
	}
	u.args["upload"] = true
	return untilStopped(stop, once, func() error {
		_, err := u.client.Measure("full", u.args)
		return err
	})
}

// sendsMedia sends another user's media files.
func (c *contender) sendsMedia(s serverSizes, stop <-chan struct{}, once chan<- struct{}) error {
	folder, err := c.media.folder(s.media)
	if err != nil {
		return err
	}
	agent, err := anki.NewAgent()
	if err != nil {
		return err
	}
	defer agent.Close()
	return untilStopped(stop, once, func() error {
		u, err := c.newUser(agent, bare, none, anki.Size{})
		if err == nil {
			err = os.RemoveAll(u.client.MediaDir())
		}
		if err == nil {
			err = link(folder, u.client.MediaDir())
		}
		if err != nil {
			return err
		}
		_, err = u.client.SyncMedia(c.server.URL, u.account.Key)
		return err
	})
}

func untilStopped(stop <-chan struct{}, once chan<- struct{}, do func() error) error {
	for {
		if err := do(); err != nil {
			return err
		}
		select {
		case once <- struct{}{}:
		default:
		}
		select {
		case <-stop:
			return nil
		default:
		}
	}
}

// uploadAlone is what an upload takes a real client before a server that throws it away.
func (b *bench) uploadAlone(size anki.Size) (seconds float64, err error) {
	answer := wire.NewCodec().Compress(nil, []byte("OK"))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("anki-original-size", "2")
		_, _ = w.Write(answer)
	}))
	defer server.Close()
	path, err := b.files.path(clean, size)
	if err != nil {
		return 0, err
	}
	dir := filepath.Join(b.dir, "alone")
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if _, err := anki.CopyFile(path, dir); err != nil {
		return 0, err
	}
	w := workload{do: doUpload, times: 1}
	m, err := b.measureReal(w, dir, colsync.Account{Endpoint: server.URL + "/", Key: "any"})
	return m.Seconds, err
}

// idle is the memory of a server that has served a user, and has nothing to do.
func (c *contender) idle(ctx context.Context, s serverSizes) (float64, error) {
	err := errors.Join(c.opened(s, 1), c.quiet(ctx, s))
	return c.megabytes(), err
}

// perAccount is how much memory each account takes that has synced lately.
func (c *contender) perAccount(ctx context.Context, s serverSizes) (float64, error) {
	if err := errors.Join(c.opened(s, 1), c.quiet(ctx, s)); err != nil {
		return 0, err
	}
	before := c.megabytes()
	if err := errors.Join(c.opened(s, s.open), c.quiet(ctx, s)); err != nil {
		return 0, err
	}
	return (c.megabytes() - before) / float64(s.open), nil
}

// quiet waits until a server has given back what it does not need.
func (c *contender) quiet(ctx context.Context, s serverSizes) error {
	select {
	case <-time.After(s.quiet):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// opened lets n users make a sync of a day.
func (c *contender) opened(s serverSizes, n int) error {
	agent, err := anki.NewAgent()
	if err != nil {
		return err
	}
	defer agent.Close()
	for range n {
		u, err := c.newUser(agent, reviewed, clean, s.part)
		if err == nil {
			_, err = u.sync()
		}
		if err == nil {
			err = u.client.Try("close", nil, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
