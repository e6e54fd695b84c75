package mediasync

import (
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/rows"
)

const (
	// A scan may miss up to brakeFiles files, or a brakeShare-th part of all, and those are deleted on the server.
	brakeFiles = 10
	brakeShare = 5
	// absent are the rows whose deletion would be sent.
	absent = "here IS NULL AND server IS agreed AND agreed IS NOT NULL"
)

// brakes reports whether deletions are held: missing of the files that both sides had are not here any more, present
// are. anyHeld says that some are held already: one download into an emptied folder must not let the others go.
func brakes(missing, present int64, anyHeld bool) bool {
	return missing > 0 && (anyHeld || present == 0 || missing > brakeFiles && missing*brakeShare > missing+present)
}

// storeMissed stores which files a scan has missed, and judges them.
func (r *syncRun) storeMissed(table string) error {
	x := r.index
	return rows.Transaction(x.db, func() error {
		if _, err := rows.Exec(x.db, "UPDATE media SET here = NULL, size = NULL, modified = NULL, crc = NULL, aside = 0, came = 0 "+
			"WHERE name IN (SELECT name FROM "+table+")"); err != nil {
			return err
		}
		if r.options.Evictable {
			return x.evicted()
		}
		if err := x.db.Exec("UPDATE media SET why = 1 WHERE here IS NULL AND why = 0 AND (agreed IS NOT NULL OR offered IS NOT NULL)"); err != nil {
			return err
		}
		return x.judge()
	})
}

// evicted makes what is not here any more files that were never here, unless the user has deleted them.
func (x *index) evicted() error {
	return x.db.Exec("UPDATE media SET agreed = NULL, offered = NULL, came = 0, why = 0 " +
		"WHERE here IS NULL AND why <> 3 AND (agreed IS NOT NULL OR offered IS NOT NULL)")
}

// judge decides, inside a transaction, whether files that were missed count as deleted. It is asked again after a listing,
// which may tell what both sides had agreed on.
func (x *index) judge() error {
	missing, err := x.count(absent + " AND why IN (1, 2)")
	if err != nil || missing == 0 {
		return err
	}
	present, err := x.count("here IS NOT NULL AND agreed IS NOT NULL")
	if err != nil {
		return err
	}
	alreadyHeld, err := x.count(absent + " AND why = 4")
	if err != nil {
		return err
	}
	why := passed
	if brakes(missing, present, alreadyHeld > 0) {
		why = held
	}
	_, err = rows.Exec(x.db, "UPDATE media SET why = ? WHERE "+absent+" AND why IN (1, 2)", int64(why))
	return err
}

// judge is index.judge, and then does what the user has decided about what is held.
func (r *syncRun) judge() error {
	if err := r.index.judge(); err != nil {
		return err
	}
	set := ""
	switch {
	case r.options.AllowDeletions:
		set = "why = 3"
	case r.options.RestoreHeld: // nothing is agreed: the server's file is one that is not here yet
		set = "why = 0, agreed = NULL"
	default:
		return nil
	}
	return r.index.db.Exec("UPDATE media SET " + set + " WHERE here IS NULL AND why = 4")
}

// needsDecision is the error of a sync that holds deletions; everything else is done.
func (r *syncRun) needsDecision() error {
	return fault.New(fault.NeedsDecision, "%d media files are missing here; their deletion is held back", r.report.Held).
		WithHint(HeldHint)
}

// HeldHint says what to decide about held deletions.
const HeldHint = "Fetch them again (restore), or allow their deletion on the server."
