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

// judge stores which files a scan has missed, and whether that counts as their deletion.
func (r *syncRun) judge(missed string) error {
	x := r.index
	return rows.Transaction(x.db, func() error {
		if _, err := rows.Exec(x.db, "UPDATE media SET here = NULL, size = NULL, modified = NULL, crc = NULL, aside = 0, came = 0 "+
			"WHERE name IN (SELECT name FROM "+missed+")"); err != nil {
			return err
		}
		missing, err := x.count(absent + " AND why < 2")
		if err != nil || missing == 0 {
			return err
		}
		present, err := x.count("here IS NOT NULL AND agreed IS NOT NULL")
		if err != nil {
			return err
		}
		alreadyHeld, err := x.count(absent + " AND why = 3")
		if err != nil {
			return err
		}
		why := passed
		if brakes(missing, present, alreadyHeld > 0) {
			why = held
		}
		_, err = rows.Exec(x.db, "UPDATE media SET why = ? WHERE "+absent+" AND why < 2", int64(why))
		return err
	})
}

// resolve does what the user has decided about what is held.
func (r *syncRun) resolve(o Options) error {
	set := ""
	switch {
	case o.AllowDeletions:
		set = "why = 2"
	case o.RestoreHeld: // nothing is agreed: the server's file is one that is not here yet
		set = "why = 0, agreed = NULL"
	default:
		return nil
	}
	return r.index.db.Exec("UPDATE media SET " + set + " WHERE here IS NULL AND why = 3")
}

// needsDecision is the error of a sync that holds deletions; everything else is done.
func (r *syncRun) needsDecision() error {
	return fault.New(fault.NeedsDecision, "%d media files are missing here; their deletion is held back", r.report.Held).
		WithHint("Fetch them again (restore), or allow their deletion on the server.")
}
