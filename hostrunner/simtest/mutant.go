package simtest

import (
	"fmt"
	"strings"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// mutant is a seeded fault: a mistake put into the core or the server through their ports, to prove that the simulator finds it.
type mutant struct {
	name  string
	words string
	// sql changes the statements of the devices, serverSQL those of the server.
	sql, serverSQL func(sql string) string
	// out and in change what devices send, and what the server answers, decompressed.
	out, in func(method string, message []byte) []byte
}

func (m *mutant) clientSQL() func(string) string {
	if m == nil {
		return nil
	}
	return m.sql
}

// collections wraps the server's store.
func (m *mutant) collections(c store.Collections) store.Collections { return c }

func (m *mutant) request(method string, body []byte) []byte {
	if m == nil || m.out == nil {
		return body
	}
	codec := newCodec()
	plain, err := codec.Decompress(nil, body, 64<<20)
	if err != nil {
		return body
	}
	return codec.Compress(nil, m.out(method, plain))
}

func (m *mutant) response(_ string, r *host.Response) *host.Response { return r }

// replaced returns a rewriting of SQL that replaces a piece.
func replaced(old, by string) func(string) string {
	return func(sql string) string { return strings.ReplaceAll(sql, old, by) }
}

// mutants are the seeded faults.
var mutants = []*mutant{}

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
