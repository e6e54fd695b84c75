package simtest

import (
	"bytes"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/cardferry/cardferry/core/wire"
)

// mutant is a seeded fault: a mistake put into the core or the server through their ports, to prove that the simulator finds it.
type mutant struct {
	name  string
	words string
	// sql changes the statements of the devices, serverSQL those of the server.
	sql, serverSQL func(sql string) string
	// out changes what devices send, decompressed.
	out func(method string, message []byte) []byte
	// header changes the anki-sync header that they send.
	header func(text string) string
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

func (m *mutant) serverRewrite() func(string) string {
	if m == nil {
		return nil
	}
	return m.counted(m.serverSQL)
}

func (m *mutant) sent(header string) string {
	if m == nil || m.header == nil {
		return header
	}
	return m.counted(m.header)(header)
}

func (m *mutant) request(codec *wire.Codec, method string, body []byte) []byte {
	if m == nil || m.out == nil {
		return body
	}
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
