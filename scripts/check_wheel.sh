#!/usr/bin/env bash
# Builds the wheel, installs it into an empty venv outside the checkout and asks it for its page.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
make --no-print-directory dist
work=$(mktemp -d)
server=
trap 'test -z "$server" || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet -c "$root/constraints.txt" torch
"$work/venv/bin/python" -m pip install --quiet -c "$root/constraints.txt" "$(ls -t "$root"/dist/*.whl | head -n 1)"

cd "$work" # nothing of the checkout is in sight
export NEWTON_LAB_DATA_DIR="$work/data"
"$work/venv/bin/newton-lab" presets >/dev/null
"$work/venv/bin/newton-lab" serve --port 8917 >"$work/log" 2>&1 &
server=$!
for _ in $(seq 60); do
    "$work/venv/bin/python" - <<'PY' && { echo "the wheel serves the page"; exit 0; }
import json
import sys
from urllib.request import urlopen

try:
    health = json.load(urlopen("http://127.0.0.1:8917/api/health", timeout=5))
    page = urlopen("http://127.0.0.1:8917/", timeout=5).read().decode()
except OSError:
    sys.exit(1)
sys.exit(not (health["status"] == "ok" and "Newton Lab" in page))
PY
    sleep 1
done
echo "the wheel did not serve the page within a minute:"
cat "$work/log"
exit 1
