package collection

import (
	"fmt"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

// PrepareUpload makes the collection what a full upload sends (sync spec §13.1 step 1): no graves, nothing pending,
// and a new scm, with one time for scm, ls and mod. Config and templates are left alone. It is atomic, inside or
// outside a transaction. A usn below 0, which only damage makes, would be refused by every later sync, and after the largest one the file could
// not be opened any more: such a usn begins anew. nowMillis must differ from the present scm and mod.
func PrepareUpload(db host.DB, nowMillis int64) (err error) {
	if err := db.Exec("SAVEPOINT prepare_upload"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			// The first error is the one that matters.
			_ = db.Exec("ROLLBACK TO prepare_upload; RELEASE prepare_upload")
			err = fmt.Errorf("prepare the upload: %w", err)
		}
	}()
	err = db.Exec(`
		DELETE FROM graves;
		UPDATE notes SET usn = 0 WHERE usn = -1;
		UPDATE cards SET usn = 0 WHERE usn = -1;
		UPDATE revlog SET usn = 0 WHERE usn = -1;
		UPDATE tags SET usn = 0 WHERE usn <> 0;
		UPDATE deck_config SET usn = 0 WHERE usn <> 0;
		UPDATE decks SET usn = 0 WHERE usn <> 0;
		UPDATE notetypes SET usn = 0 WHERE usn <> 0`)
	if err != nil {
		return err
	}
	if _, err = rows.Exec(db, "UPDATE col SET usn = CASE WHEN usn BETWEEN 0 AND 1 << 30 THEN usn + 1 ELSE 1 END, scm = ?1, ls = ?1, mod = ?1", nowMillis); err != nil {
		return err
	}
	return db.Exec("RELEASE prepare_upload")
}
