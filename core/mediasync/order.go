package mediasync

import (
	"context"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/mediawire"
	"github.com/cardferry/cardferry/core/rows"
)

// Order calls yield for each name that the collection uses, with the number of days until a card shows it; the lowest of
// several counts (mediause.Due).
type Order func(ctx context.Context, yield func(name string, day int) error) error

// rank orders the downloads of a plan: files of cards that are due first, then those of the next days, then the rest;
// what no card uses comes last. It is only a convenience: a collection that cannot be read now does not hold up a sync.
func (r *syncRun) rank(ctx context.Context, p *plan) error {
	if r.options.Order == nil || p.total[planDownload] <= mediawire.MaxEntries {
		return nil
	}
	r.progress(host.StageMediaDownload, 0, p.total[planDownload])
	var ranks []byte
	n := 0
	flush := func() error {
		err := error(nil)
		if n > 0 {
			err = rows.Transaction(p.index.db, func() error {
				_, err := run(p.index.db, "UPDATE "+p.table+" SET rank = ?1 WHERE name = ?2 AND kind = 0 AND rank > ?1", ranks)
				return err
			})
		}
		ranks, n = ranks[:0], 0
		return err
	}
	err := r.options.Order(ctx, func(name string, day int) error {
		ranks = rows.Pack(ranks, day, name)
		if n++; n < planPage {
			return nil
		}
		return flush()
	})
	if ferr := flush(); err == nil {
		err = ferr
	}
	if fault.KindOf(err) == fault.Cancelled {
		return err
	}
	return nil
}
