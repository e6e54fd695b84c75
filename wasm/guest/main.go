//go:build wasm

// Command guest is the program that hosts load: the exports and imports of wasm/ABI.md around wasm/abi, and core/service
// behind it. It has no logic of its own, because a folder that only builds for Wasm is invisible to native tests.
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared   the shipped file, a WASI reactor
//	GOOS=js     GOARCH=wasm go build                       a program whose main blocks, for tests under Node
package main

import (
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/wasm/abi"
)

// guest is the one instance; Wasm exports have no receiver.
var guest = start()

func start() *abi.Guest {
	limitMemory()
	return abi.New(imports{}, func(h host.Host) abi.Service { return service.New(h) })
}
