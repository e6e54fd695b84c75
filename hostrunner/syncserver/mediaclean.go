package syncserver

import (
	"context"

	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// clean removes content that no row refers to any more. It waits for uploads that may be about to refer to it. What it does
// not get to now is for the next time: the list is in the database.
func (x *mediaIndex) clean(ctx context.Context) error {
	if x.storing > 0 {
		return nil
	}
	if err := x.cleanOrphans(ctx); err != nil {
		return err
	}
	const most = 200
	var gone, listed []store.SHA1
	err := x.each(func(row rows.Row) {
		var sum store.SHA1
		copy(sum[:], row[0].Bytes)
		listed = append(listed, sum)
		if row[1].Int() == 0 {
			gone = append(gone, sum)
		}
	}, "SELECT u.sum, EXISTS (SELECT 1 FROM media m WHERE m.sum = u.sum AND m.size > 0) FROM unused u LIMIT +?", int64(most))
	if err != nil || len(listed) == 0 {
		return err
	}
	if err := x.tenant.server.Blobs.Remove(ctx, x.tenant.id, gone...); err != nil {
		return err
	}
	return rows.Transaction(x.db, func() error {
		for _, sum := range listed {
			if err := x.run("DELETE FROM unused WHERE sum = ?", sum[:]); err != nil {
				return err
			}
		}
		return nil
	})
}

// mark records whether uploads store content now.
func (x *mediaIndex) mark(storing bool) error {
	n := int64(0)
	if storing {
		n = 1
	}
	err := x.run("UPDATE state SET storing = ?", n)
	if err == nil {
		x.marked = storing
	}
	return err
}

// beginStoring lets an upload store content that no row refers to yet; storing is counted down at its end.
func (x *mediaIndex) beginStoring() error {
	if !x.marked {
		if err := x.mark(true); err != nil {
			return err
		}
	}
	x.storing++
	return nil
}

// cleanLeftovers removes content that uploads of before a crash have left. It waits for uploads that may be about to refer to it.
func (x *mediaIndex) cleanLeftovers(ctx context.Context) error {
	if x.storing > 0 {
		return nil
	}
	blobs, id := x.tenant.server.Blobs, x.tenant.id
	list, err := blobs.List(ctx, id)
	if err != nil {
		return err
	}
	var gone []store.SHA1
	for _, sum := range list {
		used := false
		if err := x.each(func(rows.Row) { used = true }, usedSQL, sum[:]); err != nil {
			return err
		}
		if !used {
			gone = append(gone, sum)
		}
	}
	if err := blobs.Remove(ctx, id, gone...); err != nil {
		return err
	}
	x.leftovers = false
	return nil
}

// usedSQL finds a row that refers to content.
const usedSQL = "SELECT 1 FROM media WHERE sum = ? AND size > 0 LIMIT 1"

// cleanOrphans removes content of failed uploads. It is not listed in the database: perhaps that is what has failed.
func (x *mediaIndex) cleanOrphans(ctx context.Context) error {
	for len(x.orphans) > 0 {
		sum := x.orphans[0]
		used := false
		err := x.each(func(rows.Row) { used = true }, usedSQL, sum[:])
		if err == nil && !used {
			err = x.tenant.server.Blobs.Remove(ctx, x.tenant.id, sum)
		}
		if err != nil {
			return err
		}
		x.orphans = x.orphans[1:]
	}
	return nil
}
