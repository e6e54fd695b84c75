package mediasync

import (
	"context"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/mediawire"
)

const (
	// aheadBatches is how many batches are made ready at a time: what they offer is stored in one durable step.
	aheadBatches = 8
)

// sent is one entry of an upload, as its row was when it was offered.
type sent struct {
	mediawire.Entry
	usn   int64
	offer content
}

// uploader sends files and deletions.
type uploader struct {
	run    *syncRun
	flight *flight
	plan   *plan
	names  *cursor
	ready  []*job // offered, not sent yet
	taken  []sent // by the server, which the index does not say yet
	stored time.Time
	done   int64
	usn    int64 // the server's highest number, as far as it has told
	lost   error // of a request whose outcome is not known
}

// uploads sends what is planned, then reads the server's list on. What is offered is stored before it leaves. A request
// without an answer may have been carried out: nothing is sent again before the list has told.
func (r *syncRun) uploads(ctx context.Context, p *plan) (err error) {
	u := &uploader{run: r, flight: r.newFlight(mediawire.UploadChanges), plan: p, names: p.read(planUpload), usn: unknown, stored: r.Host.Clock.Now()}
	defer u.flight.close()
	defer func() {
		if serr := u.store(); err == nil {
			err = serr
		}
	}()
	r.progress(host.StageMediaUpload, 0, p.total[planUpload])
	for {
		if err := u.fill(ctx); err != nil {
			return err
		}
		if len(u.flight.jobs) == 0 {
			break
		}
		j, err := u.flight.next(ctx)
		if err != nil {
			return err
		}
		err = u.answer(ctx, j)
		j.call.Close()
		if err != nil {
			return err
		}
	}
	if u.lost == nil && u.usn == unknown {
		return nil // the server has taken nothing
	}
	if u.lost != nil {
		if r.lost++; r.lost > maxFailures {
			return u.lost
		}
		u.usn = unknown
	}
	return r.list(ctx, u.usn)
}

// fill starts requests while there is room.
func (u *uploader) fill(ctx context.Context) error {
	for u.lost == nil && !u.run.stopped[planUpload] {
		if len(u.ready) == 0 {
			if err := u.prepare(ctx); err != nil {
				return err
			}
			if len(u.ready) == 0 {
				return nil
			}
		}
		j := u.ready[0]
		if !u.flight.room(j.bytes) {
			return nil
		}
		u.ready = u.ready[1:]
		u.send(ctx, j)
	}
	return nil
}

func (u *uploader) send(ctx context.Context, j *job) {
	entries := make([]mediawire.Entry, len(j.entries))
	for i := range j.entries {
		entries[i] = j.entries[i].Entry
	}
	req := u.run.server.Request(mediawire.UploadChanges, nil)
	req.Parts = mediawire.UploadBody(entries)
	u.flight.start(ctx, j, req)
}

// prepare makes some batches ready and stores what they offer.
func (u *uploader) prepare(ctx context.Context) error {
	var offers []row
	for len(u.ready) < aheadBatches {
		j := &job{}
		for len(j.entries) < mediawire.MaxEntries && j.bytes <= mediawire.BatchBytes {
			planned, ok, err := u.names.next()
			if err != nil {
				return err
			}
			if !ok {
				break
			}
			x, ok, err := u.run.offer(ctx, planned.name)
			if err != nil {
				return err
			}
			if !ok {
				u.advance(1)
				continue
			}
			offers = append(offers, x)
			j.add(&x)
		}
		if len(j.entries) == 0 {
			break
		}
		u.ready = append(u.ready, j)
	}
	if err := u.run.index.store(true, offers...); err != nil {
		return err
	}
	return u.run.Host.Yield.Tick(ctx)
}

func (j *job) add(x *row) {
	e := sent{Entry: mediawire.Entry{Name: x.name, Delete: x.here == nothing, File: x.file, CRC: x.crc}, usn: x.usn, offer: x.offered}
	j.entries = append(j.entries, e)
	j.bytes += e.File.Size
}

// offer returns the row of a name that is to be uploaded or deleted, with what is offered. A file that is not as it was
// seen is looked at again first.
func (r *syncRun) offer(ctx context.Context, name string) (x row, ok bool, err error) {
	if x, err = r.index.row(name); err != nil {
		return x, false, err
	}
	if r.next(&x) == upload {
		f, err := r.Host.Media.Stat(name)
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return x, false, fault.Step("look at a media file", err)
		}
		if err != nil || f != x.file {
			if x, err = r.look(ctx, name); err != nil {
				return x, false, err
			}
		}
	}
	switch r.next(&x) {
	case upload:
		x.offered = x.here
	case deleteThere:
		x.offered = deleted
	default:
		return x, false, nil
	}
	return x, true, nil
}

// answer handles the answer to a request.
func (u *uploader) answer(ctx context.Context, j *job) error {
	r := u.run
	resp, err := j.call.Response()
	switch {
	case fault.KindOf(err) == fault.NotFound || fault.KindOf(err) == fault.NotWritable:
		return u.again(ctx, j) // a file is not as it was, and the server did not get the whole
	case err == nil && resp.Status == 308:
		if err := u.flight.moved(j, resp); err != nil {
			return err
		}
		u.ready = append([]*job{j}, u.ready...)
		return nil
	case err == nil && (resp.Status == 400 || resp.Status == 413):
		u.halve(j, refused)
		return nil
	}
	body, err := r.server.Answer(mediawire.UploadChanges, j.call)
	var processed, usn int64
	if err == nil {
		var n int32
		processed, n, err = mediawire.ParseUpload(body)
		usn = int64(n)
	}
	if err == nil && processed == 0 {
		err = fault.New(fault.ServerError, "the server has taken none of the files that it was sent")
	}
	if err != nil {
		if !u.flight.bad(err) {
			return err
		}
		u.lost = fault.Step("send media files", err)
		return nil
	}
	u.flight.good(j)
	u.usn = max(u.usn, usn)
	return u.acknowledge(j.entries[:min(processed, int64(len(j.entries)))])
}

// acknowledge notes what the server has now. To store it is not urgent: what was offered is known, so the list tells as much.
func (u *uploader) acknowledge(entries []sent) error {
	u.taken = append(u.taken, entries...)
	u.advance(len(entries))
	if !u.run.due(len(u.taken), u.stored) {
		return nil
	}
	return u.store()
}

// store stores what the server has taken. A row that has changed meanwhile says it better.
func (u *uploader) store() error {
	var list []row
	for _, e := range u.taken {
		x, err := u.run.index.row(e.Name)
		if err != nil {
			return err
		}
		if e.Delete {
			u.run.report.DeletedRemote++
		} else {
			u.run.report.Uploaded++
		}
		if x.offered != e.offer || x.usn != e.usn {
			continue
		}
		x.server, x.agreed, x.offered = e.offer, e.offer, nothing
		if e.Delete {
			x.agreed = nothing
		}
		list = append(list, x)
	}
	u.taken, u.stored = nil, u.run.Host.Clock.Now()
	return u.run.index.store(false, list...)
}

func (u *uploader) advance(n int) {
	u.done += int64(n)
	u.run.progress(host.StageMediaUpload, min(u.done, u.plan.total[planUpload]), u.plan.total[planUpload])
}

// again sends a batch anew, without the files that are not as they were offered: the next plan decides about those.
func (u *uploader) again(ctx context.Context, j *job) error {
	left := &job{}
	for _, e := range j.entries {
		if !e.Delete {
			x, err := u.run.look(ctx, e.Name)
			if err != nil {
				return err
			}
			if x.here != e.offer || x.file != e.File {
				u.advance(1)
				continue
			}
		}
		left.entries = append(left.entries, e)
		left.bytes += e.File.Size
	}
	switch len(left.entries) {
	case 0:
	case len(j.entries): // the host cannot read one of them, though the file is as it was
		u.halve(j, unreadable)
	default:
		u.ready = append(u.ready, left)
	}
	return nil
}

// halve finds the entry for which a whole batch cannot be sent or is refused; the server has taken nothing of it.
func (u *uploader) halve(j *job, why reason) {
	if len(j.entries) == 1 {
		u.run.giveUp(j.entries[0].Name, why, planUpload)
		u.advance(1)
		return
	}
	n := len(j.entries) / 2
	for _, entries := range [][]sent{j.entries[:n], j.entries[n:]} {
		part := &job{entries: entries}
		for _, e := range entries {
			part.bytes += e.File.Size
		}
		u.ready = append(u.ready, part)
	}
}
