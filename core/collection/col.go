package collection

import (
	"fmt"
	"math"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

// Col is the row of the table col, as far as sync uses it.
type Col struct {
	Crt int64 // creation time in seconds; origin of day numbers
	Mod int64 // ms of the last change to the collection
	Scm int64 // ms of the last schema change; differing values on two sides force a one-way sync
	USN int64 // on a client: fetch everything from this usn on next time
	LS  int64 // ms; the mod agreed at the last sync, 0 = never synced
	Ver int   // schema version
}

// latest is the largest time in col: each edit adds 1 at least, and SQLite goes on with fractions after the largest integer. What is taken in
// has room below it.
const latest, latestTaken = 1 << 62, 1 << 61

// CheckTaken checks what a file from elsewhere must also have, lest it cannot be read any more later: a backup, a package, a download, an upload.
func CheckTaken(db host.DB) error {
	c, err := ReadCol(db)
	if err == nil && max(c.Mod, c.Scm, c.LS) > latestTaken {
		err = lateTime()
	}
	return err
}

func lateTime() error { return damaged("a time in col is out of range") }

// ReadCol reads the row. A missing table or row, or values that are not integers, are fault.DamagedFile. It takes a view for a table, which
// CheckHeader does not.
func ReadCol(db host.DB) (Col, error) {
	row, err := rows.One(db, "SELECT crt, mod, scm, usn, ls, ver, (SELECT count(*) FROM col) FROM col")
	if err != nil {
		return Col{}, asDamaged(err, "read the table \"col\"")
	}
	if row == nil {
		return Col{}, damaged("its table \"col\" is empty")
	}
	if n := row[6].Int(); n != 1 {
		return Col{}, damaged("its table \"col\" has %d rows, not one", n)
	}
	for i, name := range []string{"crt", "mod", "scm", "usn", "ls", "ver"} {
		if row[i].Tag != rows.TagInt {
			return Col{}, damaged("the value of col.%s is not an integer", name)
		}
	}
	c := Col{
		Crt: row[0].Int(), Mod: row[1].Int(), Scm: row[2].Int(), USN: row[3].Int(), LS: row[4].Int(),
		Ver: int(min(row[5].Int(), math.MaxInt32)),
	}
	if c.USN < math.MinInt32 || c.USN > math.MaxInt32 {
		return Col{}, damaged("col.usn is out of range (%d)", c.USN)
	}
	if max(c.Mod, c.Scm, c.LS) > latest {
		return Col{}, lateTime()
	}
	return c, nil
}

// WriteCol stores all fields of c.
func WriteCol(db host.DB, c Col) error {
	n, err := rows.Exec(db, "UPDATE col SET crt = ?, mod = ?, scm = ?, usn = ?, ls = ?, ver = ?",
		c.Crt, c.Mod, c.Scm, c.USN, c.LS, c.Ver)
	if err == nil && n != 1 {
		err = damaged("its table \"col\" has %d rows, not one", n)
	}
	if err != nil {
		return fmt.Errorf("write col: %w", err)
	}
	return nil
}

// damagedHint goes with every refusal of a damaged file.
const damagedHint = "Restore a backup, or open the file in the desktop program and let it check the database."

// damaged returns a fault.DamagedFile; format continues "the collection is damaged: ".
func damaged(format string, args ...any) *fault.Error {
	return fault.New(fault.DamagedFile, "the collection is damaged: "+format, args...).WithHint(damagedHint)
}

// asDamaged makes an error of unknown kind, such as a missing column, a fault.DamagedFile. Errors with a kind
// (busy, cancelled, …) stay what they are.
func asDamaged(err error, step string) error {
	switch fault.KindOf(err) {
	case 0:
		return nil
	case fault.Other:
		e := damaged("%s", step)
		e.Err = err
		return e
	case fault.DamagedFile:
		return &fault.Error{Kind: fault.DamagedFile, Message: step, Hint: damagedHint, Err: err}
	}
	return fmt.Errorf("%s: %w", step, err)
}
