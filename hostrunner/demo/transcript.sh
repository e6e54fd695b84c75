#!/usr/bin/env bash
# Syncs a small real collection between two profiles and a real sync server, and says what happens. The real Anki makes
# the collection, changes it, and serves it. Usage: hostrunner/demo/transcript.sh, after `make build` and hostrunner/anki/venv.sh.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${CARDFERRY_ANKI_PYTHON:-$PWD/.cache/venv/bin/python}
cardferry=$PWD/build/cardferry
learner=$PWD/hostrunner/demo/learner.py

work=$(mktemp -d)
server=
cleanup() {
	if [ -n "$server" ]; then
		kill "$server" 2>/dev/null || true
		wait "$server" 2>/dev/null || true
	fi
	rm -rf "$work"
}
trap cleanup EXIT
cd "$work"

say() { printf '\n== %s\n' "$*"; }
run() { # prints a command as a person would type it, and runs it
	printf '$ cardferry %s\n' "$*"
	"$cardferry" "$@"
}

port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
url=http://127.0.0.1:$port/
mkdir server
SYNC_USER1=learner:secret SYNC_BASE=$work/server SYNC_HOST=127.0.0.1 SYNC_PORT=$port RUST_LOG=error \
	"$python" -m anki.syncserver >server.log 2>&1 &
server=$!
for _ in $(seq 150); do
	if "$cardferry" doctor --endpoint "$url" | grep -q 'speaks protocol 11'; then break; fi
	kill -0 "$server" 2>/dev/null || break
	sleep 0.2
done
say "A real Anki sync server runs at $url; this is how it looks to us:"
run doctor --endpoint "$url"

export CARDFERRY_PASSWORD=secret
say "The laptop has a collection, made by the real Anki. It goes up."
mkdir laptop
"$python" "$learner" make laptop/collection.anki2
run login --profile laptop --endpoint "$url" --user learner
run status --profile laptop
run upload --profile laptop
run media sync --profile laptop

say "The phone starts with nothing, and gets it."
run login --profile phone --endpoint "$url" --user learner
run download --profile phone
run media sync --profile phone

say "On the phone, the real Anki answers three cards. On the laptop it corrects a note, adds one, and deletes one."
"$python" "$learner" study phone/collection.anki2
"$python" "$learner" write laptop/collection.anki2
run status --profile phone --offline
run status --profile laptop --offline

say "Each sends its changes and gets the other's."
run sync --profile phone
run sync --profile laptop
run sync --profile phone

say "Both are the same now, and the real Anki finds nothing to repair:"
"$python" "$learner" compare laptop/collection.anki2 phone/collection.anki2
run status --profile phone
