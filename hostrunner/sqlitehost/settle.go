package sqlitehost

import (
	"context"
	"path/filepath"

	"github.com/cardferry/cardferry/core/fault"
)

// Settle brings what is in the journals of the database at path into its main file and removes them. It fails with
// fault.Busy when another connection has the database open: only the last one may remove a write-ahead log.
func Settle(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return fault.Wrap(fault.Other, err, "settle")
	}
	db, err := connect(context.Background(), path, writable, newTask())
	if err != nil {
		return err
	}
	if err := db.conn.BusyTimeout(openTimeout); err == nil {
		// Leaving WAL mode needs the file alone, where a checkpoint would do what it can.
		err = db.conn.Exec("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE; ROLLBACK")
		if err != nil {
			_ = db.discard()
			return convert(err, "settle "+filepath.Base(path))
		}
	}
	return convert(db.discard(), "settle "+filepath.Base(path))
}

// rollBack takes back the transaction of a program that was killed, which has left the file half written and its rollback journal
// beside it. Nobody can read such a file before a connection that may write has done so.
func rollBack(ctx context.Context, path string, t *task) error {
	db, err := connect(ctx, path, writable, t)
	if err != nil {
		return err
	}
	return db.discard()
}
