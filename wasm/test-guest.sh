#!/bin/sh
# Runs the test suites of the core, as far as they need no host, the way the guest runs: GOOS=js under Node and GOOS=wasip1
# under wazero. A package whose tests need SQLite is left out, because SQLite is a host's; both guests run it through
# the ports in the tests of hostrunner and jsbridge.
set -eu
cd "$(dirname "$0")/.."
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

packages=
for p in $(go list ./core/... ./wasm/abi); do
	if go list -test -deps "$p" | grep -qE '^(github.com/cardferry/cardferry/hostrunner|github.com/ncruces/go-sqlite3)'; then
		echo "# without $p: its tests need a host" >&2
	else
		packages="$packages $p"
	fi
done

go build -o "$tmp/wasirun" ./wasm/wasirun
echo "== GOOS=wasip1 under wazero"
GOOS=wasip1 GOARCH=wasm go test -short -exec "$tmp/wasirun" $packages

if command -v node >/dev/null; then
	echo "== GOOS=js under Node"
	# wasm_exec.js has room for a small environment only.
	env -i PATH="$PATH" HOME="$HOME" GOFLAGS="${GOFLAGS:-}" GOPROXY="${GOPROXY:-}" GOOS=js GOARCH=wasm \
		go test -short -exec "$(go env GOROOT)/lib/wasm/go_js_wasm_exec" $packages
elif [ -n "${CARDFERRY_REQUIRE_NODE:-}" ]; then
	echo "there is no node" >&2
	exit 1
else
	echo "== GOOS=js: skipped, there is no node"
fi
