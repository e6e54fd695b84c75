package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/hostrunner/ankitest"
)

// real names the real client among the engines.
const real = "real"

// run measures a workload with every engine in turn, so that a slow moment of the machine hits all alike.
func (b *bench) run(ctx context.Context, w workload) (row, error) {
	repeat := b.repeat
	if w.once {
		repeat = 1
	}
	found := map[string][]measured{}
	for range repeat {
		for _, engine := range append([]string{real}, b.engines...) {
			fmt.Fprintf(os.Stderr, "%s: %s … ", w, engine)
			m, err := b.measure(ctx, w, engine)
			if err != nil {
				return row{}, fmt.Errorf("%s: %w", engine, err)
			}
			fmt.Fprintf(os.Stderr, "%.3f s, %d MiB\n", m.Seconds, m.Kilobytes>>10)
			found[engine] = append(found[engine], m)
		}
	}
	r := row{workload: w, result: map[string]measured{}}
	for engine, list := range found {
		r.result[engine] = middle(list)
	}
	return r, nil
}

// middle combines repeated measurements: the median time, the largest memory.
func middle(list []measured) (m measured) {
	var seconds []float64
	for _, x := range list {
		seconds = append(seconds, x.Seconds)
		m.Kilobytes, m.Requests = max(m.Kilobytes, x.Kilobytes), x.Requests
	}
	m.Seconds = median(seconds)
	return m
}

// measure runs a workload once, on new copies of both collections and a new account, and checks that both sides are equal
// afterwards.
func (b *bench) measure(ctx context.Context, w workload, engine string) (m measured, err error) {
	b.number++
	dir := filepath.Join(b.dir, fmt.Sprintf("client-%d", b.number))
	user := b.server.User()
	defer func() { err = errors.Join(err, os.RemoveAll(dir), b.forget(user)) }()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return m, err
	}
	for side, s := range map[string]state{"client": w.client, "server": w.server} {
		path, err := b.files.path(s, w.size)
		if err != nil {
			return m, err
		}
		if path == "" {
			continue
		}
		if side == "server" {
			err = b.server.Install(user, path)
		} else {
			_, err = ankitest.CopyFile(path, dir)
		}
		if err != nil {
			return m, err
		}
	}
	endpoint := b.server.URL
	if w.roundTrip > 0 {
		proxy, err := ankitest.NewDelayProxy(endpoint, w.roundTrip)
		if err != nil {
			return m, err
		}
		defer proxy.Close()
		endpoint = proxy.URL
	}
	acc := colsync.Account{Endpoint: endpoint, Key: user.Key()}
	if engine == real {
		m, err = b.measureReal(w, dir, acc)
	} else {
		m, err = b.measureOurs(ctx, w, engine, dir, acc)
	}
	if err != nil {
		return m, err
	}
	return m, b.compare(filepath.Join(dir, host.Collection), b.server.Collection(user))
}

// forget removes an account's collection, which may be large. The server keeps its handle; the account is not used again.
func (b *bench) forget(u ankitest.User) error { return os.RemoveAll(b.server.Collection(u)) }

func (b *bench) measureOurs(ctx context.Context, w workload, engine, dir string, acc colsync.Account) (m measured, err error) {
	self, err := os.Executable()
	if err != nil {
		return m, err
	}
	c := childTask{Engine: engine, Dir: dir, Cache: filepath.Join(b.dir, "cache"), Do: w.do, Account: acc, Times: w.times}
	if b.profiles != "" {
		c.Profile = filepath.Join(b.profiles, strings.ReplaceAll(fmt.Sprintf("%s %s %d.pprof", w, engine, b.number), " ", "-"))
	}
	task, err := json.Marshal(c)
	if err != nil {
		return m, err
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, self, childCommand, string(task))
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return m, fmt.Errorf("%w: %s", err, &stderr)
	}
	return m, json.Unmarshal(out, &m)
}

func (b *bench) measureReal(w workload, dir string, acc colsync.Account) (m measured, err error) {
	c, err := ankitest.StartClient(filepath.Join(dir, host.Collection))
	if err != nil {
		return m, err
	}
	defer c.Kill()
	if err := c.TryDo("use_key", map[string]any{"endpoint": acc.Endpoint, "key": acc.Key}, nil); err != nil {
		return m, err
	}
	do, args := "sync", map[string]any{}
	if w.do != doSync {
		do, args = "full", map[string]any{"upload": w.do == doUpload}
	}
	var seconds []float64
	for range w.times {
		x, err := c.Measure(do, args)
		if err != nil {
			return m, err
		}
		var r ankitest.SyncResult
		if err := json.Unmarshal(x.Result, &r); err != nil || w.do == doSync && r.Required != "none" {
			return m, fmt.Errorf("a %s sync is required: %w", r.Required, err)
		}
		seconds = append(seconds, x.Seconds)
		m.Kilobytes = max(m.Kilobytes, x.Kilobytes)
	}
	m.Seconds = median(seconds)
	return m, c.TryDo("close", nil, nil)
}

// compare checks that both sides have the same content: a fast sync that loses something is not fast.
func (b *bench) compare(client, server string) error {
	var sides [2]string
	for i, path := range []string{client, server} {
		dir, err := os.MkdirTemp(b.dir, "compare-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		copied, err := ankitest.CopyFile(path, dir)
		if err != nil {
			return err
		}
		if sides[i], err = summary(copied); err != nil {
			return err
		}
	}
	if sides[0] != sides[1] {
		return fmt.Errorf("the client has %s, the server %s", sides[0], sides[1])
	}
	return nil
}

// summaryQuery adds up what a sync could lose. All rows are stamped alike, so usn counts as well.
const summaryQuery = `SELECT printf('%s notes, %s cards, %s reviews, collection %s',
	(SELECT count(*) || '/' || total(mod + usn + csum) || '/' || total(length(flds) + length(tags)) FROM notes),
	(SELECT count(*) || '/' || total(mod + usn + due + ivl + reps + queue) || '/' || total(length(data)) FROM cards),
	(SELECT count(*) || '/' || total(usn + cid + ease + ivl + factor + time) FROM revlog),
	(SELECT mod || '/' || scm || '/' || usn FROM col))`

// summary describes the content of a collection.
func summary(path string) (string, error) {
	db, err := ankitest.OpenSQL(path)
	if err != nil {
		return "", err
	}
	defer db.Close()
	st, _, err := db.Prepare(summaryQuery)
	if err != nil {
		return "", err
	}
	defer st.Close()
	st.Step()
	return st.ColumnText(0), st.Err()
}
