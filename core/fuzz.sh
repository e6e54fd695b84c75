#!/bin/sh
# Fuzzes every decoder, file and HTTP entry in turn: core/fuzz.sh [HOW LONG EACH, as 30s or 100000x]. What fails is kept as a seed beside the
# test. The seeds in testdata/fuzz are what such runs have found to be of interest; go test plays them as well.
set -eu
cd "$(dirname "$0")/.."
each=${1:-20s}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
grep -rlE '^func Fuzz' --include='*_test.go' core wasm hostrunner | sort | while read -r file; do
	package=./$(dirname "$file")
	sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file" | while read -r name; do
		echo "$package $name"
		# go test sometimes takes the end of its own time for a failure. That of an input names its file.
		go test -run '^$' -fuzz "^$name\$" -fuzztime "$each" -fuzzminimizetime 2s "$package" </dev/null >"$log" 2>&1 ||
			{ cat "$log"; grep -q '^    context deadline exceeded$' "$log" && ! grep -q '^ *Failing input' "$log" || exit 1; }
		tail -n 3 "$log"
	done
done
