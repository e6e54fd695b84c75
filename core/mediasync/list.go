package mediasync

import (
	"context"
	"fmt"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/mediawire"
	"github.com/cardferry/cardferry/core/rows"
)

// unknown is the target of a listing whose end only an empty page tells.
const unknown = -1 << 40

// list reads the server's list from where the index was read to, to its end: up to the change number target, if that is
// known to be the server's highest, else up to an empty page. Another task may do the same: a page is taken only if the
// list has not been read on meanwhile, so pages come in their order.
func (r *syncRun) list(ctx context.Context, target int64) error {
	x := r.index
	defer r.closeAhead()
	for x.usn != target {
		from := x.usn
		page, err := r.page(ctx, max(from-1, 0))
		if err != nil {
			return err
		}
		if x.usn != from {
			continue
		}
		for len(page) > 0 && int64(page[0].USN) == from {
			// The last change that was read comes first again, or several of its number: if one is another now, the server has
			// been reset and has overtaken us.
			known, err := r.knows(page[0])
			if err != nil {
				return err
			}
			if !known {
				return r.relist(ctx, unknown)
			}
			page = page[1:]
		}
		if len(page) == 0 {
			if target <= from {
				return nil
			}
			// The server's last changes have left no row: there is nothing up to target that was not seen.
			if err := x.readTo(target); err != nil {
				return err
			}
			continue
		}
		if err := x.apply(page); err != nil {
			return err
		}
		r.acted, r.fresh = true, true
		r.checked += int64(len(page))
		r.progress(host.StageMediaIndex, r.checked, 0)
		r.askAhead(ctx, max(from-1, 0), target)
	}
	return nil
}

const (
	// fullPage is how many rows a page of the list has if more follow.
	fullPage = 1000
	// pagesAhead is how many pages are asked for before the ones before have come.
	pagesAhead = 8
)

// askAhead asks for the next pages at once, if the one after from had no gaps: then it is known where they begin, until
// there is a gap. The last one is not among them: a row that moves to the end of the list while it is being read is
// in a page that was asked for after all others had come.
func (r *syncRun) askAhead(ctx context.Context, from, target int64) {
	at := r.index.usn - 1
	if len(r.ahead) > 0 || at != from+fullPage-1 {
		return
	}
	r.ahead = map[int64]host.Call{}
	for ; len(r.ahead) < pagesAhead && at+fullPage < target; at += fullPage - 1 {
		r.ahead[at] = r.server.Start(ctx, mediawire.MediaChanges, mediawire.ChangesRequest(int32(at)))
	}
}

// closeAhead gives up what was asked for and not needed.
func (r *syncRun) closeAhead() {
	for at, call := range r.ahead {
		call.Close()
		delete(r.ahead, at)
	}
}

// knows reports whether a row of the list is as the index has it. Deletions of names that were never here are not kept.
func (r *syncRun) knows(c mediawire.Change) (bool, error) {
	x, err := r.index.row(c.Name)
	return x.usn == int64(c.USN) && x.server == contentOf(c) || contentOf(c) == deleted && !x.server.live(), err
}

// page asks for what comes after a change number, unless that was asked for already.
func (r *syncRun) page(ctx context.Context, from int64) ([]mediawire.Change, error) {
	body, err := r.answerAhead(ctx, from)
	if body == nil || err != nil { // there was a gap, or the request has failed, as by a redirect
		r.closeAhead()
		body, err = r.server.PostFollowing(ctx, mediawire.MediaChanges, mediawire.ChangesRequest(int32(from)))
	}
	if err != nil {
		return nil, err
	}
	return mediawire.ParseChanges(body, int32(from))
}

func (r *syncRun) answerAhead(ctx context.Context, from int64) ([]byte, error) {
	call := r.ahead[from]
	if call == nil {
		return nil, nil
	}
	delete(r.ahead, from)
	defer call.Close()
	if err := r.server.Wait(ctx, call); err != nil {
		return nil, err
	}
	return r.server.Answer(mediawire.MediaChanges, call)
}

// relist reads the server's list from its beginning and repairs what differs. A name that it lacks is unknown to the
// server, not deleted. If the index is one of another account or server, what it says about that is forgotten first,
// unless the list continues what it knows: then it is the same server, with a new key or address.
func (r *syncRun) relist(ctx context.Context, target int64) error {
	x := r.index
	table, err := x.tempTable("(name TEXT PRIMARY KEY, usn INTEGER, server BLOB) WITHOUT ROWID")
	if err != nil {
		return err
	}
	defer x.drop(table)
	started, account, last := x.usn, x.account, int64(0)
	for last != target {
		page, err := r.page(ctx, last)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		if _, err := run(x.db, "INSERT OR REPLACE INTO "+table+" VALUES (?, ?, ?)", packChanges(nil, page)); err != nil {
			return err
		}
		last = int64(page[len(page)-1].USN)
		r.checked += int64(len(page))
		r.progress(host.StageMediaIndex, r.checked, 0)
	}
	if x.usn != started || x.account != account { // another task has read the list meanwhile; this one may be older
		if x.account != r.account {
			return errBusy()
		}
		return nil
	}
	r.acted, r.fresh = true, true
	return rows.Transaction(x.db, func() error { return r.replaceList(table, max(last, target)) })
}

// replaceList makes a whole list that of the index.
func (r *syncRun) replaceList(table string, usn int64) error {
	x := r.index
	if x.account != r.account {
		same, err := r.sameHistory(table)
		if err != nil {
			return err
		}
		if !same {
			if err := x.db.Exec("UPDATE media SET usn = NULL, server = NULL, agreed = NULL, offered = NULL, why = 0, came = 0"); err != nil {
				return err
			}
		}
		x.account = r.account
		if err := x.remember("account", r.account); err != nil {
			return err
		}
	}
	if err := x.db.Exec("UPDATE media SET usn = NULL, server = NULL, agreed = CASE WHEN here IS NULL THEN agreed END " +
		"WHERE server IS NOT NULL AND name NOT IN (SELECT name FROM " + table + ")"); err != nil {
		return err
	}
	if _, err := rows.Exec(x.db, "INSERT INTO media (name, usn, server) SELECT name AS n, usn AS u, server AS s FROM "+table+mergeFrom); err != nil {
		return err
	}
	return x.readTo(usn)
}

// sameHistory reports whether a list is a later state of the one that the index knows: each of its rows is still there,
// with the same number and content, or with a higher number; and some are the same.
func (r *syncRun) sameHistory(table string) (bool, error) {
	row, err := rows.One(r.index.db, fmt.Sprintf("SELECT count(*), "+
		"coalesce(sum(l.usn IS NULL OR l.usn < m.usn OR l.usn = m.usn AND l.server IS NOT m.server), 0), coalesce(sum(l.usn = m.usn), 0) "+
		"FROM media m LEFT JOIN %s l USING (name) WHERE m.server IS NOT NULL", table))
	if err != nil {
		return false, err
	}
	return row[1].Int() == 0 && row[2].Int() > 0, nil
}
