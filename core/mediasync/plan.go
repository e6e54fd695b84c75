package mediasync

import (
	"context"

	"github.com/cardferry/cardferry/core/rows"
)

// Kinds of transfers in a plan.
const (
	planDownload = iota
	planUpload   // files and deletions
	planTrash
)

// plan is what is to be transferred: names in the order in which they are, in a temporary table. It is a list of
// candidates: what is really to be done about a name is decided again when it is its turn.
type plan struct {
	index *index
	table string
	total [3]int64
	held  int64
}

const planPage = 1000

// open condition of rows about which there may be something to do.
const unsettled = "(here IS NULL OR here IS NOT server OR here IS NOT agreed)"

// makePlan decides about every row that is not settled. What needs no transfer is done at once.
func (r *syncRun) makePlan(ctx context.Context) (p *plan, err error) {
	p = &plan{index: r.index}
	if err := rows.Transaction(r.index.db, r.judge); err != nil {
		return p, err
	}
	if p.table, err = p.index.tempTable("(name TEXT PRIMARY KEY, kind INTEGER, rank INTEGER) WITHOUT ROWID"); err != nil {
		return p, err
	}
	query, err := r.index.db.Prepare("SELECT " + columns + " FROM media WHERE name >= ? AND " + unsettled + " ORDER BY name LIMIT 1000")
	if err != nil {
		return p, err
	}
	defer query.Close()
	for last, n := "", planPage; n == planPage; {
		n = 0
		var agreed []row
		var drop, planned []byte
		for v, err := range rows.Each(query, rows.Pack(nil, last)) {
			if err != nil {
				return p, err
			}
			x := rowOf(v)
			n, last = n+1, after(x.name)
			switch a := r.next(&x); a {
			case dropRow:
				drop = rows.Pack(drop, x.name)
			case agree:
				x.agreed, x.offered, x.why = x.here, nothing, unjudged
				agreed = append(agreed, x)
			case holding:
				p.held++
			default:
				if kind, ok := kindOf(a); ok && !r.stopped[kind] {
					p.total[kind]++
					planned = rows.Pack(planned, x.name, kind, lastRank)
				}
			}
		}
		if err := r.index.storePlan(p.table, agreed, drop, planned); err != nil {
			return p, err
		}
		if err := r.Host.Yield.Tick(ctx); err != nil {
			return p, err
		}
	}
	return p, nil
}

func kindOf(a action) (kind int, ok bool) {
	switch a {
	case download:
		return planDownload, true
	case upload, deleteThere:
		return planUpload, true
	case trash:
		return planTrash, true
	}
	return 0, false
}

func (x *index) storePlan(table string, agreed []row, drop, planned []byte) error {
	if agreed == nil && drop == nil && planned == nil {
		return nil
	}
	return rows.Transaction(x.db, func() error {
		if agreed != nil {
			if err := x.write(agreed); err != nil {
				return err
			}
		}
		if _, err := run(x.db, "DELETE FROM media WHERE name = ?", drop); err != nil {
			return err
		}
		_, err := run(x.db, "INSERT INTO "+table+" VALUES (?, ?, ?)", planned)
		return err
	})
}

// next is what is to be done about a row in this run. What cannot be done is set aside.
func (r *syncRun) next(x *row) action {
	if r.setAside[x.name] != 0 {
		return untouched
	}
	a := x.action()
	problem := reason(0)
	switch {
	case a == untouched && x.here == opaque:
		problem = x.aside
	case a == untouched && x.server == hollow:
		problem = empty
	case a == untouched:
		problem = damagedSum
	case a == download && !syncable(r.Host.Text, x.name):
		problem = badName
	}
	if problem != 0 {
		r.setAside[x.name], a = problem, untouched
	}
	return a
}

// lastRank is the rank of files that no card uses; it comes last.
const lastRank = 1 << 30

// cursor reads a part of a plan.
type cursor struct {
	plan  *plan
	kind  int
	rank  int64
	name  string
	ahead []candidate // read already
	done  bool
}

// candidate is a row of a plan, as it was a moment ago: what is stored about it has to begin with a look at it now.
type candidate struct {
	row
	copied bool // another file here has the content of the server's
}

// next returns the next one; ok is false at the end.
func (c *cursor) next() (x candidate, ok bool, err error) {
	if len(c.ahead) == 0 && !c.done {
		for v, err := range rows.Query(c.plan.index.db, "SELECT "+columns+", rank, EXISTS (SELECT 1 FROM media h WHERE h.here = m.server) FROM "+
			c.plan.table+" LEFT JOIN media m USING (name) WHERE kind = ? AND (rank, name) > (?, ?) ORDER BY rank, name LIMIT 200", c.kind, c.rank, c.name) {
			if err != nil {
				return x, false, err
			}
			x = candidate{rowOf(v), v[13].Int() != 0}
			c.rank, c.name = v[12].Int(), x.name
			c.ahead = append(c.ahead, x)
		}
		c.done = len(c.ahead) == 0
	}
	if len(c.ahead) == 0 {
		return x, false, nil
	}
	x, c.ahead = c.ahead[0], c.ahead[1:]
	return x, true, nil
}

// sort makes the plan one that can be read in its order.
func (p *plan) sort() error {
	return p.index.db.Exec("CREATE INDEX " + p.table + "_order ON " + p.table[len("temp."):] + " (kind, rank, name)")
}

func (p *plan) read(kind int) *cursor { return &cursor{plan: p, kind: kind, rank: -1 << 40} }

func (p *plan) close() { p.index.drop(p.table) }

func (p *plan) empty() bool { return p.total == [3]int64{} }
