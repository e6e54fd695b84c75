package hostrunner

import (
	"context"

	"github.com/cardferry/cardferry/core/fault"
)

// Engine says how the core runs.
type Engine uint8

// The engines. Both run the same source and give the same results and errors.
const (
	Wazero Engine = iota // the Wasm guest in wazero
	Native               // compiled into this program
)

// String returns the engine's name on the command line.
func (e Engine) String() string {
	if e == Native {
		return "native"
	}
	return "wazero"
}

// ParseEngine returns the engine of that name; fault.InvalidInput if there is none.
func ParseEngine(name string) (Engine, error) {
	for _, e := range []Engine{Wazero, Native} {
		if e.String() == name {
			return e, nil
		}
	}
	return 0, fault.New(fault.InvalidInput, "there is no engine %q", name).WithHint("Choose wazero or native.")
}

// engine runs calls of core/service for one profile: any number at once, of which one at a time has its turn (package
// host says when another one gets it).
type engine interface {
	// call runs a method. The end of ctx ends it within a second, or when it gets its next turn. Errors are as
	// abi.DecodeAnswer returns them.
	call(ctx context.Context, method string, params []byte) ([]byte, error)
	// crashed reports whether a call has ended in a defect, and all others with it: the engine must not be used again.
	crashed() bool
	// close releases the engine and whatever the core has left open. No call may be running.
	close() error
}
