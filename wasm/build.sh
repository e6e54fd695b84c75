#!/bin/sh
# Builds the guest: wasm/build.sh wasip1|js OUT.
#
# The Green Tea collector, which needs SIMD to be faster, is off for its size. Should the size be over the budget again
# (wasm/size.sh): -gcflags=all=-l, with inlining left to wire, zstd, jsontext and what they call, saves 5%, but parsing takes
# half as long again.
set -eu
target=$1
case $2 in /*) out=$2 ;; *) out=$PWD/$2 ;; esac
cd "$(dirname "$0")/.."
mode=
if [ "$target" = wasip1 ]; then mode=-buildmode=c-shared; fi
GOOS=$target GOARCH=wasm GOEXPERIMENT=nogreenteagc go build $mode -trimpath -ldflags='-s -w -buildid=' \
	-o "$out" ./wasm/guest
go run ./wasm/shrink "$out"
