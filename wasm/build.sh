#!/bin/sh
# Builds the guest: wasm/build.sh wasip1|js OUT.
#
# Inlining is off, except in the loops over bytes: it makes the file a tenth larger. The Green Tea collector, which needs
# SIMD to be faster, is off for its size as well. wasm/size.sh prints what all this comes to.
set -eu
target=$1
case $2 in /*) out=$2 ;; *) out=$PWD/$2 ;; esac
cd "$(dirname "$0")/.."
own=github.com/cardferry/cardferry/core
mode=
if [ "$target" = wasip1 ]; then mode=-buildmode=c-shared; fi
GOOS=$target GOARCH=wasm GOEXPERIMENT=nogreenteagc go build $mode -trimpath -ldflags='-s -w -buildid=' \
	-gcflags=all=-l -gcflags=$own/zstd= \
	-gcflags=$own/wire= -gcflags=$own/rows= -gcflags=$own/unicase= -gcflags=$own/notetext= -gcflags=$own/jsontext= \
	-o "$out" ./wasm/guest
go run ./wasm/shrink "$out"
