#!/bin/sh
# Builds the guest: wasm/build.sh wasip1|js OUT.
#
# Inlining is off, except in and below the loops over bytes, and in the allocator and collector: everywhere it would make
# the file a tenth larger, nowhere parsing would take half as long again. The Green Tea collector, which needs SIMD to be
# faster, is off for its size as well. The same source is the same file, whatever the checkout: no commit is in it. wasm/size.sh prints what all this comes to.
set -eu
target=$1
case $2 in /*) out=$2 ;; *) out=$PWD/$2 ;; esac
cd "$(dirname "$0")/.."
own=github.com/cardferry/cardferry/core
mode=
if [ "$target" = wasip1 ]; then mode=-buildmode=c-shared; fi
set -- -gcflags=all=-l
for hot in github.com/klauspost/... $own/wire $own/jsontext $own/rows $own/notetext $own/unicase \
	unicode/utf8 encoding/binary math/bits internal/strconv internal/bytealg internal/byteorder \
	runtime internal/abi internal/runtime/sys internal/runtime/maps internal/runtime/math; do
	set -- "$@" "-gcflags=$hot="
done
trimmed=$(go run ./wasm/trim)
GOOS=$target GOARCH=wasm GOEXPERIMENT=nogreenteagc go build $mode -modfile "$trimmed/go.mod" -overlay "$trimmed/overlay.json" -trimpath -buildvcs=false -ldflags='-s -w -buildid=' "$@" \
	-o "$out" ./wasm/guest
go run ./wasm/shrink "$out"
