//go:build wasm

// This file replaces wasm/guest/main.go in the guest of the boundary tests (see instance_test.go).
package main

import (
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/hostrunner/testdata/testservice"
	"github.com/cardferry/cardferry/wasm/abi"
)

var guest = start()

func start() *abi.Guest {
	limitMemory()
	return abi.New(imports{}, func(h host.Host) abi.Service { return testservice.Service{Host: h} })
}
