//go:build embedguest

package guestfile

import _ "embed"

//go:embed core.wasm
var embedded []byte
