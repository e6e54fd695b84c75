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
	"github.com/cardferry/cardferry/hostrunner/anki"
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
	account := b.server.Take()
	// The server keeps its handle of the collection, which may be large; the account is not used again.
	defer func() { err = errors.Join(err, os.RemoveAll(dir), os.RemoveAll(filepath.Dir(account.File()))) }()
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
			err = account.Place(path)
		} else {
			_, err = anki.CopyFile(path, dir)
		}
		if err != nil {
			return m, err
		}
	}
	endpoint := b.server.URL
	if w.roundTrip > 0 {
		proxy, err := anki.NewDelayProxy(endpoint, w.roundTrip)
		if err != nil {
			return m, err
		}
		defer proxy.Close()
		endpoint = proxy.URL
	}
	quietDisk(ctx)
	acc := colsync.Account{Endpoint: endpoint, Key: account.Key}
	if engine == real {
		m, err = b.measureReal(w, dir, acc)
	} else {
		m, err = b.measureOurs(ctx, w, engine, dir, acc)
	}
	if err != nil {
		return m, err
	}
	return m, b.compare(filepath.Join(dir, host.Collection), account.File())
}

// quietDisk waits until the disk has all that was written: a program that makes its commits durable would wait for what the one before it has
// left, and for the copies of the collection that were made for it.
func quietDisk(ctx context.Context) { _ = exec.CommandContext(ctx, "sync").Run() }

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
	agent, err := anki.NewAgent()
	if err != nil {
		return m, err
	}
	defer agent.Close()
	c, err := agent.OpenClient(filepath.Join(dir, host.Collection))
	if err != nil {
		return m, err
	}
	do, args := "sync", anki.Args{"endpoint": acc.Endpoint, "key": acc.Key}
	switch w.do {
	case doUpload, doDownload:
		do, args["upload"] = "full", w.do == doUpload
	case doMedia:
		do = "media_sync"
	}
	var seconds []float64
	for range w.times {
		x, err := c.Measure(do, args)
		if err != nil {
			return m, err
		}
		var r anki.Outcome
		if err := json.Unmarshal(x.Result, &r); err != nil || w.do == doSync && r.Required != "NO_CHANGES" {
			return m, fmt.Errorf("a %s sync is required: %w", r.Required, err)
		}
		seconds = append(seconds, x.Seconds)
		m.Kilobytes = max(m.Kilobytes, x.Kilobytes)
	}
	m.Seconds = median(seconds)
	return m, c.Try("close", nil, nil)
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
		copied, err := anki.CopyFile(path, dir)
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
	db, err := anki.OpenSQL(path)
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
