#!/bin/sh
# Prints the size of the guest, wasm/size.sh [FILE [DIST]], and fails above the budget (design.md §8): what a page loads is
# the gzip or the brotli file. Without FILE the guest is built. With DIST, the folder of the bridge, all that a page loads is added up.
set -eu
max_gzip=1300000
max_brotli=1000000
max_page=1500000
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
	if [ -n "${2:-}" ]; then
		total=0
		for part in "$file" "$2/sqlite3.wasm" "$2/zstd.wasm" "$2/worker.js" "$2/index.js"; do
			bytes=$(brotli -q 11 -w 24 -c "$part" | wc -c)
			echo "page brotli $(basename "$part") $bytes bytes"
			total=$((total + bytes))
		done
		if [ "$total" -gt $max_page ]; then
			echo "page brotli in all $total bytes: over the budget of $max_page" >&2
			status=1
		else
			echo "page brotli in all $total bytes (budget $max_page)"
		fi
	fi
else
	echo "guest brotli: not measured, there is no brotli command"
fi
exit $status
