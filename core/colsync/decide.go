package colsync

import (
	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/wire"
)

// Required says what a collection needs to be in sync.
type Required string

// The values of Required.
const (
	RequiredNone   Required = "none"
	RequiredNormal Required = "normal"
	RequiredFull   Required = "full" // one side must replace the other
)

// decision is the outcome of comparing both sides' state (§5.2).
type decision struct {
	required   Required
	uploadOK   bool
	downloadOK bool
	localNewer bool
}

func decide(local collection.Col, localEmpty bool, m wire.Meta) decision {
	d := decision{
		required:   RequiredNormal,
		uploadOK:   !localEmpty || m.Empty,
		downloadOK: !m.Empty || localEmpty,
		localNewer: local.Mod > m.Mod,
	}
	switch {
	// Before scm: trap 10. An edit during a sync may have the millisecond in which another device's sync ends as its time: the times are
	// equal then, the usns and what they stand for are not.
	case local.Mod == m.Mod && local.USN == int64(m.USN):
		d.required = RequiredNone
	case local.Scm != m.Scm:
		d.required = RequiredFull
	}
	return d
}

// localState reads what §5.2 compares.
func localState(db host.DB) (col collection.Col, empty bool, err error) {
	if col, err = collection.ReadCol(db); err != nil {
		return col, false, err
	}
	empty, err = collection.Empty(db)
	return col, empty, err
}

// oneWayError explains that one side must replace the other: both directions, and what each would lose.
func oneWayError(db host.DB, col collection.Col, d decision, m wire.Meta) error {
	e := fault.New(fault.OneWayNeeded, "this device and the server cannot be merged; one side must replace the other").
		WithHint(oneWayHint(d)).
		With("upload_ok", d.uploadOK).With("download_ok", d.downloadOK)
	pending, err := collection.PendingCounts(db)
	if err != nil {
		return err
	}
	counts, err := collection.Counts(db)
	if err != nil {
		return err
	}
	e.With("download_loses", map[string]any{
		"pending": pending, "cards": counts.Cards, "notes": counts.Notes, "revlog": counts.Revlog,
		"modified": col.Mod, "last_sync": col.LS,
	})
	e.With("upload_loses", map[string]any{
		"server_empty": m.Empty, "modified": m.Mod, "usn": m.USN,
		"changed_since_last_sync": m.Mod != col.LS, // earlier, too: an upload's time is that of its device's clock
	})
	return e
}

func oneWayHint(d decision) string {
	switch {
	case d.uploadOK && d.downloadOK:
		return "Choose: \"upload\" keeps this device's collection, \"download\" keeps the server's. The other one is backed up first."
	case d.uploadOK:
		return "The server is empty: \"upload\" sends this device's collection."
	default:
		return "This device is empty: \"download\" fetches the server's collection."
	}
}

// directionError refuses a one-way sync in a direction that would replace cards by nothing.
func directionError(db host.DB, col collection.Col, d decision, m wire.Meta) error {
	err := oneWayError(db, col, d, m)
	if e, ok := err.(*fault.Error); ok {
		e.Message = "that direction would replace a collection with cards by an empty one"
	}
	return err
}
