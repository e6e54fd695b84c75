#!/bin/sh
# Builds the guest: wasm/build.sh wasip1|js OUT.
#
# Inlining is off except where it pays: it costs a tenth of the size and gains nothing in code that waits for the network or
# SQLite. The loops over bytes keep it. The Green Tea collector has no fast path in Wasm and is larger (CONTRIBUTING of
# neither says so; measured with wasm/size.sh).
set -eu
target=$1
out=$(realpath -m "$2")
cd "$(dirname "$0")/.."
export GOOS="$target" GOARCH=wasm
mode=
if [ "$target" = wasip1 ]; then mode=-buildmode=c-shared; fi
exec go build $mode -trimpath -ldflags='-s -w -buildid=' -o "$out" ./wasm/guest
