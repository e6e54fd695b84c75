package mediasync

import (
	"context"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/rows"
)

// trashDeleted moves files that were deleted on the server to the trash.
func (r *syncRun) trashDeleted(ctx context.Context, p *plan) error {
	names := p.read(planTrash)
	var dropped []byte
	n := 0
	for {
		x, ok, err := names.next()
		if err != nil {
			return err
		}
		if n == commitFiles || !ok && n > 0 {
			if err := r.Host.Media.Flush(ctx); err != nil {
				return fault.Step("move media files to the trash", err)
			}
			if _, err := run(r.index.db, "DELETE FROM media WHERE name = ? AND server IS x'2d'", dropped); err != nil {
				return err
			}
			dropped, n = nil, 0
			if err := r.Host.Yield.Tick(ctx); err != nil {
				return err
			}
		}
		if !ok {
			return nil
		}
		trashed, err := r.trashOne(ctx, x.name)
		if err != nil {
			return err
		}
		if trashed {
			dropped = rows.Pack(dropped, x.name)
			n++
		}
	}
}

func (r *syncRun) trashOne(ctx context.Context, name string) (bool, error) {
	x, err := r.index.row(name)
	if err != nil || r.next(&x) != trash {
		return false, err
	}
	changed, err := r.Host.Media.Trash(name, x.file)
	switch {
	case fault.KindOf(err) == fault.NotFound || err == nil && changed:
		_, err = r.look(ctx, name)
		return false, err
	case err != nil:
		return false, fault.Step("move media files to the trash", err)
	}
	r.report.DeletedLocal++
	return true, nil
}
