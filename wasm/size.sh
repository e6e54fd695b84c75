#!/bin/sh
# Prints the size of the guest, wasm/size.sh [FILE], and fails above the budget (design.md §8): what a page loads is
# the gzip or the brotli file. Without FILE the guest is built.
set -eu
max_gzip=1300000
max_brotli=1000000
dir=$(dirname "$0")
file=${1:-}
if [ -z "$file" ]; then
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	file=$tmp/core.wasm
	sh "$dir/build.sh" wasip1 "$file"
fi
status=0
line() { # name, bytes, budget
	if [ -n "$3" ] && [ "$2" -gt "$3" ]; then
		echo "guest $1 $2 bytes: over the budget of $3" >&2
		status=1
	else
		echo "guest $1 $2 bytes${3:+ (budget $3)}"
	fi
}
line raw "$(wc -c <"$file")" ""
line gzip "$(gzip -9nc "$file" | wc -c)" $max_gzip
if command -v brotli >/dev/null; then
	line brotli "$(brotli -q 11 -w 24 -c "$file" | wc -c)" $max_brotli
else
	echo "guest brotli: not measured, there is no brotli command"
fi
exit $status
