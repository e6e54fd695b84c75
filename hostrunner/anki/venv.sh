#!/bin/sh
# Makes .cache/venv in the root of the source tree: a Python with the real Anki, which the tests need. Run it again after a
# change of requirements.txt.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv=$here/../../.cache/venv
python=${PYTHON:-python3}
mkdir -p "$(dirname "$venv")"
if ! [ -x "$venv/bin/python" ]; then
	"$python" -m venv "$venv"
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
