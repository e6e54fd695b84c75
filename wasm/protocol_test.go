// Package wasm_test checks what the two sides of the boundary share: generated constants, sizes, dependencies.
package wasm_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/remote"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/wasm/abi"
)

var update = flag.Bool("update", false, "write jsbridge/src/protocol.gen.ts")

// TestProtocolFile compares the constants of the TypeScript side with ours.
func TestProtocolFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "jsbridge", "src", "protocol.gen.ts")
	want := protocolFile()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is stale: run `go test ./wasm -run TestProtocolFile -update`", path)
	}
}

// protocolFile returns the TypeScript constants.
func protocolFile() []byte {
	var b bytes.Buffer
	b.WriteString("// Constants that both sides of the boundary share (wasm/ABI.md).\n" +
		"// Written by `go test ./wasm -run TestProtocolFile -update`; do not edit.\n\n")
	constant(&b, "The number of the boundary; another one is refused.", "ABI_VERSION", abi.Version)
	constant(&b, "The module that the guest imports from.", "IMPORT_MODULE", quote(abi.Module))
	list(&b, "The exports of the guest.", "EXPORTS", abi.Exports())
	list(&b, "The imports of the guest.", "IMPORTS", abi.ImportNames())
	b.WriteString("/** The name of one import. */\nexport type ImportName = (typeof IMPORTS)[number];\n\n")
	list(&b, "The methods that a call can name.", "METHODS", service.Methods())
	b.WriteString("/** The name of one method. */\nexport type Method = (typeof METHODS)[number];\n\n")
	object(&b, "The kinds of errors and their stable numbers.", "KINDS", kinds())
	b.WriteString("/** The name of one kind of error. */\nexport type Kind = keyof typeof KINDS;\n\n")
	object(&b, "The flags of a request block.", "REQUEST_FLAGS", []entry{
		{"stream", int64(abi.FlagStream)}, {"unzstd", int64(abi.FlagUnzstd)}, {"zstd", int64(abi.FlagZstd)},
	})
	object(&b, "The kinds of cf_event.", "EVENTS", []entry{
		{"answer", int64(abi.EventAnswer)}, {"data", int64(abi.EventData)}, {"end", int64(abi.EventEnd)},
		{"failed", int64(abi.EventFailed)}, {"sent", int64(abi.EventSent)},
	})
	object(&b, "The modes of sql_open.", "OPEN_MODES", []entry{
		{"readWrite", int64(host.ReadWrite)}, {"create", int64(host.Create)}, {"readOnly", int64(host.ReadOnly)},
	})
	object(&b, "The tags of packed values (core/rows).", "TAGS", []entry{
		{"null", rows.TagNull}, {"integer", rows.TagInt}, {"real", rows.TagFloat}, {"text", rows.TagText}, {"blob", rows.TagBlob},
	})
	constant(&b, "Added to the result of sql_next when the statement is done.", "NEXT_DONE", fmt.Sprintf("%dn", int64(abi.NextDone)))
	constant(&b, "Added to the size of a row that does not fit into the buffer of sql_next.", "NEXT_TOO_BIG", fmt.Sprintf("%dn", int64(abi.NextTooBig)))
	constant(&b, "The result of an import of the media store that found something else than the guest has seen.", "CHANGED", abi.Changed)
	list(&b, "The methods whose requests must not come twice (core/remote).", "ONCE", remote.OnceMethods())
	constant(&b, "The status that stands for an answer that may be the second one.", "TWICE", remote.StatusTwice)
	object(&b, "The names of the files of a profile.", "FILES", []entry{
		{"collection", host.Collection}, {"state", host.State}, {"staging", host.Staging}, {"backups", host.Backups},
		{"mediaIndex", host.MediaIndex},
	})
	return append(bytes.TrimRight(b.Bytes(), "\n"), 10)
}

type entry struct {
	name  string
	value any
}

func kinds() []entry {
	var es []entry
	for _, k := range fault.Kinds() {
		es = append(es, entry{k.String(), int64(k)})
	}
	return es
}

func quote(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func constant(b *bytes.Buffer, doc, name string, value any) {
	fmt.Fprintf(b, "/** %s */\nexport const %s = %v;\n\n", doc, name, value)
}

func list(b *bytes.Buffer, doc, name string, values []string) {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = "  " + quote(v) + ",\n"
	}
	fmt.Fprintf(b, "/** %s */\nexport const %s = [\n%s] as const;\n", doc, name, strings.Join(quoted, ""))
	b.WriteString("\n")
}

func object(b *bytes.Buffer, doc, name string, entries []entry) {
	fmt.Fprintf(b, "/** %s */\nexport const %s = {\n", doc, name)
	for _, e := range entries {
		fmt.Fprintf(b, "  %s: %s,\n", e.name, quote(e.value))
	}
	b.WriteString("} as const;\n\n")
}
