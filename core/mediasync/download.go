package mediasync

import (
	"context"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/mediawire"
)

// downloader fetches files.
type downloader struct {
	run    *syncRun
	flight *flight
	plan   *plan
	names  *cursor
	again  []string   // names that were asked for and are still to come
	parts  [][]string // halves of batches that the server refused, to be asked for as they are
	inbox  *inbox
	done   int64
	size   int64 // average of the files received
}

// downloads fetches what is planned, in its order.
func (r *syncRun) downloads(ctx context.Context, p *plan) (err error) {
	if p.total[planDownload] == 0 {
		return nil
	}
	d := &downloader{run: r, flight: r.newFlight(mediawire.DownloadFiles), plan: p, names: p.read(planDownload), inbox: r.newInbox()}
	defer d.flight.close()
	defer func() {
		if cerr := d.inbox.commit(ctx); err == nil {
			err = cerr
		}
	}()
	r.progress(host.StageMediaDownload, 0, p.total[planDownload])
	for {
		if err := d.fill(ctx); err != nil {
			return err
		}
		if len(d.flight.jobs) == 0 {
			return nil
		}
		j, err := d.flight.next(ctx)
		if err != nil {
			return err
		}
		err = d.answer(ctx, j)
		j.call.Close()
		if err != nil {
			return err
		}
	}
}

// fill starts requests while there is room.
func (d *downloader) fill(ctx context.Context) error {
	for d.flight.room(max(d.size, min(d.size*mediawire.MaxEntries, mediawire.BatchBytes))) {
		names, err := d.batch(ctx)
		if err != nil || len(names) == 0 {
			return err
		}
		d.flight.start(ctx, &job{names: names, bytes: int64(len(names)) * d.size}, d.run.downloadRequest(names))
	}
	return nil
}

// downloadStall covers the time in which a server collects the files.
const downloadStall = time.Minute

func (r *syncRun) downloadRequest(names []string) *host.Request {
	req := r.server.Request(mediawire.DownloadFiles, mediawire.DownloadRequest(names))
	req.Stream, req.Unzstd, req.Stall = true, true, downloadStall
	return req
}

// batch returns the next names to ask for: as many as the server sends at a time, so that none of a large file's
// successors waits for it while requests could be under way.
func (d *downloader) batch(ctx context.Context) (names []string, err error) {
	if d.run.stopped[planDownload] {
		return nil, nil
	}
	for n := len(d.parts); n > 0; n-- {
		names, d.parts = d.parts[n-1], d.parts[:n-1]
		wanted, err := d.run.stillWanted(names)
		if err != nil || len(wanted) > 0 {
			return wanted, err
		}
	}
	names = nil
	limit := mediawire.MaxEntries
	if d.size > 0 {
		limit = int(min(int64(limit), mediawire.BatchBytes/d.size+1))
	}
	for len(names) < limit {
		x, ok := candidate{}, len(d.again) > 0
		if ok {
			x.row, err = d.run.index.row(d.again[0])
			x.copied, d.again = true, d.again[1:]
		} else {
			x, ok, err = d.names.next()
		}
		if err != nil || !ok {
			return names, err
		}
		if d.run.next(&x.row) != download {
			d.advance(1)
			continue
		}
		if x.copied {
			if x.copied, err = d.copy(ctx, &x.row); err != nil {
				return nil, err
			}
		}
		if !x.copied {
			names = append(names, x.name)
		}
	}
	return names, nil
}

// stillWanted returns the names that are still to be downloaded.
func (r *syncRun) stillWanted(names []string) (wanted []string, err error) {
	for _, name := range names {
		x, err := r.index.row(name)
		if err != nil {
			return nil, err
		}
		if r.next(&x) == download {
			wanted = append(wanted, name)
		}
	}
	return wanted, nil
}

func (d *downloader) advance(n int) {
	d.done += int64(n)
	d.run.progress(host.StageMediaDownload, min(d.done, d.plan.total[planDownload]), d.plan.total[planDownload])
}

// answer handles the answer to a request.
func (d *downloader) answer(ctx context.Context, j *job) error {
	resp, err := j.call.Response()
	switch {
	case err != nil:
	case resp.Status == 308:
		d.parts = append(d.parts, j.names)
		return d.flight.moved(j, resp)
	case resp.Status == 409:
		return d.refused(ctx, j.names)
	}
	d.inbox.reset()
	err = d.inbox.receive(ctx, j.call, j.names)
	if n := len(d.inbox.got); n > 0 {
		average := d.inbox.bytes/int64(n) + 1
		if d.size == 0 {
			d.size = average
		}
		d.size = (d.size + average) / 2
		d.advance(n)
	}
	if err != nil {
		if fault.KindOf(err) == fault.Cancelled || !d.flight.bad(err) {
			return err
		}
		d.again = append(d.inbox.rest(j.names), d.again...)
		return nil
	}
	d.flight.good(j)
	rest := d.inbox.rest(j.names)
	if len(rest) == len(j.names) {
		return d.refused(ctx, rest)
	}
	d.again = append(rest, d.again...)
	return d.wrong(ctx, d.inbox.wrong)
}

// refused acts on a batch of which the server gives nothing: a name in it is not there any more (§3.4, 409). If reading
// the list on does not tell which, halves of the batch do.
func (d *downloader) refused(ctx context.Context, names []string) error {
	r := d.run
	if err := r.list(ctx, unknown); err != nil {
		return err
	}
	wanted, err := r.stillWanted(names)
	if err != nil {
		return err
	}
	d.advance(len(names) - len(wanted))
	switch n := len(wanted); {
	case n == 0:
	case n < len(names):
		d.parts = append(d.parts, wanted)
	case n > 1:
		d.parts = append(d.parts, wanted[:n/2], wanted[n/2:])
	default:
		d.giveUp(wanted[0], gone)
	}
	return nil
}

func (d *downloader) giveUp(name string, why reason) {
	d.run.giveUp(name, why, planDownload)
	d.advance(1)
}

// wrong acts on files whose content is not what the list says. They may have been replaced since, which the list tells; or
// the index is wrong, which the list tells from just before the row; or the server has another content than it lists.
func (d *downloader) wrong(ctx context.Context, names []string) error {
	if len(names) == 0 {
		return nil
	}
	r := d.run
	before := map[string]content{}
	for _, name := range names {
		x, err := r.index.row(name)
		if err != nil {
			return err
		}
		before[name] = x.server
	}
	if err := r.list(ctx, unknown); err != nil {
		return err
	}
	for _, name := range names {
		x, err := r.index.row(name)
		if err == nil && x.server == before[name] {
			err = r.reread(ctx, &x)
		}
		if err != nil {
			return err
		}
		if x.server == before[name] {
			d.giveUp(name, wrongHash)
		} else {
			d.again = append(d.again, name)
		}
	}
	return nil
}

// reread asks for one row of the list again, and stores it if it differs.
func (r *syncRun) reread(ctx context.Context, x *row) error {
	usn := x.usn
	page, err := r.page(ctx, usn-1)
	if err != nil || len(page) == 0 || page[0].Name != x.name || int64(page[0].USN) != usn {
		return err
	}
	now, err := r.index.row(x.name)
	if err != nil || now.usn != usn || now.server == contentOf(page[0]) {
		return err
	}
	now.server = contentOf(page[0])
	*x = now
	return r.index.store(false, now)
}
