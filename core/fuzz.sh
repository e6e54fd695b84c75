#!/bin/sh
# Fuzzes every decoder in turn: core/fuzz.sh [INPUTS EACH]. What fails is kept as a seed beside the test.
set -eu
cd "$(dirname "$0")/.."
inputs=${1:-200000}
grep -rlE '^func Fuzz' --include='*_test.go' core wasm hostrunner | sort | while read -r file; do
	package=./$(dirname "$file")
	sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file" | while read -r name; do
		echo "$package $name"
		go test -run '^$' -fuzz "^$name\$" -fuzztime "${inputs}x" "$package" </dev/null
	done
done
