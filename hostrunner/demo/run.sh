#!/usr/bin/env bash
# Starts the server with the app and an account that has a deck to try, until Ctrl-C. The real Anki makes the deck; the
# program sends it, as a computer would. What is studied stays in .cache/demo until `make clean`.
# Usage: hostrunner/demo/run.sh, after `make build` and hostrunner/anki/venv.sh. ADDR and DEMO_DIR may say where.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${CARDFERRY_ANKI_PYTHON:-$PWD/.cache/venv/bin/python}
cardferry=$PWD/build/cardferry
addr=${ADDR:-127.0.0.1:8080}
dir=${DEMO_DIR:-$PWD/.cache/demo}
url=http://$addr/
user=demo
export CARDFERRY_PASSWORD=harbour-demo

server=
stop() {
	trap - INT TERM EXIT
	if [ -n "$server" ]; then
		kill -TERM "$server" 2>/dev/null || true
		wait "$server" 2>/dev/null || true
	fi
}
trap 'stop; exit 0' INT TERM
trap stop EXIT

mkdir -p "$dir/server"
"$cardferry" serve --addr "$addr" --data "$dir/server" >"$dir/serve.log" 2>&1 &
server=$!
for _ in $(seq 150); do
	if grep -q 'Serving at' "$dir/serve.log"; then break; fi
	if ! kill -0 "$server" 2>/dev/null; then
		cat "$dir/serve.log" >&2
		echo "Is something else running at $addr? Choose another address: make run ADDR=127.0.0.1:8090" >&2
		exit 1
	fi
	sleep 0.2
done

if [ ! -e "$dir/ready" ]; then
	rm -rf "$dir/computer"
	mkdir "$dir/computer"
	"$cardferry" user add --data "$dir/server" "$user" >/dev/null 2>&1 || true # there, after a start that was ended early
	"$python" hostrunner/demo/deck.py "$dir/computer/collection.anki2"
	"$cardferry" login --profile "$dir/computer" --endpoint "$url" --user "$user" >/dev/null
	"$cardferry" upload --profile "$dir/computer" >/dev/null
	"$cardferry" media sync --profile "$dir/computer" >/dev/null
	touch "$dir/ready"
fi

cat <<END

  Cardferry runs at  $url

  Try it in a browser (Chromium or Chrome): choose "You have an account? Sign in", then
      user name  $user
      password   $CARDFERRY_PASSWORD
  and fetch the decks. Or create an account of your own.

  Connect Anki on this computer: Tools, Preferences, Syncing; write $url under
  Self-hosted sync server; close the preferences, click Sync, and sign in with the same name.

  Ctrl-C ends it. What you do is kept in $dir
END
wait "$server"
