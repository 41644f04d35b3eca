#!/usr/bin/env bash
# The benchmark tables: what the gateway costs, side by side with a bare forwarder in one run.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -d node_modules ] || npm ci
npx --no-install tsc -b . test/bench
exec node test/bench/dist/main.js "$@"
