package simtest

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// mutant is a seeded fault: a mistake put into the core or the server through their ports, to prove that the simulator finds it.
type mutant struct {
	name  string
	words string
	// sql changes the statements of the devices, serverSQL those of the server.
	sql, serverSQL func(sql string) string
	// out changes what devices send, decompressed.
	out func(method string, message []byte) []byte
	// hits counts where it has changed something.
	hits atomic.Int64
}

// counted notes whether a rewriting has changed something.
func (m *mutant) counted(rewrite func(string) string) func(string) string {
	if rewrite == nil {
		return nil
	}
	return func(sql string) string {
		out := rewrite(sql)
		if out != sql {
			m.hits.Add(1)
		}
		return out
	}
}

func (m *mutant) clientSQL() func(string) string {
	if m == nil {
		return nil
	}
	return m.counted(m.sql)
}

// collections wraps the server's store.
func (m *mutant) collections(c store.Collections) store.Collections {
	if m == nil || m.serverSQL == nil {
		return c
	}
	return mutated{c, m.counted(m.serverSQL)}
}

// mutated are collections whose statements are changed.
type mutated struct {
	store.Collections
	rewrite func(string) string
}

// Open opens the collection.
func (c mutated) Open(ctx context.Context, id store.AccountID) (host.DB, error) {
	db, err := c.Collections.Open(ctx, id)
	if err != nil {
		return nil, err
	}
	return mutatedDB{db.(*sqlitehost.DB), c.rewrite}, nil
}

type mutatedDB struct {
	*sqlitehost.DB
	rewrite func(string) string
}

// Prepare compiles another statement.
func (d mutatedDB) Prepare(sql string) (host.Stmt, error) { return d.DB.Prepare(d.rewrite(sql)) }

// Exec runs other statements.
func (d mutatedDB) Exec(sql string) error { return d.DB.Exec(d.rewrite(sql)) }

func (m *mutant) request(method string, body []byte) []byte {
	if m == nil || m.out == nil {
		return body
	}
	codec := newCodec()
	plain, err := codec.Decompress(nil, body, 64<<20)
	if err != nil {
		return body
	}
	changed := m.out(method, plain)
	if !bytes.Equal(changed, plain) {
		m.hits.Add(1)
	}
	return codec.Compress(nil, changed)
}

// replaced returns a rewriting of SQL that replaces a piece.
func replaced(old, by string) func(string) string {
	return func(sql string) string { return strings.ReplaceAll(sql, old, by) }
}

// findMutant returns the fault of a name; nil for "".
func findMutant(name string) (*mutant, error) {
	if name == "" {
		return nil, nil
	}
	for _, m := range mutants {
		if m.name == name {
			return m, nil
		}
	}
	return nil, fmt.Errorf("there is no seeded fault %q", name)
}
