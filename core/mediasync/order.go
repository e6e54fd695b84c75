package mediasync

import (
	"context"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/mediawire"
	"github.com/cardferry/cardferry/core/rows"
)

// Order tells which files are needed when: it calls use for each name that a card uses, with the days until the card is
// due, for each name first with the fewest.
type Order func(ctx context.Context, use func(name string, days int64)) error

// rank orders the downloads of a plan: files of cards that are due first, then those of the next days, then the rest;
// what no card uses comes last. It is only a convenience: a collection that cannot be read now does not hold up a sync.
func (r *syncRun) rank(ctx context.Context, p *plan) error {
	order := r.options.Order
	if order == nil || p.total[planDownload] <= mediawire.MaxEntries {
		return nil
	}
	var ranks []byte
	err := order(ctx, func(name string, days int64) {
		ranks = rows.Pack(ranks, days, planDownload, lastRank, name)
	})
	if fault.KindOf(err) == fault.Cancelled {
		return err
	}
	if err != nil || ranks == nil {
		return nil
	}
	return rows.Transaction(p.index.db, func() error {
		_, err := run(p.index.db, "UPDATE OR IGNORE "+p.table+" SET rank = ? WHERE kind = ? AND rank = ? AND name = ?", ranks)
		return err
	})
}
